#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a node whose server has crashed keeps its clients, or a server
# that comes and goes throws them to and fro.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/corosync.sh
. "$MLB_TESTS/lib/corosync.sh"
# shellcheck source=lib/mlbd.sh
. "$MLB_TESTS/lib/mlbd.sh"
# shellcheck source=lib/power.sh
. "$MLB_TESTS/lib/power.sh"

N=$(scaled 40 10)
LOAD_N=$(scaled 20 5)
CRASHES=$(scaled 6 2)
GROUP=10.1.1.0/24,2001:db8:1:1::/64

# Looks at both services as often as this.
checks()
{
	local f

	for f in 4 6; do
		printf '[check v%s]\nservice = %s\ntype = mptcp\n' "$f" \
			"$([ $f = 4 ] && echo "$VIP4:$PORT" || echo "[$VIP6]:$PORT")"
		printf 'interval = 200\ntimeout = %s\nfall = 2\nrise = 2\n' \
			$((200 * MLB_SCALE))
	done
}

server_crash() # NODE 4|6
{
	kill_hard "${SERVER_PID[$1.$2]}"
}

server_again() # NODE 4|6
{
	server_start "$1" "$2"
	server_listens "$1" "$2"
}

well() # NODE
{
	[ "$(cluster_status "$1" '.health.services | map(.) | unique | join(" ")')" = up ]
}

# What node 1's mlbd has said so far.
log_size() { stat -c %s "$TMP/mlbd.1"; }

moves_since() # LOG_SIZE
{
	tail -c "+$(($1 + 1))" "$TMP/mlbd.1" | grep -c "role web is held"
}

TAKEN=()

crash() # ROUND 4|6 NODE OTHER
{
	local what="crash $1, IPv$2" f=$2 node=$3 other=$4 t0
	local -n addrs=CLIENT$f

	probe_start role "$f" "${addrs[0]}"
	probe_at role "$node"
	t0=$(now_us)
	server_crash "$node" "$f"
	sleep $((1 + MLB_SCALE / 2)).2
	probe_end role
	probe_first role "$t0" "$node"
	check_true "$what: a spare takes the role" test -n "$MS"
	TAKEN+=("$MS" "$OURS")
	tap_note "$what: it serves after $MS ms (with $SHARE % of a CPU):" \
		"decision $(mlbd_said 1 "$t0" "role web is held by $other") ms"
	server_again "$node" "$f"
	check_comes "$what: the node is well again" 10 well "$node"
}

crashes()
{
	local i

	for ((i = 1; i <= CRASHES; i++)); do
		if ((i % 2)); then
			crash $i 4 2 3
		else
			crash $i 6 3 2
		fi
	done
	check_times "a crash to the first connection served by the spare" \
		$((1000 * MLB_SCALE)) $((1000 * MLB_SCALE)) "${TAKEN[@]}"
	check_eq "node 1 tells why" "$(node_ctl 1 cluster role list |
		grep -c "does not serve .*:$PORT: node 2 takes it")" 1
}

# Up for longer than a look or two, down for longer: each time it seems well.
flaps()
{
	local size i ok=0

	must node_ctl 1 cluster role set web failback yes
	[ "$(held_by 1 web)" = 2 ] || must node_ctl 1 cluster role move web 2
	check_comes "flaps: the role is at home" 10 role_at web 2 1 2 3
	size=$(log_size)
	for i in 1 2 3 4; do
		server_crash 2 4
		sleep 0.8
		[ "$i" != 1 ] || wait_for 10 role_at web 3 1 2 3
		client_run flap$i -n "$N" -b 1000 -S "${CLIENT4[0]}" "$VIP4" \
			"$PORT" > /dev/null
		ok=$((ok + $(served_by 3)))
		server_again 2 4
		sleep 1
	done
	check_eq "flaps: its clients have the spare all the while" $ok $((4 * N))
	check_eq "flaps: the role has moved once" "$(moves_since "$size")" 1
	check_comes "flaps: it goes home when that has been well" 15 \
		role_at web 2 1 2 3
	check_eq "flaps: once" "$(moves_since "$size")" 2
	client_run home -n "$N" -b 1000 -S "${CLIENT4[0]}" "$VIP4" "$PORT"
	check_eq "flaps: and serves" "${R[ok]} $(served_by 2)" "$N $N"
}

# After so long, and not before.
failback()
{
	local t0 f

	must node_ctl 1 cluster role set web failback 7
	server_crash 2 6
	check_comes "failback 7: the spare has it" 10 role_at web 3 1 2 3
	server_again 2 6
	t0=$(now_us)
	check_comes "failback 7: it goes home" 20 role_at web 2 1 2 3
	check_range "failback 7: in time, ms" $((($(now_us) - t0) / 1000)) 7000 \
		$((7000 + 2500 * MLB_SCALE))
	for f in 4 6; do
		local -n addrs=CLIENT$f
		client_run back$f -n "$N" -b 1000 -S "${addrs[0]}" "$(vip $f)" \
			"$PORT"
		check_eq "failback 7, IPv$f: and serves" \
			"${R[ok]} $(served_by 2)" "$N $N"
	done
}

# By way of nobody, and nobody is refused meanwhile.
exclusive()
{
	local t0 to

	must node_ctl 1 cluster role set web exclusive yes
	probe_start role 4 "${CLIENT4[0]}"
	probe_at role 2
	t0=$(now_us)
	for to in 3 2 3; do
		must node_ctl 1 cluster role move web $to
		check_comes "exclusive: node $to has it" 10 role_at web $to 1 2 3
	done
	probe_at role 3
	sleep $((1 + MLB_SCALE / 5)).5
	probe_end role
	check_eq "exclusive: nobody was refused" \
		"$(probe_count role "$t0" refused)" 0
}

test_begin corosync mlbd chrt
NODE_CONF=$(checks)
daemons_up 3
servers_found
for i in 1 2 3; do
	check_true "node $i is well" well $i
done
endpoints_add
live_start 1
must node_ctl 1 cluster group add eu prefixes "$GROUP"
must node_ctl 1 cluster role add web groups eu nodes 2 spares 3 failback no
check_comes "a role is its home's" 10 role_at web 2 1 2 3
crashes
flaps
failback
exclusive
live_end
tap_done
