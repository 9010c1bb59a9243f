#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a client that uses a port again, as NATs do, is cut off or
# hangs when the router goes back to a node that the port's last connection
# once came by.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

P=20000

serve_on() # 4|6 NODE
{
	local vip=$VIP4

	[ "$1" = 4 ] || vip="[$VIP6]"
	service_all set "$vip:$PORT" nodes "$2"
}

client_closed()
{
	[ -z "$(on_client ss -HtanM "sport = :$P")" ]
}

# What node 1 knows of the client's port, but for the age.
entry()
{
	must ctl 1 flow list > "$TMP/flows"
	sed -nE "s/.*:$P (.*node [0-9]+).*( established| closing).*/\1\2/p" \
		"$TMP/flows"
}

# Node 1 keeps an entry for node 2, for it never saw the connection's end; but
# a late packet that meets nothing on node 2 has that tell the others.
first_use() # NAME 4|6 [CLIENT_OPTION...]
{
	for _ in 1 2 3; do
		P=$((P + 1))
		use_once "$@"
		[ "${ENTRY: -11}" != established ] || break
	done
	check_true "$1: node 1 believes that it goes on" \
		test "${ENTRY: -11}" = established
}

use_once() # NAME 4|6 [CLIENT_OPTION...]
{
	serve_on "$2" 2
	router_pin 0 1
	client_start old -P $P -b 2000 -w -T 20000 "${@:3}" "$(vip "$2")" "$PORT"
	client_must old connected
	router_pin 0 3
	client_go old
	client_end old
	check_eq "$1: the first connection is whole" "${R[ok]}" 1
	check_eq "$1: node 2 had it" "$(served_by 2)" 1
	wait_for 5 client_closed || bail "the client's port stays in use"
	ENTRY=$(entry)
}

stale() # NAME 4|6 [CLIENT_OPTION...]
{
	local rsts

	first_use "$@"
	serve_on "$2" 3
	stats_mark
	rsts=$(nodes_nstat TcpOutRsts)
	client_start new -P $P -b 200000 -r 50000 -l -T $((8000 * MLB_SCALE)) \
		"${@:3}" "$(vip "$2")" "$PORT"
	client_must new flowing
	check_eq "$1: the entry is still there" "$(entry)" "$ENTRY"
	router_pin 0 1
	check_true "$1: node 2 says that it does not have the flow" \
		wait_for 5 moved_ge 1 steer gone 2
	client_go new
	client_end new
	check_eq "$1: the second connection is whole" "${R[ok]}" 1
	check_eq "$1: node 3 had it" "$(served_by 3)" 1
	check_eq "$1: no node sent a RST" \
		$(($(nodes_nstat TcpOutRsts) - rsts)) 0
	stats_take
	check_ge "$1: node 1 asked anew" "$(grew steer resolved 1)" 1
	check_range "$1: and sent little astray" "$(grew steer gone)" 1 20
}

test_begin ss
cluster_up 3
mlb_up
services_up sched maglev
servers_up
stale "IPv4, TCP, TIME_WAIT at the old node" 4 -t
stale "IPv6, MPTCP, TIME_WAIT at the old node" 6
# What is late for a connection that left nothing gets an RST from the stack.
must on_node 2 sysctl -qw net.ipv4.tcp_max_tw_buckets=0
stale "IPv6, TCP, nothing at the old node" 6 -t
stale "IPv4, MPTCP, nothing at the old node" 4
tap_done
