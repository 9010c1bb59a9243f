#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a host without the cluster key can steer the cluster's clients.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 20 5)

# All first subflows on one node, all joins through another.
joins_through() # NAME OWNER INGRESS WANT
{
	router_pin 0 "$2"
	router_pin 1 "$3"
	endpoints_flush
	client_start "$1" -n "$N" -b 2000 -s $((3000 * MLB_SCALE)) -w "$VIP4" "$PORT"
	client_must "$1" connected
	endpoints_add
	client_must "$1" ready
	client_go "$1"
	client_end "$1"
	check_eq "$1: second paths" "${R[second]}" "$4"
	check_eq "$1: transfers" "${R[ok]}" "$N"
}

test_begin
cluster_up 3
mlb_up
services_up
servers_up
must ctl 3 key set "$(key_file other "quite another cluster's key")"

stats_mark
joins_through "node 1 asks node 2" 2 1 "$N"
check_ge "node 3 heard and refused the queries" "$(moved tunnel rx-mac 3)" 1
check_eq "node 3 took none for a query" "$(moved resolve query-rx 3)" 0

stats_mark
joins_through "node 3 with the wrong key asks" 1 3 0
check_ge "the others refused its queries" "$(moved tunnel rx-mac 1)" 1
check_ge "all of the others" "$(moved tunnel rx-mac 2)" 1
check_eq "and answered none" $(($(moved resolve answer-tx 1) +
	$(moved resolve answer-tx 2))) 0

# Told by hand where the token is, it sends packets that are not let in.
stats_mark
endpoints_flush
client_start told -n 1 -b 2000 -s $((3000 * MLB_SCALE)) -w "$VIP4" "$PORT"
client_must told connected
wait_for 5 owner_total_is 1
owners_copy
endpoints_add
client_must told ready
client_go told
client_end told
check_eq "a join forwarded with the wrong key is dropped" "${R[second]}" 0
check_ge "it was forwarded" "$(moved tunnel tx 3)" 1
check_eq "and not let in" "$(moved tunnel rx 1)" 0
check_ge "but counted" "$(moved tunnel rx-mac 1)" 1

must ctl 3 key set "$TMP/key"
joins_through "node 3 with the right key asks" 1 3 "$N"
tap_done
