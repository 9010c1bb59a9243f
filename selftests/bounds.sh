#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, many connections fill the kernel's memory, or a full table
# breaks transfers instead of only costing a question.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 60 24)
LIMIT=10

setting() # NODE NAME
{
	ctl "$1" -j set | jq -r --arg n "$2" 'if type == "array" then .[0] else . end | .[$n]'
}

limit_all() # NAME VALUE
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		must ctl $i set "$1" "$2"
	done
}

told_again()
{
	[ "$(grep -c "limit.*owner" "$TMP/event")" -gt "$told" ]
}

test_begin
cluster_up 2
mlb_up
services_up
servers_up
router_pin 0 1
router_pin 1 2

# Owner table: all connections on node 1, joins through node 2.
limit_all max-owners $LIMIT
spawn "$PREFIX-n1" "$TMP/event" mlbctl -j monitor -r event
wait_for 5 line_there "$TMP/event" ready || bail "no monitor"
stats_mark
client_start full -n "$N" -b 20000 -s 20000 -w "$VIP4" "$PORT"
client_must full connected
wait_for 5 moved_ge $((N - LIMIT)) owner full 1
check_eq "the owner table stops at its limit" "$(owner_count 1)" $LIMIT
check_eq "listed size agrees" "$(setting 1 owners)" $LIMIT
check_eq "what did not fit is counted" "$(moved owner full 1)" $((N - LIMIT))
check_true "the full table is announced" wait_for 5 line_there "$TMP/event" \
	"limit.*owner"
endpoints_add
client_must full ready
client_go full
client_end full
check_eq "joins work with a full owner table" "${R[second]}" "$N"
check_eq "transfers are whole with a full owner table" "${R[ok]}" "$N"
check_range "node 2 kept to its limit" "$(owner_count 2)" 0 $LIMIT
endpoints_flush

# Nor do entries from outside go beyond it: none of them is taken, and it is
# told.
wait_for 10 owner_total_is 0
must ctl 1 owner flush
sleep 1	# the least time between two events
told=$(grep -c "limit.*owner" "$TMP/event")
seq $((LIMIT + 1)) | sed 's/$/ node 2/' | ctl 1 owner add - > "$TMP/out" 2>&1
check_eq "more entries than there is room for are refused" $? 1
check_true "for want of room" line_there "$TMP/out" "owner table is full"
check_eq "and none is added" "$(owner_count 1)" 0
check_true "and it is announced" wait_for 5 told_again
seq $LIMIT | sed 's/$/ node 2/' | must ctl 1 owner announce -
check_eq "as many as there is room for are taken" "$(owner_count 1)" $LIMIT
must ctl 1 owner flush

# A limit below the present size keeps the entries, or makes room: never more.
limit_all max-owners 1000
client_start shrink -n "$N" -b 1000 -w "$VIP4" "$PORT"
client_must shrink connected
wait_for 5 owner_total_is "$N"
must ctl 1 set max-owners $LIMIT
check_eq "the new limit is shown" "$(setting 1 max-owners)" $LIMIT
client_go shrink
client_end shrink
check_eq "shrinking harms no transfer" "${R[ok]}" "$N"
check_true "entries still go with their connections" wait_for 10 owner_total_is 0

# Flow table: plain transfers that enter at node 2 and belong to node 1.
limit_all max-owners 1000
limit_all max-flows $LIMIT
stats_mark
client_start flows -t -n "$N" -b 200000 -r 100000 -w "$VIP4" "$PORT"
client_must flows connected
router_pin 0 2
client_go flows
client_must flows flowing
check_range "the flow table stops at its limit" "$(setting 2 flows)" 1 $LIMIT
client_end flows
check_eq "transfers are whole with a full flow table" "${R[ok]}" "$N"
check_ge "evictions are counted" "$(moved flow evicted 2)" $((N - LIMIT))
check_range "the flow table kept to its limit" "$(flow_count 2)" 0 $LIMIT

# Nonsense is refused.
for arg in "max-flows 0" "max-owners 0" "max-flows 99999999999" "max-owners x"; do
	# shellcheck disable=SC2086
	ctl 1 set $arg > "$TMP/out" 2>&1
	check_range "set $arg is refused" $? 1 2
done
check_eq "and changes nothing" "$(setting 1 max-flows)" $LIMIT
tap_done
