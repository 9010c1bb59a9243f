#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a client that uses a port again soon, as NATs do, cannot
# connect or has its packets answered by the port's last connection.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Servers close first, so TIME_WAIT is theirs.
time_waits() # NODE
{
	on_node "$1" ss -Htan state time-wait "sport = :$PORT" | wc -l
}

again() # NAME 4|6 OPTION...
{
	local i ok=0 port=$((20000 + RANDOM % 10000))

	for i in 1 2 3 1 2 3; do
		router_pin 0 $i
		client_run tw -P $port -b 2000 -T 8000 "${@:3}" "$(vip "$2")" \
			"$PORT" > /dev/null
		ok=$((ok + R[ok]))
	done
	check_eq "$1: one port used again and again, at all nodes" $ok 6
	check_ge "$1: node 1 has TIME_WAIT of it" "$(time_waits 1)" 1
}

# The 4-tuple is in TIME_WAIT on node 1 and alive on node 2, and the router
# hands its packets to node 1.
alive_elsewhere() # NAME 4|6 OPTION...
{
	local port=$((31000 + RANDOM % 1000))

	router_pin 0 1
	client_run old -P $port -b 2000 -T 8000 "${@:3}" "$(vip "$2")" "$PORT"
	check_eq "$1: the first use of the port works" "${R[ok]}" 1
	router_pin 0 2
	client_start tw -P $port -b 300000 -r 100000 -T 20000 "${@:3}" \
		"$(vip "$2")" "$PORT"
	client_must tw flowing
	stats_mark
	router_pin 0 1
	wait_for 10 moved_ge 10 tunnel rx 2
	client_end tw
	check_eq "$1: TIME_WAIT here, alive there: the transfer is whole" \
		"${R[ok]}" 1
	check_ge "$1: node 1 sent its packets on" "$(moved tunnel rx 2)" 10
}

# The last packets of a connection come to another node than its first.
fin_elsewhere() # NAME 4|6 OPTION...
{
	local rsts

	rsts=$(nodes_nstat TcpOutRsts)
	router_pin 0 1
	client_start fin -n 10 -b 40000 -r 20000 -T 20000 "${@:3}" \
		"$(vip "$2")" "$PORT"
	client_must fin flowing
	router_pin 0 3
	client_end fin
	check_eq "$1: ends reach the right node" "${R[ok]}" 10
	check_eq "$1: none is answered with a RST" \
		$(($(nodes_nstat TcpOutRsts) - rsts)) 0
}

test_begin ss
cluster_up 3
mlb_up
services_up
servers_up
for f in 4 6; do
	again "IPv$f, TCP" $f -t
	again "IPv$f, MPTCP" $f
	alive_elsewhere "IPv$f, TCP" $f -t
	alive_elsewhere "IPv$f, MPTCP" $f
	fin_elsewhere "IPv$f, TCP" $f -t
done
tap_done
