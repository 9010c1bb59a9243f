# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# A cluster of network namespaces behind an ECMP router:
#
#	client  eth0 10.1.1.2  eth1 10.1.2.2	2001:db8:1:{1,2}::2
#	   |  |
#	router  ECMP over the nodes, hashing ports too
#	   | | |
#	node I  eth0 10.2.I.2			2001:db8:2:I::2
#	   |	VIP on lo 10.9.0.1		2001:db8:9::1
#	   |	eth1 10.3.0.I			2001:db8:3::I
#	bridge  the cluster network, MTU 1600
#
# The nodes answer the client directly, by way of the router.

# shellcheck disable=SC2034 # read by the tests
VIP4=10.9.0.1 VIP6=2001:db8:9::1
# shellcheck disable=SC2034
CLIENT4=(10.1.1.2 10.1.2.2) CLIENT6=(2001:db8:1:1::2 2001:db8:1:2::2)
NODES=0

# Enters the network alone: "ip netns exec" would mount a new /sys each time.
in_netns() # NETNS COMMAND...
{
	nsenter --net="/run/netns/$1" -- "${@:2}"
}

on_client() { in_netns "$PREFIX-c" "$@"; }
on_router() { in_netns "$PREFIX-r" "$@"; }
on_node() { in_netns "$PREFIX-n$1" "${@:2}"; } # NODE COMMAND...

node_link4() { echo "10.2.$1.2"; }
node_link6() { echo "2001:db8:2:$1::2"; }

# The address under which the other nodes know this one.
node_addr4() { [ -n "$SHARED" ] && node_link4 "$1" || echo "10.3.0.$1"; }
node_addr6() { [ -n "$SHARED" ] && node_link6 "$1" || echo "2001:db8:3::$1"; }

netns_add() # NAME
{
	must ip netns add "$1"
	NETNS+=("$1")
	must ip -n "$1" link set lo up
}

# Both ends of a cable; the nearer end's name stands first.
cable() # NETNS DEV NETNS DEV MTU
{
	must ip link add "$2" mtu "$5" netns "$1" type veth \
		peer name "$4" mtu "$5" netns "$3"
}

netns_batch() # NETNS [IP_OPTION] < commands
{
	must ip -n "$1" ${2:+"$2"} -batch -
}

# The router's end of a client's path, in network NET.
client_gate() # DEV NET
{
	netns_batch "$PREFIX-r" <<-END
		addr add 10.1.$2.1/24 dev $1
		addr add 2001:db8:1:$2::1/64 dev $1 nodad
		link set $1 up
	END
}

# The client's end of its Ith path, in network NET.
client_path() # NETNS DEV I NET
{
	netns_batch "$1" <<-END
		addr add 10.1.$4.2/24 dev $2
		addr add 2001:db8:1:$4::2/64 dev $2 nodad
		link set $2 up
		route add default via 10.1.$4.1 dev $2 metric $3
		route add default via 2001:db8:1:$4::1 dev $2 metric $3
		route add default via 10.1.$4.1 dev $2 table $3
		route add default via 2001:db8:1:$4::1 dev $2 table $3
		rule add from 10.1.$4.2 table $3
	END
	netns_batch "$1" -6 <<-END
		rule add from 2001:db8:1:$4::2 table $3
	END
}

client_up()
{
	local i

	netns_add "$PREFIX-c"
	# The router shares the kernel with the client, and so hashes by what the
	# client's sockets say, and they say something else after a timeout.
	must in_netns "$PREFIX-c" sysctl -qw net.core.txrehash=0
	for i in 1 2; do
		cable "$PREFIX-r" "c$i" "$PREFIX-c" "eth$((i - 1))" "$LINK_MTU"
		client_gate "c$i" "$i"
		client_path "$PREFIX-c" "eth$((i - 1))" "$i" "$i"
	done
}

node_up() # NODE
{
	local i=$1 link_mtu=$LINK_MTU

	[ -z "$SHARED" ] || link_mtu=$MTU
	netns_add "$PREFIX-n$i"
	cable "$PREFIX-r" "n$i" "$PREFIX-n$i" eth0 "$link_mtu"
	netns_batch "$PREFIX-r" <<-END
		addr add 10.2.$i.1/24 dev n$i
		addr add 2001:db8:2:$i::1/64 dev n$i nodad
		link set n$i up
	END
	netns_batch "$PREFIX-n$i" <<-END
		addr add 10.2.$i.2/24 dev eth0
		addr add 2001:db8:2:$i::2/64 dev eth0 nodad
		addr add $VIP4/32 dev lo
		addr add $VIP6/128 dev lo nodad
		link set eth0 up
		route add default via 10.2.$i.1
		route add default via 2001:db8:2:$i::1
	END
	[ -z "$SHARED" ] || return
	cable "$PREFIX-b" "n$i" "$PREFIX-n$i" eth1 "$MTU"
	netns_batch "$PREFIX-b" <<-END
		link set n$i master br0 up
	END
	netns_batch "$PREFIX-n$i" <<-END
		addr add 10.3.0.$i/24 dev eth1
		addr add 2001:db8:3::$i/64 dev eth1 nodad
		link set eth1 up
	END
}

