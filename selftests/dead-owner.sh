#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, the clients of a node that has failed wait for a minute before
# they open another connection, or connections of other nodes are ended.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 50 10)
TOLD_MS=$((50 * MLB_SCALE))

# All nodes know all tokens, and the clients behind them, as mlbd would have it.
clients_copy()
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		ctl $i owner list keys
	done | sed -nE 's/^(.* cpu [0-9]+) local (client [^ ]+) .*/\1 \2/p' \
		> "$TMP/owners"
	for ((i = 1; i <= NODES; i++)); do
		sed "/ node $i /d" "$TMP/owners" > "$TMP/others"
		must ctl $i owner add - < "$TMP/others"
	done
}

setting() { ctl "$1" -j set | jq -r ".[\"$2\"]"; }

set_all() # SETTING VALUE
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		must ctl $i set "$1" "$2"
	done
}

sched_all()
{
	service_all set "$VIP4:$PORT" sched "$1"
	service_all set "[$VIP6]:$PORT" sched "$1"
}

suspects() # NODE
{
	ctl "$1" node list | grep -q '^2 .* suspect'
}

# Node 2 is without power, and the others are told so when they suspect it
# already, as it takes any engine longer: until then they would believe that
# nobody has its flows.
power_off()
{
	local i

	must ip -n "$PREFIX-r" link set n2 down
	must ip -n "$PREFIX-b" link set n2 down
	router_nexthops 1 3
	for i in 1 3; do
		wait_for 10 suspects $i || bail "node $i suspects nobody"
	done
	for i in 1 3; do
		must ctl $i node set 2 state dead
	done
}

# As if nothing had been: its sockets are gone, its servers are new.
power_on()
{
	local i

	children_end
	must ip -n "$PREFIX-r" link set n2 up
	must ip -n "$PREFIX-b" link set n2 up
	neighbours_known
	router_nexthops 1 2 3
	for i in 1 3; do
		must ctl $i node set 2 state active
	done
	check_eq "the node is back: nobody is told any more" \
		"$(setting 1 dead).$(setting 3 dead)" 0.0
	for ((i = 1; i <= NODES; i++)); do
		must ctl $i owner flush
	done
	servers_up
	cluster_known 4
}

client_counter() { nstat_get "$PREFIX-c" "$1"; }

# Connections on node 2, and others, wait for data to flow. Some have a second
# path, which another node takes in.
connect() # 4|6 ARGUMENT...
{
	local i f=$1

	shift
	endpoints_flush
	router_pin 0 2
	client_start dead -n "$N" -b 1000 -w "$@" "$(vip "$f")" "$PORT"
	client_says dead connected || bail "$(cat "$TMP/dead.out")"
	router_unpin 0
	router_pin 0 3
	client_start live -n "$N" -b 200000 -w "$(vip "$f")" "$PORT"
	client_says live connected || bail "$(cat "$TMP/live.out")"
	router_unpin 0
	wait_for 5 owner_total_is $((2 * N))
}

others_whole() # WHAT
{
	client_go live
	client_end live
	check_eq "$1: the other nodes' connections are whole" "${R[ok]}" "$N"
}

# A packet on a second path alone, by the node that let its join in.
second_told()
{
	local port

	port=$(ctl 1 -j flow list | jq '[.[] | select(.node == 2)][0].sport')
	check_eq "a second path's packet is answered" \
		"$(on_client "$RAWPKT" tcp -f A -a 1 -w 2000 "${CLIENT4[1]}" \
			"$port" "$VIP4" "$PORT")" rst
	check_ge "with MP_FASTCLOSE, too" "$(moved reset fastclose 1)" 1
}

# What the client's application sees when it sends again.
told() # WHAT 4|6 ARGUMENT...
{
	local what=$1 fastcloses

	shift
	connect "$@"
	if [ -n "${SECOND:-}" ]; then
		router_pin 1 1
		endpoints_add
		client_says dead ready || bail "$(cat "$TMP/dead.out")"
	fi
	clients_copy
	fastcloses=$(client_counter MPTcpExtMPFastcloseRx)
	stats_mark
	power_off
	check_eq "$what: the connections are remembered" \
		"$(setting 1 dead).$(setting 3 dead)" "$N.$N"
	[ -z "${SECOND:-}" ] || second_told
	client_go dead
	client_end dead
	check_eq "$what: all clients are told" "${R[reset]}" "$N"
	check_range "$what: at once" "${R[data_ms]}" 0 $TOLD_MS
	tap_note "$what: the last of $N applications sees the end after" \
		"${R[data_ms]} ms"
	check_ge "$what: each by MP_FASTCLOSE" \
		$(($(client_counter MPTcpExtMPFastcloseRx) - fastcloses)) "$N"
	check_ge "$what: which is counted" "$(moved reset fastclose)" "$N"
	others_whole "$what"
	endpoints_flush
	router_unpin 1
	power_on
}

