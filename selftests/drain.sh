#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, taking a node out of service either breaks the connections
# that it still has, or it never gets empty.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 60 12)

state_all() # NODE STATE
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		must ctl $i node set "$1" state "$2"
	done
}

sched_all()
{
	service_all set "$VIP4:$PORT" sched "$1"
}

# Connections that exist when the node starts to drain get their second path
# and end whole; new ones go elsewhere.
drain_run() # local|maglev
{
	local old

	sched_all "$1"
	endpoints_flush
	client_start old -n "$N" -b 50000 -s 20000 -w "$VIP4" "$PORT"
	client_must old connected
	wait_for 5 owner_total_is "$N"
	state_all 2 drain
	endpoints_add
	client_must old ready
	client_run new -n "$N" -b 1000 "$VIP4" "$PORT"
	check_eq "$1: new connections work" "${R[ok]}" "$N"
	check_eq "$1: none of them on the draining node" "$(served_by 2)" 0
	client_go old
	client_end old
	old=$(served_by 2)
	check_ge "$1: the draining node had connections" "$old" 1
	check_eq "$1: every join was still let in" "${R[second]}" "$N"
	check_eq "$1: every old transfer is whole" "${R[ok]}" "$N"
	wait_for 10 owner_total_is 0
	state_all 2 active
	client_run back -n "$N" -b 1000 "$VIP4" "$PORT"
	check_ge "$1: an active node takes connections again" \
		"$(served_by 2)" 1
}

joins_judged()
{
	[ $(($(moved steer join-local) + $(moved steer join-owner) +
		$(moved steer refused-state))) -ge "$N" ]
}

# Maintenance refuses joins, what runs goes on. A join that the router itself
# brings to the node is for its stack to judge, so all come to another.
maintenance_run()
{
	sched_all local
	endpoints_flush
	client_start old -n "$N" -b 50000 -w "$VIP4" "$PORT"
	client_must old connected
	wait_for 5 owner_total_is "$N"
	owners_copy
	router_pin 1 1
	state_all 2 maintenance
	stats_mark
	endpoints_add
	wait_for 20 joins_judged || bail "not every join came"
	client_go old
	client_end old
	check_eq "maintenance: second paths only of other nodes" \
		"${R[second_at_end]}" $((N - $(served_by 2)))
	check_eq "maintenance: refused joins are counted" \
		"$(moved steer refused-state)" "$(served_by 2)"
	check_eq "maintenance: every old transfer is whole" "${R[ok]}" "$N"
	client_run new -n "$N" -b 1000 "$VIP4" "$PORT"
	check_eq "maintenance: new connections work" "${R[ok]}" "$N"
	check_eq "maintenance: none of them there" "$(served_by 2)" 0
	router_unpin 1
	state_all 2 active
}

# A dead node's entries are gone at once.
dead_run()
{
	local i left

	endpoints_flush
	client_start old -n "$N" -b 50000 -w "$VIP4" "$PORT"
	client_must old connected
	wait_for 5 owner_total_is "$N"
	owners_copy
	check_ge "dead: node 1 knew tokens of node 2" \
		"$(ctl 1 -j owner list node 2 | jq length)" 1
	# What is left of the node itself would not call itself dead.
	for i in 1 3; do
		must ctl $i node set 2 state dead
	done
	left=$(ctl 1 -j owner list node 2 | jq length)
	check_eq "dead: node 1 has forgotten them" "$left" 0
	left=$(ctl 1 -j flow list | jq '[.[] | select(.node == 2)] | length')
	check_eq "dead: and every flow to it" "$left" 0
	client_go old
	client_end old
	state_all 2 active
}

test_begin
cluster_up 3
mlb_up
services_up
servers_up
drain_run local
drain_run maglev
maintenance_run
dead_run
tap_done
