#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, connections under SYN cookies wait for the other nodes, or get
# no second path; that is, when a node is flooded.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 100 20)

connections() # local|maglev 4|6
{
	local name="$1, IPv$2" asked joins

	service_all set "$VIP4:$PORT" sched "$1"
	service_all set "[$VIP6]:$PORT" sched "$1"
	endpoints_flush
	stats_mark
	joins=$(nodes_nstat MPTcpExtMPJoinAckRx)
	client_start cookie -n "$N" -b 5000 -s 20000 -w "$(vip "$2")" "$PORT"
	client_says cookie connected || {
		nodes_tell
		bail "$(cat "$TMP/cookie.out")"
	}
	asked=$(moved resolve started)
	check_true "$name: every token is learnt" wait_for 5 owner_total_is "$N"
	endpoints_add
	client_must cookie ready
	client_go cookie
	client_end cookie
	check_eq "$name: every second path comes up" "${R[second]}" "$N"
	check_eq "$name: every transfer is whole" "${R[ok]}" "$N"
	check_eq "$name: owners accepted every join" \
		$(($(nodes_nstat MPTcpExtMPJoinAckRx) - joins)) "$N"
	stats_take
	if [ "$1" = local ]; then
		check_eq "$name: nobody was asked for a connection" "$asked" 0
		check_ge "$name: cookies were recognised" \
			"$(grew steer cookie)" "$N"
	else
		check_ge "$name: connections were steered" \
			"$(grew steer new-remote)" 1
	fi
	check_eq "$name: no packet was dropped" \
		$(($(grew resolve drop-key) + $(grew resolve drop-full) +
			$(grew resolve drop-rate))) 0
	wait_for 10 owner_total_is 0
}

test_begin
cluster_up 3
mlb_up
services_up
servers_up
# Ports are used again that are in TIME_WAIT on the node that they reach.
must on_client sysctl -qw "net.ipv4.ip_local_port_range=20000 20199" \
	net.ipv4.tcp_tw_reuse=1
for ((i = 1; i <= NODES; i++)); do
	must on_node $i sysctl -qw net.ipv4.tcp_syncookies=2
done
sent=$(nodes_nstat TcpExtSyncookiesSent)
for f in 4 6; do
	for sched in local maglev; do
		connections $sched $f
	done
done
check_ge "SYN cookies were sent" \
	$(($(nodes_nstat TcpExtSyncookiesSent) - sent)) $((4 * N))
tap_done
