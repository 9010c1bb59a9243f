#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a stranger who knows addresses and ports of a connection, and
# no sequence number, can end it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

P=20000

forge() # 4|6 FLAGS [OPTION...]
{
	local -n from=CLIENT$1

	must on_client "$RAWPKT" tcp -f "$2" -q 12345 "${@:3}" \
		"${from[0]}" $P "$(vip "$1")" $PORT
}

victim_starts() # 4|6
{
	local -n from=CLIENT$1

	router_pin 0 1
	client_start victim -P $P -b 200000 -r 50000 -l \
		-T $((8000 * MLB_SCALE)) "$(vip "$1")" "$PORT"
	client_must victim flowing
}

victim_lives() # NAME
{
	client_go victim
	client_end victim
	check_eq "$1: the connection is whole" "${R[ok]}" 1
	check_eq "$1: node 1 had it" "$(served_by 1)" 1
	P=$((P + 1))
}

# The RST makes the entry of node 2 one of a flow that ends, and the SYN then
# makes it one of the past.
reset_and_syn() # NAME 4|6
{
	stats_mark
	victim_starts "$2"
	router_pin 0 2
	wait_for 5 moved_ge 1 steer flow 2 || bail "nothing comes by node 2"
	forge "$2" R
	forge "$2" S
	victim_lives "$1"
}

# A connection of the stranger's own, on node 2, whose token draws the SYN there.
join_elsewhere() # NAME 4|6
{
	local token

	stats_mark
	victim_starts "$2"
	router_pin 0 2
	client_start own -P $((P + 500)) -b 2000 -w "$(vip "$2")" "$PORT"
	client_must own connected
	wait_for 5 owner_total_is 2
	token=$(owner_tokens 2 local)
	router_pin 0 1
	forge "$2" S -o "join=$token"
	check_true "$1: the SYN goes to node 2" \
		wait_for 5 moved_ge 1 steer join-resolved 1
	victim_lives "$1"
	client_go own
	client_end own
}

test_begin
cluster_up 2
mlb_up
services_up
servers_up
for f in 4 6; do
	reset_and_syn "IPv$f, RST and SYN" $f
	wait_for 70 owner_total_is 0
	join_elsewhere "IPv$f, SYN with another's token" $f
	wait_for 70 owner_total_is 0
done
tap_done
