#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, the clients of a node that has failed wait for a minute before
# they open another connection, or connections of other nodes are ended.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 50 10)
# For half of the clients, and for the last one: that comes when a busy machine
# lets it, and without the RST after a minute.
TOLD_MS=$((50 * MLB_SCALE))
LAST_MS=$((1000 * MLB_SCALE))
HALVES=()

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

# Whether the node has a connection of its own that its list shows so.
line_in_owners() # NODE PATTERN
{
	ctl "$1" owner list keys | grep -q -- " local client .*$2"
}

suspects() # NODE
{
	ctl "$1" node list | grep -q '^2 .* suspect'
}

# Node 2 is without power, and the others suspect it.
silence()
{
	local i

	must ip -n "$PREFIX-r" link set n2 down
	must ip -n "$PREFIX-b" link set n2 down
	router_nexthops 1 3
	for i in 1 3; do
		wait_for 10 suspects $i || bail "node $i suspects nobody"
	done
}

# They are told that it is dead when they suspect it already, as it takes any
# engine longer: until then they would believe that nobody has its flows.
power_off()
{
	local pid

	silence
	ctl 1 node set 2 state dead &
	pid=$!
	must ctl 3 node set 2 state dead
	wait $pid || bail "node 1 does not believe it"
}

# As if nothing had been: its sockets are gone, its servers are new. They end
# when the clients can be reached and say that they have gone, too: else FINs are
# sent again for long, and the old connections stay in the table.
power_on()
{
	local i

	must ip -n "$PREFIX-r" link set n2 up
	must ip -n "$PREFIX-b" link set n2 up
	neighbours_known
	cluster_known 4
	router_nexthops 1 2 3
	for i in 1 3; do
		must ctl $i node set 2 state active
	done
	check_eq "the node is back: nobody is told any more" \
		"$(setting 1 dead).$(setting 3 dead)" 0.0
	children_end
	for ((i = 1; i <= NODES; i++)); do
		must ctl $i owner flush
	done
	servers_up
}

# The client uses no 4-tuple again: what a node remembers of the last use may be
# true for a while, and takes the next one to another node.
ports_new()
{
	PORTS=$((${PORTS:-28000} + 2000))
	must on_client sysctl -qw \
		net.ipv4.ip_local_port_range="$PORTS $((PORTS + 1999))"
}

client_counter() { nstat_get "$PREFIX-c" "$1"; }

