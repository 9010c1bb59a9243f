#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a node that is taken out of service for repair breaks the
# connections that it has, never gets empty, is taken out too early or never, or
# leaves clients waiting when its time is over.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/corosync.sh
. "$MLB_TESTS/lib/corosync.sh"
# shellcheck source=lib/mlbd.sh
. "$MLB_TESTS/lib/mlbd.sh"
# shellcheck source=lib/power.sh
. "$MLB_TESTS/lib/power.sh"

N=$(scaled 40 10)
NODE=2

state_is() # STATE: of the node that drains, in every kernel
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		ctl "$i" node list | grep -q "^$NODE .* state $1" || return 1
	done
}

drain_json() # JQ
{
	cluster_status $NODE ".cluster.drain$1"
}

# Connections of the services that the node's sockets have, as ss shows them.
sockets()
{
	on_node "$NODE" ss -Htn state connected exclude time-wait \
		"sport = :$PORT" | wc -l
}

left_is_right()
{
	[ "$(drain_json .connections)" = "$(sockets)" ]
}

told_elsewhere()
{
	node_ctl 1 status | grep -q \
		"^node $NODE drains since .*: [1-9][0-9]* connections left, then maintenance$"
}

ends_soon()
{
	node_ctl "$NODE" status | grep -q ", at the latest in [0-5]s$"
}

# Half of the paths, so that some connections of the node get their second one
# while it drains; the rest of the transfers begins when all have it.
drain_run() # 4|6
{
	local f=$1 t0 ms

	endpoints_flush
	client_start old -n "$N" -b 50000 -s 20000 -w "$(vip "$f")" "$PORT"
	client_must old connected
	wait_for 5 owner_total_is "$N"
	must node_ctl 1 cluster node drain $NODE
	check_comes "IPv$f: the node drains, everybody knows" 5 state_is drain
	endpoints_add
	client_must old ready
	client_run new -n "$N" -b 1000 "$(vip "$f")" "$PORT"
	check_eq "IPv$f: new connections work" "${R[ok]}" "$N"
	check_eq "IPv$f: none of them on the draining node" \
		"$(served_by $NODE)" 0
	check_comes "IPv$f: status tells what is left" 5 left_is_right
	check_ge "IPv$f: which is something" "$(drain_json .connections)" 1
	check_eq "IPv$f: without a time" "$(drain_json .left)" null
	node_ctl "$NODE" status > "$TMP/status"
	check_true "IPv$f: in words too" line_there "$TMP/status" \
		"^this node drains since .*: [1-9][0-9]* connections left, then maintenance$"
	check_comes "IPv$f: on any node" 5 told_elsewhere
	sleep 2
	check_true "IPv$f: it waits" state_is drain
	client_go old
	client_end old
	t0=${EPOCHREALTIME/./}
	check_ge "IPv$f: the node had connections" "$(served_by $NODE)" 1
	check_eq "IPv$f: every join was still let in" "${R[second]}" "$N"
	check_eq "IPv$f: every old transfer is whole" "${R[ok]}" "$N"
	check_comes "IPv$f: when it is empty, maintenance follows" 10 \
		state_is maintenance
	ms=$(((${EPOCHREALTIME/./} - t0) / 1000))
	tap_note "after $ms ms"
	check_true "IPv$f: an event tells why" wait_for 5 line_there \
		"$TMP/monitor.1" '"op":"drain-end".*"reason":"empty"'
	must node_ctl 3 cluster node undrain $NODE
	check_comes "IPv$f: undrain ends it" 5 state_is active
	client_run back -n "$N" -b 1000 "$(vip "$f")" "$PORT"
	check_ge "IPv$f: it takes connections again" "$(served_by $NODE)" 1
}

ended_event() # JQ
{
	jq -r "select(.event == \"drain\" and .state == \"ended\") | $1" \
		"$TMP/monitor.$NODE" | tail -n 1
}

# Connections that nobody ends do not hold it up for ever: idle ones and others,
# with two paths, and plain TCP. Those of other nodes run on.
timeout_run() # 4|6
{
	local f=$1 t0 ms told what

	endpoints_flush
	router_pin 0 $NODE
	client_start idle -n "$N" -s 20000 -w "$(vip "$f")" "$PORT"
	client_start flow -n "$N" -b 1000000 -r 2000 -s 20000 -w \
		"$(vip "$f")" "$PORT"
	client_start tcp -t -n 4 -w "$(vip "$f")" "$PORT"
	for what in idle flow tcp; do
		client_must $what connected
	done
	router_pin 0 3
	client_start live -n "$N" -b 50000 -s 20000 -w "$(vip "$f")" "$PORT"
	client_must live connected
	router_pin 1 1
	endpoints_add
	for what in idle flow live; do
		client_must $what ready
	done
	client_go flow
	client_must flow flowing
	t0=$(now_us)
	must node_ctl 1 cluster node drain $NODE timeout 5
	check_comes "timeout, IPv$f: status tells when it ends" 3 ends_soon
	for what in idle flow tcp; do
		wait "${CLIENT_PID[$what]}"
	done
	told=$(now_us)
	for what in idle flow tcp; do
		client_end $what
		check_eq "timeout, IPv$f, $what: every client is told" \
			"${R[reset]}" "${R[connections]}"
		[ $what = tcp ] || check_eq \
			"timeout, IPv$f, $what: all had two paths" \
			"${R[second]}" "$N"
	done
	ms=$(mlbd_said $NODE "$t0" "the drain of this node is over")
	check_range "timeout, IPv$f: in time, ms" "$ms" 4900 \
		$((8000 * MLB_SCALE))
	told=$(((told - t0) / 1000 - ms))
	check_range "timeout, IPv$f: then the last client knows within, ms" \
		"$told" 0 $((1000 * MLB_SCALE))
	tap_note "after $ms ms; $told ms later the last client knew:" \
		"$(grep -o 'what was left.*' "$TMP/mlbd.$NODE" | tail -n 1)"
	check_comes "timeout, IPv$f: maintenance follows" 10 state_is maintenance
	check_true "timeout, IPv$f: an event tells why, and what was left" \
		wait_for 5 line_there "$TMP/monitor.1" \
		'"op":"drain-end".*"reason":"timeout".*"connections":[1-9]'
	check_eq "timeout, IPv$f: another, what was ended" \
		"$(ended_event '"\(.connections) \(.sockets)"')" "$((2 * N)) 4"
	check_eq "timeout, IPv$f: the node has none any more" "$(sockets)" 0
	client_go live
	client_end live
	check_eq "timeout, IPv$f: other nodes' connections are whole" \
		"${R[ok]}" "$N"
	router_unpin 0
	router_unpin 1
	must node_ctl 1 cluster node undrain $NODE
	check_comes "timeout, IPv$f: undrain ends maintenance" 5 state_is active
}

