# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The main claim: every connection gets its second path.

join_setup() # NODES [MLB_UP_OPTION...]
{
	cluster_up "$1"
	mlb_up "${@:2}"
	services_up
	servers_up
}

# The connections come up first, then the owner tables are filled or emptied,
# and only then does the client add its second address to all of them.
join_run() # NAME 4|6 local|maglev full|empty [CLIENT_OPTION...]
{
	local name=$1 f=$2 sched=$3 table=$4 n i joins forward owner=0 before asked lost

	n=$(scaled 100 10)
	service_all set "$VIP4:$PORT" sched "$sched"
	service_all set "[$VIP6]:$PORT" sched "$sched"
	endpoints_flush
	for ((i = 1; i <= NODES; i++)); do
		must ctl "$i" owner flush
	done
	stats_mark
	joins=$(nodes_nstat MPTcpExtMPJoinAckRx)

	client_start join -n "$n" -b 5000 -s 20000 "${@:5}" -w "$(vip "$f")" "$PORT"
	client_must join connected
	wait_for 5 owner_total_is "$n"
	check_eq "$name: every token is learnt" "$(owner_total_local)" "$n"
	if [ "$table" = full ]; then
		owners_copy
	fi
	before=$(moved resolve started)
	endpoints_add
	client_must join ready 40
	# Counted now, because last packets of what has closed are asked for too.
	stats_take
	asked=$(($(grew resolve started) - before))
	lost=$(($(grew resolve drop-key) + $(grew resolve drop-full) +
		$(grew resolve drop-rate) + $(grew resolve timeout) +
		$(grew steer unclaimed)))
	client_go join
	client_end join

	check_eq "$name: every second path comes up" "${R[second]}" "$n"
	check_eq "$name: and is there at the end" "${R[second_at_end]}" "$n"
	check_eq "$name: every transfer is whole" "${R[ok]}" "$n"
	joins=$(($(nodes_nstat MPTcpExtMPJoinAckRx) - joins))
	check_eq "$name: owners accepted every join" "$joins" "$n"
	[ "$joins" = "$n" ] || nodes_tell
	stats_take
	if [ "$table" = full ]; then
		forward=$(grew steer join-owner)
		check_eq "$name: nothing was asked" "$asked" 0
	else
		forward=$(grew steer join-resolved)
		owner=$(grew steer join-owner)
		check_ge "$name: peers were asked" "$(grew resolve found)" 1
	fi
	check_eq "$name: each join was local or forwarded once" \
		$((forward + owner + $(grew steer join-local))) "$n"
	check_ge "$name: joins were forwarded" "$forward" 1
	check_eq "$name: none was dropped or given up" "$lost" 0
	wait_for 10 owner_total_is 0
	check_eq "$name: every token is withdrawn" "$(owner_total_local)" 0
}

# Every pair of scheduler and table for both families; on a slow machine half
# of them, so that each value still meets each other one.
join_matrix() # NODES
{
	local f run sched table runs=([4]="local.full maglev.empty"
				  [6]="local.empty maglev.full")

	if [ "$MLB_SCALE" -lt 4 ]; then
		runs[4]+=" local.empty maglev.full"
		runs[6]+=" local.full maglev.empty"
	fi
	for f in 4 6; do
		join_setup "$1" --family "$f"
		for run in ${runs[f]}; do
			sched=${run%.*} table=${run#*.}
			join_run "$1 nodes, IPv$f, $sched, $table table" \
				"$f" "$sched" "$table"
		done
		children_end
		cluster_down
	done
}
