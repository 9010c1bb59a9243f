#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, the mlbds do not bring each other what the clients of a failed
# node are told by, and those wait for a minute.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/corosync.sh
. "$MLB_TESTS/lib/corosync.sh"
# shellcheck source=lib/mlbd.sh
. "$MLB_TESTS/lib/mlbd.sh"

N=$(scaled 40 10)

# Connections of node 2 whose clients this node can tell.
clients_known() # NODE COUNT
{
	[ "$(ctl "$1" owner list node 2 | grep -c ' client ')" = "$2" ]
}

dead_known() # NODE COUNT
{
	[ "$(ctl "$1" -j set | jq .dead)" = "$2" ]
}

setting_is() # NODE SETTING VALUE
{
	[ "$(ctl "$1" -j set | jq -r ".[\"$2\"]")" = "$3" ]
}

# The connections before and after the setting: those of an event, and those of
# the repetition that a new mlbd asks for.
told() # 4|6
{
	local i

	client_start dead -n "$N" -b 1000 -w "$(vip "$1")" "$PORT"
	client_says dead connected || bail "$(cat "$TMP/dead.out")"
	wait_for 10 clients_known 1 "$N"
	check_true "IPv$1: a peer hears of each client" clients_known 1 "$N"
	mlbd_stop 3
	must ctl 3 owner flush
	mlbd_start 3
	wait_for 20 clients_known 3 "$N"
	check_true "IPv$1: so does one that comes later" clients_known 3 "$N"
	check_eq "IPv$1: the same clients, and the same keys" \
		"$(ctl 1 owner list keys node 2 | sed 's/ age.*//' | sort)" \
		"$(ctl 3 owner list keys node 2 | sed 's/ age.*//' | sort)"

	must ip -n "$PREFIX-r" link set n2 down
	nodes_split 1,3 2
	router_nexthops 1 3
	router_unpin 0
	for i in 1 3; do
		wait_for 20 dead_known $i "$N"
		check_true "IPv$1: node $i can tell them that node 2 is dead" \
			dead_known $i "$N"
	done
	client_go dead
	client_end dead
	check_eq "IPv$1: all are told" "${R[reset]}" "$N"
	check_range "IPv$1: at once" "${R[data_ms]}" 0 $((50 * MLB_SCALE))
}

test_begin corosync mlbd "$WATCH"
cluster_up 3
mlb_load
corosync_up
mlbd_start 1 2 3
wait_for 20 cluster_ready 1 2 3 || bail "$(tail -n 5 "$TMP"/mlbd.*)"
cluster_known 4
must node_ctl 1 cluster service add "$VIP4:$PORT"
must node_ctl 1 cluster service add "[$VIP6]:$PORT"
must node_ctl 1 cluster set fastclose on
for i in 1 2 3; do
	wait_for 10 setting_is $i fastclose on
	check_true "node $i: fastclose is on" setting_is $i fastclose on
done
servers_up
router_pin 0 2
told 4
tap_done
