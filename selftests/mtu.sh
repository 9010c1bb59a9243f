#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, transfers hang or crawl once a router hands their packets to
# another node, because with the tunnel's headers they are too large for the
# cluster network.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

BYTES=$(scaled 50000000)

# What stands around a client's packet, and before its data.
declare -A OUTER=([4]=44 [6]=64) HEADERS=([4]=52 [6]=72)

cluster_mtu() # MTU
{
	local i

	for i in 1 2; do
		must ip -n "$PREFIX-n$i" link set eth1 mtu "$1"
	done
}

# The client forgets what it has learnt of paths.
client_forgets()
{
	must ip -n "$PREFIX-c" route flush cache
	must ip -n "$PREFIX-c" -6 route flush cache
}

too_bigs() # 4|6: ICMP errors that came to the client
{
	if [ "$1" = 4 ]; then
		nstat_get "$PREFIX-c" IcmpInDestUnreachs
	else
		nstat_get "$PREFIX-c" Icmp6InPktTooBigs
	fi
}

# Bytes of data in each of the client's full segments.
client_mss() # 4|6
{
	on_client ss "-$1" -tinH state established dport = ":$PORT" |
		sed -nE 's/.* mss:([0-9]+).*/\1/p'
}

# A connection with node 1, plain TCP, that has not sent its data yet.
flow_begin() # 4|6 [CLIENT_OPTION...]
{
	local f=$1

	router_pin 0 1
	client_start flow -t -w -b 1000 -u "$BYTES" -T 120000 "${@:2}" \
		"$(vip "$f")" "$PORT"
	client_must flow connected
	stats_mark
	ERRORS=$(too_bigs "$f")
	# From here on its packets come to node 2.
	router_pin 0 2
}

# What is said of the whole transfer, and of what came up on its way.
flow_end() # NAME 4|6
{
	client_end flow
	check_eq "$1: the transfer is whole" "${R[ok]}" 1
	stats_take
	check_ge "$1: it went through the tunnel" "$(grew tunnel tx 2)" \
		$((BYTES / 65536))
	TOOBIG=$(grew tunnel tx-toobig)
	FRAGMENTED=$(grew tunnel tx-fragmented)
	ERRORS=$(($(too_bigs "$2") - ERRORS))
}

no_trouble() # NAME
{
	check_eq "$1: no packet was too large" "$TOOBIG" 0
	check_eq "$1: none went in fragments" "$FRAGMENTED" 0
	check_eq "$1: no ICMP error came" "$ERRORS" 0
}

# Room for the tunnel's headers: the client is asked for nothing.
jumbo() # NAME 4|6
{
	local before

	before=$(stat_sum mss clamped)
	flow_begin "$2"
	check_eq "$1: the client's MSS" "$(client_mss "$2")" \
		$((1500 - HEADERS[$2]))
	client_go flow
	flow_end "$@"
	no_trouble "$1"
	check_eq "$1: no MSS was clamped" \
		$(($(stat_sum mss clamped) - before)) 0
}

clamped() # NAME 4|6 4|6
{
	local before

	before=$(stat_sum mss clamped)
	flow_begin "$2"
	check_eq "$1: the client's MSS" "$(client_mss "$2")" \
		$((1500 - OUTER[$3] - HEADERS[$2]))
	client_go flow
	flow_end "$@"
	no_trouble "$1"
	check_eq "$1: one SYN/ACK's MSS was clamped" \
		$(($(stat_sum mss clamped) - before)) 1
}

# The connection is older than the service, so its MSS is too large.
unclamped() # NAME 4|6
{
	services_del
	flow_begin "$2"
	services_up
	check_eq "$1: the client's MSS" "$(client_mss "$2")" \
		$((1500 - HEADERS[$2]))
	stats_mark
	client_go flow
	flow_end "$@"
	check_ge "$1: packets were too large" "$TOOBIG" 1
	check_ge "$1: ICMP told the client" "$ERRORS" 1
	check_eq "$1: none went in fragments" "$FRAGMENTED" 0
	client_forgets
}

