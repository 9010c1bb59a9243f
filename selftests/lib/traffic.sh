# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# MPTCP endpoints, servers, clients and what the stack counts of them.

declare -A R # the last client's report
declare -A CLIENT_PID CLIENT_FD
declare -A SERVER_PID # by NODE.4 and NODE.6

mptcp_limits() # NETNS
{
	must ip -n "$1" mptcp limits set subflows 4 add_addr_accepted 4
}

# The client's second address makes a second subflow on every connection, those
# that exist too.
endpoints_add()
{
	must ip -n "$PREFIX-c" mptcp endpoint add "${CLIENT4[1]}" dev eth1 subflow
	must ip -n "$PREFIX-c" mptcp endpoint add "${CLIENT6[1]}" dev eth1 subflow
}

endpoints_flush()
{
	must ip -n "$PREFIX-c" mptcp endpoint flush
}

vip() # 4|6
{
	[ "$1" = 4 ] && echo "$VIP4" || echo "$VIP6"
}

# Starts a program in the background, of which $! is the process itself. IN is
# its standard input. What an earlier one wrote is gone at once, so that nobody
# takes its words for those of this one.
spawn() # NETNS OUTPUT_FILE COMMAND...
{
	: > "$2"
	nsenter --net="/run/netns/$1" -- "${@:3}" > "$2" 2>&1 \
		< "${IN:-/dev/null}" &
	CHILDREN+=("$!")
}

line_there() # FILE PATTERN
{
	grep -q -- "$2" "$1" 2> /dev/null
}

server_start() # NODE 4|6 [OPTION...]
{
	local i=$1 f=$2

	spawn "$PREFIX-n$i" "$TMP/server.$i.$f" "$LOAD" server -i "$i" \
		"${@:3}" "$(vip "$f")" "$PORT"
	# shellcheck disable=SC2034 # for lib/power.sh and the tests
	SERVER_PID[$i.$f]=$!
}

server_listens() # NODE 4|6
{
	wait_for 10 line_there "$TMP/server.$1.$2" listening ||
		bail "no server: $(cat "$TMP/server.$1.$2")"
}

# A server of both VIPs on each node.
servers_up() # [OPTION...]
{
	local i f

	for ((i = 1; i <= NODES; i++)); do
		for f in 4 6; do
			server_start "$i" $f "$@"
		done
	done
	for ((i = 1; i <= NODES; i++)); do
		for f in 4 6; do
			server_listens "$i" $f
		done
	done
}

client_start() # NAME ARGUMENT...
{
	local name=$1 fd

	shift
	rm -f "$TMP/$name.in"
	mkfifo "$TMP/$name.in"
	exec {fd}<> "$TMP/$name.in"
	CLIENT_FD[$name]=$fd
	IN=$TMP/$name.in spawn "$PREFIX-c" "$TMP/$name.out" "$LOAD" client "$@"
	CLIENT_PID[$name]=$!
}

client_says() # NAME PATTERN [SECONDS]
{
	wait_for "${3:-30}" line_there "$TMP/$1.out" "^$2"
}

# The test makes no sense without it.
client_must() # NAME PATTERN [SECONDS]
{
	client_says "$@" || bail "$1: $(cat "$TMP/$1.out")"
}

# Whether it has not yet said how it ended.
client_runs() # NAME
{
	! line_there "$TMP/$1.out" ^connections=
}

# What a client that was started with -w or -l waits for.
client_go() # NAME
{
	echo >&"${CLIENT_FD[$1]}"
}

# Waits for the client; its report is in R then.
client_end() # NAME
{
	local name=$1 pair pairs fd=${CLIENT_FD[$1]}

	wait "${CLIENT_PID[$name]}"
	exec {fd}>&-
	R=()
	read -ra pairs <<< "$(grep '^connections=' "$TMP/$name.out")"
	for pair in "${pairs[@]}"; do
		R[${pair%%=*}]=${pair#*=}
	done
	[ -n "${R[connections]:-}" ] ||
		bail "client $name: $(cat "$TMP/$name.out")"
	tap_note "$name: $(tail -n1 "$TMP/$name.out")"
}

# As client_start, and data flows once every connection has its second path or
# will not get it.
client_join() # NAME ARGUMENT...
{
	endpoints_flush
	client_start "$1" -s $((8000 * MLB_SCALE)) -w "${@:2}"
	client_must "$1" connected
	endpoints_add
	client_must "$1" ready
	client_go "$1"
}

client_run() # NAME ARGUMENT...
{
	client_start "$@"
	client_end "$1"
}

# Connections that node ID greeted, from the client's report.
served_by() # ID
{
	local pair

	for pair in ${R[by_id]//,/ }; do
		[ "${pair%%:*}" = "$1" ] && { echo "${pair#*:}"; return; }
	done
	echo 0
}

nstat_get() # NETNS COUNTER
{
	in_netns "$1" nstat -asz "$2" | awk -v n="$2" '$1 == n { print $2 }'
}

nodes_nstat() # COUNTER
{
	local i sum=0

	for ((i = 1; i <= NODES; i++)); do
		sum=$((sum + $(nstat_get "$PREFIX-n$i" "$1")))
	done
	echo "$sum"
}

# RSTs that the nodes have sent for packets without a socket. What was sent again
# over the other path and lies unread at the end makes one of its own.
nodes_rsts()
{
	echo $(($(nodes_nstat TcpOutRsts) - $(nodes_nstat TcpExtTCPAbortOnClose)))
}

# For a failed test's reader: what went wrong with joins, and with resends.
nodes_tell()
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		tap_note "node $i: $(in_netns "$PREFIX-n$i" nstat -as |
			awk '/MPTcpExt|Retrans|OutRsts|Abort|Drop|Fail/ {
				printf "%s=%s ", $1, $2 }')"
	done
	tap_note "counters: $(stats_changed | xargs)"
}
