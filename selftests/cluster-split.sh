#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a cluster whose network is cut does not know what to believe:
# transfers break, two sides change what is served, or owner tables are wrong
# when it is whole again.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/corosync.sh
. "$MLB_TESTS/lib/corosync.sh"
# shellcheck source=lib/mlbd.sh
. "$MLB_TESTS/lib/mlbd.sh"

LOAD_N=$(scaled 20 5)
NEW_N=$(scaled 30 10)

# Of the kernel, without what moves by itself.
kernel_of() # NODE
{
	ctl "$1" node list | sed 's/ owners.*//'
	ctl "$1" service list | sort
}

without_quorum() # NODE...
{
	local i

	for i; do
		status_is "$i" .cluster.quorate false || return 1
	done
}

documents() # NODE...: the different ones that they have
{
	local i

	for i; do
		node_ctl "$i" cluster show
	done | sort | uniq -c | awk -v n=$# '$1 != n'
}

# Its own tokens are right in every table, and the others' too.
tables_right() # DESCRIPTION NODE...
{
	check_tables "$1: tables agree" "${@:2}"
}

# Entries of the majority's tables that are of the minority.
strangers() # MAJORITY MINORITY
{
	local i j

	for i in $1; do
		for j in $2; do
			ctl "$i" owner list | grep " node $j "
		done
	done
}

parted() # 4|6 "MAJORITY" "MINORITY"
{
	local f=$1 major=$2 minor=$3 all i what before
	local first=${2%% *} last=${3##* }

	all=$(seq -s ' ' "$NODES")
	what="${major// /,}|${minor// /,}"
	declare -A before
	endpoints_flush
	endpoints_add
	client_start load -n "$LOAD_N" -b 600000 -r 4000 -l -T 120000 \
		-s 20000 "$(vip "$f")" "$PORT"
	client_must load flowing
	# shellcheck disable=SC2086
	tables_right "$what, before" $all
	for i in $minor; do
		before[$i]=$(kernel_of "$i")
	done
	nodes_split "${major// /,}" "${minor// /,}"
	# shellcheck disable=SC2086
	check_comes "$what: the majority goes on alone" 20 cluster_ready $major
	# shellcheck disable=SC2086
	check_comes "$what: the minority has no quorum" 20 without_quorum $minor
	check_eq "$what: the minority's nodes are dead to the majority" \
		"$(ctl "$first" node list | sed -n 's/ .* state dead .*//p' | xargs)" \
		"$minor"
	check_eq "$what: and their tokens are gone" \
		"$(strangers "$major" "$minor")" ""
	# shellcheck disable=SC2086
	tables_right "$what: within the majority" $major
	for i in $minor; do
		node_ctl "$i" cluster service add "$VIP4:9000" > "$TMP/out" 2>&1
		check_eq "$what: node $i refuses a change" "$?:$(cat "$TMP/out")" \
			"1:mlbctl: this side of the cluster has no quorum"
	done
	node_ctl "$first" cluster service add "$VIP4:9$f" > "$TMP/out" 2>&1
	check_eq "$what: the majority takes one" "$?:$(cat "$TMP/out")" 0:
	for i in $minor; do
		check_eq "$what: node $i has changed nothing" \
			"$(kernel_of "$i")" "${before[$i]}"
	done
	# The router knows nothing of it: nodes of both sides serve.
	client_start during -n "$NEW_N" -b 5000 -w "$(vip "$f")" "$PORT"
	client_must during connected

	nodes_heal
	# shellcheck disable=SC2086
	check_comes "$what, healed: all nodes take part" 20 cluster_ready $all
	# shellcheck disable=SC2086
	tables_right "$what, healed" $all
	# shellcheck disable=SC2086
	check_eq "$what, healed: documents agree" "$(documents $all)" ""
	check_eq "$what, healed: with the majority's change" \
		"$(ctl "$last" service list | grep -c ":9$f ")" 1
	client_go during
	client_end during
	check_eq "$what: transfers that began meanwhile are whole" "${R[ok]}" \
		"$NEW_N"
	check_true "$what: others ran all the time" client_runs load
	client_go load
	client_end load
	check_eq "$what: and none of them broke" "${R[ok]}" "$LOAD_N"
	# shellcheck disable=SC2086
	check_comes "$what: all tokens go" 10 owners_known_are 0 $all
	client_join after -n "$NEW_N" -b 5000 "$(vip "$f")" "$PORT"
	client_end after
	check_eq "$what, healed: every second path comes up" \
		"${R[ok]} ${R[second]}" "$NEW_N $NEW_N"
}

jump() # DESCRIPTION SECONDS
{
	local views applied i

	views=$(cat "$TMP"/view.* | wc -l)
	applied=$(for i in 1 2 3; do cluster_status "$i" .kernel.applied; done)
	must date -s "@$((EPOCHSECONDS + $2))" > "$TMP/date"
	client_join "clock$2" -n "$NEW_N" -b 5000 "$VIP4" "$PORT"
	client_end "clock$2"
	check_eq "$1: every second path comes up" "${R[ok]} ${R[second]}" \
		"$NEW_N $NEW_N"
	# Longer than it takes to miss a node.
	sleep 2.5
	check_true "$1: all nodes take part" cluster_ready 1 2 3
	check_eq "$1: nobody was missed" "$(cat "$TMP"/view.* | wc -l)" "$views"
	check_eq "$1: nothing was changed" "$(for i in 1 2 3; do
		cluster_status "$i" .kernel.applied
	done)" "$applied"
}

test_begin corosync mlbd
daemons_up 3
servers_up
parted 4 "1 2" "3"
jump "the clock goes forward" 3600
jump "the clock goes back" -3600
# Five corosyncs that are emulated take minutes for it.
if [ "$MLB_SCALE" = 1 ]; then
	nodes_down
	cluster_down
	daemons_up 5 6
	servers_up
	parted 6 "1 2 5" "3 4"
fi
tap_done
