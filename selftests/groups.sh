#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, clients reach nodes that do not do the work for their group,
# or giving that work to other nodes breaks connections.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 60 40)
CHANGES=$(scaled 20 6)

# What the first client address, and the second, is a group of.
GROUP1=10.1.1.0/24,2001:db8:1:1::/64
GROUP2=10.1.2.0/24,2001:db8:1:2::/64

# On every node the groups and pools of standard input, and nothing else.
pools_load()
{
	local i

	cat > "$TMP/pools"
	for ((i = 1; i <= NODES; i++)); do
		must ctl $i pool load "$TMP/pools"
	done
}

# Both services' pool for a group, as lines of such input.
pool() # GROUP NODES [wait]
{
	echo "$VIP4:$PORT ${1:+group $1} ${3:-} nodes $2"
	echo "[$VIP6]:$PORT ${1:+group $1} ${3:-} nodes $2"
}

from() # 4|6 N: the client's address
{
	local -n addrs=CLIENT$1

	echo "${addrs[$2]}"
}

vip_port() { [ "$1" = 4 ] && echo "$VIP4:$PORT" || echo "[$VIP6]:$PORT"; }

# N connections of the client's address, and who served them.
connect() # NAME 4|6 ADDRESS
{
	client_run "$1" -n "$N" -b 1000 -S "$(from "$2" "$3")" "$(vip "$2")" "$PORT"
}

# The group's nodes, and no other, whatever node the router hands SYNs to.
placed() # 4|6 SCHED
{
	local what="IPv$1, $2"

	pools_load <<-END
		1 prefix $GROUP1
		2 prefix $GROUP2
		$(pool 1 1,2)
		$(pool 2 3)
	END
	connect first "$1" 0
	check_eq "$what: the first group's connections work" "${R[ok]}" "$N"
	check_eq "$what: on its own nodes" \
		$(($(served_by 1) + $(served_by 2))) "$N"
	check_ge "$what: the one" "$(served_by 1)" 1
	check_ge "$what: and the other" "$(served_by 2)" 1
	connect second "$1" 1
	check_eq "$what: the second group's are on its node" "$(served_by 3)" "$N"

	# The longest prefix counts, over all groups.
	pools_load <<-END
		1 prefix $GROUP1
		2 prefix $GROUP2
		7 prefix $(from "$1" 0)
		$(pool 1 1,2)
		$(pool 2 3)
		$(pool 7 4)
	END
	connect host "$1" 0
	check_eq "$what: a longer prefix wins" "$(served_by 4)" "$N"

	# Who has no pool of his own gets the rest's, and without one any node.
	pools_load <<-END
		1 prefix $GROUP1
		2 prefix $GROUP2
		$(pool 1 1)
		$(pool '' 2,4)
	END
	connect rest "$1" 1
	check_eq "$what: the others have the pool for the others" \
		$(($(served_by 2) + $(served_by 4))) "$N"
	pools_load <<-END
		1 prefix $GROUP1
		$(pool 1 1)
	END
	connect all "$1" 1
	check_eq "$what: or else the service's" "${R[ok]}" "$N"
	check_ge "$what: which is every node" "$(served_by 4)" 1
}

# Nobody serves who is not to be served: there is a listener on every node.
refused() # 4|6 SCHED
{
	local i what="IPv$1, $2"

	pools_load <<-END
		1 prefix $GROUP1
		2 prefix $GROUP2
		$(pool 1 none)
		$(pool 2 3)
	END
	stats_mark
	connect none "$1" 0
	check_eq "$what: a group without nodes is refused" "${R[refused]}" "$N"
	check_range "$what: at once" "${R[ms]}" 0 $((1000 * MLB_SCALE))
	stats_take
	check_eq "$what: each SYN is counted" "$(grew steer refused-group)" "$N"
	check_eq "$what: each gets a RST" "$(grew reset tx)" "$N"
	connect others "$1" 1
	check_eq "$what: the other group is served" "$(served_by 3)" "$N"
	for ((i = 1; i <= NODES; i++)); do
		[ $i = 3 ] || must ctl $i node set 3 state drain
	done
	must ctl 3 node set 3 state drain
	connect drained "$1" 1
	check_eq "$what: nobody takes the place of a pool that drains" \
		"${R[refused]}" "$N"
	for ((i = 1; i <= NODES; i++)); do
		must ctl $i node set 3 state active
	done
	connect back "$1" 1
	check_eq "$what: until it is active again" "$(served_by 3)" "$N"
}

