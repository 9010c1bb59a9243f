#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a token that two nodes have at once sends the join of one
# client to the connection of another, or stays refused when one of them ends.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# What node 1 says of a token, without its age: "node 2 rival 3".
entry() # TOKEN [NODE]
{
	ctl "${2:-1}" owner get "$1" 2> /dev/null |
		sed 's/^0x[0-9a-f]* //; s/ age .*//'
}

is() # DESCRIPTION TOKEN ENTRY [NODE]
{
	check_eq "$1" "$(entry "$2" "${4:-1}")" "$3"
}

taken() # DESCRIPTION ARGUMENT...
{
	check_true "$1" ctl 1 owner "${@:2}"
}

refused() # DESCRIPTION WORDS ARGUMENT...
{
	ctl 1 owner "${@:3}" > "$TMP/out" 2>&1
	check_eq "$1: refused" $? 1
	check_true "$1: and said why" line_there "$TMP/out" "$2"
}

claims()
{
	stats_mark 1
	taken "a token is announced" announce 0x10 node 2 cpu 1
	is "it is its node's" 0x10 "node 2 cpu 1"
	taken "the same again" announce 0x10 node 2 cpu 3
	is "changes the CPU alone" 0x10 "node 2 cpu 3"
	taken "another node announces it too" announce 0x10 node 3
	is "it is contested" 0x10 "node 2 cpu 3 rival 3"
	taken "the rival again" announce 0x10 node 3
	taken "the first again" announce 0x10 node 2
	is "changes nothing" 0x10 "node 2 cpu 3 rival 3"
	check_eq "the conflict is counted once" "$(moved owner conflict 1)" 1
	taken "a third node" announce 0x10 node 4
	is "is not kept" 0x10 "node 2 cpu 3 rival 3"
	check_eq "but counted" "$(moved owner conflict 1)" 2
	check_eq "and listed with each of the two" "$(ctl 1 -j owner list node 2 |
		jq length) $(ctl 1 -j owner list node 3 | jq length)" "1 1"
	check_eq "JSON tells the rival" \
		"$(ctl 1 -j owner list | jq -c '.[0] | [.node, .rival]')" "[2,3]"
	refused "add of a contested token" "already" add 0x10 node 2
	refused "withdrawal by the third" "not this node's" withdraw 0x10 node 4
	taken "the first withdraws" withdraw 0x10 node 2
	is "the rival has it" 0x10 "node 3"
	taken "and withdraws too" withdraw 0x10 node 3
	is "nobody has it" 0x10 ""
	refused "a withdrawal too many" "not this node's" withdraw 0x10 node 3

	taken "announced again" announce 0x10 node 3
	taken "contested again" announce 0x10 node 2
	taken "the rival withdraws first" withdraw 0x10 node 2
	is "the first has it alone" 0x10 "node 3"
	taken "contested once more" announce 0x10 node 2
	taken "replace settles it" replace 0x10 node 4
	is "for the node that it names" 0x10 "node 4"
	taken "and again" announce 0x10 node 2
	taken "del settles it too" del 0x10
	is "for nobody" 0x10 ""
}

# Both claims on each of four tokens, in both orders; then a node goes.
node_goes() # DESCRIPTION COMMAND...
{
	printf '%s\n' "0x20 node 2" "0x21 node 3" "0x22 node 2" "0x23 node 3" |
		must ctl 1 owner announce -
	printf '%s\n' "0x20 node 3" "0x21 node 2" |
		must ctl 1 owner announce -
	must ctl 1 "${@:2}"
	is "$1: its rival has the token" 0x20 "node 3"
	is "$1: as a rival it is gone" 0x21 "node 3"
	is "$1: what it had alone is gone" 0x22 ""
	is "$1: others keep theirs" 0x23 "node 3"
	check_eq "$1: the counts of the nodes agree" \
		"$(ctl 1 -j node list | jq -c '[.[].owners]')" "$CLAIMED"
	must ctl 1 owner flush
	check_eq "$1: flush leaves nothing" "$(owner_count 1)" 0
}

