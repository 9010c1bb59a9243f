#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, two nodes of a link have one virtual address after one of them
# hung or was cut off, or neighbours go on to send to the one that had it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/corosync.sh
. "$MLB_TESTS/lib/corosync.sh"
# shellcheck source=lib/mlbd.sh
. "$MLB_TESTS/lib/mlbd.sh"
# shellcheck source=lib/vip.sh
. "$MLB_TESTS/lib/vip.sh"

test_begin corosync mlbd
daemons_begin
arp_quiet
servers_found
must node_ctl 1 cluster role add web nodes 3 spares 2 exclusive yes failback no
comes_to "a role" 3
connections_work "a role"
check_comes "the router has learnt it" 3 router_sends_to 3

# Nobody tells one that hangs to let go; its role moves all the same.
mlbd_freeze 3
comes_alone "an mlbd that hangs" 2 20
check_comes "and the router knows" 3 router_sends_to 2
connections_work "and all goes on"
mlbd_thaw 3
check_true "when it goes on it has none" stays_alone 2 cluster_ready 1 2 3

# Who was cut off comes back with a document in which the role is his; who went on
# has told the neighbours, and they may have been told otherwise since.
nodes_split 1,3 2
comes_to "cut off" 3
check_comes "and the router knows" 3 router_sends_to 3
must on_router ip neigh replace "$VIP4" lladdr "$(mac_of 2)" dev lan nud reachable
must on_router ip neigh replace "$VIP6" lladdr "$(mac_of 2)" dev lan nud reachable
nodes_heal
check_true "healed: at no time two have one" stays_alone 3 cluster_ready 1 2 3
check_comes "healed: who was told otherwise is told again" 3 router_sends_to 3
connections_work "healed"
tap_done
