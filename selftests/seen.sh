#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, second paths to servers without mlb are lost after the router
# has sent them elsewhere, or strangers' handshakes take tokens from others.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# The SYN of a handshake, and its third packet with the server's key, in hex; the
# key's token (RFC 8684 3.2).
handshake() # 4|6 KEY SPORT
{
	local -n from=CLIENT$1

	must on_client "$RAWPKT" tcp -o capable "${from[0]}" "$3" \
		"$(vip "$1")" "$PORT"
	must on_client "$RAWPKT" tcp -f A -o "hex=1e140101aaaaaaaaaaaaaaaa$2" \
		"${from[0]}" "$3" "$(vip "$1")" "$PORT"
}

token_of() # KEY
{
	# shellcheck disable=SC2001 # bash has no such substitution
	printf '%b' "$(sed 's/../\\x&/g' <<< "$1")" | sha256sum |
		sed 's/^\(.\{8\}\).*/0x\1/'
}

entry() # TOKEN
{
	ctl 1 owner get "$1" 2> /dev/null | sed 's/^0x[0-9a-f]* //; s/ age .*//'
}

told() # EVENT TOKEN
{
	wait_for 5 line_there "$TMP/event" "$1 $2 node 2 seen"
}

learnt() # 4|6
{
	local f=$1 key=112233445566770$1 token

	token=$(token_of "$key")
	stats_mark
	handshake "$f" "$key" 4000
	check_true "IPv$f: a token is seen and told" told owner-add "$token"
	check_eq "IPv$f: it is the server's" "$(entry "$token")" "node 2 seen"
	handshake "$f" "$key" 4000
	check_eq "IPv$f: once" "$(moved owner seen)" 1
	check_eq "IPv$f: a join would go there" "$(ctl 1 explain "$token")" \
		"remote node 2: rule join: the owner table names the node"
	must on_client "$RAWPKT" tcp -o "join=$token" \
		"$(client "$f")" 5000 "$(vip "$f")" "$PORT"
	check_true "IPv$f: and does" wait_for 5 moved_ge 1 steer join-owner
}

client() # 4|6
{
	local -n from=CLIENT$1

	echo "${from[1]}"
}

# Nobody confirms what is seen: what a kernel has said of a token wins.
unconfirmed()
{
	local token

	token=$(token_of 1122334455667704)
	must ctl 1 owner announce "$token" node 2
	check_eq "announced by its node too, it goes on to age" \
		"$(entry "$token")" "node 2 seen"
	must ctl 1 owner announce "$token" node 3
	check_eq "another's announcement takes its place" "$(entry "$token")" \
		"node 3"
	check_true "and its end is told" told owner-del "$token"
	stats_mark
	handshake 4 1122334455667704 4001
	check_true "a handshake with that token comes" wait_for 5 moved_ge 1 \
		flow created
	check_eq "and does not contest that" "$(entry "$token")" \
		"node 3"
	check_eq "nor is there any conflict" "$(moved owner conflict)" 0
}

# The table has room for two.
evicted()
{
	local keys=(00000000000000a1 00000000000000a2 00000000000000a3) i

	must ctl 1 owner flush
	must ctl 1 set max-owners 2
	stats_mark
	for i in 0 1 2; do
		handshake 4 "${keys[i]}" $((4010 + i))
		check_true "handshake $i is told" told owner-add \
			"$(token_of "${keys[i]}")"
	done
	check_true "the first made room for the last, and it is told" \
		told owner-del "$(token_of "${keys[0]}")"
	check_eq "it is gone" "$(entry "$(token_of "${keys[0]}")")" ""
	check_eq "the limit holds" "$(owner_count 1)" 2
	check_eq "the eviction is counted" "$(moved owner evicted)" 1
	must ctl 1 service del "$VIP4:$PORT"
	must ctl 1 service del "[$VIP6]:$PORT"
	must ctl 1 node del 2
	for i in 1 2; do
		check_true "token $i went with its node, and it is told" \
			told owner-del "$(token_of "${keys[i]}")"
	done
	check_eq "nothing is left" "$(owner_count 1)" 0
}

test_begin sha256sum
cluster_up 1
mlb_load
must ctl 1 key set "$(key_file key "one key for the whole cluster")"
must ctl 1 node add 1 addr "$(node_addr4 1)" self
must ctl 1 node add 2 addr 10.3.0.2 encap ipip
services_up sched maglev nodes 2
must ctl 1 node add 3 addr 10.3.0.3 state maintenance
spawn "$PREFIX-n1" "$TMP/event" mlbctl monitor -r owner
wait_for 5 line_there "$TMP/event" ready || bail "no monitor"
learnt 4
learnt 6
unconfirmed
evicted
tap_done
