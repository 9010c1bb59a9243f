#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a node whose network comes over a VLAN, through a bridge or in
# a VRF is not steered to, or packets that are not its own are steered.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 40 8)

# What eth0 was becomes the lower device of a new eth0.
lower_begin() # NODE
{
	netns_batch "$PREFIX-n$1" <<-END
		link set eth0 down
		addr flush dev eth0
		link set eth0 name phys0
	END
}

lower_end() # NODE
{
	netns_batch "$PREFIX-n$1" <<-END
		link set phys0 up
		addr add 10.2.$1.2/24 dev eth0
		addr add 2001:db8:2:$1::2/64 dev eth0 nodad
		link set eth0 up
		route add default via 10.2.$1.1
		route add default via 2001:db8:2:$1::1
	END
}

vlan() # NODE
{
	must ip -n "$PREFIX-n$1" link add link phys0 name eth0 type vlan id 7
	netns_batch "$PREFIX-r" <<-END
		link set n$1 down
		addr flush dev n$1
		link set n$1 name p$1
		link add link p$1 name n$1 type vlan id 7
		link set p$1 up
		addr add 10.2.$1.1/24 dev n$1
		addr add 2001:db8:2:$1::1/64 dev n$1 nodad
		link set n$1 up
	END
}

bridge() # NODE
{
	netns_batch "$PREFIX-n$1" <<-END
		link add eth0 type bridge stp_state 0 forward_delay 0
		link set phys0 master eth0
	END
	[ ! -e /proc/sys/net/bridge ] ||
		must on_node "$1" sysctl -qw net.bridge.bridge-nf-call-iptables=1 \
			net.bridge.bridge-nf-call-ip6tables=1
}

joined() # NAME
{
	local f

	# shellcheck disable=SC2046
	router_nexthops $(seq "$NODES")
	neighbours_known
	stats_mark
	for f in 4 6; do
		client_join join -n "$N" -b 20000 "$(vip $f)" "$PORT"
		client_end join
		check_eq "$1, IPv$f: every second path comes up" "${R[second]}" "$N"
		check_eq "$1, IPv$f: every transfer is whole" "${R[ok]}" "$N"
		[ "${R[second]}" = "$N" ] || nodes_tell
	done
	stats_take
	check_ge "$1: joins were steered" \
		$(($(grew steer join-owner) + $(grew steer join-resolved))) 1
}

# From the router to node 1: a SYN to each VIP in a frame with this address.
frame() # MAC
{
	must on_router "$RAWPKT" tcp -p 5000 -L 60 -D n1 -M "$1" -o join=random \
		10.1.1.77 "$2" "$VIP4" "$PORT"
	must on_router "$RAWPKT" tcp -p 5000 -L 60 -D n1 -M "$1" -o join=random \
		2001:db8:1:1::77 "$2" "$VIP6" "$PORT"
}

# Tokens that nobody has are asked for.
judged() { moved resolve parked 1; }
two_judged() { [ "$(judged)" -ge 2 ]; }

# A frame for everybody reaches other nodes too, which would all send its packet
# on; one for another host is that host's.
frames() # NAME
{
	local own

	own=$(ip -n "$PREFIX-n1" -j link show eth0 | jq -r '.[0].address')
	must ip -n "$PREFIX-r" link set n1 mtu 6000
	must ip -n "$PREFIX-n1" link set phys0 mtu 6000
	must ip -n "$PREFIX-n1" link set eth0 mtu 6000
	stats_mark 1
	frame ff:ff:ff:ff:ff:ff 5001
	frame 02:00:00:00:00:99 5002
	frame 33:33:00:00:00:01 5003
	sleep 0.2
	check_eq "$1: frames for others are not judged" "$(judged)" 0
	frame "$own" 5004
	check_true "$1: frames for this node are" wait_for 5 two_judged
	check_eq "$1: each once" "$(judged)" 2
	must ip -n "$PREFIX-r" link set n1 mtu 1500
	must ip -n "$PREFIX-n1" link set eth0 mtu 1500
	must ip -n "$PREFIX-n1" link set phys0 mtu 1500
}

uplinks() # KIND
{
	local i

	cluster_up 3
	for ((i = 1; i <= NODES; i++)); do
		lower_begin $i
		"$1" $i
		lower_end $i
	done
	mlb_up
	services_up
	servers_up
	joined "$1"
}

# The services and all that serves them are in the VRF, and mlb0 with them.
vrf()
{
	local i

	cluster_up 3
	for ((i = 1; i <= NODES; i++)); do
		netns_batch "$PREFIX-n$i" <<-END
			link add red type vrf table 10
			link set red up
			addr del $VIP4/32 dev lo
			addr del $VIP6/128 dev lo
			link set eth0 master red
			addr add $VIP4/32 dev red
			addr add $VIP6/128 dev red nodad
			addr replace 10.2.$i.2/24 dev eth0
			addr replace 2001:db8:2:$i::2/64 dev eth0 nodad
			route replace default via 10.2.$i.1 vrf red
			route replace default via 2001:db8:2:$i::1 vrf red
		END
		must on_node $i sysctl -qw net.ipv4.tcp_l3mdev_accept=1
	done
	mlb_up
	for ((i = 1; i <= NODES; i++)); do
		must ip -n "$PREFIX-n$i" link set mlb0 master red
	done
	services_up
	servers_wild_up
	joined vrf
}

# At any address: the service's is not in the main VRF.
servers_wild_up()
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		spawn "$PREFIX-n$i" "$TMP/server.$i" "$LOAD" server -i $i :: "$PORT"
		wait_for 10 line_there "$TMP/server.$i" listening ||
			bail "no server: $(cat "$TMP/server.$i")"
	done
}

end()
{
	children_end
	cluster_down
}

test_begin
uplinks vlan
end
uplinks bridge
frames bridge
end
vrf
tap_done
