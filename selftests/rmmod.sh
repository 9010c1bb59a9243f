#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, unloading or upgrading the module under traffic crashes the
# host or breaks connections that do not need it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 40 10)

# The first subflows are where the router sends them, with the module or not.
unload_run() # ROUND
{
	mlb_up
	services_up sched local
	client_start "run$1" -n "$N" -b 200000 -r 50000 -s 20000 -T 60000 \
		"$VIP4" "$PORT"
	client_must "run$1" flowing
	# More joins arrive, are parked and asked for, in the same moment.
	client_start "more$1" -n "$N" -b 20000 -T 20000 "$VIP6" "$PORT"
	check_true "round $1: rmmod works under traffic" rmmod mlb
	check_eq "round $1: the device is gone" \
		"$(on_node 1 ip -o link show mlb0 2> /dev/null)" ""
	ctl 1 stats > "$TMP/out" 2>&1
	check_eq "round $1: mlbctl says that it is not running" $? 3
	client_end "run$1"
	check_eq "round $1: transfers go on over the first path" "${R[ok]}" "$N"
	client_end "more$1"
	check_eq "round $1: new ones too" "${R[ok]}" "$N"
}

test_begin
cluster_up 3
mlb_load
servers_up
endpoints_add
for ((round = 1; round <= $(scaled 4 2); round++)); do
	unload_run $round
done

# Unloading while it has been given everything and nothing uses it.
for ((round = 0; round < $(scaled 10 3); round++)); do
	mlb_up
	services_up
	must rmmod mlb
done
tap_ok "loads and unloads with set-up nodes"
tap_done
