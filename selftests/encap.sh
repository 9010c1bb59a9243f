#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, servers without mlb, which have only a decapsulator, get
# nothing.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

BYTES=$(scaled 5000000)

# Node 1 does not run mlb: it takes whatever is encapsulated for its address.
decapsulators() # 4|6
{
	local addr

	addr=$("node_addr$1" 1)
	if [ "$1" = 4 ]; then
		netns_batch "$PREFIX-n1" <<-END
			link add d4 type ipip local $addr
			link add d6 type sit local $addr
			link set d4 up
			link set d6 up
			fou add port 6080 gue
		END
	else
		must ip -n "$PREFIX-n1" link add d6 type ip6tnl mode any \
			local "$addr" remote ::
		must ip -n "$PREFIX-n1" link set d6 up
		must ip -n "$PREFIX-n1" fou add port 6080 gue -6
	fi
}

# Node 2 has every new connection sent to node 1.
ingress() # 4|6 ENCAP
{
	must ctl 2 node add 2 addr "$("node_addr$1" 2)" weight 0 self
	must ctl 2 node add 1 addr "$("node_addr$1" 1)" encap "$2"
	must ctl 2 service add "$VIP4:$PORT" sched maglev
	must ctl 2 service add "[$VIP6]:$PORT" sched maglev
}

ingress_end()
{
	must ctl 2 service del "$VIP4:$PORT"
	must ctl 2 service del "[$VIP6]:$PORT"
	must ctl 2 node del 1
	must ctl 2 node del 2
}

run() # NAME 4|6
{
	local bytes packets

	client_run plain -t -b 1000 -u "$BYTES" "$(vip "$2")" "$PORT"
	check_eq "$1: the transfer is whole" "${R[ok]}" 1
	check_eq "$1: it was served by node 1" "$(served_by 1)" 1
	read -r bytes packets <<< "$(ip -n "$PREFIX-n2" -s -j link show mlb0 |
		jq -r '.[0].stats64.tx | "\(.bytes) \(.packets)"')"
	check_ge "$1: in super-packets" $((bytes / packets)) 3000
}

test_begin
modprobe -qa ipip sit ip6_tunnel fou fou6 # unless they are built in
for outer in 4 6; do
	cluster_up 2
	mlb_load
	servers_up
	router_pin 0 2
	decapsulators $outer
	for encap in ipip gue; do
		for f in 4 6; do
			ingress $outer $encap
			run "IPv$f in $encap over IPv$outer" "$f"
			ingress_end
		done
	done
	children_end
	cluster_down
done
tap_done