# Who says maintenance himself has not said when.
by_hand_run()
{
	endpoints_flush
	client_start held -n "$N" -b 50000 -w "$VIP4" "$PORT"
	client_must held connected
	must node_ctl 1 cluster node drain $NODE timeout 600
	check_comes "by hand: the node drains" 5 state_is drain
	must node_ctl 1 cluster node set $NODE state maintenance
	check_comes "by hand: maintenance follows" 5 state_is maintenance
	sleep 1
	client_go held
	client_end held
	check_ge "by hand: the node had connections" "$(served_by $NODE)" 1
	check_eq "by hand: what runs goes on to its end" "${R[ok]}" "$N"
	must node_ctl 1 cluster node undrain $NODE
	check_comes "by hand: undrain ends maintenance" 5 state_is active
}

# What ended was an error to the server's application, too.
servers_told()
{
	local f

	for f in 4 6; do
		kill "${SERVER_PID[$NODE.$f]}"
		child_ends "${SERVER_PID[$NODE.$f]}"
		check_ge "IPv$f: the server's application was told" \
			"$(sed -n 's/.* broken=//p' "$TMP/server.$NODE.$f")" \
			$((2 * N + 4))
	done
}

# Its mlbd, started anew, begins to count anew; the manager does not. It has to be
# there again before the time is over, which takes a slow machine longer.
restart_run()
{
	local t0 ms timeout=$((4 + 2 * MLB_SCALE))

	endpoints_flush
	client_start held -n "$N" -b 50000 -w "$VIP6" "$PORT"
	client_must held connected
	t0=${EPOCHREALTIME/./}
	must node_ctl 1 cluster node drain $NODE timeout $timeout
	check_comes "restart: the node drains" 5 state_is drain
	sleep 3
	mlbd_kill $NODE
	mlbd_start $NODE
	check_true "restart: the node drains on" state_is drain
	check_comes "restart: maintenance follows" 15 state_is maintenance
	ms=$(((${EPOCHREALTIME/./} - t0) / 1000))
	check_range "restart: as long as at first, and grace, ms" $ms \
		$((1000 * timeout - 100)) $((11000 * MLB_SCALE))
	sleep 1
	client_go held
	client_end held
	check_ge "restart: what is left then ends, too" "${R[reset]}" 1
	check_eq "restart: all of it" "${R[reset]}" "$(served_by $NODE)"
	check_eq "restart: what others have goes on to its end" "${R[ok]}" \
		$((N - R[reset]))
	must node_ctl 1 cluster node undrain $NODE
	check_comes "restart: undrain ends maintenance" 5 state_is active
}

refusals()
{
	node_ctl 1 cluster node drain 22 timeout 5 > "$TMP/out" 2>&1
	check_eq "a node of which nobody knows does not drain" $? 1

	node_ctl 1 cluster node drain $NODE timeout 0 > "$TMP/out" 2>&1
	check_eq "a timeout of 0 s is none" $? 2
	node_ctl 1 cluster node set $NODE drain-timeout 5 > "$TMP/out" 2>&1
	check_eq "a node that does not drain has no timeout" $? 1
	check_true "which is said" line_there "$TMP/out" \
		"drain-timeout is for a node in drain"
	must node_ctl 1 cluster node set $NODE state drain
	sleep 4
	check_true "a state that was set stays" state_is drain
	check_eq "show: as the command that would make it" \
		"$(node_ctl 1 cluster show | grep "^node set $NODE")" \
		"node set $NODE weight 1 state drain"
	must node_ctl 1 cluster node drain $NODE timeout 600
	check_comes "unless it is told to end" 10 state_is maintenance
	must node_ctl 1 cluster node undrain $NODE
}

test_begin corosync mlbd ss
daemons_up 3
servers_up
for i in 1 $NODE; do
	spawn "$PREFIX-n$i" "$TMP/monitor.$i" mlbctl -s \
		"/proc/${NODE_PID[$i]}/root/run/mlb/mlbd.sock" -j monitor -r \
		cluster
	wait_for 5 line_there "$TMP/monitor.$i" ready || bail "no monitor"
done
drain_run 4
drain_run 6
timeout_run 4
timeout_run 6
restart_run
by_hand_run
refusals
servers_told
tap_done