bulk()
{
	printf '0x30 node 2\n0x31 node 9\n' |
		ctl 1 owner announce - > "$TMP/out" 2>&1
	check_eq "bulk: an unknown node is refused" $? 1
	check_true "bulk: with its line" line_there "$TMP/out" "line 2"
	check_eq "bulk: and none is announced" "$(owner_count 1)" 0
	printf '0x30 node 2\n0x31 node 2\n0x32 node 3\n' |
		must ctl 1 owner announce -
	printf '0x30 node 2\n0x31 node 3\n0x32 node 3\n' |
		ctl 1 owner withdraw - > "$TMP/out" 2>&1
	check_eq "bulk: a withdrawal of what is not there is refused" $? 1
	check_true "bulk: with its line" line_there "$TMP/out" "line 2"
	check_eq "bulk: the others are withdrawn" "$(owner_tokens 1)" 0x00000031
	must ctl 1 owner flush
}

join_syn() # 4|6 TOKEN SPORT
{
	local -n from=CLIENT$1

	on_client "$RAWPKT" tcp -o "join=$2" -w 3000 "${from[1]}" "$3" \
		"$(vip "$1")" "$PORT"
}

SPORT=6000

joins() # DESCRIPTION 4|6 TOKEN WANT
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		router_pin 1 $i
		check_eq "$1: join through node $i" \
			"$(join_syn "$2" "$3" $((SPORT++)))" "$4"
	done
}

# A connection on node 1, whose token node 2 comes to announce too.
local_claim() # 4|6
{
	local f=$1 token

	client_start "c$f" -b 20000 -w "$(vip "$f")" "$PORT"
	client_must "c$f" connected
	wait_for 5 owner_total_is 1
	token=$(owner_tokens 1 local)
	for i in 2 3; do
		must ctl $i owner announce "$token" node 1
	done
	joins "IPv$f, one owner" "$f" "$token" synack

	stats_mark
	must ctl 1 owner announce "$token" node 2
	must ctl 3 owner announce "$token" node 2
	# On node 2 itself the other claim would be its own.
	must ctl 2 owner announce "$token" node 3
	check_true "IPv$f: the owner knows its rival" line_there \
		<(ctl 1 owner get "$token") "node 1 cpu [0-9]* rival 2 local"
	is "IPv$f: others know both" "$token" "node 1 rival 2" 3
	joins "IPv$f, contested" "$f" "$token" rst
	check_eq "IPv$f: the refusals are counted" \
		"$(moved steer refused-rival)" 3
	refused "IPv$f: del of a local token" "of this host" del "$token"
	refused "IPv$f: withdrawal of a local token" "of this host" \
		withdraw "$token" node 1

	must ctl 1 owner withdraw "$token" node 2
	must ctl 2 owner withdraw "$token" node 3
	must ctl 3 owner withdraw "$token" node 2
	joins "IPv$f, settled" "$f" "$token" synack

	must ctl 1 owner announce "$token" node 2
	client_go "c$f"
	client_end "c$f"
	check_eq "IPv$f: the connection was not harmed" "${R[ok]}" 1
	wait_for 10 owner_total_is 0
	is "IPv$f: it has ended, and the rival has the token" "$token" "node 2"
	for i in 1 2 3; do
		must ctl $i owner flush
	done
}

test_begin
cluster_up 3
router_pin 0 1
mlb_up
must ctl 1 node add 4 addr 10.3.0.4
claims
bulk
CLAIMED="[0,0,3,0]"
node_goes "a dead node" node set 2 state dead
must ctl 1 node set 2 state active
node_goes "flush of a node" owner flush node 2
CLAIMED="[0,3,0]"
node_goes "a deleted node" node del 2
must ctl 1 node add 2 addr "$(node_addr4 2)"
must ctl 1 node del 4
services_up
servers_up
local_claim 4
local_claim 6
tap_done
