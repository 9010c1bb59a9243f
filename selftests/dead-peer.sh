#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, one node that does not answer holds up the clients of all, or
# packets pile up while it is asked.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 20 5)

now_ms() { date +%s%3N; }

setting() { ctl "$1" -j set | jq ".[\"$2\"]"; }

joins() # OPTION...
{
	on_client "$RAWPKT" tcp "$@" "${CLIENT4[1]}" 10000 "$VIP4" "$PORT"
}

connect_on() # NODE
{
	router_pin 0 "$1"
	endpoints_flush
	client_start "on$1" -n "$N" -b 2000 -s 5000 -w "$VIP4" "$PORT"
	client_must "on$1" connected
	wait_for 5 owner_total_is "$N"
}

finish() # NODE
{
	client_go "on$1"
	client_end "on$1"
	endpoints_flush
	wait_for 10 owner_total_is 0
}

# Joins for a live node's connections do not wait for the dead one.
others_live()
{
	stats_mark
	connect_on 2
	endpoints_add
	client_must on2 ready
	finish 2
	check_eq "joins of live nodes' connections work" "${R[second]}" "$N"
	check_eq "none of them waited to the end" "$(moved resolve timeout)" 0
}

# Joins for the dead node's connections are refused when the time is over, and
# the client goes on with its first path.
dead_refused()
{
	local rsts

	connect_on 3
	stats_mark
	rsts=$(nodes_nstat TcpOutRsts)
	endpoints_add
	wait_for 10 moved_ge "$N" resolve timeout 1
	check_eq "each of the dead node's tokens is asked for in vain" \
		"$(moved resolve timeout 1)" "$N"
	check_ge "and answered with a RST" \
		$(($(nodes_nstat TcpOutRsts) - rsts)) "$N"
	client_must on3 ready
	finish 3
	check_eq "no second path" "${R[second]}" 0
	check_eq "the first path is unharmed" "${R[ok]}" "$N"
}

# The limit is what it is set to, and no answer comes sooner.
waits() # MS
{
	local start took

	must ctl 1 set resolve-timeout "$1"
	start=$(now_ms)
	check_eq "resolve-timeout $1: then a RST" \
		"$(joins -o join=random -w 5000)" rst
	took=$(($(now_ms) - start))
	check_range "resolve-timeout $1: it took about as long" $took \
		$(($1 * 9 / 10)) $(($1 + 400 * MLB_SCALE))
}

bounds()
{
	must ctl 1 set resolve-timeout 1000 resolve-rate 1000000
	stats_mark
	joins -o join=0x1234 -n 20
	wait_for 5 moved_ge 12 resolve drop-key 1
	check_eq "one token: 8 packets wait" "$(moved resolve parked 1)" 8
	check_eq "the others are dropped, and counted" \
		"$(moved resolve drop-key 1)" 12
	wait_for 5 moved_ge 8 steer unclaimed 1
	check_eq "those that waited get the stack's answer" \
		"$(moved steer unclaimed 1)" 8

	stats_mark
	joins -o join=random -n 5000
	wait_for 5 moved_ge 1 resolve drop-full 1
	check_range "all tokens: no more wait than there is room for" \
		"$(setting 1 parked)" 0 4096
	check_ge "what finds no room is dropped and counted" \
		"$(moved resolve drop-full 1)" 1
	wait_for 20 nothing_parked
	check_eq "all of it goes again" "$(setting 1 parked)" 0
	check_eq "each packet had one fate" $(($(moved resolve parked 1) +
		$(moved resolve drop-full 1) + $(moved resolve drop-rate 1) +
		$(moved resolve drop-key 1))) 5000
}

nothing_parked() { [ "$(setting 1 parked)" = 0 ]; }

test_begin
cluster_up 3
mlb_up
# Else nobody would wait for it, which alive.sh shows.
alive_off
services_up
servers_up
router_pin 1 1
must ip -n "$PREFIX-n3" link set eth1 down
others_live
dead_refused
waits 20
waits 300
bounds
# The node comes back and is asked again once the negative entries are over.
must ip -n "$PREFIX-n3" link set eth1 up
ip -n "$PREFIX-n3" addr replace "$(node_addr4 3)/24" dev eth1
for ((i = 1; i <= NODES; i++)); do
	must ctl $i set resolve-timeout 500 resolve-rate 100000
done
cluster_known 4
connect_on 3
endpoints_add
client_must on3 ready
finish 3
check_eq "back again: joins work" "${R[second]}" "$N"
tap_done
