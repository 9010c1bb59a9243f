#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, the nodes of a cluster do not know each other's connections:
# tokens get lost on the way, or stay when their connections are over.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/corosync.sh
. "$MLB_TESTS/lib/corosync.sh"
# shellcheck source=lib/mlbd.sh
. "$MLB_TESTS/lib/mlbd.sh"
# shellcheck source=lib/tokens.sh
. "$MLB_TESTS/lib/tokens.sh"

COUNT=$(scaled 10000 1000)
RATE=$(scaled 20000 2000)

# Each from a node of its own, all at the same time.
all_at_once()
{
	local i pids=()

	for i in 1 2 3; do
		# shellcheck disable=SC2046 # one argument each
		"$TOKENS" run -r "$RATE" -n "$COUNT" -s $((i * 1000000)) \
			-w $((10000 * MLB_SCALE)) $(pairs_from "$i") \
			> "$TMP/tokens.$i" 2>&1 &
		pids+=("$!")
		CHILDREN+=("$!")
	done
	for i in 1 2 3; do
		wait "${pids[i - 1]}"
		tokens_read "$TMP/tokens.$i"
		check_eq "node $i: its tokens, while others come: the others have them" \
			"${T[tokens]}:${T[missing]}:${T[unseen]}" "$COUNT:0:0"
	done
}

pairs_from() # NODE: it first
{
	local i

	for i in "$1" 1 2 3; do
		echo "$i:/run/netns/$PREFIX-n$i"
	done | awk '!there[$0]++'
}

agree() # ENTRIES DESCRIPTION
{
	tokens same -- 1 2 3
	check_eq "$2: the tables are the same" \
		"${T[entries]}:${T[differ]}" "$1:0"
}

test_begin corosync mlbd "$WATCH" "$TOKENS"
tokens_cluster 3
before=$(tokens_lost)

tokens run -r "$RATE" -n "$COUNT" -w $((10000 * MLB_SCALE)) -- 1 2 3
check_eq "$COUNT tokens at $RATE/s: the others have them" \
	"${T[tokens]}:${T[missing]}:${T[unseen]}" "$COUNT:0:0"
tap_note "$(cat "$TMP/tokens")"
agree "$COUNT" "afterwards"
check_true "given up: they go everywhere" tokens_drop 20

all_at_once
agree $((3 * COUNT)) "tokens of all nodes"
check_eq "nothing was lost on the way" "$(tokens_lost)" "$before"
check_true "they go everywhere" tokens_drop 20

tokens run -r "$RATE" -n "$COUNT" -w $((10000 * MLB_SCALE)) -- 2 1 3
check_eq "the same once more, of another node" \
	"${T[tokens]}:${T[missing]}:${T[unseen]}" "$COUNT:0:0"
mlbd_kill 3
must ctl 3 owner flush
check_eq "a node has nothing" "$(ctl 3 -j set | jq .owners)" 0
mlbd_start 3
tokens await -w $((20000 * MLB_SCALE)) -- 2 3
check_eq "it comes back and is told all" "${T[missing]}" 0
agree "$COUNT" "in the end"
tap_done
