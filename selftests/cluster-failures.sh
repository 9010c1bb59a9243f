#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, clients are left without a node when a second one fails while the
# first one's work is being taken over: the spare, the manager, or another home.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/corosync.sh
. "$MLB_TESTS/lib/corosync.sh"
# shellcheck source=lib/mlbd.sh
. "$MLB_TESTS/lib/mlbd.sh"
# shellcheck source=lib/power.sh
. "$MLB_TESTS/lib/power.sh"

N=$(scaled 20 5)
LOAD_N=$(scaled 20 5)

# Those of either address of the client.
EU=10.1.1.0/24,2001:db8:1:1::/64
US=10.1.2.0/24,2001:db8:1:2::/64

# New connections of both groups, of both families, are all at these nodes.
served_at() # WHAT EU_NODE US_NODE
{
	local f i at

	for f in 4 6; do
		local -n addrs=CLIENT$f
		for i in 0 1; do
			at=$2
			[ $i = 0 ] || at=$3
			client_run "at$f$i" -n "$N" -b 1000 -S "${addrs[i]}" \
				"$(vip $f)" "$PORT"
			check_eq "$1, IPv$f: group $i is served by node $at" \
				"${R[ok]} $(served_by "$at")" "$N $N"
		done
	done
}

taken() # WHAT T0 WEB API NODE...
{
	check_comes "$1: web is node $3's, for all who are left" 20 \
		role_at web "$3" "${@:5}"
	check_comes "$1: api is node $4's" 20 role_at api "$4" "${@:5}"
	tap_note "$1: decided after $(mlbd_said "$5" "$2" \
		"role web is held by $3") ms"
}

# Their spares are two of the three that are left.
two_at_once()
{
	local t0

	node_off 4 5
	t0=$OFF_AT
	taken "two of five at once" "$t0" 3 2 1 2 3
	served_at "two of five at once" 3 2
	node_on 4 5
	all_ready
	check_true "no failback: they are spares when they are back" \
		role_at web 3 1 2 3 4 5
}

# Node 4 gets what node 3 had, and at once goes the same way.
spare_dies()
{
	local t0

	node_off 3
	t0=$OFF_AT
	wait_for 10 said_since 1 "$t0" "role web is held by 4" ||
		bail "node 4 does not get the role"
	node_off 4
	taken "the spare dies" "$t0" 5 2 1 2 5
	served_at "the spare dies" 5 2
	node_on 3 4
	all_ready
}

said_since() # NODE T0 PATTERN
{
	[ -n "$(mlbd_said "$@")" ]
}

# Node 1 would decide, and is gone before it knows of node 5, or on a slow machine
# just after.
manager_dies()
{
	local t0

	check_true "node 1 is the manager" status_is 2 .cluster.manager 1
	node_off 5
	t0=$OFF_AT
	sleep "$(awk -v at="$t0" -v now="$(now_us)" -v token="$COROSYNC_TOKEN" \
		'BEGIN { s = token / 2e3 - (now - at) / 1e6; print (s > 0 ? s : 0) }')" ||
		bail "no sleep"
	node_off 1
	taken "the manager dies" "$t0" 4 2 2 3 4
	check_comes "another is the manager" 10 status_is 3 .cluster.manager 2
	served_at "the manager dies" 4 2
	node_on 1 5
	all_ready
	check_comes "the first is it again" 20 status_is 3 .cluster.manager 1
}

# shellcheck disable=SC2016 # jq's
MOVES='
reduce inputs as $e ({ manager: 1 };
	if $e.event == "manager" then
		.manager = $e.node
	elif $e.event == "role" and $e.role == "web" then
		.moves += [$e.nodes == [4] and $e.by == .manager and
			   $e.epoch > 0 and $e.reason != ""]
	else
		.
	end) | .moves == [true]
'

# What node 2 tells of it: each with its cause, its version and what it lasted.
events_told()
{
	local what filter

	while IFS='|' read -r what filter; do
		check_true "the monitor tells: $what" \
			test -n "$(jq -c "select($filter)" "$TMP/monitor")"
	done <<-'END'
		a node is dead|.event == "peer" and .node == 1 and .state == "dead" and .silent > 0 and .ring > 0
		another decides|.event == "manager" and .node == 2 and .was == 1 and .lasted > 0 and .epoch > 0 and .reason != ""
		a ring of those left|.event == "quorum" and .quorate and .nodes == [2, 3, 4] and .ring > 0 and .lasted > 0
	END
	check_true "the monitor tells: a role moves, by who decides then" \
		jq -en "$MOVES" "$TMP/monitor"
}

test_begin corosync mlbd jq
daemons_up 5
servers_up
# Connections on the one node that is there all the time.
endpoints_add
live_start 2
must node_ctl 1 cluster group add eu prefixes "$EU"
must node_ctl 1 cluster group add us prefixes "$US"
must node_ctl 1 cluster role add web groups eu nodes 4 spares 5,3 failback no
must node_ctl 1 cluster role add api groups us nodes 5 spares 3,2 failback no
check_comes "roles are their homes'" 10 role_at web 4 1 2 3 4 5
check_comes "both" 10 role_at api 5 1 2 3 4 5
two_at_once
spare_dies
spawn "$PREFIX-n2" "$TMP/monitor" mlbctl -s \
	"/proc/${NODE_PID[2]}/root/run/mlb/mlbd.sock" -j monitor -r cluster
wait_for 5 line_there "$TMP/monitor" ready || bail "no monitor"
manager_dies
events_told
live_end
tap_done
