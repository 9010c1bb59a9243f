#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, clients of a role are served by nodes that do not have it, or
# for long by nobody when a node is lost, drained or hangs.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/corosync.sh
. "$MLB_TESTS/lib/corosync.sh"
# shellcheck source=lib/mlbd.sh
. "$MLB_TESTS/lib/mlbd.sh"

N=$(scaled 30 10)
LOAD_N=$(scaled 20 5)
MOVES=$(scaled 10 4)
GROUP=10.1.1.0/24,2001:db8:1:1::/64

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# What node NODE's kernel has for the clients of the group.
pools() # NODE
{
	ctl "$1" pool list | grep " group 1 " | sed 's/.* nodes //' | sort -u |
		xargs
}

pools_are() # NODES NODE...
{
	local i

	for i in "${@:2}"; do
		[ "$(pools "$i")" = "$1" ] || return 1
	done
}

holds() # ROLE
{
	node_ctl 1 cluster role list | sed -n "s/^$1 .* held-by \([^ ]*\) .*/\1/p"
}

# The group's client, at both families: all at this node.
served_at() # DESCRIPTION NODE
{
	local f

	for f in 4 6; do
		local -n addrs=CLIENT$f

		client_run "at$f" -n "$N" -b 1000 -S "${addrs[0]}" "$(vip $f)" "$PORT"
		check_eq "$1, IPv$f: connections are served by node $2" \
			"${R[ok]} $(served_by "$2")" "$N $N"
	done
}

home()
{
	must node_ctl 1 cluster group add eu prefixes "$GROUP"
	must node_ctl 2 cluster role add web groups eu nodes 2 spares 4,3
	check_comes "a role is its home's, on all nodes" 5 pools_are 2 1 2 3 4
	served_at "at home" 2
	client_run rest -n "$N" -b 1000 -S "${CLIENT4[1]}" "$VIP4" "$PORT"
	check_eq "other clients are served as before" "${R[ok]}" "$N"
	check_ge "by any node" "$(served_by 1)" 1
}

# While it goes to and fro, everything that runs goes on.
by_hand()
{
	local i ok=0 to

	endpoints_add
	client_start load -n "$LOAD_N" -b 600000 -r 10000 -l -T 120000 \
		-s 20000 -S "${CLIENT4[0]}" "$VIP4" "$PORT"
	client_must load flowing
	for ((i = 0; i < MOVES; i++)); do
		to=3
		((i % 2)) && to=home
		client_start move -n 20 -b 1000 -S "${CLIENT4[0]}" "$VIP4" "$PORT"
		must node_ctl 3 cluster role move web "$to"
		client_end move > /dev/null
		ok=$((ok + R[ok]))
	done
	check_eq "$MOVES moves by hand: every new connection works" "$ok" \
		$((20 * MOVES))
	check_comes "and it is home in the end" 5 pools_are 2 1 2 3 4
	client_start drain -n 40 -b 1000 -S "${CLIENT4[0]}" "$VIP4" "$PORT"
	must node_ctl 1 cluster node set 2 state drain
	client_end drain
	check_eq "its home is drained: every new connection works" "${R[ok]}" 40
	check_comes "the first spare has it" 5 pools_are 4 1 2 3 4
	served_at "drained" 4
	must node_ctl 1 cluster node set 2 state active
	check_comes "it goes home" 12 pools_are 2 1 2 3 4
	client_go load
	client_end load
	endpoints_flush
	check_eq "no transfer that ran broke" "${R[ok]}" "$LOAD_N"
}

lost()
{
	local began

	began=$(now_ms)
	corosync_kill 2
	wait_for 20 pools_are 4 1 3 4
	tap_note "corosync dies (token $COROSYNC_TOKEN ms): the role is another's after $(($(now_ms) - began)) ms"
	# The router has seen that it is gone; else it would go on by itself.
	router_nexthops 1 3 4
	served_at "its home is lost" 4
	check_eq "everybody knows why" \
		"$(node_ctl 3 cluster role list | sed -n 's/.* because //p')" \
		"node 2 is lost: node 4 stands in"
	node_ctl 3 cluster node forget 2 > "$TMP/out" 2>&1
	check_eq "what a role needs is not forgotten" "$?:$(cat "$TMP/out")" \
		"1:mlbctl: role web names node 2, which is gone: give the role other nodes first"
	must corosync_start 2
	router_nexthops 1 2 3 4
	check_comes "its home is back" 20 cluster_ready 1 2 3 4
	check_comes "and has its role back" 12 pools_are 2 1 2 3 4
	served_at "home again" 2
}

# Its mlbd hangs, and nobody can tell whether its kernel goes on.
hangs()
{
	must node_ctl 1 cluster role set web exclusive yes
	mlbd_freeze 2
	check_comes "an exclusive role: its holder hangs, another has it" 20 \
		pools_are 4 1 3 4
	check_eq "who hangs is dead to the others" \
		"$(ctl 1 node list | grep -c '^2 .* state dead')" 1
	mlbd_thaw 2
	check_comes "who has let go is one of them again" 20 line_in \
		'^2 .* state active' ctl 1 node list
	check_comes "and has its role back" 15 pools_are 2 1 2 3 4
	served_at "exclusive" 2
}

line_in() # PATTERN COMMAND...
{
	"${@:2}" | grep -q -- "$1"
}

refusals()
{
	local before i
	local lines=(
		"node 9 has never been in the cluster: start it first|role add new nodes 9"
		"node 5 has never been in the cluster: start it first|role add new nodes 1,2,3,4,5"
		"node 5 has never been in the cluster: start it first|load $TMP/larger"
		"roles new and web both have group eu of the same service|role add new nodes 1 groups eu"
		"role web needs group eu, which is not there|group del eu"
		"10.1.1.0/24 is in group eu and in group us|group add us prefixes 10.1.1.0/24"
		"role web is at home already|role move web home"
	)

	before=$(node_ctl 1 cluster show)
	echo '{"roles": [{"role": "new", "nodes": [3, 5]}]}' > "$TMP/larger"
	for i in "${lines[@]}"; do
		# shellcheck disable=SC2086 # words
		node_ctl 3 cluster ${i#*|} > "$TMP/out" 2>&1
		check_eq "refused: cluster ${i#*|}" "$?:$(cat "$TMP/out")" \
			"1:mlbctl: ${i%%|*}"
	done
	check_eq "and nothing has changed" "$(node_ctl 1 cluster show)" "$before"
}

test_begin corosync mlbd
daemons_up 4
servers_up
home
by_hand
refusals
lost
hangs
check_eq "its holder is told" "$(holds web)" 2
tap_done