# The time it takes without: longer than the test waits.
not_told()
{
	local wait=$((3000 * MLB_SCALE))

	set_all fastclose off
	connect 4 -T $((wait + 20000 * MLB_SCALE))
	check_eq "off: nobody's key is kept" \
		"$(ctl 2 owner list keys | grep -c client)" 0
	owners_copy
	power_off
	check_eq "off: nothing is remembered" "$(setting 1 dead)" 0
	client_go dead
	sleep $((wait / 1000))
	check_true "off: after $wait ms no application has seen the end" \
		client_runs dead
	others_whole off
	kill "${CLIENT_PID[dead]}"
	power_on
}

# Clients that only listen, and would for ever.
probed() # 4|6
{
	local before

	set_all fastclose probe
	connect "$1"
	clients_copy
	stats_mark
	power_off
	before=$(date +%s%3N)
	wait_for 5 line_there "$TMP/dead.out" ^connections=
	before=$(($(date +%s%3N) - before))
	client_end dead
	check_eq "IPv$1, probe: clients that send nothing are told" \
		"${R[reset]}" "$N"
	tap_note "IPv$1, probe: the last of $N applications sees the end" \
		"$before ms after the node was called dead"
	stats_take
	check_range "IPv$1, probe: each was asked, and not for long" \
		"$(grew dead probed)" "$N" $((6 * N))
	others_whole "IPv$1, probe"
	power_on
	set_all fastclose on
}

# A join of what is no more, and a second use of a 4-tuple that was of it.
leftovers()
{
	local token port=23456

	router_pin 0 2
	client_start dead -P $port -w "$VIP4" "$PORT"
	client_says dead connected || bail "$(cat "$TMP/dead.out")"
	wait_for 5 owner_total_is 1
	token=$(owner_tokens 2 local)
	clients_copy
	power_off
	stats_mark
	check_eq "a join of a dead node's connection gets a RST" \
		"$(on_client "$RAWPKT" tcp -o "join=$token" -w 2000 \
			"${CLIENT4[1]}" 10000 "$VIP4" "$PORT")" rst
	check_eq "with the reason in MP_TCPRST" "$(moved reset join)" 1
	check_eq "and nobody was asked" "$(moved resolve started)" 0
	check_eq "explain says why" "$(ctl 1 explain "$token")" \
		"reset: rule join: the node that had the connection is dead"
	kill -9 "${CLIENT_PID[dead]}"
	wait "${CLIENT_PID[dead]}" 2> /dev/null
	router_pin 0 1
	client_start again -P $port -b 100000 -w "$VIP4" "$PORT"
	client_says again connected || bail "$(cat "$TMP/again.out")"
	# That nobody had the FIN's flow is remembered for a second.
	sleep 1.1
	router_pin 0 3
	client_go again
	client_end again
	check_eq "the 4-tuple's next connection is left alone" "${R[ok]}" 1
	router_unpin 0

	must ctl 1 set max-owners 1
	check_eq "a strange packet has its RST as before" \
		"$(on_client "$RAWPKT" tcp -f A -a 5 -w 2000 "${CLIENT4[1]}" \
			10001 "$VIP4" "$PORT")" rst
	power_on
}

# No more are kept than there may be owners.
bounded()
{
	local i

	must ctl 1 set max-owners 1000000
	for i in {1..300}; do
		printf '%s node 2 client 10.1.1.2:%d-%s:%d,%016x\n' \
			$((0x5000 + i)) $((1000 + i)) "$VIP4" "$PORT" "$i"
	done > "$TMP/many"
	must ctl 1 owner add - < "$TMP/many"
	must ctl 1 set max-owners 100
	stats_mark 1
	must ctl 1 node set 2 state dead
	check_eq "only so many are kept" "$(setting 1 dead)" 100
	stats_take 1
	check_eq "the oldest went" "$(grew dead forgotten 1)" 200
	must ctl 1 node set 2 state active
	check_eq "and all of them with the node's return" "$(setting 1 dead)" 0
	must ctl 1 set max-owners 1000000
}

test_begin
cluster_up 3
# A link that goes down and comes up is as it was.
must on_router sysctl -qw net.ipv6.conf.n2.keep_addr_on_down=1
mlb_up
services_up
servers_up
not_told
set_all fastclose on
told "IPv4" 4
told "IPv6" 6
SECOND=1 told "IPv4, second paths" 4 -s $((20000 * MLB_SCALE))
probed 4
probed 6
leftovers
bounded
tap_done
