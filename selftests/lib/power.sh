# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Nodes of lib/mlbd.sh that fail, and what new connections meet meanwhile.
#
# The router knows at once that a node is gone and sends it nothing more, as it
# would by BFD. The other nodes see no link go down.

now_us() { echo "${EPOCHREALTIME/./}"; }

# Nodes that there are, but for some.
nodes_but() # NODE...
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		[[ " $* " == *" $i "* || -z ${NODE_PID[$i]:-} ]] || echo "$i"
	done | xargs
}

router_without() # NODE...
{
	# shellcheck disable=SC2046
	router_nexthops $(nodes_but "$@")
}

# LOAD_N slow transfers of each family on a node that will live, over both paths,
# or from one address of the client's; then the router has all nodes.
live_start() # NODE [CLIENT_ADDRESS]
{
	local f path=()

	router_nexthops "$1"
	for f in 4 6; do
		local -n addrs=CLIENT$f
		path=(-s 20000)
		[ $# = 1 ] || path=(-S "${addrs[$2]}")
		client_start live$f -n "$LOAD_N" -b 200000 -r 50 -l -T 300000 \
			"${path[@]}" "$(vip $f)" "$PORT"
	done
	for f in 4 6; do
		client_must live$f flowing
	done
	router_without
}

live_end()
{
	local f

	for f in 4 6; do
		client_go live$f
		client_end live$f
		check_eq "IPv$f: no connection of another node broke" \
			"${R[ok]}" "$LOAD_N"
	done
}

# Nothing comes from the node and nothing reaches it, and all that runs on it
# stands still, as when its virtual machine is stopped.
node_freeze() # NODE
{
	router_without "$1"
	# The link comes back as it was.
	must on_router sysctl -qw "net.ipv6.conf.n$1.keep_addr_on_down=1"
	must ip -n "$PREFIX-b" link set "n$1" down
	must ip -n "$PREFIX-r" link set "n$1" down
	kill -STOP "${MLBD_PID[$1]}" "${COROSYNC_PID[$1]}" \
		"${SERVER_PID[$1.4]}" "${SERVER_PID[$1.6]}"
}

node_thaw() # NODE
{
	kill -CONT "${MLBD_PID[$1]}" "${COROSYNC_PID[$1]}" \
		"${SERVER_PID[$1.4]}" "${SERVER_PID[$1.6]}"
	must ip -n "$PREFIX-r" link set "n$1" up
	must ip -n "$PREFIX-b" link set "n$1" up
	reach "$PREFIX-r" "$(node_link4 "$1")" "$(node_link6 "$1")"
	router_without
}

kill_hard() # PID...
{
	local pid

	kill -KILL "$@" 2> /dev/null
	for pid; do
		child_ends "$pid"
	done
}

# The power of these nodes is gone, from OFF_AT on, and with it all that their
# kernels had. A network namespace lives on without a name until the last socket
# in it has given up.
node_off() # NODE...
{
	local i pids=() kept=() ns batch gone

	printf -v batch 'link set n%s down\n' "$@"
	printf -v gone 'link del n%s\n' "$@"
	# shellcheck disable=SC2034 # for the tests
	OFF_AT=$(now_us)
	netns_batch "$PREFIX-b" <<< "$batch"
	netns_batch "$PREFIX-r" <<< "$batch"
	router_without "$@"
	for i; do
		pids+=("${MLBD_PID[$i]}" "${COROSYNC_PID[$i]}"
			"${WATCH_PID[$i]}" "${NODE_PID[$i]}"
			"${SERVER_PID[$i.4]}" "${SERVER_PID[$i.6]}")
		unset "MLBD_PID[$i]" "COROSYNC_PID[$i]" "WATCH_PID[$i]" \
			"NODE_PID[$i]"
	done
	kill_hard "${pids[@]}"
	netns_batch "$PREFIX-b" <<< "$gone"
	netns_batch "$PREFIX-r" <<< "$gone"
	router_without
	for i; do
		must ip netns del "$PREFIX-n$i"
		rm -f "$TMP/node.$i" "$TMP/view.$i"
	done
	for ns in "${NETNS[@]}"; do
		[ -n "${NODE_PID[${ns#"$PREFIX-n"}]:-}" ] || continue
		kept+=("$ns")
	done
	NETNS=("$PREFIX-r" "$PREFIX-c" "$PREFIX-b" "${kept[@]}")
}

# They boot, with the file that mlbd_conf makes of NODE_CONF. The router has them
# again after all_ready: a stack that has no services yet resets what is not its
# own, and so mlbd announces no VIP before.
node_on() # NODE...
{
	local i f

	for i; do
		node_up "$i"
		mptcp_limits "$PREFIX-n$i"
		reach "$PREFIX-r" "$(node_link4 "$i")" "$(node_link6 "$i")"
		node_dirs_up "$i"
	done
	for i; do
		wait_for 10 line_there "$TMP/node.$i" '^ready' || bail "node $i"
		must corosync_setup "$i"
		mlbd_conf "$i" <<< "$NODE_CONF"
		corosync_start "$i"
	done
	mlbd_start "$@"
	for i; do
		for f in 4 6; do
			server_start "$i" $f
			server_listens "$i" $f
		done
	done
}

# Everybody is there and takes part, and gets its share from the router.
all_ready()
{
	# shellcheck disable=SC2046
	wait_for 30 cluster_ready $(seq "$NODES") || {
		cluster_tell
		bail "the nodes do not find together again"
	}
	router_without
}

# Who holds the role, as a node sees it.
held_by() # NODE ROLE
{
	node_ctl "$1" cluster role list |
		sed -n "s/^$2 .* held-by \([^ ]*\) .*/\1/p"
}

role_at() # ROLE HOLDER NODE...
{
	local i

	for i in "${@:3}"; do
		[ "$(held_by "$i" "$1")" = "$2" ] || return 1
	done
}

declare -A PROBE_PID

# A new connection each 20 ms, before all others that want the CPU: so late ones
# show when the whole machine stood still, and slow ones what share it had.
probe_start() # NAME 4|6 SOURCE [PORT...]
{
	spawn "$PREFIX-c" "$TMP/probe.$1" chrt -f 99 "$LOAD" probe -g 20 -S "$3" \
		"$(vip "$2")" "$PORT" "${@:4}"
	PROBE_PID[$1]=$!
}

probe_end() # NAME
{
	kill "${PROBE_PID[$1]}"
	child_ends "${PROBE_PID[$1]}"
}

# A node serves the probe's connections.
probe_at() # NAME NODE
{
	wait_for 10 line_there "$TMP/probe.$1" " $2 [0-9]*$" ||
		bail "probe $1 does not reach node $2: $(tail -n 5 "$TMP/probe.$1")"
}

# Ms from T0 until the first connection was served by another node, MS. SHARE is
# what the machine had of its CPU meanwhile, in per cent, as the work took longer
# and as connections began too late; it is OURS when that was nearly all.
probe_first() # NAME T0 NODE
{
	# shellcheck disable=SC2034 # for the tests
	read -r MS SHARE OURS <<< "$(sort -n "$TMP/probe.$1" |
		awk -v t0="$2" -v not="$3" '
		NR == 1 || $4 < least { least = $4 }
		$2 > t0 && $3 ~ /^[0-9]+$/ && $3 != not && (!end || $2 < end) {
			end = $2
		}
		{ begin[NR] = $1; work[NR] = $4 }
		END {
			if (!end)
				exit
			for (i = 2; i <= NR; i++) {
				if (begin[i] < t0 || begin[i - 1] > end)
					continue
				took += work[i]
				n++
				# From one tick of the clock to the next.
				late = begin[i] - begin[i - 1] - 32000
				lost += late > 0 ? late : 0
				worst = late > worst ? late : worst
			}
			share = 100 * (1 - lost / (end - t0))
			if (n)
				share = share * n * least / took
			printf "%d %d %d", (end - t0) / 1000, share,
				(share >= 80 && worst < 30000)
		}')"
}

# What is to be at most so many ms: in the median of all values, which are pairs
# of MS and OURS, and each. A machine that has other things to do is not judged
# by single values, and by the median only when it is far too long.
check_times() # WHAT MEDIAN MAX MS OURS...
{
	local what=$1 median=$2 max=$3 all=() ours=()

	shift 3
	while [ $# -gt 0 ]; do
		all+=("${1:-99999}")
		[ "$2" != 1 ] || ours+=("${1:-99999}")
		shift 2
	done
	spread "${all[@]}"
	tap_note "$what: median $MEDIAN, max $MAX ms of ${#all[@]}"
	if [ ${#ours[@]} -ge 3 ]; then
		spread "${ours[@]}"
		tap_note "$what: with a CPU of its own median $MEDIAN," \
			"max $MAX ms of ${#ours[@]}"
		check_range "$what: at most, ms" "$MAX" 0 "$max"
	else
		tap_note "$what: this machine was too busy to be judged"
		median=$((10 * median))
	fi
	check_range "$what: in the median, ms" "$MEDIAN" 0 "$median"
}

# How many of the connections that began after T0 ended so.
probe_count() # NAME T0 HOW
{
	awk -v t0="$2" -v how="$3" '
		$1 > t0 && $3 == how { n++ }
		END { print n + 0 }' "$TMP/probe.$1"
}

# A time in a log of mlbd's, in ms from T0, when it first wrote such a line.
mlbd_said() # NODE T0 PATTERN
{
	awk -v t0="$2" -v pattern="$3" '
		$0 ~ pattern && match($1, /^[0-9:.]+$/) {
			split($1, t, /[:.]/)
			ms = ((t[1] * 60 + t[2]) * 60 + t[3]) * 1000 + t[4]
			day = 86400000
			ms -= int(t0 / 1000) % day
			if (ms < -day / 2)
				ms += day
			if (ms >= 0) {
				print ms
				exit
			}
		}' "$TMP/mlbd.$1"
}

# Median and maximum of numbers, as MEDIAN and MAX.
spread() # N...
{
	local sorted=()

	mapfile -t sorted < <(printf '%s\n' "$@" | sort -n)
	MEDIAN=${sorted[(${#sorted[@]} - 1) / 2]} MAX=${sorted[-1]}
}
