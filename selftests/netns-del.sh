#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, stopping a container that runs mlb crashes the host or leaks.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 40 12)

device_gone() # NETNS DEV
{
	! ip -n "$1" link show "$2" > /dev/null 2>&1
}

# Ends the servers of the last node and deletes its namespace while packets of
# the others still go through it. The far ends of its cables vanish with it.
#
# A namespace that goes loses its hooks before its devices, and for a moment its
# stack resets what is not its own. So the second paths come in elsewhere, and
# keep the others' connections alive.
namespace_dies() # ROUND
{
	local pid pids

	router_pin 1 1

	client_start "run$1" -n "$N" -b 300000 -r 60000 -s 20000 -T 120000 \
		"$VIP4" "$PORT"
	client_must "run$1" flowing
	pids=$(ip netns pids "$PREFIX-n3")
	for pid in $pids; do
		kill -KILL "$pid"
		wait "$pid" 2> /dev/null
	done
	must ip netns del "$PREFIX-n3"
	check_true "round $1: the namespace goes" wait_for 20 device_gone \
		"$PREFIX-r" n3
	router_nexthops 1 2
	client_end "run$1"
	check_ge "round $1: the other nodes' connections live" "${R[ok]}" \
		$((N - $(served_by 3)))
	check_eq "round $1: nothing corrupt" "${R[corrupt]}" 0
}

# A namespace that has everything, and goes before anything was used.
namespace_idle()
{
	local i

	for ((i = 0; i < $(scaled 20 5); i++)); do
		must ip netns add "$PREFIX-x"
		must ip -n "$PREFIX-x" link set lo up
		must ip -n "$PREFIX-x" addr add 10.3.0.1/24 dev lo
		must in_netns "$PREFIX-x" mlbctl key set "$TMP/key"
		must in_netns "$PREFIX-x" mlbctl node add 1 addr 10.3.0.1 self
		must in_netns "$PREFIX-x" mlbctl node add 2 addr 10.3.0.2
		must in_netns "$PREFIX-x" mlbctl service add 10.1.1.1:80 \
			sched maglev nodes 1,2
		must in_netns "$PREFIX-x" mlbctl owner add 0x1 node 2
		must ip netns del "$PREFIX-x"
	done
	tap_ok "idle namespaces come and go"
}

test_begin
for round in 1 2; do
	cluster_up 3
	mlb_up
	services_up sched maglev
	servers_up
	endpoints_add
	namespace_dies $round
	children_end
	cluster_down 2> /dev/null
done
namespace_idle
check_true "the module unloads" rmmod mlb
tap_done
