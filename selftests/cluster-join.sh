#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, joins have to be asked for, or find nobody, because the nodes'
# daemons do not tell each other who owns what; or a daemon that dies, stops or
# comes back disturbs connections.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/corosync.sh
. "$MLB_TESTS/lib/corosync.sh"
# shellcheck source=lib/mlbd.sh
. "$MLB_TESTS/lib/mlbd.sh"

ALL="1 2 3"
N=$(scaled 100 20)
LOAD_N=$(scaled 20 5)
NEW_N=$(scaled 20 5)

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# After stats_take: how joins found their way.
ways()
{
	echo "joins: $(grew steer join-local) here," \
		"$(grew steer join-owner) by table," \
		"$(grew steer join-resolved) asked for"
}

# Second paths come when the handshakes are over, as they do once a client has
# found its other network.
from_tables() # 4|6
{
	local t0 asked

	endpoints_flush
	stats_mark
	client_start join -n "$N" -b 5000 -s 20000 -w "$(vip "$1")" "$PORT"
	client_must join connected
	t0=$(now_ms)
	# shellcheck disable=SC2086
	check_comes "IPv$1: every node learns every token" 5 \
		owners_known_are "$N" $ALL
	tap_note "which took $(($(now_ms) - t0)) ms"
	# shellcheck disable=SC2086
	check_eq "IPv$1: of the right node" "$(tables_differ $ALL)" ""
	endpoints_add
	client_must join ready 40
	stats_take
	tap_note "$(ways)"
	asked=$(grew steer join-resolved)
	check_range "IPv$1: at most 5 % of the joins are asked for" "$asked" 0 \
		$((N / 20))
	check_ge "IPv$1: joins were forwarded by table" \
		"$(grew steer join-owner)" $((N / 10))
	client_go join
	client_end join
	check_eq "IPv$1: every second path comes up" "${R[second]}" "$N"
	check_eq "IPv$1: every transfer is whole" "${R[ok]}" "$N"
	t0=$(now_ms)
	# shellcheck disable=SC2086
	check_comes "IPv$1: every node hears that the tokens are gone" 5 \
		owners_known_are 0 $ALL
	tap_note "which took $(($(now_ms) - t0)) ms"
}

load_start() # 4|6
{
	endpoints_flush
	endpoints_add
	client_start load -n "$LOAD_N" -b 600000 -r 4000 -l -T 120000 \
		-s 20000 "$(vip "$1")" "$PORT"
	client_must load flowing
}

