#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, new connections land on nodes that should not have them:
# against the weights, outside the pool, or on another node at each ingress.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 400 100)

sched() # ARGUMENT...
{
	service_all set "$VIP4:$PORT" "$@"
	service_all set "[$VIP6]:$PORT" "$@"
}

# Within five standard deviations of the weights' shares.
check_share() # DESCRIPTION NODE SHARE OF
{
	local lo hi

	read -r lo hi <<< "$(awk -v n="$N" -v p="$(($3 * 1000 / $4))" 'BEGIN {
		p /= 1000; d = 5 * sqrt(n * p * (1 - p))
		printf "%d %d", n * p - d, n * p + d + 1
	}')"
	check_range "$1" "$(served_by "$2")" $((lo < 0 ? 0 : lo)) "$hi"
}

local_stays() # 4|6
{
	stats_mark
	sched sched local
	client_run "local$1" -n "$N" -b 100 "$(vip "$1")" "$PORT"
	check_eq "IPv$1, local: all connections work" "${R[ok]}" "$N"
	check_eq "IPv$1, local: no SYN left its node" \
		"$(moved steer new-remote)" 0
	check_eq "IPv$1, local: every SYN was seen" "$(moved steer new-local)" "$N"
	check_eq "IPv$1, local: nothing was tunnelled" "$(moved tunnel tx)" 0
}

maglev_spreads() # 4|6
{
	local i

	sched sched maglev
	stats_mark
	client_run "maglev$1" -n "$N" -b 100 "$(vip "$1")" "$PORT"
	check_eq "IPv$1, maglev: all connections work" "${R[ok]}" "$N"
	for i in 1 2 3; do
		check_share "IPv$1, maglev: node $i has its share" $i $i 6
	done
	check_eq "IPv$1, maglev: every SYN was placed once" \
		$(($(moved steer new-remote) + $(moved steer new-local))) "$N"
	check_ge "IPv$1, maglev: most went to another node" \
		"$(moved steer new-remote)" $((N / 3))
}

# One 4-tuple goes to one node, whichever node the router hands it to.
maglev_agrees() # 4|6
{
	local i port bad=0 first

	for ((port = 20000; port < 20000 + $(scaled 8 3); port++)); do
		first=
		for i in 1 2 3; do
			router_pin 0 $i
			client_run agree -P "$port" -b 100 "$(vip "$1")" \
				"$PORT" > /dev/null
			: "${first:=${R[by_id]}}"
			[ "${R[ok]}" = 1 ] && [ "${R[by_id]}" = "$first" ] ||
				bad=$((bad + 1))
		done
	done
	router_unpin 0
	check_eq "IPv$1, maglev: every ingress makes the same choice" "$bad" 0
}

maglev_pool() # 4|6
{
	local i

	sched sched maglev nodes 1,3
	client_run "pool$1" -n "$N" -b 100 "$(vip "$1")" "$PORT"
	check_eq "IPv$1: pool of two: all connections work" "${R[ok]}" "$N"
	check_eq "IPv$1: the node outside the pool gets none" "$(served_by 2)" 0
	check_ge "IPv$1: the others get all" "$(served_by 1)" 1
	for ((i = 1; i <= NODES; i++)); do
		must ctl $i node set 1 weight 0
	done
	client_run "zero$1" -n "$N" -b 100 "$(vip "$1")" "$PORT"
	check_eq "IPv$1: weight 0 takes none" "$(served_by 3)" "$N"
	for ((i = 1; i <= NODES; i++)); do
		must ctl $i node set 1 weight 100
	done
	sched nodes all
}

test_begin
cluster_up 3
mlb_up --weights "100 200 300"
services_up
servers_up
for f in 4 6; do
	local_stays $f
	maglev_spreads $f
	maglev_agrees $f
	maglev_pool $f
done
tap_done
