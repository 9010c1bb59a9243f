#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a node that holds a role and is cut off, or whose machine is
# stopped for a while, goes on with it as if nothing had been when it is back, or
# the others wait for it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/corosync.sh
. "$MLB_TESTS/lib/corosync.sh"
# shellcheck source=lib/mlbd.sh
. "$MLB_TESTS/lib/mlbd.sh"
# shellcheck source=lib/power.sh
. "$MLB_TESTS/lib/power.sh"

N=$(scaled 40 10)
LOAD_N=$(scaled 20 5)
GROUP=10.1.1.0/24,2001:db8:1:1::/64

served_at() # WHAT NODE
{
	local f

	for f in 4 6; do
		local -n addrs=CLIENT$f
		client_run "at$f" -n "$N" -b 1000 -S "${addrs[0]}" "$(vip $f)" \
			"$PORT"
		check_eq "$1, IPv$f: node $2 serves the role's clients" \
			"${R[ok]} $(served_by "$2")" "$N $N"
	done
}

document() # NODE
{
	node_ctl "$1" cluster show | md5sum
}

# How long since T0 what took.
times() # T0
{
	view_read 1
	tap_note "corosync knows after $(((VIEW_TIME - $1) / 1000)) ms, mlbd" \
		"has the role after $(mlbd_said 1 "$1" "role web is held by 3") ms"
}

# The holder alone against two. It cannot know that they have given its role
# away, and goes on for those who come to it; that nobody does is the routers'
# business, as theirs follow the quorum.
minority()
{
	local t0 before

	before=$(ctl 2 pool list)
	t0=$(now_us)
	nodes_split 1,3 2
	router_without 2
	check_comes "parted: the majority gives its role to the spare" 20 \
		role_at web 3 1 3
	times "$t0"
	check_comes "parted: the holder has no quorum" 10 \
		status_is 2 .cluster.quorate false
	check_eq "parted: it changes nothing" "$(ctl 2 pool list)" "$before"
	check_eq "parted: to the others it is dead" \
		"$(ctl 1 node list | grep -c '^2 .* state dead')" 1
	node_ctl 2 cluster role move web 2 > "$TMP/out" 2>&1
	check_eq "parted: it moves no role" "$?:$(cat "$TMP/out")" \
		"1:mlbctl: this side of the cluster has no quorum"
	served_at "parted" 3
	router_pin 0 2
	served_at "parted, at the holder" 2
	router_unpin 0
	nodes_heal
	all_ready
	router_without
	check_eq "healed: the role is where the majority gave it" \
		"$(held_by 2 web)" 3
	check_eq "healed: all have one document" \
		"$(for i in 1 2 3; do document $i; done | sort -u | wc -l)" 1
	served_at "healed" 3
}

# Its machine is stopped, and goes on as if no time had passed.
stopped()
{
	local t0

	must node_ctl 1 cluster role set web failback yes
	check_comes "failback: it goes home" 15 role_at web 2 1 2 3
	t0=$(now_us)
	node_freeze 2
	check_comes "stopped: the spare has the role" 20 role_at web 3 1 3
	times "$t0"
	served_at "stopped" 3
	node_thaw 2
	all_ready
	check_comes "it goes on: it has its role back" 20 role_at web 2 1 2 3
	served_at "it goes on" 2
}

test_begin corosync mlbd
daemons_up 3
servers_up
live_start 1 1
must node_ctl 1 cluster group add eu prefixes "$GROUP"
must node_ctl 1 cluster role add web groups eu nodes 2 spares 3 failback no
check_comes "a role is its home's" 10 role_at web 2 1 2 3
minority
stopped
live_end
tap_done
