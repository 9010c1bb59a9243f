#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, the tests of mlbd have no cluster to run in: corosync, one on
# each node, forms no cluster in this machine, or does not tell who is gone.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/corosync.sh
. "$MLB_TESTS/lib/corosync.sh"

# Time from T0 until the slowest of these nodes had its last view, in ms.
since() # T0 NODE...
{
	local t0=$1 i slowest=0

	shift
	for i; do
		view_read "$i"
		[ "$VIEW_TIME" -le "$slowest" ] || slowest=$VIEW_TIME
	done
	echo $(((slowest - t0) / 1000))
}

now() { echo "${EPOCHREALTIME/./}"; }

becomes() # DESCRIPTION T0 yes|no NODE,NODE...
{
	# shellcheck disable=SC2086
	if view_wait 10 "$3" "$4"; then
		tap_ok "$1, after $(since "$2" ${4//,/ }) ms"
	else
		tap_not_ok "$1" "$(views)"
	fi
}

forms() # NODES
{
	local t0 rings i hogs=()

	cluster_up "$1"
	t0=$(now)
	corosync_up
	# shellcheck disable=SC2046
	tap_ok "$1 nodes: form a cluster, after $(since "$t0" $(seq "$1")) ms"

	# Two that take all the time they get.
	for i in 1 2; do
		spawn "$PREFIX-c" /dev/null sh -c 'while :; do :; done'
		hogs+=("$!")
	done
	rings=$(cat "$TMP"/view.* | wc -l)
	sleep $((2 * MLB_SCALE))
	check_eq "$1 nodes: the view is stable when the machine is busy" \
		"$(cat "$TMP"/view.* | wc -l)" "$rings"
	kill "${hogs[@]}"
}

single() # NODES
{
	local all last=$1 rest t0

	all=$(seq -s, "$1")
	rest=$(seq -s, $(($1 - 1)))

	t0=$(now)
	corosync_kill "$last"
	becomes "$1 nodes: one is killed" "$t0" yes "$rest"
	check_true "$1 nodes: its clients know" view_is gone "$last"
	t0=$(now)
	corosync_start "$last"
	becomes "$1 nodes: it is back" "$t0" yes "$all"

	t0=$(now)
	corosync_freeze 1
	becomes "$1 nodes: one is stopped" "$t0" yes "$(seq -s, 2 "$1")"
	t0=$(now)
	corosync_thaw 1
	becomes "$1 nodes: it goes on" "$t0" yes "$all"

	t0=$(now)
	corosync_stop "$last"
	becomes "$1 nodes: one leaves" "$t0" yes "$rest"
	t0=$(now)
	corosync_start "$last"
	becomes "$1 nodes: it comes again" "$t0" yes "$all"
}

parted() # NODES MAJORITY MINORITY
{
	local all major=$2 minor=$3 t0 i

	all=$(seq -s, "$1")
	t0=$(now)
	nodes_split "$major" "$minor"
	becomes "$1 nodes: $major go on without $minor" "$t0" yes "$major"
	becomes "$1 nodes: $minor have no quorum" "$t0" no "$minor"
	t0=$(now)
	nodes_heal
	becomes "$1 nodes: they find together" "$t0" yes "$all"
	for ((i = 1; i <= $1; i++)); do
		tap_note "node $i: $(wc -l < "$TMP/view.$i") views," \
			"$(grep -h -e VmRSS -e VmLck "/proc/${COROSYNC_PID[$i]:-self}/status")"
	done
}

test_begin corosync "$WATCH"
forms 3
single 3
parted 3 1,2 3
# Five corosyncs that are emulated take minutes for it.
if [ "$MLB_SCALE" = 1 ]; then
	nodes_down
	cluster_down
	forms 5
	parted 5 1,2,5 3,4
fi
tap_done
