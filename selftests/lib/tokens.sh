# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Tokens without connections on the nodes of lib/mlbd.sh, see token_load.

TOKENS=$MLB_TESTS/token_load

declare -A T # what token_load said last

# Runs token_load; numbers stand for their nodes. What it says goes into T.
tokens() # run|await|same [OPTION...] -- NODE...
{
	local i options=() named=()

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	for i; do
		named+=("$i:/run/netns/$PREFIX-n$i")
	done
	"$TOKENS" "${options[@]}" "${named[@]}" > "$TMP/tokens" 2>&1
	tokens_read "$TMP/tokens"
}

tokens_read() # FILE
{
	local pair

	T=()
	# shellcheck disable=SC2013 # pairs
	for pair in $(grep '=' "$1"); do
		T[${pair%%=*}]=${pair#*=}
	done
	[ ${#T[@]} -gt 0 ] || bail "$(cat "$1")"
}

# What the nodes' mlbds missed, or left out, so far. What is lost is repeated in
# the end, but not at once.
tokens_lost()
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		cluster_status "$i" '(.cluster.sync.skipped // 0),
			(.cluster.nodes[] | .gaps // 0)'
	done | jq -s add
}

# A quorate cluster of N nodes whose mlbds are in step.
tokens_cluster() # NODES [CONFIG_LINE...]
{
	local i

	cluster_up "$1"
	mlb_load
	corosync_up
	for ((i = 1; i <= NODES; i++)); do
		printf '%s\n' "${@:2}" | mlbd_conf "$i"
	done
	# shellcheck disable=SC2046
	mlbd_start $(seq "$NODES")
	# shellcheck disable=SC2046
	wait_for 20 cluster_ready $(seq "$NODES") ||
		bail "the mlbds are not ready: $(tail -n 5 "$TMP"/mlbd.*)"
	cluster_known 4
	tokens_in_step
}

in_step() # NODE
{
	status_is "$1" '[.cluster.nodes[] | select(.node != '"$1"') |
		.repeats >= 1] | all' true
}

tokens_in_step()
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		wait_for 20 in_step "$i" ||
			bail "node $i is not in step: $(cluster_status "$i" .cluster)"
	done
}

all_gone()
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		[ "$(ctl "$i" -j set | jq .owners)" = 0 ] || return 1
	done
}

# Every token is given up, and everybody knows.
tokens_drop() # SECONDS
{
	must "$TOKENS" drop "1:/run/netns/$PREFIX-n1"
	wait_for "$1" all_gone
}
