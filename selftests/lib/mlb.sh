# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The module in the cluster's nodes: set-up through mlbctl, and what it counts.

PORT=8080

ctl() # NODE ARGUMENT...
{
	mlbctl -n "$PREFIX-n$1" "${@:2}"
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

NODE_SELF=("" self)

# Key and nodes on every node. --family: of the cluster network.
#
# The limit on waiting for an answer is that of a slow, checking kernel, and on
# a slow machine nodes are not suspect as soon; the tests of that itself set
# their own.
ALIVE_INTERVAL=$((50 * MLB_SCALE))
mlb_up() # [--family 4|6] [--weights "W1 W2 ..."]
{
	local family=4 weights="" i j key

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
		# shellcheck disable=SC2086
		set -- $weights
		{
			echo "key set $key"
			echo "set resolve-timeout 500" \
				"alive-interval $ALIVE_INTERVAL"
			for ((j = 1; j <= NODES; j++)); do
				echo "node add $j addr $("node_addr$family" "$j")" \
					"${1:+weight $1}" "${NODE_SELF[i == j]}"
				[ $# = 0 ] || shift
			done
		} > "$TMP/setup"
		must ctl "$i" -b "$TMP/setup"
	done
	if [ "$NODES" -gt 1 ]; then
		cluster_known "$family"
	fi
}

# For what looks at single messages: the nodes do not say that they are alive.
alive_off()
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		must ctl "$i" set alive-interval 0
	done
	until stats_mark && sleep 0.2 && [ "$(moved alive tx)" = 0 ]; do
		:
	done
}

# The nodes' neighbour entries for each other exist.
cluster_known() # 4|6
{
	local i j others

	for ((i = 1; i <= NODES; i++)); do
		others=()
		for ((j = 1; j <= NODES; j++)); do
			[ "$i" = "$j" ] || others+=("$("node_addr$1" "$j")")
		done
		reach "$PREFIX-n$i" "${others[@]}"
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

# Every counter of every node, or of one, by NODE.GROUP.COUNTER.
stats_read() # ARRAY [NODE]
{
	local -n into=$1
	local i from=${2:-1} to=${2:-$NODES} group name value

	into=()
	for ((i = from; i <= to; i++)); do
		while read -r group name value; do
			into[$i.$group.$name]=$value
		done < <(exec mlbctl -n "$PREFIX-n$i" stats)
	done
	[ ${#into[@]} -gt 0 ] || bail "mlbctl stats says nothing"
}

# The sum of a counter over all nodes, or its value on one.
stat_sum() # GROUP COUNTER [NODE]
{
	local i from=${3:-1} to=${3:-$NODES} sum=0

	stats_take ${3:+"$3"}
	for ((i = from; i <= to; i++)); do
		[ -n "${STATS_NOW[$i.$1.$2]:-}" ] || bail "no counter $1 $2"
		sum=$((sum + STATS_NOW[$i.$1.$2]))
	done
	echo $sum
}

stat_get() # NODE GROUP COUNTER
{
	stat_sum "$2" "$3" "$1"
}

declare -A STATS_MARK STATS_NOW

# Remembers the counters; moved says by how much one grew since, and grew by how
# much it had when stats_take last read them all.
stats_mark() # [NODE]
{
	stats_read STATS_MARK "$@"
}

stats_take() # [NODE]
{
	stats_read STATS_NOW "$@"
}

grew() # GROUP COUNTER [NODE]
{
	local i from=${3:-1} to=${3:-$NODES} sum=0

	for ((i = from; i <= to; i++)); do
		[ -n "${STATS_NOW[$i.$1.$2]:-}" ] || bail "no counter $1 $2"
		sum=$((sum + STATS_NOW[$i.$1.$2] - STATS_MARK[$i.$1.$2]))
	done
	echo $sum
}

moved() # GROUP COUNTER [NODE]
{
	stats_take ${3:+"$3"}
	grew "$@"
}

moved_ge() # N GROUP COUNTER [NODE]
{
	[ "$(moved "${@:2}")" -ge "$1" ]
}

# What moved at all, one counter a line; but that nodes live moves always.
stats_changed() # [NODE]
{
	local name

	stats_take "$@"
	for name in "${!STATS_NOW[@]}"; do
		[[ $name != *.alive.* ]] || continue
		[ "${STATS_NOW[$name]}" = "${STATS_MARK[$name]}" ] ||
			echo "$name $((STATS_NOW[$name] - STATS_MARK[$name]))"
	done | sort
}

# Nothing is counted for a while.
stats_rest() # [NODE]
{
	stats_mark "$@"
	sleep 0.3
	[ -z "$(stats_changed "$@")" ]
}

# Tokens that the node's table has, one a line; "local" only its own ones.
owner_tokens() # NODE [local]
{
	must ctl "$1" owner list > "$TMP/owners"
	sed -n "${2:+/ local /}s/ .*//p" "$TMP/owners"
}

owner_count() # NODE [local]
{
	must ctl "$1" owner list > "$TMP/owners"
	grep -c "${2:+ local }" "$TMP/owners"
}

owner_total_local()
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		must ctl "$i" owner list
	done > "$TMP/owners"
	grep -c ' local ' "$TMP/owners"
}

owner_total_is() # N
{
	[ "$(owner_total_local)" = "$1" ]
}

# Every node gets the others' own entries, as the daemon would bring them.
owners_copy()
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		ctl "$i" owner list
	done | sed -nE 's/^(.* node .* cpu [0-9]+) local .*/\1/p' > "$TMP/owners"
	for ((i = 1; i <= NODES; i++)); do
		sed "/ node $i /d" "$TMP/owners" > "$TMP/others"
		must ctl "$i" owner add - < "$TMP/others"
	done
}

flow_count() # NODE
{
	must ctl "$1" flow list > "$TMP/flows"
	wc -l < "$TMP/flows"
}