# Connections of these families, on node 2 and others, wait for data to flow.
# Some have a second path, which another node takes in.
connect() # ARGUMENT...
{
	local f

	# An old one would be counted in the place of one that is not known yet.
	wait_for 10 owner_total_is 0 ||
		bail "old connections: $(ctl 2 owner list keys)"
	endpoints_flush
	ports_new
	router_pin 0 2
	for f in "${F[@]}"; do
		client_start "dead$f" -n "$N" -b 1000 -w "$@" "$(vip "$f")" "$PORT"
	done
	for f in "${F[@]}"; do
		client_must "dead$f" connected
	done
	router_pin 0 3
	for f in "${F[@]}"; do
		client_start "live$f" -n "$N" -b 200000 -w "$(vip "$f")" "$PORT"
	done
	for f in "${F[@]}"; do
		client_must "live$f" connected
	done
	router_unpin 0
	wait_for 5 owner_total_is $((2 * N * ${#F[@]})) ||
		bail "$(owner_total_local) of $((2 * N * ${#F[@]})) are known"
}

others_whole() # WHAT
{
	local f

	for f in "${F[@]}"; do
		client_go "live$f"
	done
	for f in "${F[@]}"; do
		client_end "live$f"
		check_eq "IPv$f, $1: the other nodes' connections are whole" \
			"${R[ok]}" "$N"
	done
}

remembered() # WHAT
{
	local n=$((N * ${#F[@]}))

	check_eq "$1: the connections are remembered" \
		"$(setting 1 dead).$(setting 3 dead)" $n.$n
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
told() # WHAT ARGUMENT...
{
	local f what=$1 n=$((N * ${#F[@]})) fastcloses

	shift
	connect "$@"
	if [ -n "${SECOND:-}" ]; then
		router_pin 1 1
		endpoints_add
		client_must dead4 ready
	fi
	clients_copy
	fastcloses=$(client_counter MPTcpExtMPFastcloseRx)
	stats_mark
	power_off
	remembered "$what"
	[ -z "${SECOND:-}" ] || second_told
	for f in "${F[@]}"; do
		client_go "dead$f"
		client_end "dead$f"
		check_eq "IPv$f, $what: all clients are told" "${R[reset]}" "$N"
		check_range "IPv$f, $what: the last one at once" \
			"${R[data_ms]}" 0 $LAST_MS
		tap_note "IPv$f, $what: half of $N applications see the end" \
			"after ${R[half_ms]} ms, the last after ${R[data_ms]} ms"
		HALVES+=("${R[half_ms]}")
	done
	check_ge "$what: each by MP_FASTCLOSE" \
		$(($(client_counter MPTcpExtMPFastcloseRx) - fastcloses)) $n
	check_ge "$what: which is counted" "$(moved reset fastclose)" $n
	others_whole "$what"
	endpoints_flush
	router_unpin 1
	power_on
}

# The middle one: the machine may stand still for a while.
half_told()
{
	mapfile -t HALVES < <(printf '%s\n' "${HALVES[@]}" | sort -n)
	check_range "half of the applications see the end in milliseconds" \
		"${HALVES[${#HALVES[@]} / 2]}" 0 $TOLD_MS
}

# A while without: telling takes milliseconds.
not_told()
{
	local wait=2000

	set_all fastclose off
	connect -T $((wait + 20000 * MLB_SCALE))
	check_eq "off: nobody's key is kept" \
		"$(ctl 2 owner list keys | grep -c client)" 0
	owners_copy
	power_off
	check_eq "off: nothing is remembered" "$(setting 1 dead)" 0
	client_go dead4
	sleep $((wait / 1000))
	check_true "off: after $wait ms no application has seen the end" \
		client_runs dead4
	others_whole off
	kill "${CLIENT_PID[dead4]}"
	power_on
}

# The other nodes' answers come later than they are waited for.
answers_slow()
{
	local i

	for i in 1 3; do
		must on_node $i tc qdisc add dev eth1 root netem delay 40ms
		must ctl $i set resolve-timeout 20 alive-multiplier 10
	done
}

answers_fast()
{
	local i

	for i in 1 3; do
		must on_node $i tc qdisc del dev eth1 root
		must ctl $i set resolve-timeout 500 alive-multiplier 3
	done
}

# Clients that only listen, and would for ever.
probed() # WHAT
{
	local f n=$((N * ${#F[@]})) begin rsts

	connect
	clients_copy
	[ -z "${SLOW:-}" ] || answers_slow
	stats_mark
	rsts=$(nodes_nstat TcpOutRsts)
	power_off
	begin=$(date +%s%3N)
	for f in "${F[@]}"; do
		wait_for 5 line_there "$TMP/dead$f.out" ^connections=
		tap_note "IPv$f, $1: the last of $N applications sees the end" \
			"$(($(date +%s%3N) - begin)) ms after the node was" \
			"called dead"
	done
	for f in "${F[@]}"; do
		client_end "dead$f"
		check_eq "IPv$f, $1: clients that send nothing are told" \
			"${R[reset]}" "$N"
	done
	remembered "$1"
	stats_take
	check_range "$1: each was asked, and not for long" \
		"$(grew dead probed)" $n $((6 * n))
	check_eq "$1: no stack sent a RST, which ends only a path" \
		$(($(nodes_nstat TcpOutRsts) - rsts)) 0
	[ -z "${SLOW:-}" ] || answers_fast
	others_whole "$1"
	power_on
}

# Packets of its clients come all the time, also while a node goes through the
# table of what the dead one had: one RST of the stack, and all is too late.
meanwhile()
{
	local f src dst n=200 rsts floods=()

	for f in 4 6; do
		src=${CLIENT4[0]} dst=$VIP4
		[ $f = 4 ] || src=[${CLIENT6[0]}] dst=[$VIP6]
		awk -v n=$n -v token=$f -v src="$src" -v dst="$dst:$PORT" '
			BEGIN { for (i = 0; i < n; i++)
				printf "%d node 2 client %s:%d-%s,%016x\n",
					token * 1000 + i, src, 20000 + i, dst,
					i + 1 }'
	done > "$TMP/many"
	awk -v n="$(scaled 60000)" 'BEGIN { for (i = 0; i < n; i++)
		printf "%d node 2\n", 1000000 + i }' >> "$TMP/many"
	must ctl 3 owner add - < "$TMP/many"
	router_pin 0 3
	silence
	stats_mark 3
	rsts=$(nstat_get "$PREFIX-n3" TcpOutRsts)
	for f in 4 6; do
		src="CLIENT${f}[0]"
		spawn "$PREFIX-c" "$TMP/flood$f" "$RAWPKT" tcp -f A -a 1 -n $n \
			-t $((20000 * MLB_SCALE)) "${!src}" 20000 "$(vip "$f")" \
			"$PORT"
		floods+=($!)
	done
	wait_for 5 moved_ge $((2 * n)) resolve drop-unanswered 3 ||
		bail "the flood does not come"
	must ctl 3 node set 2 state dead
	check_true "packets that come meanwhile have their RST then" \
		wait_for 5 moved_ge $((2 * n)) reset fastclose 3
	kill "${floods[@]}"
	check_eq "but none without MP_FASTCLOSE" \
		$(($(nstat_get "$PREFIX-n3" TcpOutRsts) - rsts)) 0
	router_unpin 0
	power_on
}

# A join of what is no more, and a second use of a 4-tuple that was of it.
leftovers()
{
	local token port=23456

	router_pin 0 2
	client_start dead -P $port -w "$VIP4" "$PORT"
	client_must dead connected
	wait_for 5 owner_total_is 1 || bail "the connection is not known"
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
	client_must again connected
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
	must ctl 1 set max-owners 1000000
	power_on
}

# A 4-tuple that TIME_WAIT holds on one node is in use anew on the one that dies.
used_before()
{
	local port=23457

	router_pin 0 3
	client_run first -P $port -b 1000 "$VIP4" "$PORT"
	router_pin 0 2
	client_start dead -P $port -b 1000 -T $((10000 * MLB_SCALE)) -w \
		"$VIP4" "$PORT"
	client_must dead connected
	wait_for 5 line_in_owners 2 ":$port-" || bail "the client is not known"
	check_eq "TIME_WAIT holds the 4-tuple on node 3" \
		"$(in_netns "$PREFIX-n3" ss -Htn state time-wait \
			"dport = :$port" | wc -l)" 1
	clients_copy
	power_off
	router_pin 0 1
	client_go dead
	client_end dead
	check_eq "it does not keep its client from being told" "${R[reset]}" 1
	check_range "and not for long" "${R[data_ms]}" 0 $LAST_MS
	router_unpin 0
	power_on
}

# No more are kept than there may be owners.
bounded()
{
	local i

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

test_begin tc
cluster_up 3
# A link that goes down and comes up is as it was.
must on_router sysctl -qw net.ipv6.conf.n2.keep_addr_on_down=1
mlb_up
services_up
servers_up
F=(4)
not_told
set_all fastclose on
SECOND=1 told "second paths" -s $((20000 * MLB_SCALE))
F=(4 6)
told "one path"
half_told
set_all fastclose probe
probed "probe"
SLOW=1 probed "probe, slow answers"
set_all fastclose on
meanwhile
leftovers
used_before
bounded
tap_done
