#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, an IPv6 service loses its second paths where the nodes talk
# IPv4 to each other, or the other way round.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/join.sh
. "$MLB_TESTS/lib/join.sh"

crossed() # OUTER INNER
{
	join_setup 3 --family "$1"
	# Enough data that full-size packets go through the tunnel.
	join_run "IPv$2 in IPv$1" "$2" local full -b 100000
	join_run "IPv$2 in IPv$1, asked for" "$2" maglev empty -b 100000
	check_ge "IPv$2 in IPv$1: went through the tunnel" "$(stat_sum tunnel rx)" \
		"$(scaled 100)"
	children_end
	cluster_down
}

test_begin
crossed 4 6
crossed 6 4

# Nodes without a network of their own reach each other through the router.
cluster_up 3 --shared
mlb_up
services_up
servers_up
join_run "nodes share the router's links" 4 local empty -b 100000
tap_done
