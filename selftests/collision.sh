#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a second path may be sent to another client's connection,
# because two nodes have chosen keys with the same token.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

client_block() # add|del
{
	netns_batch "$PREFIX-r" <<-END
		route $1 blackhole ${CLIENT4[0]}/32
		route $1 blackhole ${CLIENT6[0]}/128
	END
}

# TOKEN is that of the key in the SYN/ACK that was captured (RFC 8684 3.1,
# 3.2). Few processes: the client retransmits after a second, and gives MPTCP
# up after some.
captured_token()
{
	local offset words hex="" key="" i

	while read -r offset words; do
		[[ $offset != 0x* ]] || hex+=${words// /}
	done < "$TMP/synack"
	[[ $hex =~ 1e0c01..([0-9a-f]{16}) ]] ||
		bail "no key: $(cat "$TMP/synack")"
	for ((i = 0; i < 16; i += 2)); do
		key+="\\x${BASH_REMATCH[1]:i:2}"
	done
	key=$(printf %b "$key" | sha256sum)
	TOKEN=$((16#${key::8}))
}

# The first SYN/ACK is lost, and what its key says is known before the second.
# OTHER: another token than the key's is planted.
collide() # NAME 4|6 [OTHER]
{
	local dump retransmitted fallbacks

	fallbacks=$(nstat_get "$PREFIX-c" MPTcpExtMPCapableFallbackSYNACK)
	stats_mark 1
	client_block add
	spawn "$PREFIX-n1" "$TMP/synack" tcpdump --immediate-mode \
		-c 1 -nn -x -i eth0 \
		'tcp[13] = 18 or (ip6[6] = 6 and ip6[53] = 18)'
	dump=$!
	wait_for 10 line_there "$TMP/synack" listening
	client_start collide -w -b 100000 "$(vip "$2")" "$PORT"
	wait "$dump"
	captured_token
	must ctl 1 owner add $((TOKEN ^ ${3:-0})) node 2
	client_block del
	client_must collide connected
	[ -z "${3:-}" ] || wait_for 5 moved_ge 1 owner learnt 1
	client_go collide
	client_end collide
	check_eq "$1: the transfer is whole" "${R[ok]}" 1
	stats_take 1
	retransmitted=$(grew owner collision 1)
	fallbacks=$(($(nstat_get "$PREFIX-c" MPTcpExtMPCapableFallbackSYNACK) -
		fallbacks))
	if [ -n "${3:-}" ]; then
		check_eq "$1: no SYN/ACK was changed" "$retransmitted" 0
		check_eq "$1: the client speaks MPTCP" "$fallbacks" 0
		check_eq "$1: the token is learnt" "$(grew owner learnt 1)" 1
	else
		# The client's second SYN may bring one more forth.
		check_range "$1: a SYN/ACK without MP_CAPABLE was sent" \
			"$retransmitted" 1 2
		check_eq "$1: the client goes on with plain TCP" "$fallbacks" 1
		check_eq "$1: no token is learnt" "$(grew owner learnt 1)" 0
		check_eq "$1: the entry is as it was" \
			"$(ctl 1 -j owner get "$TOKEN" | jq '.. | .node? // empty')" 2
	fi
	must ctl 1 owner flush
}

test_begin tcpdump sha256sum
cluster_up 2
mlb_up
services_up
servers_up
router_pin 0 1
for f in 4 6; do
	collide "IPv$f, the token is another node's" $f
	collide "IPv$f, another token is another node's" $f 1
done
tap_done
