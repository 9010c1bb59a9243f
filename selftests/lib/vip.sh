# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Addresses that move between nodes on a link, and a router that is on it too.

# The test's: how many connections at a time.
N=$(scaled 40 10)

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# The router is a neighbour of the nodes in their network, and asks there.
router_joins()
{
	cable "$PREFIX-b" r "$PREFIX-r" lan "$MTU"
	netns_batch "$PREFIX-b" <<-END
		link set r master br0 up
	END
	netns_batch "$PREFIX-r" <<-END
		addr add 10.3.0.254/24 dev lan
		addr add 2001:db8:3::254/64 dev lan nodad
		link set lan up
		route replace $VIP4/32 dev lan
		route replace $VIP6/128 dev lan
	END
	# A neighbour that knows an address waits long before it asks again.
	must on_router sysctl -qw net.ipv4.neigh.lan.base_reachable_time_ms=600000 \
		net.ipv6.neigh.lan.base_reachable_time_ms=600000
}

on_nodes()
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		on_node "$i" "$@" || return
	done
}

daemons_begin()
{
	local i f

	cluster_up 3
	router_joins
	mlb_load
	corosync_up
	for ((i = 1; i <= NODES; i++)); do
		for f in 4 6; do
			printf '[vip v%s]\naddr = %s\ndev = eth1\nrole = web\n' \
				$f "$(vip $f)"
			printf '[check v%s]\nservice = %s\ntype = mptcp\ninterval = 100\n' \
				$f "$([ $f = 4 ] && echo "$VIP4:$PORT" || echo "[$VIP6]:$PORT")"
		done | mlbd_conf "$i"
	done
	mlbd_start 1 2 3
	wait_for 20 cluster_ready 1 2 3 || {
		cluster_tell
		bail "the nodes do not find together"
	}
	must node_ctl 1 cluster service add "$VIP4:$PORT" sched maglev
	must node_ctl 1 cluster service add "[$VIP6]:$PORT" sched maglev
	must node_ctl 1 cluster set resolve-timeout 500
}

# The nodes that have the address where neighbours ask for it.
holders() # 4|6
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		[ -z "$(ip -n "$PREFIX-n$i" -"$1" addr show dev eth1 to "$(vip "$1")")" ] ||
			echo "$i"
	done | xargs
}

holders_are() # NODES
{
	[ "$(holders 4)" = "$1" ] && [ "$(holders 6)" = "$1" ]
}

# Without a moment in which two have it.
comes_alone() # WHAT NODE SECONDS
{
	local t0 f have two=

	t0=$(now_ms)
	until holders_are "$2"; do
		for f in 4 6; do
			have=$(holders $f)
			[[ $have != *" "* ]] || two="$two $have;"
		done
		[ $(($(now_ms) - t0)) -lt $(($3 * 1000 * MLB_SCALE)) ] || break
	done
	check_true "$1: node $2 has the addresses, and no other" holders_are "$2"
	check_eq "$1: at no time two have one" "$two" ""
	tap_note "$1: after $(($(now_ms) - t0)) ms"
}

# Until something is so, for 20 s.
stays_alone() # NODE COMMAND...
{
	local t0

	t0=$(now_ms)
	until "${@:2}"; do
		if ! holders_are "$1"; then
			tap_note "now $(holders 4), $(holders 6);" \
				"$(node_ctl "$1" status | grep '^role')"
			return 1
		fi
		[ $(($(now_ms) - t0)) -lt $((20000 * MLB_SCALE)) ] || return
	done
	holders_are "$1"
}

# Nobody answers for what he has on lo alone.
arp_quiet()
{
	must on_nodes sysctl -qw net.ipv4.conf.all.arp_ignore=1 \
		net.ipv4.conf.all.arp_announce=2
}

mac_of() # NODE
{
	ip -n "$PREFIX-n$1" -j link show dev eth1 | jq -r '.[].address'
}

# Where the router sends packets for the address, without asking.
router_sends_to() # NODE
{
	local mac

	mac=$(mac_of "$1")
	ip -n "$PREFIX-r" neigh show dev lan | grep -q "^$VIP4 .*$mac" &&
		ip -n "$PREFIX-r" neigh show dev lan | grep -q "^$VIP6 .*$mac"
}

comes_to() # WHAT NODE
{
	local t0

	t0=$(now_ms)
	check_comes "$1: node $2 has the addresses, and no other" 15 \
		holders_are "$2"
	tap_note "$1: after $(($(now_ms) - t0)) ms"
}

connections_work() # WHAT
{
	local f

	for f in 4 6; do
		client_run first -n "$N" -b 1000 "$(vip $f)" "$PORT"
		check_eq "$1, IPv$f: connections work" "${R[ok]}" "$N"
	done
}
