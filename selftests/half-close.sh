#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a client that has sent all and shut down its side, as some
# programs do, loses the rest of the answer.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

half_close() # NAME 4|6 OPTION...
{
	local rsts

	router_nexthops 1 2 3
	rsts=$(nodes_nstat TcpOutRsts)
	client_start half -n 20 -u 1000 -b 200000 -r 20000 -H -T 60000 \
		"${@:3}" "$(vip "$2")" "$PORT"
	client_must half flowing
	stats_mark
	router_nexthops 3 1 2
	wait_for 10 moved_ge 20 tunnel rx
	stats_mark
	router_nexthops 2 1
	wait_for 10 moved_ge 20 tunnel rx
	check_true "$1: servers still send" client_runs half
	client_end half
	check_eq "$1: every answer is whole" "${R[ok]}" 20
	check_eq "$1: no node sent a RST" \
		$(($(nodes_nstat TcpOutRsts) - rsts)) 0
}

test_begin
cluster_up 3
mlb_up
services_up
servers_up
for f in 4 6; do
	half_close "IPv$f, TCP" $f -t
	half_close "IPv$f, MPTCP" $f
done
tap_done
