#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a stranger who sends SYNs, forged ACKs or joins fills the
# cluster's tables, makes the nodes flood each other, or shuts its clients out.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Nobody has these addresses, so nobody answers the SYN/ACK.
declare -A GHOST=([4]=10.1.1.77 [6]=2001:db8:1:1::77)
HONEST=$(scaled 20 4)
FLOOD_MS=1000
RATE=2000	# queries a second
MAX_FLOWS=1000 MAX_OWNERS=1000
FLOODS=0

now_ms() { date +%s%3N; }

# Questions to all have the rate, and questions to one once more.
#
# How many nodes sent more than so many times what the rate allows.
over_rate() # COUNTER MS TIMES
{
	local i over=0

	for ((i = 1; i <= NODES; i++)); do
		[ "$(grew resolve "$1" $i)" -le \
			$(($3 * (RATE * ($2 + 100) / 1000 + 2))) ] ||
			over=$((over + 1))
	done
	echo $over
}

# How many nodes have more entries than they may.
over_limit()
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		ctl $i -j set
	done | jq -s --argjson flows $MAX_FLOWS --argjson owners $MAX_OWNERS '
		[.[] | select(.flows > $flows or .owners > $owners)] | length'
}

flood_start() # 4|6 RAWPKT_OPTION...
{
	FLOODS=$((FLOODS + 1))
	spawn "$PREFIX-c" "$TMP/flood" "$RAWPKT" tcp -t $FLOOD_MS "${@:2}" \
		"${GHOST[$1]}" $((1000 * FLOODS)) "$(vip "$1")" "$PORT"
	FLOOD_PID=$!
}

honest_start() # NAME 4|6 [OPTION...]
{
	client_start "$1" -n "$HONEST" -b 10000 -T 60000 "${@:3}" "$(vip "$2")" \
		"$PORT"
}

honest_joins()
{
	endpoints_add
	client_must honest ready 60
	client_go honest
	client_end honest
}

# The junk of one kind, as fast as it goes, while clients connect and join.
# What only junk moves is named by counters.
flood() # NAME 4|6 COUNTERS RAWPKT_OPTION...
{
	endpoints_flush
	stats_mark
	START=$(now_ms)
	flood_start "$2" "${@:4}"
	honest_start honest "$2" -s 30000 -w
	client_must honest connected 60
	honest_joins
	judge "$1, IPv$2" "$3"
}

# Without SYN cookies the server's queue is full until the flood is over. A
# client that has sent its SYN in vain some times leaves MP_CAPABLE out; what
# joins has to be there before.
flood_no_cookies() # NAME 4|6 COUNTERS RAWPKT_OPTION...
{
	endpoints_flush
	stats_mark
	honest_start honest "$2" -s 30000 -w
	client_must honest connected
	START=$(now_ms)
	flood_start "$2" "${@:4}"
	honest_start late "$2"
	honest_joins
	judge "$1, IPv$2" "$3"
	client_end late
	check_eq "$1: honest connections during the flood" "${R[ok]}" "$HONEST"
}

judge() # NAME COUNTERS
{
	local name=$1 ms sent sum=0 counter

	wait "$FLOOD_PID" || bail "$(cat "$TMP/flood")"
	stats_take
	ms=$(($(now_ms) - START))
	sent=$(cat "$TMP/flood")
	for counter in $2; do
		sum=$((sum + $(grew "${counter%.*}" "${counter#*.}")))
	done
	tap_note "$name: $((sent * 1000 / FLOOD_MS)) packets/s," \
		"$(grew resolve query-tx) queries in $ms ms, $sum of $sent counted"

	check_eq "$name: honest connections" "${R[ok]}" "$HONEST"
	check_eq "$name: honest joins" "${R[second]}" "$HONEST"
	check_ge "$name: the junk was counted" "$sum" $((sent / 4))
	check_eq "$name: nodes over their rate of queries" \
		"$(over_rate query-tx "$ms" 2)" 0
	check_eq "$name: nodes over their rate of answers" \
		"$(over_rate answer-tx "$ms" 1)" 0
	check_range "$name: only honest tokens were learnt" \
		"$(grew owner learnt)" 0 $((2 * HONEST))
	check_eq "$name: nodes over the limits of their tables" "$(over_limit)" 0
	check_eq "$name: nodes that others thought dead" "$(grew node suspect)" 0
}

cookies() # 0|1|2
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		must on_node $i sysctl -qw net.ipv4.tcp_syncookies="$1"
	done
}

sched() # local|maglev
{
	service_all set "$VIP4:$PORT" sched "$1"
	service_all set "[$VIP6]:$PORT" sched "$1"
}

JUDGED="steer.unclaimed steer.resolved steer.socket steer.cookie
	resolve.drop-rate resolve.drop-full resolve.drop-key resolve.negative
	resolve.drop-unanswered steer.gone"

test_begin
cluster_up 3
mlb_up
services_up
for ((i = 1; i <= NODES; i++)); do
	# What is half-open after the flood is to go soon, as if it were old.
	# Each such request holds a token of the machine, which has 4 for each
	# MiB of memory; without one, honest clients too would get plain TCP.
	must on_node $i sysctl -qw net.ipv4.tcp_max_syn_backlog=256 \
		net.core.somaxconn=256 net.ipv4.tcp_synack_retries=0
	must ctl $i set resolve-timeout 20 resolve-rate $RATE \
		max-flows $MAX_FLOWS max-owners $MAX_OWNERS
done
# A client that lost many SYNs would not try MPTCP again for an hour.
on_client sysctl -qw net.mptcp.blackhole_timeout=0 2> /dev/null
servers_up
sched local
cookies 0
flood_no_cookies "SYNs without cookies, local" 4 "steer.new-local" -o capable
sched maglev
cookies 1
flood "SYNs with cookies, maglev" 6 "steer.new-local steer.new-remote" -o capable
cookies 2
flood "SYNs with cookies always, maglev" 4 "steer.new-local steer.new-remote" \
	-o capable
cookies 1
flood "forged third ACKs, maglev" 6 "$JUDGED" -f A -a 12345 -o keys
flood "stray data, maglev" 4 "$JUDGED" -f A -a 12345 -p 10
flood "random joins, maglev" 4 "$JUDGED" -o join=random
sched local
flood "forged third ACKs, local" 4 "$JUDGED" -f A -a 12345 -o keys
flood "stray data, local" 6 "$JUDGED" -f A -a 12345 -p 10
flood "random joins, local" 6 "$JUDGED" -o join=random
tap_done