# Builds the cluster. --mtu: of the cluster network; --link-mtu: of all other
# links; --shared: no network of its own between nodes, they use the router.
cluster_up() # NODES [--mtu MTU] [--link-mtu MTU] [--shared]
{
	local i

	NODES=$1 MTU=1600 LINK_MTU=1500 SHARED=
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		--mtu) MTU=$2; shift 2 ;;
		--link-mtu) LINK_MTU=$2; shift 2 ;;
		--shared) SHARED=1; shift ;;
		*) bail "cluster_up: $1?" ;;
		esac
	done
	NETNS=()
	# New namespaces inherit these. Duplicate address detection would keep
	# addresses unusable for a second; rp_filter is asymmetric routing's
	# business, see mlbctl(8).
	must sysctl -qw net.core.devconf_inherit_init_net=1 \
		net.ipv6.conf.all.accept_dad=0 \
		net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.all.disable_ipv6=0 \
		net.ipv6.conf.default.disable_ipv6=0 \
		net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0
	netns_add "$PREFIX-r"
	must on_router sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1 \
		net.ipv4.fib_multipath_hash_policy=1 \
		net.ipv6.fib_multipath_hash_policy=1
	client_up
	netns_add "$PREFIX-b"
	netns_batch "$PREFIX-b" <<-END
		link add br0 mtu $MTU type bridge stp_state 0 forward_delay 0
		link set br0 up
	END
	for ((i = 1; i <= NODES; i++)); do
		node_up "$i"
		mptcp_limits "$PREFIX-n$i"
	done
	mptcp_limits "$PREFIX-c"
	# shellcheck disable=SC2046
	router_nexthops $(seq "$NODES")
	neighbours_known
}

reach() # NETNS [-s SOURCE] ADDR...
{
	in_netns "$1" "$RAWPKT" reach -w $((5000 * MLB_SCALE)) "${@:2}" ||
		bail "$1 does not reach them all: ${*:2}"
}

# Each cable has carried a packet both ways: what follows is not held up, and
# no first burst is cut short, by address resolution.
neighbours_known()
{
	local i all=()

	for ((i = 1; i <= NODES; i++)); do
		all+=("$(node_link4 "$i")" "$(node_link6 "$i")")
	done
	reach "$PREFIX-r" "${all[@]}" "${CLIENT4[@]}" "${CLIENT6[@]}"
}

# The router spreads the VIPs over these nodes, in this order.
router_nexthops() # NODE...
{
	local i hops4="" hops6=""

	for i; do
		hops4+=" nexthop via $(node_link4 "$i") dev n$i"
		hops6+=" nexthop via $(node_link6 "$i") dev n$i"
	done
	netns_batch "$PREFIX-r" <<-END
		route replace $VIP4/32 $hops4
		route replace $VIP6/128 $hops6
	END
}

# Sends what comes from the client's Nth address (0, 1) to one node.
router_pin() # N NODE
{
	local n=$1 i=$2 table=$((100 + $2)) pref=$((200 + $1))

	router_unpin "$n"
	netns_batch "$PREFIX-r" <<-END
		route replace $VIP4/32 via $(node_link4 "$i") dev n$i table $table
		route replace $VIP6/128 via $(node_link6 "$i") dev n$i table $table
		rule add from ${CLIENT4[n]} to $VIP4 table $table pref $pref
	END
	netns_batch "$PREFIX-r" -6 <<-END
		rule add from ${CLIENT6[n]} to $VIP6 table $table pref $pref
	END
}

router_unpin() # N
{
	local pref=$((200 + $1))

	ip -n "$PREFIX-r" rule del pref "$pref" 2> /dev/null
	ip -n "$PREFIX-r" -6 rule del pref "$pref" 2> /dev/null
	return 0
}

cluster_down()
{
	local ns

	for ns in "${NETNS[@]:-}"; do
		[ -z "$ns" ] || ip netns del "$ns"
	done
	NETNS=()
	NODES=0
}
