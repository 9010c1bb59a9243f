#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a stranger who sends SYNs, forged ACKs or joins fills the
# cluster's tables or shuts its clients out.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Nobody has these addresses, so nobody answers the SYN/ACK.
declare -A GHOST=([4]=10.1.1.77 [6]=2001:db8:1:1::77)
N=$(scaled 500 100)

# From N ports, PORT and up. What is half-open on another node counts as a flow
# of it, so each kind of SYN has ports of its own.
flood() # 4|6 PORT OPTION...
{
	local f=$1 port=$2

	shift 2
	must on_client "$RAWPKT" tcp -n "$N" "$@" "${GHOST[$f]}" "$port" \
		"$(vip "$f")" "$PORT"
}

tables_empty() # WHAT
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		check_eq "$1: node $i has no owner entry" "$(owner_count $i)" 0
		check_eq "$1: node $i has no flow entry" "$(flow_count $i)" 0
	done
	check_eq "$1: nothing was learnt" "$(moved owner learnt)" 0
}

seen() # GROUP COUNTER...: that many packets were judged
{
	local sum=0

	while [ $# -gt 0 ]; do
		sum=$((sum + $(moved "$1" "$2")))
		shift 2
	done
	[ "$sum" -ge "$N" ]
}

syns() # 4|6 local|maglev PORT
{
	service_all set "$VIP4:$PORT" sched "$2"
	service_all set "[$VIP6]:$PORT" sched "$2"
	stats_mark
	flood "$1" "$3" -o capable
	check_true "IPv$1, $2: the SYNs came" wait_for 10 seen \
		steer new-local steer new-remote
	tables_empty "IPv$1, $2: SYN flood"
}

# Third packets that answer no SYN/ACK, with keys that nobody gave out. Some
# meet the half-open connections of the SYNs before.
acks() # 4|6
{
	stats_mark
	flood "$1" 20000 -f A -a 12345 -o keys
	check_true "IPv$1: the ACKs came" wait_for 20 seen \
		steer socket steer unclaimed steer resolved \
		resolve drop-rate resolve drop-full
	# What waits for confirmation is given up at last.
	check_true "IPv$1: forged keys are given up" wait_for 10 \
		moved_ge 1 learn unconfirmed
	tables_empty "IPv$1: forged ACKs"
}

joins() # 4|6
{
	stats_mark
	flood "$1" 30000 -o join=random
	check_true "IPv$1: the joins came" wait_for 20 seen \
		steer unclaimed resolve drop-rate resolve drop-full
	tables_empty "IPv$1: random joins"
	check_range "IPv$1: queries keep to what was asked" \
		"$(moved resolve query-tx)" 0 $((N * 2 * 2))
}

served() # WHEN
{
	client_run after -n 20 -b 10000 "$VIP4" "$PORT"
	check_eq "$1: real clients are served" "${R[ok]}" 20
	wait_for 10 owner_total_is 0
}

test_begin
cluster_up 3
router_pin 0 1
mlb_up
services_up
for ((i = 1; i <= NODES; i++)); do
	must on_node $i sysctl -qw net.ipv4.tcp_max_syn_backlog=8192
	must ctl $i set resolve-timeout 20
done
servers_up
ip -n "$PREFIX-r" rule add to "$VIP4" table 101 pref 150
ip -n "$PREFIX-r" -6 rule add to "$VIP6" table 101 pref 150
for f in 4 6; do
	syns $f maglev 10000
	syns $f local 20000
	acks $f
	joins $f
done
served "after the floods"
tap_done
