#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a node that is slow to answer costs connections that it has:
# their packets, which routers hand to another node, get a RST, and so do their
# second paths, which no client tries again.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 20 5)
# What the owner says comes too late; that it lives, as often as ever.
LATE="netem delay $((60 * MLB_SCALE))ms"

late()
{
	local f=$1 name="IPv$1" rsts

	router_pin 0 1
	client_start late -t -n "$N" -b 500000 -r 20000 -l -T 90000 \
		"$(vip "$f")" "$PORT"
	client_must late flowing
	stats_mark
	rsts=$(nodes_nstat TcpOutRsts)
	# shellcheck disable=SC2086	# words are meant
	must on_node 1 tc qdisc add dev eth1 root $LATE
	router_pin 0 2
	check_true "$name: packets of its flows are dropped meanwhile" \
		wait_for 20 moved_ge $((2 * N)) resolve drop-unanswered 2
	check_eq "$name: nobody is suspect" "$(ctl 2 -j node list |
		jq '[.[] | select(.suspect)] | length')" 0
	must on_node 1 tc qdisc del dev eth1 root
	check_true "$name: then they are found" \
		wait_for 20 moved_ge $((2 * N)) tunnel rx 1
	client_go late
	client_end late
	check_eq "$name: every transfer is whole" "${R[ok]}" "$N"
	check_eq "$name: no node sent a RST" \
		$(($(nodes_nstat TcpOutRsts) - rsts)) 0
}

late_joins()
{
	local f=$1 name="IPv$1, joins"

	endpoints_flush
	router_pin 0 1
	router_pin 1 2
	client_start joins -n "$N" -b 5000 -s 30000 -w "$(vip "$f")" "$PORT"
	client_must joins connected
	stats_mark
	# shellcheck disable=SC2086
	must on_node 1 tc qdisc add dev eth1 root $LATE
	endpoints_add
	check_true "$name: they are dropped meanwhile" \
		wait_for 20 moved_ge "$N" resolve drop-unanswered 2
	must on_node 1 tc qdisc del dev eth1 root
	client_must joins ready
	client_go joins
	client_end joins
	check_eq "$name: every second path comes up" "${R[second]}" "$N"
	check_eq "$name: every transfer is whole" "${R[ok]}" "$N"
	router_unpin 0
	router_unpin 1
}

test_begin jq tc
for f in 4 6; do
	cluster_up 3
	mlb_up --family $f
	services_up
	servers_up
	# Not so late that it is missed.
	for i in 1 2 3; do
		must ctl "$i" set resolve-timeout 20 alive-multiplier 10
	done
	late $f
	late_joins $f
	children_end
	cluster_down
done
tap_done
