#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, the neighbours of a cluster without routing go on to send a
# virtual address's packets to a node that does not have its role any more.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/corosync.sh
. "$MLB_TESTS/lib/corosync.sh"
# shellcheck source=lib/mlbd.sh
. "$MLB_TESTS/lib/mlbd.sh"
# shellcheck source=lib/vip.sh
. "$MLB_TESTS/lib/vip.sh"

# What mlbctl doctor finds wrong with the addresses, and mends.
arp_remedies()
{
	node_ctl "$1" -j doctor |
		jq -r '.[] | select(.check == "vip" and .result == "wrong").remedy'
}

arp_settings()
{
	local remedy

	check_eq "doctor sees who else would answer ARP" \
		"$(arp_remedies 1 | wc -l)" 2
	while read -r remedy; do
		# shellcheck disable=SC2086
		must on_nodes $remedy > /dev/null
	done < <(arp_remedies 1)
	check_eq "and mends it" "$(arp_remedies 1)" ""
}

# It stands where no connection of the host's own takes it from, and not for long.
not_preferred() # NODE
{
	local f

	for f in 4 6; do
		check_range "IPv$f: it lasts some seconds" \
			"$(lifetime "$1" $f valid)" 1 3
		check_eq "IPv$f: and is not preferred" \
			"$(lifetime "$1" $f preferred)" 0
		check_eq "IPv$f: no packet to a neighbour comes from it" \
			"$(source_to "$1" $f)" ""
	done
}

lifetime() # NODE 4|6 valid|preferred
{
	ip -n "$PREFIX-n$1" -j -"$2" addr show dev eth1 |
		jq --arg vip "$(vip "$2")" --arg what "$3_life_time" \
			'.[].addr_info[]? | select(.local == $vip)[$what]'
}

source_to() # NODE 4|6
{
	local to=10.3.0.254

	[ "$2" = 4 ] || to=2001:db8:3::254
	ip -n "$PREFIX-n$1" -"$2" route get "$to" | grep -o " src $(vip "$2") "
}

test_begin corosync mlbd
daemons_begin
arp_settings
check_true "without a role nobody has the addresses" holders_are ""
servers_found
must node_ctl 1 cluster role add web nodes 1 spares 2,3 exclusive yes
comes_to "a role" 1
connections_work "a role"
not_preferred 1
check_true "the router has learnt where it is" router_sends_to 1

# Who knew the address is told; packets come in elsewhere, and what is open goes
# on.
endpoints_flush
client_start old -n "$N" -b 50000 -w "$VIP4" "$PORT"
client_must old connected
must node_ctl 1 cluster role move web 2
comes_to "moved" 2
check_comes "moved: the router knows it without asking" 3 router_sends_to 2
client_go old
client_end old
check_eq "moved: every transfer is whole" "${R[ok]}" "$N"
connections_work "moved"

mlbd_kill 2
must node_ctl 1 cluster role move web 3
comes_alone "an mlbd that died lets go by itself" 3 15
check_comes "and the router knows" 3 router_sends_to 3
connections_work "and all goes on"
tap_done