# Nobody is refused for a node that is dead when another will take its place: the
# client sends its SYN again, and then another node has it.
waits() # 4|6 SCHED
{
	local i n what="IPv$1, $2"

	pools_load <<-END
		1 prefix $GROUP1
		$(pool 1 3 wait)
	END
	connect there "$1" 0
	check_eq "$what: a pool that can wait is as any other" \
		"$(served_by 3)" "$N"
	for ((i = 1; i <= NODES; i++)); do
		[ $i = 3 ] || must ctl $i node set 3 state dead
	done
	router_nexthops 1 2 4
	# Else a client that waits for long uses MPTCP no more, for an hour.
	on_client sysctl -qw net.mptcp.blackhole_timeout=0 2> /dev/null
	stats_mark
	client_start waits -n "$N" -b 1000 -S "$(from "$1" 0)" "$(vip "$1")" \
		"$PORT"
	check_true "$what: SYNs for a dead node are dropped" \
		wait_for 5 moved_ge "$N" steer drop-waiting
	check_eq "$what: explain says so" \
		"$(ctl 1 explain "$(flow "$1")" syn)" \
		"drop: rule new: no node of the pool for the client's group takes new connections yet, client of group 1"
	# A holder that has let go, before the next one has it.
	pools_load <<-END
		1 prefix $GROUP1
		$(pool 1 none wait)
	END
	n=$(($(moved steer drop-waiting) + N / 2))
	check_true "$what: and while nobody is named" \
		wait_for 5 moved_ge $n steer drop-waiting
	pools_load <<-END
		1 prefix $GROUP1
		$(pool 1 2 wait)
	END
	client_end waits
	check_eq "$what: all are served when another node has the pool" \
		"${R[ok]} $(served_by 2)" "$N $N"
	stats_take
	check_eq "$what: and nobody was refused" \
		"$(grew steer refused-group).$(grew reset tx)" 0.0
	for ((i = 1; i <= NODES; i++)); do
		[ $i = 3 ] || must ctl $i node set 3 state active
	done
	router_nexthops 1 2 3 4
}

# A flow of the client's first address.
flow() # 4|6
{
	[ "$1" = 4 ] && echo "${CLIENT4[0]}:9-$VIP4:$PORT" ||
		echo "[${CLIENT6[0]}]:9-[$VIP6]:$PORT"
}

# The client's address is in another group, and that group has other nodes,
# with each change. The nodes of neither way to mix the two get nothing.
changes() # 4|6
{
	local i f=$1 round served=0 ok=0 wrong=0

	cat > "$TMP/one" <<-END
		1 prefix $GROUP1
		2 prefix $GROUP2
		$(pool 1 1)
		$(pool 2 4)
	END
	cat > "$TMP/two" <<-END
		2 prefix $GROUP1
		1 prefix $GROUP2
		$(pool 2 2)
		$(pool 1 3)
	END
	pools_load < "$TMP/one"
	endpoints_add
	# What runs meanwhile has its second path from the second group.
	client_start old -n "$N" -b 300000 -r 10000 -l -T 120000 -s 20000 \
		"$(vip "$f")" "$PORT"
	client_must old flowing
	for ((round = 0; round < CHANGES; round++)); do
		client_start new -n 20 -b 1000 -S "$(from "$f" 0)" "$(vip "$f")" \
			"$PORT"
		if ((round % 2)); then
			pools_load < "$TMP/one"
		else
			pools_load < "$TMP/two"
		fi
		client_end new > /dev/null
		ok=$((ok + R[ok]))
		served=$((served + $(served_by 1) + $(served_by 2)))
		wrong=$((wrong + $(served_by 3) + $(served_by 4)))
	done
	check_eq "IPv$f: every connection during $CHANGES changes works" "$ok" \
		$((20 * CHANGES))
	check_eq "IPv$f: and is on the old nodes or the new ones" "$served" "$ok"
	check_eq "IPv$f: none met a mixture of both" "$wrong" 0
	client_go old
	client_end old
	endpoints_flush
	check_eq "IPv$f: no transfer that ran broke" "${R[ok]}" "$N"
	check_eq "IPv$f: nor did a second path" "${R[second_at_end]}" "$N"
	check_eq "IPv$f: they stayed where they were" "$(served_by 1)" "$N"
}

# The whole state, to see that what is refused changes nothing.
state() { ctl 1 group list && ctl 1 pool list; }

refuses() # WHY ARGUMENT...
{
	local before

	before=$(state)
	ctl 1 "${@:2}" > "$TMP/out" 2>&1
	check_eq "refused: ${*:2}" $? 1
	check_true "saying \"$1\"" line_there "$TMP/out" "$1"
	check_eq "and nothing has changed" "$(state)" "$before"
}

