#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a node whose power fails takes connections of others with it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/corosync.sh
. "$MLB_TESTS/lib/corosync.sh"
# shellcheck source=lib/mlbd.sh
. "$MLB_TESTS/lib/mlbd.sh"
# shellcheck source=lib/power.sh
. "$MLB_TESTS/lib/power.sh"

# Of each family.
N=$(scaled 100 20)

dead_in() # NODE...
{
	local i

	for i; do
		ctl "$i" node list | grep -q '^2 .* state dead' || return 1
	done
}

test_begin corosync mlbd
daemons_up 4
servers_up
# On nodes that will live, by way of all: each has two paths, on which packets
# go now and then.
endpoints_add
router_nexthops 1 3 4
for f in 4 6; do
	client_start live$f -n "$N" -b 30000 -r 2 -l -T 300000 -s 30000 \
		"$(vip $f)" "$PORT"
done
for f in 4 6; do
	client_must live$f flowing 60
done
router_without
must node_ctl 1 cluster service set "$VIP4:$PORT" sched maglev
must node_ctl 1 cluster service set "[$VIP6]:$PORT" sched maglev
node_off 2
check_comes "the others know that node 2 is dead" 20 dead_in 1 3 4
node_on 2
all_ready
broken=0
for f in 4 6; do
	check_true "IPv$f: they run all the time" client_runs live$f
	client_go live$f
	client_end live$f
	check_eq "IPv$f: all had two paths" "${R[second]}" "$N"
	broken=$((broken + N - R[ok]))
done
check_eq "of $((2 * N)) connections of other nodes none broke" $broken 0
tap_done
