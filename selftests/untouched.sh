#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, mlb meddles with traffic that is none of its services.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

server() # NODE ADDR PORT
{
	spawn "$PREFIX-n$1" "$TMP/s.$2.$3" "$LOAD" server -i "$1" "$2" "$3"
	wait_for 10 line_there "$TMP/s.$2.$3" listening || bail "no server at $2"
}

stranger() # DESCRIPTION ADDR PORT
{
	client_run other -n 10 -b 10000 -s 300 "$2" "$3"
	check_eq "$1 works" "${R[ok]}" 10
	check_eq "$1 moves no counter" "$(stats_changed)" ""
}

test_begin ping
cluster_up 2
router_pin 0 1
router_pin 1 1
mlb_up
services_up
endpoints_add
server 1 "$VIP4" 9090
server 1 "$VIP6" 9090
server 1 "$VIP4" "$PORT"
server 1 "$(node_link4 1)" "$PORT"
server 1 "$(node_link6 1)" "$PORT"
stats_mark
stranger "another port of the VIP" "$VIP4" 9090
stranger "another port of the IPv6 VIP" "$VIP6" 9090
stranger "the node's own address" "$(node_link4 1)" "$PORT"
stranger "the node's own IPv6 address" "$(node_link6 1)" "$PORT"
on_client ping -q -c3 -i0.2 -W5 "$VIP4" > "$TMP/ping" 2>&1
check_eq "ping of the VIP works" $? 0
on_client ping -q -c3 -i0.2 -W5 "$VIP6" > "$TMP/ping" 2>&1
check_eq "ping of the IPv6 VIP works" $? 0
check_eq "ping moves no counter" "$(stats_changed)" ""
must on_node 1 "$LOAD" client -n 2 "$VIP4" "$PORT" > "$TMP/out"
check_eq "the node's own traffic moves no counter" "$(stats_changed)" ""
check_eq "no flow entry was made" "$(flow_count 1)" 0
check_eq "no token was learnt" "$(owner_count 1)" 0
check_eq "the first node's stack did accept joins" \
	"$(($(nodes_nstat MPTcpExtMPJoinAckRx) > 0))" 1

# And the same address and port once it is no service any more.
service_all del "$VIP4:$PORT"
stats_mark
stranger "a deleted service" "$VIP4" "$PORT"
tap_done