by_hand()
{
	local vip=$VIP4:$PORT

	pools_load < /dev/null
	check_eq "there is nothing" "$(state)" ""
	must ctl 1 group add 3 prefix 192.0.2.0/24
	must ctl 1 group add 3 prefix 2001:db8:77::/48,198.51.100.7
	must ctl 1 group add 65535 prefix 0.0.0.0/0
	must ctl 1 pool set "$vip" group 3 nodes 4,2
	must ctl 1 pool set "$vip" nodes none
	must ctl 1 pool set "[$VIP6]:$PORT" group 3 nodes 2,4 wait
	check_eq "groups and pools are shown as they were made" "$(state)" \
"3 prefix 192.0.2.0/24,198.51.100.7/32,2001:db8:77::/48
65535 prefix 0.0.0.0/0
$vip nodes none
$vip group 3 nodes 2,4
[$VIP6]:$PORT group 3 wait nodes 2,4"
	state > "$TMP/state"
	must ctl 2 pool load "$TMP/state"
	check_eq "and can be loaded elsewhere" \
		"$(ctl 2 group list && ctl 2 pool list)" "$(state)"
	check_eq "JSON" "$(ctl 1 -j pool list | jq -c '.[1]')" \
		'{"addr":"10.9.0.1","port":8080,"group":3,"wait":false,"nodes":[2,4]}'
	check_eq "explain tells the group" \
		"$(ctl 1 -j explain "192.0.2.9:1000-$vip" syn | jq .group)" 3
	check_eq "and the refusal" "$(ctl 1 explain "1.2.3.4:1000-$vip" syn)" \
		"reset: rule new: no node of the pool for the client's group takes new connections, client of group 65535"
	check_eq "IPv6 is no part of 0.0.0.0/0, nor IPv4 of ::/0" \
		"$(ctl 1 -j explain "[2001:db8::1]:1000-[$VIP6]:$PORT" syn |
			jq .group)" null

	refuses "given twice" group add 4 prefix 192.0.2.0/24
	refuses "does not exist; add the node" pool set "$vip" group 3 nodes 1,9
	refuses "group without prefixes" pool set "$vip" group 4 nodes 1
	refuses "service that does not exist" pool set 10.9.0.9:80 nodes 1
	refuses "group without prefixes" group del 3
	refuses "names the node" node del 4
	refuses "no such group" group del 9
	refuses "no such pool" pool del "$vip" group 65535

	# One slip in a file, and all stays.
	echo "[$VIP6]:$PORT group 3 nodes 1" >> "$TMP/state"
	refuses "two pools for one group" pool load "$TMP/state"

	must ctl 1 group del 3 prefix 198.51.100.7
	must ctl 1 service del "$vip"
	check_eq "a service takes its pools along" "$(state)" \
"3 prefix 192.0.2.0/24,2001:db8:77::/48
65535 prefix 0.0.0.0/0
[$VIP6]:$PORT group 3 wait nodes 2,4"
	must ctl 1 service add "$vip"
	check_eq "and has none when it comes back" \
		"$(ctl 1 -j explain "192.0.2.9:1000-$vip" syn | jq .verdict)" \
		'"local"'
	must ctl 1 pool del "[$VIP6]:$PORT" group 3
	must ctl 1 node del 4
	check_true "a node that no pool names can go" ctl 1 group del 3
}

# As many as the kernel takes, in one message.
large()
{
	local i

	for ((i = 0; i < 65536; i++)); do
		echo "$((i % 1000 + 1)) prefix 100.$((i >> 8)).$((i & 255)).0/24"
	done > "$TMP/large"
	awk '{ p[$1] = p[$1] "," $3 } END {
		for (g in p) print g, "prefix", substr(p[g], 2) }' \
		"$TMP/large" > "$TMP/pools"
	check_true "65536 prefixes are taken" ctl 1 pool load "$TMP/pools"
	check_eq "and listed" "$(ctl 1 -j group list |
		jq '[.[].prefixes | length] | add')" 65536
	check_eq "and found" "$(ctl 1 -j explain \
		"100.3.5.9:1000-$VIP4:$PORT" syn | jq .group)" \
		$(((3 * 256 + 5) % 1000 + 1))
	echo "1001 prefix 101.0.0.0/24" >> "$TMP/pools"
	refuses "too many prefixes" pool load "$TMP/pools"
}

test_begin
for outer in 4 6; do
	cluster_up 4
	mlb_up --family $outer
	services_up
	servers_up
	if [ $outer = 4 ]; then
		placed 4 local
		refused 4 local
	fi
	service_all set "$(vip_port $outer)" sched maglev
	placed $outer maglev
	refused $outer maglev
	waits $outer maglev
	changes $outer
	if [ $outer = 4 ]; then
		by_hand
		large
		children_end
		cluster_down
	fi
done
tap_done
