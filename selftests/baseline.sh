#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, the test network does not show the fault that mlb repairs, and
# the other tests prove nothing.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

second_path() # NODES MIN% MAX%
{
	local n f

	n=$(scaled 100 40)
	for f in 4 6; do
		client_run "base$1v$f" -n "$n" -s $((1000 * MLB_SCALE)) -b 2000 "$(vip $f)" "$PORT"
		check_eq "$1 nodes, IPv$f: all first subflows work" "${R[ok]}" "$n"
		check_range "$1 nodes, IPv$f: about 1/N of the second paths" \
			$((R[second] * 100 / n)) "$2" "$3"
	done
}

reshuffle()
{
	router_nexthops 1 2 3
	endpoints_flush
	client_start shuffle -n 30 -b 400000 -r 20000 -l -T 20000 "$VIP4" "$PORT"
	client_must shuffle flowing
	router_nexthops 3 1 2
	sleep 1	# each connection sends some packets
	client_go shuffle
	client_end shuffle
	check_range "reshuffle breaks transfers" "${R[ok]}" 0 25
	check_eq "reshuffle corrupts none" "${R[corrupt]}" 0
}

test_begin
cluster_up 3
servers_up
endpoints_add
check_eq "router hashes over 3 nodes" "$(ip -n "$PREFIX-r" route show "$VIP4" |
	grep -c nexthop)" 3
second_path 3 8 70
reshuffle
children_end
cluster_down

cluster_up 8
servers_up
endpoints_add
second_path 8 1 40
children_end
cluster_down

cluster_up 1
servers_up
endpoints_add
second_path 1 100 100
tap_done
