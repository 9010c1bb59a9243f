#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, clients of a node whose power fails wait longer than a second
# for another one, or are refused meanwhile.
# shellcheck disable=SC2034 # for lib/corosync.sh
COROSYNC_TOKEN=${COROSYNC_TOKEN:-$((300 * ${MLB_SCALE:-1}))}
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/corosync.sh
. "$MLB_TESTS/lib/corosync.sh"
# shellcheck source=lib/mlbd.sh
. "$MLB_TESTS/lib/mlbd.sh"
# shellcheck source=lib/power.sh
. "$MLB_TESTS/lib/power.sh"

ROUNDS=$(scaled 6 2)

# Node 2 or 3 has the clients of the first address; everybody those of the
# second.
GROUP=10.1.1.0/24,2001:db8:1:1::/64

# For check_times.
FIRST=() TAKEN=() OWN=()

# Source ports whose connections the nodes give to each node.
ports_find() # 4|6
{
	local -n addrs=CLIENT$1
	local src=${addrs[1]} dst=$VIP4 p

	[ "$1" = 4 ] || { src="[$src]" dst="[$VIP6]"; }
	for ((p = 20000; p < 21000; p++)); do
		echo "explain $src:$p-$dst:$PORT syn"
	done > "$TMP/explain"
	must ctl 1 -b "$TMP/explain" > "$TMP/explained"
	paste -d' ' "$TMP/explain" "$TMP/explained" > "$TMP/ports.$1"
}

ports_of() # 4|6 NODE
{
	sed -n "s/^[^-]*:\([0-9]*\)-.* node $2[ ,:].*/\1/p" "$TMP/ports.$1"
}

round() # ROUND 4|6
{
	local what="power-off $1, IPv$2" f=$2 node other t0 cut lost
	local -n addrs=CLIENT$f

	node=$(held_by 1 web) other=$((5 - node))
	# shellcheck disable=SC2046
	probe_start any "$f" "${addrs[1]}" $(ports_of "$f" "$node")
	probe_start role "$f" "${addrs[0]}"
	probe_at any "$node"
	probe_at role "$node"
	node_off "$node"
	t0=$OFF_AT cut=$(now_us)
	# Nothing else is to be busy meanwhile.
	sleep $((1 * MLB_SCALE)).3
	probe_at role "$other"
	probe_end any
	probe_end role
	probe_first any "$t0" "$node"
	check_true "$what: new connections get another node" test -n "$MS"
	FIRST+=("$MS" "$OURS")
	tap_note "$what: first new connection served by another node after" \
		"$MS ms (with $SHARE % of a CPU)"
	probe_first role "$t0" "$node"
	check_true "$what: a spare takes the role" test -n "$MS"
	lost=$(mlbd_said 1 "$t0" "node $node is dead")
	tap_note "$what: it serves after $MS ms ($SHARE %):" \
		"corosync $lost, decision" \
		"$(mlbd_said 1 "$t0" "role web is held by $other") ms"
	# By its settings it takes 2.2 of these, and longer where many of it
	# wait for one CPU: what is ours is judged all the same.
	[ "${lost:-99999}" -le $((COROSYNC_TOKEN * 11 / 4)) ] || OURS=0
	TAKEN+=("$MS" "$OURS")
	OWN+=($((${MS:-99999} - ${lost:-0})) "$OURS")
	check_eq "$what: nobody was refused" \
		"$(probe_count any "$cut" refused) $(probe_count role "$cut" refused)" \
		"0 0"
	node_on "$node"
	all_ready
}

test_begin corosync mlbd chrt
daemons_up 4
servers_up
# A source port can be used again after a second.
must on_client sysctl -qw net.ipv4.tcp_tw_reuse=1
must node_ctl 1 cluster service set "$VIP4:$PORT" sched maglev
must node_ctl 1 cluster service set "[$VIP6]:$PORT" sched maglev
must node_ctl 1 cluster group add eu prefixes "$GROUP"
must node_ctl 1 cluster role add web groups eu nodes 2 spares 3 failback no
check_comes "a role is its home's" 10 role_at web 2 1 2 3 4
router_pin 0 1
router_pin 1 1
ports_find 4
ports_find 6
for ((i = 1; i <= ROUNDS; i++)); do
	round $i $((i % 2 ? 4 : 6))
done
check_times "power-off to the first new connection served by another node" \
	$((300 * MLB_SCALE)) $((1000 * MLB_SCALE)) "${FIRST[@]}"
check_times "power-off to the first connection served by the role's spare" \
	$((1200 * MLB_SCALE)) $((1200 * MLB_SCALE)) "${TAKEN[@]}"
check_times "of that, from corosync's word on" \
	$((150 * MLB_SCALE)) $((400 * MLB_SCALE)) "${OWN[@]}"
tap_done
