#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, operators cannot see the tunnelled traffic with their usual
# tools.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

mlb0() # NODE rx|tx COUNTER
{
	ip -n "$PREFIX-n$1" -s -j link show mlb0 | jq ".[0].stats64.$2.$3"
}

there() { ip -n "$PREFIX-n$1" link show mlb0 > /dev/null 2>&1 && echo yes; }

test_begin tcpdump
cluster_up 2
mlb_load
check_eq "no mlb0 before there is a self node" "$(there 1)" ""
mlb_up
alive_off
check_eq "mlb0 comes with the self node" "$(there 1)" yes
check_eq "mlb0 is up" "$(ip -n "$PREFIX-n1" -j link show mlb0 up |
	jq -r '.[0].ifname')" mlb0
services_up
servers_up
router_pin 0 1
router_pin 1 2
endpoints_add
for f in 4 6; do
	client_run dev$f -n 5 -b 100000 -s 20000 "$(vip $f)" "$PORT"
	check_eq "IPv$f: second paths" "${R[second]}" 5
done
check_ge "node 1 received through the tunnel" "$(mlb0 1 rx packets)" 20
check_eq "mlb0 counts every packet that came out" "$(mlb0 1 rx packets)" \
	"$(stat_get 1 tunnel rx)"
check_ge "mlb0 counts bytes" "$(mlb0 1 rx bytes)" \
	$(($(mlb0 1 rx packets) * 40))
check_ge "mlb0 counts what node 2 sent" "$(mlb0 2 tx packets)" \
	"$(stat_get 2 tunnel tx)"
# Node 1 has everything, so it only answers; a message has 64 bytes.
check_eq "node 1 sends no client's packet" "$(stat_get 1 tunnel tx)" 0
check_ge "mlb0 counts the answers" "$(mlb0 1 tx packets)" 1
check_eq "mlb0 counts what is in them, once" "$(mlb0 1 tx bytes)" \
	$(($(mlb0 1 tx packets) * 64))
check_eq "no receive errors" \
	$(($(mlb0 1 rx errors) + $(mlb0 1 rx dropped))) 0
check_eq "what node 2 sent is what node 1 got" "$(stat_get 2 tunnel tx)" \
	"$(stat_get 1 tunnel rx)"
# tcpdump's way of looking: a packet socket on mlb0.
spawn "$PREFIX-n1" "$TMP/dump" tcpdump -c 1 -n -i mlb0 tcp
wait_for 10 line_there "$TMP/dump" listening
client_run seen -n 2 -b 1000 -s 20000 "$VIP4" "$PORT"
check_true "a packet socket on mlb0 sees client packets" wait_for 10 \
	line_there "$TMP/dump" "${CLIENT4[1]}"
must ctl 1 node del 1
check_eq "mlb0 goes with the self node" "$(there 1)" ""
tap_done
