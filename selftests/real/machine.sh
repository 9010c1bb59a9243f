#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Inside machine I of make test-real: a cluster whose nodes run real servers, and
# a client for each cluster, its own and those of the other machines, whose ends
# of the cables tell by their MAC what they are for:
#
#	52:54:00:0c:CS:0P	path P of this machine's client (C) to server S
#	52:54:00:05:CS:0P	its other end, at the router before the nodes of S
#
# Then do what scripts/test-real.sh says over the virtio port.
#
#	machine.sh I SUM	the SHA-256 of the file /srv/data
cd "$(dirname "$0")/../.." || exit
# shellcheck source=../lib.sh
. selftests/lib.sh
# shellcheck source=../../scripts/lab-agent.sh
. scripts/lab-agent.sh
# shellcheck source=servers.sh
. selftests/real/servers.sh
# shellcheck source=clients.sh
. selftests/real/clients.sh

# shellcheck disable=SC2034 # for the files above
PREFIX=real ME=$1 SUM=$2 CHILDREN=() TMP=/srv
RATE=16mbit # of each path, so that no transfer ends before its second path is up

# The client of a cluster, which is in the machine of that or in another.
client_netns() # SERVER
{
	[ "$1" = "$ME" ] && echo "$PREFIX-c" || echo "$PREFIX-c$1"
}

# The network of a path from machine to machine, or within one.
path_net() # CLIENT SERVER PATH
{
	[ "$1" = "$2" ] && echo "$3" || echo $(($1 * 10 + $3))
}

shape() # NETNS DEV
{
	must in_netns "$1" tc qdisc add dev "$2" root tbf rate $RATE \
		burst 64k latency 200ms
}

client_card() # DEV SERVER PATH
{
	local ns eth=eth$(($3 - 1))

	ns=$(client_netns "$2")
	[ -e "/run/netns/$ns" ] || { netns_add "$ns"; mptcp_limits "$ns"; }
	must ip link set "$1" netns "$ns" name "$eth"
	client_path "$ns" "$eth" "$3" "$(path_net "$ME" "$2" "$3")"
	shape "$ns" "$eth"
}

router_card() # DEV CLIENT PATH
{
	must ip link set "$1" netns "$PREFIX-r" name "c$2$3"
	client_gate "c$2$3" "$(path_net "$2" "$ME" "$3")"
	shape "$PREFIX-r" "c$2$3"
}

cards_up()
{
	local dev side client server path

	for dev in /sys/class/net/*; do
		read -r side client server path <<< "$(sed -nE \
			's/^52:54:00:0([c5]):(.)(.):0(.)$/\1 \2 \3 \4/p' "$dev/address")"
		case $side in
		c) client_card "${dev##*/}" "$server" "$path" ;;
		5) router_card "${dev##*/}" "$client" "$path" ;;
		esac
	done
}

# All clients reach all nodes, and nobody asks for a neighbour later.
reached() # CLIENT...
{
	local client path all=()

	for client; do
		for path in 1 2; do
			all+=("10.1.$(path_net "$client" "$ME" $path).2"
				"2001:db8:1:$(path_net "$client" "$ME" $path)::2")
		done
	done
	reach "$PREFIX-r" "${all[@]}"
}

modprobe -aq virtio_net virtio_console sch_tbf
cluster_up 3
for i in 1 2; do
	shape "$PREFIX-c" "eth$((i - 1))"
	shape "$PREFIX-r" "c$i"
done
cards_up
mlb_up
real_servers_up
lab_agent
