#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, servers that have no mlb, only a decapsulator of the kernel,
# lose second paths, or connections when the router changes its mind.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

SERVERS="3 4 5"
N=$(scaled 100 20)

# What an administrator of such a server configures.
decapsulator() # NODE OUTER_FAMILY ENCAP
{
	local i=$1 addr

	addr=$("node_addr$2" "$i")
	if [ "$2" = 4 ]; then
		netns_batch "$PREFIX-n$i" <<-END
			link add t4 type ipip local $addr remote any
			link add t6 type sit local $addr remote any
			link set t4 up
			link set t6 up
		END
	else
		netns_batch "$PREFIX-n$i" <<-END
			link add t6 type ip6tnl local $addr remote :: mode any
			link set t6 up
		END
	fi
	[ "$3" != gue ] || must ip -n "$PREFIX-n$i" "-$2" fou add port 6080 gue
}

# Nodes 1 to INGRESSES run mlb and serve nothing themselves.
plain_up() # OUTER_FAMILY ENCAP INGRESSES
{
	local i j key nodes

	cluster_up 5
	for i in $SERVERS; do
		decapsulator "$i" "$1" "$2"
	done
	servers_up
	INGRESSES=$3
	nodes=$(seq 1 "$INGRESSES")
	key=$(key_file key "one key for the whole cluster")
	for i in $nodes; do
		{
			echo "key set $key"
			echo "set resolve-timeout 500"
			for j in $nodes; do
				echo "node add $j addr $("node_addr$1" "$j")" \
					"${NODE_SELF[i == j]}"
			done
			for j in $SERVERS; do
				echo "node add $j addr $("node_addr$1" "$j")" \
					"encap $2"
			done
			echo "service add $VIP4:$PORT sched maglev nodes 3,4,5"
			echo "service add [$VIP6]:$PORT sched maglev nodes 3,4,5"
		} > "$TMP/setup"
		must ctl "$i" -b "$TMP/setup"
	done
	# shellcheck disable=SC2086 # counters are those of the ingresses
	router_nexthops $nodes
	cluster_known "$1"
	NODES=$INGRESSES
}

plain_down()
{
	children_end
	NODES=5
	cluster_down
}

seen_total()
{
	local i

	for ((i = 1; i <= INGRESSES; i++)); do
		must ctl "$i" owner list
	done | grep -c ' seen '
}

seen_total_is() { [ "$(seen_total)" = "$1" ]; }

# As the daemon would: what an ingress has seen, the others are told.
seen_copy()
{
	local i j

	for ((i = 1; i <= INGRESSES; i++)); do
		must ctl "$i" owner list |
			sed -nE 's/^(0x[0-9a-f]+ node [0-9]+).* seen .*/\1/p' \
			> "$TMP/seen.$i"
	done
	for ((i = 1; i <= INGRESSES; i++)); do
		for ((j = 1; j <= INGRESSES; j++)); do
			[ "$i" = "$j" ] ||
				must ctl "$i" owner announce - < "$TMP/seen.$j"
		done
	done
}

joins() # NAME 4|6 full|empty
{
	local name=$1 f=$2 seen

	endpoints_flush
	stats_mark
	seen=$(seen_total)
	client_start join -n "$N" -b 5000 -s 20000 -w "$(vip "$f")" "$PORT"
	client_must join connected
	check_true "$name: every token is learnt" wait_for 5 seen_total_is \
		$((seen + N))
	check_eq "$name: and counted" "$(moved owner seen)" "$N"
	[ "$3" = empty ] || seen_copy
	endpoints_add
	client_must join ready 40
	client_go join
	client_end join
	check_eq "$name: every second path comes up" "${R[second]}" "$N"
	check_eq "$name: and is there at the end" "${R[second_at_end]}" "$N"
	check_eq "$name: every transfer is whole" "${R[ok]}" "$N"
	check_eq "$name: the ingresses served none" \
		"$(served_by 1)$(served_by 2)" 00
	stats_take
	check_eq "$name: joins went by table or answer" \
		$(($(grew steer join-owner) + $(grew steer join-resolved))) "$N"
	if [ "$3" = full ] || [ "$INGRESSES" = 1 ]; then
		check_eq "$name: no token was asked for" \
			"$(grew steer join-resolved)" 0
	else
		check_ge "$name: peers were asked" \
			"$(grew steer join-resolved)" 1
	fi
}

tunnelled() # MORE_THAN
{
	[ "$(stat_sum tunnel tx "$2")" -gt "$1" ]
}

# Flows that another ingress knows are asked for; those that nobody knows go
# where the hash sends them.
reshuffle() # NAME 4|6 CLIENT_OPTION...
{
	local name=$1 f=$2 before i

	router_nexthops 1
	stats_mark
	client_start flows -n "$N" -b 400000 -r 20000 -l -T 120000 "${@:3}" \
		"$(vip "$f")" "$PORT"
	client_must flows flowing
	before=$(stat_sum tunnel tx 2)
	router_nexthops 2
	check_true "$name: node 2 is the ingress now" wait_for 10 tunnelled \
		$((before + 2 * N)) 2
	check_ge "$name: it asked node 1" "$(moved steer resolved 2)" 1
	client_go flows
	client_end flows
	check_eq "$name: none of $N transfers broke" "${R[ok]}" "$N"
}

lone_survivor() # NAME 4|6
{
	local name=$1 f=$2 before

	router_nexthops 1
	client_start alone -n "$N" -t -b 400000 -r 20000 -l -T 120000 \
		"$(vip "$f")" "$PORT"
	client_must alone flowing
	must ctl 2 node set 1 state dead
	stats_mark
	before=$(stat_sum tunnel tx 2)
	router_nexthops 2
	check_true "$name: node 2 is the only ingress now" wait_for 10 \
		tunnelled $((before + 2 * N)) 2
	check_ge "$name: flows that nobody knows go by the hash" \
		"$(moved steer plain 2)" $((N / 2))
	client_go alone
	client_end alone
	check_eq "$name: none of $N transfers broke" "${R[ok]}" "$N"
	must ctl 2 node set 1 state active
}

test_begin
modprobe -qa ipip sit ip6_tunnel fou fou6
mlb_load
# A slow machine shows each encapsulation, and each family inside and outside.
if [ "$MLB_SCALE" -lt 4 ]; then
	plain_up 4 ipip 1
	joins "ipip over IPv4, one ingress, IPv4" 4 empty
	joins "ipip over IPv4, one ingress, IPv6" 6 empty
	plain_down
fi
plain_up 6 ipip 2
joins "ipip over IPv6, IPv4, empty" 4 empty
joins "ipip over IPv6, IPv6, full" 6 full
reshuffle "ipip over IPv6, IPv6, both paths" 6 -s 20000
plain_down
plain_up 4 gue 2
joins "GUE over IPv4, IPv4, full" 4 full
joins "GUE over IPv4, IPv6, empty" 6 empty
reshuffle "GUE over IPv4, IPv4, both paths" 4 -s 20000
lone_survivor "GUE over IPv4, IPv6" 6
if [ "$MLB_SCALE" -lt 4 ]; then
	plain_down
	plain_up 6 gue 1
	joins "GUE over IPv6, one ingress, IPv4" 4 empty
	joins "GUE over IPv6, one ingress, IPv6" 6 empty
fi
tap_done
