#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Inside the lab's middle machine: the ECMP router, the client and the cluster
# network of selftests/lib/cluster.sh, whose nodes here are machines at the
# other end of a network card each: MAC 52:54:00:00:0a:I for the router's link
# to node I, 52:54:00:00:0b:I for that of the cluster network.
cd "$(dirname "$0")/.." || exit
# shellcheck source=../selftests/lib.sh
. selftests/lib.sh
# shellcheck source=../selftests/lib/corosync.sh
. selftests/lib/corosync.sh
# shellcheck source=lab-agent.sh
. scripts/lab-agent.sh

modprobe -aq virtio_net virtio_console bridge
# shellcheck disable=SC2034 # read by the files above
PREFIX=lab NODES=$1 BEGIN=$2 MTU=1600 LINK_MTU=1500 SHARED="" NETNS=() CHILDREN=()
TMP=$(mktemp -d)
sysctl -qw net.core.devconf_inherit_init_net=1 \
	net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
	net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
netns_add lab-r
must on_router sysctl -qw net.ipv4.ip_forward=1 \
	net.ipv6.conf.all.forwarding=1 \
	net.ipv4.fib_multipath_hash_policy=1 \
	net.ipv6.fib_multipath_hash_policy=1
client_up
mptcp_limits lab-c
netns_add lab-b
netns_batch lab-b <<-END
	link add br0 mtu $MTU type bridge stp_state 0 forward_delay 0
	link set br0 up
END
for dev in /sys/class/net/*; do
	i=$(sed -nE 's/^52:54:00:00:0([ab]):0(.)$/\1\2/p' "$dev/address")
	case $i in
	a*)	i=${i#a}
		must ip link set "${dev##*/}" netns lab-r name "n$i"
		netns_batch lab-r <<-END
			addr add 10.2.$i.1/24 dev n$i
			addr add 2001:db8:2:$i::1/64 dev n$i nodad
			link set n$i up
		END
		;;
	b*)	i=${i#b}
		must ip link set "${dev##*/}" netns lab-b name "n$i"
		netns_batch lab-b <<-END
			link set n$i mtu $MTU master br0 up
		END
		;;
	esac
done
# shellcheck disable=SC2046
router_nexthops $(seq "$BEGIN")
lab_agent
