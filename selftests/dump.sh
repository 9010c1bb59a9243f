#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, listings miss or repeat entries while the tables change, and
# tools that rely on them act on a wrong picture.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

STABLE=$(scaled 20000 2000)
ROUNDS=$(scaled 15 5)

lines() # FIRST COUNT
{
	seq "$1" $(($1 + $2 - 1)) | awk '{ printf "%d node %d\n", $1, 2 + $1 % 2 }'
}

tokens() # FIRST COUNT
{
	seq "$1" $(($1 + $2 - 1))
}

# Adds and deletes entries beside the stable ones until it is told to stop; each
# time far more than before, so that the table is resized both ways.
churn()
{
	local n

	until [ -e "$TMP/stop" ]; do
		for n in 10 1000 $STABLE; do
			lines 1000001 "$n" | ctl 1 owner add - || return
			tokens 1000001 "$n" | ctl 1 owner del - || return
			echo "$n" >> "$TMP/churned"
		done
	done
}

service_churn()
{
	until [ -e "$TMP/stop" ]; do
		ctl 1 service add 10.9.1.1:80 sched maglev || return
		ctl 1 service del 10.9.1.1:80 || return
		ctl 1 node add 4 addr 10.3.0.4 || return
		ctl 1 node del 4 || return
	done
}

# All stable tokens that one dump has, sorted. A table that was resized all the
# time ends with 2 here: mlbctl says itself that such a listing is not whole.
listed()
{
	if ! ctl 1 -j owner list > "$TMP/dump" 2> "$TMP/dump.err"; then
		grep -q "the table changed while it was listed" \
			"$TMP/dump.err" && return 2
		cat "$TMP/dump.err"
		return 1
	fi
	jq -r '.[].token' "$TMP/dump" | sort > "$TMP/tokens"
}

test_begin
cluster_up 1
mlb_load
must ctl 1 node add 1 addr "$(node_addr4 1)" self
must ctl 1 node add 2 addr 10.3.0.2
must ctl 1 node add 3 addr 10.3.0.3
for ((i = 1; i <= 200; i++)); do
	must ctl 1 service add "10.9.0.1:$i"
done
lines 1 "$STABLE" | must ctl 1 owner add -
tokens 1 "$STABLE" | awk '{ printf "0x%08x\n", $1 }' | sort > "$TMP/want"

must listed
check_eq "a quiet table is listed whole" "$(cmp "$TMP/tokens" "$TMP/want" 2>&1)" ""
check_eq "entries of one node" "$(ctl 1 -j owner list node 2 | jq length)" \
	$((STABLE / 2))
check_eq "the node's count agrees" \
	"$(ctl 1 -j node list | jq '.[] | select(.id == 2).owners')" \
	"$(ctl 1 -j owner list node 2 | jq length)"

churn > "$TMP/churn" 2>&1 &
churner=$!
service_churn > "$TMP/service-churn" 2>&1 &
service_churner=$!
missed=0 twice=0 failed=0 services=0 whole=0
for ((i = 0; i < ROUNDS; i++)); do
	listed
	case $? in
	0)	whole=$((whole + 1)) ;;
	2)	continue ;;
	*)	failed=$((failed + 1)); continue ;;
	esac
	[ -z "$(comm -13 "$TMP/tokens" "$TMP/want")" ] || missed=$((missed + 1))
	[ -z "$(uniq -d "$TMP/tokens")" ] || twice=$((twice + 1))
	n=$(ctl 1 -j service list | jq '[.[] | select(.addr == "10.9.0.1")] | length')
	[ "$n" = 200 ] || services=$((services + 1))
done
wait_for 60 test -s "$TMP/churned"
touch "$TMP/stop"
wait $churner $service_churner
check_eq "no listing under change failed" $failed 0
check_ge "most were whole" $whole $(((ROUNDS + 1) / 2))
check_eq "no stable entry was missed" $missed 0
check_eq "no entry was there twice" $twice 0
check_eq "every stable service was listed" $services 0
check_ge "the table did change meanwhile" "$(wc -l < "$TMP/churned")" 1
check_eq "no change was refused" "$(cat "$TMP/churn" "$TMP/service-churn")" ""
must ctl 1 owner flush
check_eq "flush empties the table" "$(owner_count 1)" 0
lines 1 "$STABLE" | must ctl 1 owner add -
must ctl 1 node del 2
check_eq "all of a deleted node's entries are gone, and no other" \
	"$(owner_count 1)" $((STABLE / 2))
tap_done