# Second paths by way of a node that the cluster let go may end, as those of a
# dead one would; transfers do not.
load_end() # DESCRIPTION [SECOND_PATHS]
{
	check_true "$1: transfers ran all the time" client_runs load
	client_go load
	client_end load
	check_eq "$1: none of them broke" "${R[ok]}" "$LOAD_N"
	[ $# = 1 ] || check_eq "$1: nor lost its second path" \
		"${R[second_at_end]}" "$2"
	# shellcheck disable=SC2086
	wait_for 10 owners_known_are 0 $ALL || bail "tokens stay"
}

# All is as it was: who is there, what is in the kernels, whose each token is.
whole_again() # DESCRIPTION [TIME_OF_CAUSE]
{
	# shellcheck disable=SC2086
	check_comes "$1: all nodes take part" 20 cluster_ready $ALL
	tap_note "after $(($(now_ms) - $2)) ms"
	# shellcheck disable=SC2086
	check_tables "$1: tables agree" $ALL
}

# Connections come while it is dead, and are older than it when it is back.
mlbd_dies() # NODE
{
	local i=$1 what="mlbd $1 is killed" t0

	mlbd_kill "$i"
	stats_mark
	client_start new -n "$NEW_N" -b 5000 -s 20000 -w "$VIP6" "$PORT"
	client_must new ready
	stats_take
	tap_note "$(ways)"
	t0=$(now_ms)
	mlbd_start "$i"
	whole_again "$what and starts" "$t0"
	check_eq "$what: the start changed nothing in its kernel" \
		"$(cluster_status "$i" .kernel.applied)" 0
	client_go new
	client_end new
	check_eq "$what: new connections and their second paths" \
		"${R[ok]} ${R[second]}" "$NEW_N $NEW_N"
}

node_is() # NODE STATE SEEN_BY...
{
	local i=$1 state=$2 by

	shift 2
	for by; do
		ctl "$by" node list | grep -q "^$i .* state $state " || return 1
	done
}

others_than() # NODE
{
	local i

	for i in $ALL; do
		[ "$i" = "$1" ] || echo "$i"
	done
}

# As systemd starts it again: before the others miss it.
corosync_restarts() # NODE
{
	local what="corosync $1 is killed and at once started" t0

	t0=$(now_ms)
	corosync_kill "$1"
	corosync_start "$1"
	check_comes "$what: it was away" 10 view_is_newer "$t0" "$1"
	whole_again "$what" "$t0"
}

# The node's own corosync has come to a quorate view since then.
view_is_newer() # MS NODE
{
	view_is "yes ${ALL// /,}" "$2" && [ $((VIEW_TIME / 1000)) -gt "$1" ]
}

# The others let it go; its kernel goes on with what it has.
let_go() # DESCRIPTION NODE
{
	local t0 others

	others=$(others_than "$2")
	t0=$(now_ms)
	# shellcheck disable=SC2086
	check_comes "$1: the others let it go" 10 node_is "$2" dead $others
	tap_note "after $(($(now_ms) - t0)) ms"
	# shellcheck disable=SC2086
	check_tables "$1: their tables agree without it" $others
}

corosync_dies() # NODE
{
	local i=$1 what="corosync $1 is killed" t0 before

	before=$(ctl "$i" node list | sed 's/ owners.*//')
	corosync_kill "$i"
	let_go "$what" "$i"
	check_eq "$what: it holds on to what it knows" \
		"$(ctl "$i" node list | sed 's/ owners.*//')" "$before"
	check_eq "$what: its status says why" \
		"$(cluster_status "$i" '.cluster | "\(.connected) \(.quorate)"')" \
		"false false"
	t0=$(now_ms)
	corosync_start "$i"
	whole_again "$what and starts" "$t0"
}

node_stops() # NODE
{
	local what="node $1's daemons are stopped" t0

	mlbd_freeze "$1"
	corosync_freeze "$1"
	let_go "$what" "$1"
	t0=$(now_ms)
	corosync_thaw "$1"
	mlbd_thaw "$1"
	whole_again "$what and go on" "$t0"
}

node_restarts() # NODE
{
	local what="node $1's daemons are ended" t0

	mlbd_stop "$1"
	corosync_stop "$1"
	let_go "$what" "$1"
	t0=$(now_ms)
	corosync_start "$1"
	mlbd_start "$1"
	whole_again "$what and started" "$t0"
}

# A daemon that hears nothing must not hold up the others.
mlbd_stops() # NODE
{
	local what="mlbd $1 is stopped" t0

	mlbd_freeze "$1"
	client_run new -n "$NEW_N" -b 5000 -s 20000 "$VIP6" "$PORT"
	check_eq "$what: new connections and their second paths" \
		"${R[ok]} ${R[second]}" "$NEW_N $NEW_N"
	t0=$(now_ms)
	mlbd_thaw "$1"
	whole_again "$what and goes on" "$t0"
}

test_begin corosync mlbd
# A slow machine lets one node speak for the others.
IN_TURN=$ALL
[ "$MLB_SCALE" = 1 ] || IN_TURN=1
daemons_up 3
servers_up
from_tables 4
from_tables 6
load_start 4
for node in $IN_TURN; do
	mlbd_dies "$node"
	corosync_restarts "$node"
done
mlbd_stops 2
load_end "daemons come and go" "$LOAD_N"
load_start 6
corosync_dies 1
node_stops 2
node_restarts 3
load_end "nodes come and go"
tap_done
