#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, "mlbctl explain" tells an operator something else than what
# becomes of the packet.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

PORTS=$(scaled 4 2)

explains() # DESCRIPTION NODE WANT ARGUMENT...
{
	check_eq "$1" "$(ctl "$2" explain "${@:4}" 2>&1)" "$3"
}

flow() # 4|6 SPORT
{
	local -n from=CLIENT$1

	if [ "$1" = 4 ]; then
		echo "${from[0]}:$2-$VIP4:$PORT"
	else
		echo "[${from[0]}]:$2-[$VIP6]:$PORT"
	fi
}

connect() # NAME 4|6 SPORT
{
	local -n from=CLIENT$2

	client_start "$1" -b 100 -S "${from[0]}" -P "$3" -w "$(vip "$2")" "$PORT"
	client_must "$1" connected
}

disconnect() # NAME
{
	client_go "$1"
	client_end "$1"
}

# A connection on node 1, and what the nodes think of it.
connection() # 4|6
{
	local f=$1 tuple token flows

	tuple=$(flow "$f" 5000)
	explains "IPv$f: a new connection stays" 2 \
		"local: rule new: the service keeps new connections where they arrive" \
		"$tuple" syn
	connect "c$f" "$f" 5000
	wait_for 5 owner_total_is 1
	token=$(owner_tokens 1 local)
	must ctl 2 owner announce "$token" node 1
	# Late packets of the handshake are through.
	wait_for 5 stats_rest
	stats_mark
	flows=$(flow_count 1).$(flow_count 2).$(flow_count 3)
	explains "IPv$f: its node has the socket" 1 \
		"local: rule socket: a socket has the flow" "$tuple"
	explains "IPv$f: another asks" 3 \
		"ask all peers: rule unknown: no flow entry and no socket" "$tuple"
	explains "IPv$f: its node has the token" 1 \
		"local: rule join: the connection is on this host" "$token"
	explains "IPv$f: one that was told sends there" 2 \
		"remote node 1: rule join: the owner table names the node" "$token"
	explains "IPv$f: the same for a tuple" 2 \
		"remote node 1: rule join: the owner table names the node" \
		"$(flow "$f" 5001)" join "$token"
	explains "IPv$f: another asks for it" 3 \
		"ask all peers: rule join: the owner table does not have the token" \
		"$token"
	check_eq "IPv$f: nothing was counted" "$(stats_changed)" ""
	check_eq "IPv$f: nothing is remembered" \
		"$(flow_count 1).$(flow_count 2).$(flow_count 3)" "$flows"
	check_eq "IPv$f: JSON" "$(ctl 2 -j explain "$token")" \
		'{"verdict":"remote","rule":"join","reason":"token-owner","node":1}'
	must ctl 2 owner announce "$token" node 3
	explains "IPv$f: it is contested" 2 \
		"local: rule join: two nodes announced the token" "$token"
	must ctl 2 owner withdraw "$token" node 3
	must ctl 2 node set 1 state maintenance
	explains "IPv$f: its node takes no joins" 2 \
		"local: rule join: the state of the owner admits no joins" "$token"
	must ctl 2 node set 1 state active
	explains "IPv$f: token 0" 2 "local: rule join: token 0 is of no connection" 0
	router_pin 0 2
	disconnect "c$f"
	explains "IPv$f: after a reshuffle, the flow table knows" 2 \
		"remote node 1: rule flow: the flow table names the node" "$tuple"
	router_pin 0 1
	wait_for 10 owner_total_is 0
	must ctl 2 owner flush
}

# Where it says that a connection would go is where it goes.
foretold() # 4|6
{
	local f=$1 p want got=""

	for ((p = 6000; p < 6000 + PORTS; p++)); do
		want=$(ctl 1 -j explain "$(flow "$f" $p)" syn |
			jq 'if .verdict == "local" then 1 else .node end')
		connect new "$f" $p
		disconnect new
		got+=" $want:$(served_by "$want")"
	done
	check_eq "IPv$f: connections go where they were foretold to: $got" \
		"$(grep -o ':[0-9]*' <<< "$got" | sort -u)" :1
}

test_begin
cluster_up 3
router_pin 0 1
mlb_up
services_up
servers_up
for f in 4 6; do
	connection $f
done
service_all set "$VIP4:$PORT" sched maglev
service_all set "[$VIP6]:$PORT" sched maglev
for f in 4 6; do
	foretold $f
done
ctl 1 explain 10.1.1.2:5000-10.9.0.9:80 > "$TMP/out" 2>&1
check_eq "what is to no service is refused" $? 1
check_true "and said why" line_there "$TMP/out" "no service"
ctl 1 node del 1 > "$TMP/out" 2>&1
explains "without a self node nothing is sent on" 1 \
	"local: rule new: no node is this host" "$(flow 4 5000)" syn
tap_done