# The same from a client that lets routers fragment.
without_df() # NAME 4|6
{
	local ip=Ip before

	[ "$2" = 4 ] || ip=Ip6
	services_del
	must on_client sysctl -qw net.ipv4.ip_no_pmtu_disc=1
	flow_begin 4
	must on_client sysctl -qw net.ipv4.ip_no_pmtu_disc=0
	services_up
	stats_mark
	before=$(nstat_get "$PREFIX-n1" ${ip}ReasmOKs)
	client_go flow
	flow_end "$1" 4
	check_eq "$1: no ICMP error" "$TOOBIG" 0
	check_ge "$1: it goes in fragments" "$FRAGMENTED" 1
	check_ge "$1: which node 1 puts together" \
		$(($(nstat_get "$PREFIX-n1" ${ip}ReasmOKs) - before)) \
		$((BYTES / 1500 / 2))
}

# 1300 leaves less than the 1280 bytes that IPv6 may always send.
lowered() # NAME 4|6
{
	flow_begin "$2" -r 1000000 -l
	client_go flow
	client_must flow flowing
	cluster_mtu 1300
	wait_for 10 moved_ge 1 tunnel tx-toobig 2
	check_true "$1: the transfer runs meanwhile" client_runs flow
	client_go flow
	flow_end "$@"
	check_ge "$1: packets were too large" "$TOOBIG" 1
	check_ge "$1: ICMP told the client" "$ERRORS" 1
	if [ "$2" = 4 ]; then
		check_eq "$1: none went in fragments" "$FRAGMENTED" 0
	else
		check_ge "$1: what IPv6 may send went in fragments" \
			"$FRAGMENTED" 1
	fi
	cluster_mtu 1500
	client_forgets
}

# Node 2 reaches node 1 by way of the router, and the router's link to node 1
# is narrower than node 2 knows.
path_lowered() # NAME 4|6 4|6
{
	local to learnt

	to=$("node_addr$3" 1)
	must ip -n "$PREFIX-n2" route replace "$to" \
		via "$([ "$3" = 4 ] && echo 10.2.2.1 || echo 2001:db8:2:2::1)"
	flow_begin "$2" -r 1000000 -l
	client_go flow
	client_must flow flowing
	must ip -n "$PREFIX-r" link set n1 mtu 1400
	wait_for 10 moved_ge 1 tunnel tx-toobig 2
	check_true "$1: the transfer runs meanwhile" client_runs flow
	client_go flow
	flow_end "$@"
	learnt=$(ip -n "$PREFIX-n2" route get "$to" |
		sed -nE 's/.* mtu ([0-9]+).*/\1/p')
	check_eq "$1: node 2 learnt the path's MTU" "$learnt" 1400
	check_ge "$1: ICMP told the client" "$ERRORS" 1
	check_eq "$1: none went in fragments" "$FRAGMENTED" 0
	must ip -n "$PREFIX-r" link set n1 mtu 1500
	must ip -n "$PREFIX-n2" route del "$to"
	client_forgets
}

# The router knows the way to the nodes' addresses in the cluster network too.
router_joins()
{
	local i

	for i in 1 2; do
		netns_batch "$PREFIX-r" <<-END
			route add $(node_addr4 $i) via $(node_link4 $i)
			route add $(node_addr6 $i) via $(node_link6 $i)
		END
	done
}

services_del()
{
	service_all del "$VIP4:$PORT"
	service_all del "[$VIP6]:$PORT"
}

test_begin ss
# On a slow machine each family once inside and once outside.
declare -A INNER=([4]="4 6" [6]="4 6")
[ "$MLB_SCALE" -lt 4 ] || INNER=([4]=6 [6]=4)
for outer in 4 6; do
	cluster_up 2 --mtu 9000
	router_joins
	mlb_up --family $outer
	services_up
	servers_up
	for f in ${INNER[$outer]}; do
		name="IPv$f in IPv$outer"
		jumbo "$name, MTU 9000" "$f"
	done
	cluster_mtu 1500
	for f in ${INNER[$outer]}; do
		name="IPv$f in IPv$outer"
		unclamped "$name, older than the service" "$f"
		clamped "$name, MTU 1500" "$f" $outer
		lowered "$name, MTU lowered to 1300" "$f"
		path_lowered "$name, path's MTU lowered to 1400" "$f" $outer
	done
	without_df "IPv4 without DF in IPv$outer" $outer
	children_end
	cluster_down
done
tap_done
