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
# shellcheck source=lib/power.sh
. "$MLB_TESTS/lib/power.sh"

N=$(scaled 40 10)
# What a client's kernel waits for another path when the last one is gone: 60 s
# if nobody says otherwise.
CLOSE_TIMEOUT=4

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

dead_in() # NODE...
{
	local i

	for i; do
		ctl "$i" node list | grep -q '^2 .* state dead' || return 1
	done
}

set_all() # SETTING VALUE
{
	local i

	must node_ctl 1 cluster set "$1" "$2"
	for i in 1 2 3; do
		wait_for 10 setting_is $i "$1" "$2"
		check_true "node $i: $1 is $2" setting_is $i "$1" "$2"
	done
}

# A new mlbd asks for all that there was before it.
comes_later()
{
	mlbd_stop 3
	must ctl 3 owner flush
	mlbd_start 3
	wait_for 20 clients_known 3 "$N"
	check_true "so does one that comes later" clients_known 3 "$N"
	check_eq "the same clients, and the same keys" \
		"$(ctl 1 owner list keys node 2 | sed 's/ age.*//' | sort)" \
		"$(ctl 3 owner list keys node 2 | sed 's/ age.*//' | sort)"
}

connect() # 4|6
{
	router_pin 0 2
	client_start dead -n "$N" -b 1000 -w "$(vip "$1")" "$PORT"
	client_must dead connected
}

power_off()
{
	node_off 2
	router_unpin 0
	wait_for 20 dead_in 1 3 || bail "node 2 is not dead to the others"
}

told() # 4|6
{
	local i

	connect "$1"
	wait_for 10 clients_known 1 "$N"
	check_true "IPv$1: a peer hears of each client" clients_known 1 "$N"
	[ "$1" = 6 ] || comes_later
	wait_for 10 clients_known 3 "$N"
	power_off
	for i in 1 3; do
		wait_for 5 dead_known $i "$N"
		check_true "IPv$1: node $i can tell them that node 2 is dead" \
			dead_known $i "$N"
	done
	client_go dead
	client_end dead
	check_eq "IPv$1: all are told" "${R[reset]}" "$N"
	check_range "IPv$1: half of them at once" "${R[half_ms]}" 0 \
		$((50 * MLB_SCALE))
	check_range "IPv$1: the last soon" "${R[data_ms]}" 0 $((1000 * MLB_SCALE))
	tap_note "IPv$1: the last of $N applications sees the end" \
		"${R[data_ms]} ms after its next packet"
	node_on 2
	all_ready
}

# Its path is reset, and it waits for another one.
not_told()
{
	must on_client sysctl -qw net.mptcp.close_timeout=$CLOSE_TIMEOUT
	connect 4
	power_off
	client_go dead
	client_end dead
	check_eq "without fastclose: the connections end, too" "${R[other]}" "$N"
	tap_note "without fastclose: the last application sees the end" \
		"${R[data_ms]} ms after its next packet, where its kernel waits" \
		"$CLOSE_TIMEOUT s for another path (60 if not told otherwise)"
	check_range "without fastclose: it takes that long, ms" "${R[data_ms]}" \
		$((CLOSE_TIMEOUT * 900)) $(((CLOSE_TIMEOUT + 10) * 1000 * MLB_SCALE))
	node_on 2
	all_ready
}

test_begin corosync mlbd "$WATCH"
daemons_up 3
servers_up
not_told
set_all fastclose on
told 4
told 6
tap_done
