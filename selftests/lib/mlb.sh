# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The module in the cluster's nodes: set-up through mlbctl, and what it counts.

PORT=8080

ctl() # NODE ARGUMENT...
{
	local i=$1

	shift
	on_node "$i" mlbctl "$@"
}

mlb_loaded() { [ -d /sys/module/mlb ]; }

mlb_load()
{
	mlb_loaded && return
	command -v mlbctl > /dev/null || missing "mlbctl is not in PATH"
	[ -n "${MLB_KO:-}" ] || missing "MLB_KO does not name the module"
	# Absent where they are built in; insmod tells if they are needed.
	modprobe -q udp_tunnel
	modprobe -q ip6_udp_tunnel
	insmod "$MLB_KO" || missing "$MLB_KO does not load"
}

key_file() # NAME TEXT
{
	(umask 077 && printf %s "$2" > "$TMP/$1")
	echo "$TMP/$1"
}

# Key and nodes on every node. --family: of the cluster network.
#
# The limit on waiting for an answer is that of a slow, checking kernel; the
# tests of the limit itself set their own.
mlb_up() # [--family 4|6] [--weights "W1 W2 ..."]
{
	local family=4 weights="" w i j addr key

	while [ $# -gt 0 ]; do
		case $1 in
		--family) family=$2; shift 2 ;;
		--weights) weights=$2; shift 2 ;;
		*) bail "mlb_up: $1?" ;;
		esac
	done
	mlb_load
	key=$(key_file key "one key for the whole cluster")
	for ((i = 1; i <= NODES; i++)); do
		must ctl "$i" key set "$key"
		must ctl "$i" set resolve-timeout 500
		# shellcheck disable=SC2086
		set -- $weights
		for ((j = 1; j <= NODES; j++)); do
			addr=$("node_addr$family" "$j")
			w=${1:+weight $1}
			[ $# = 0 ] || shift
			# shellcheck disable=SC2046,SC2086
			must ctl "$i" node add "$j" addr "$addr" $w \
				$([ "$i" = "$j" ] && echo self)
		done
	done
	if [ "$NODES" -gt 1 ]; then
		cluster_known "$family"
	fi
}

# The nodes' neighbour entries for each other exist.
cluster_known() # 4|6
{
	local i j

	for ((i = 1; i <= NODES; i++)); do
		for ((j = 1; j <= NODES; j++)); do
			[ "$i" = "$j" ] && continue
			reach "$PREFIX-n$i" "$("node_addr$1" "$j")"
		done
	done
}

service_all() # add|set|del ARGUMENT...
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		must ctl "$i" service "$@"
	done
}

services_up() # [ARGUMENT...]: both VIPs, one port
{
	service_all add "$VIP4:$PORT" "$@"
	service_all add "[$VIP6]:$PORT" "$@"
}

stat_get() # NODE GROUP COUNTER
{
	ctl "$1" -j stats | jq -e --arg g "$2" --arg c "$3" '.[$g][$c]'
}

stat_sum() # GROUP COUNTER
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		ctl "$i" -j stats
	done | jq -s --arg g "$1" --arg c "$2" 'map(.[$g][$c]) | add'
}

# Every counter of every node, or one: "NODE.GROUP.COUNTER VALUE" lines.
stats_lines() # [NODE]
{
	local i from=${1:-1} to=${1:-$NODES}

	for ((i = from; i <= to; i++)); do
		ctl "$i" -j stats
	done | jq -rs --argjson from "$from" 'to_entries[] |
		(.key + $from) as $i | .value | to_entries[] |
		.key as $g | .value | to_entries[] |
		"\($i).\($g).\(.key) \(.value)"'
}

declare -A STATS_MARK

# Remembers the counters; moved says by how much they grew since.
stats_mark() # [NODE]
{
	local name value

	STATS_MARK=()
	stats_lines "$@" > "$TMP/stats"
	[ -s "$TMP/stats" ] || bail "mlbctl -j stats says nothing"
	while read -r name value; do
		STATS_MARK[$name]=$value
	done < "$TMP/stats"
}

moved() # GROUP COUNTER [NODE]
{
	local i from=${3:-1} to=${3:-$NODES} before=0

	for ((i = from; i <= to; i++)); do
		before=$((before + ${STATS_MARK[$i.$1.$2]}))
	done
	for ((i = from; i <= to; i++)); do
		ctl "$i" -j stats
	done | jq -es --arg g "$1" --arg c "$2" --argjson before "$before" \
		'map(.[$g][$c]) | add - $before' || bail "no counter $1 $2"
}

moved_ge() # N GROUP COUNTER [NODE]
{
	[ "$(moved "${@:2}")" -ge "$1" ]
}

# What moved at all, one counter a line.
stats_changed() # [NODE]
{
	local name value

	stats_lines "$@" > "$TMP/stats"
	[ -s "$TMP/stats" ] || echo "mlbctl -j stats says nothing"
	while read -r name value; do
		[ "$value" = "${STATS_MARK[$name]}" ] ||
			echo "$name $((value - STATS_MARK[$name]))"
	done < "$TMP/stats"
}

# Tokens that the node's table has, one a line; "local" only its own ones.
owner_tokens() # NODE [local]
{
	ctl "$1" -j owner list |
		jq -r --arg l "${2:-}" '.[] | select($l == "" or .local == true) | .token'
}

owner_count() # NODE [local]
{
	owner_tokens "$@" | wc -l
}

owner_total_local()
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		ctl "$i" -j owner list
	done | jq -s '[.[][] | select(.local)] | length'
}

owner_total_is() # N
{
	[ "$(owner_total_local)" = "$1" ]
}

# Every node gets the others' own entries, as the daemon would bring them.
owners_copy()
{
	local i j

	for ((i = 1; i <= NODES; i++)); do
		ctl "$i" -j owner list |
			jq -r '.[] | select(.local == true) |
				"\(.token) node \(.node) cpu \(.cpu)"' \
			> "$TMP/owners.$i"
	done
	for ((i = 1; i <= NODES; i++)); do
		for ((j = 1; j <= NODES; j++)); do
			if [ "$i" != "$j" ] && [ -s "$TMP/owners.$j" ]; then
				must ctl "$i" owner add - < "$TMP/owners.$j"
			fi
		done
	done
}

flow_count() # NODE
{
	ctl "$1" -j flow list | jq length
}
