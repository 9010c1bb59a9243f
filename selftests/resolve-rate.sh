#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, junk joins make the nodes flood each other with questions.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

RATE=50
BURST=$(scaled 500 100)

now_ms() { date +%s%3N; }

junk()
{
	must on_client "$RAWPKT" tcp -o join=random -n "$BURST" \
		"${CLIENT4[1]}" 10000 "$VIP4" "$PORT"
}

judged()
{
	[ $(($(moved resolve started 1) + $(moved resolve drop-rate 1))) -ge \
		"$BURST" ]
}

# A tenth of a second's worth may go at once, the rest with time.
queries_limited()
{
	local start ms

	must ctl 1 set resolve-rate $RATE resolve-timeout 1000
	stats_mark
	start=$(now_ms)
	junk
	check_true "every junk join was judged" wait_for 20 judged
	ms=$(($(now_ms) - start))
	check_range "queries keep to the rate" "$(moved resolve query-tx 1)" 1 \
		$((RATE * (ms + 100) / 1000 + 2))
	check_ge "what is over is dropped, and counted" \
		"$(moved resolve drop-rate 1)" 1
	check_eq "each join was asked for or dropped" \
		$(($(moved resolve started 1) + $(moved resolve drop-rate 1))) \
		"$BURST"
	check_eq "none was answered for want of a question" \
		"$(moved resolve negative 1)" 0
}

# The owner limits its answers too.
answers_limited()
{
	local n

	n=$(scaled 40 10)
	must ctl 1 set resolve-rate 100000
	must ctl 2 set resolve-rate 1
	router_pin 0 2
	client_start owned -n "$n" -b 2000 -w "$VIP4" "$PORT"
	client_must owned connected
	wait_for 5 owner_total_is "$n"
	stats_mark
	endpoints_add
	wait_for 10 moved_ge 1 resolve answer-limited 2
	check_ge "answers over the rate are not sent" \
		"$(moved resolve answer-limited 2)" 1
	check_range "those sent keep to it" "$(moved resolve answer-tx 2)" 0 12
	client_go owned
	client_end owned
	check_eq "first paths are unharmed" "${R[ok]}" "$n"
	endpoints_flush
	wait_for 10 owner_total_is 0
}

test_begin
cluster_up 3
mlb_up
services_up
servers_up
router_pin 1 1
queries_limited
answers_limited
for ((i = 1; i <= NODES; i++)); do
	must ctl $i set resolve-rate 100000 resolve-timeout 500
done
endpoints_add
router_pin 0 2
client_run after -n 10 -b 2000 -s 20000 "$VIP4" "$PORT"
check_eq "with the limit raised, joins work" "${R[second]}" 10
tap_done
