#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, transfers break whenever the routers change their next hops:
# a node comes, goes, or the hash is changed.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 50 10)

tunnelled() # MORE_THAN
{
	[ "$(stat_sum tunnel rx)" -gt "$1" ]
}

# Next hops change, packets of the running transfers arrive at other nodes and
# are sent on, then they change again.
reshuffle_run() # NAME 4|6 CLIENT_OPTION...
{
	local name=$1 f=$2 hops rsts round=0 before

	router_nexthops 1 2 3
	stats_mark
	rsts=$(nodes_rsts)
	# Half a minute's worth at this rate, of which the rest goes at full speed when
	# the router has done its part.
	client_start shuffle -n "$N" -b 600000 -r 20000 -l -T 120000 "${@:3}" \
		"$(vip "$f")" "$PORT"
	client_must shuffle flowing
	for hops in "3 1 2" "2 3" "1" "1 2 3"; do
		before=$(stat_sum tunnel rx)
		# shellcheck disable=SC2086
		router_nexthops $hops
		wait_for 10 tunnelled $((before + N)) || break
		round=$((round + 1))
	done
	check_eq "$name: every reshuffle moved packets" "$round" 4
	check_true "$name: transfers ran meanwhile" client_runs shuffle
	client_go shuffle
	client_end shuffle
	check_eq "$name: none of $N transfers broke" "${R[ok]}" "$N"
	rsts=$(($(nodes_rsts) - rsts))
	[ "${R[reset]}${R[cut]}$rsts" = 000 ] || nodes_tell
	check_eq "$name: no node sent a RST" $rsts 0
}

both_paths() # 4|6
{
	endpoints_add
	reshuffle_run "IPv$1, both paths" "$1" -s 20000
	check_eq "IPv$1, both paths: no second path was lost" \
		"${R[second_at_end]}" "$N"
	endpoints_flush
}

test_begin
cluster_up 3
mlb_up
services_up
servers_up
for f in 4 6; do
	both_paths $f
	[ "$MLB_SCALE" -ge 4 ] || reshuffle_run "IPv$f, one path" $f
	reshuffle_run "IPv$f, plain TCP" $f -t
done
service_all set "$VIP4:$PORT" sched maglev
reshuffle_run "maglev, plain TCP" 4 -t
[ "$MLB_SCALE" -ge 4 ] || both_paths 4
tap_done
