#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, an ICMP error about a connection is lost when the router hands
# it to another node: path MTU discovery fails, and large answers never arrive.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

SMALL=1300

# All ICMP to the VIPs goes to one node.
icmp_pin() # NODE
{
	local i=$1

	netns_batch "$PREFIX-r" <<-END
		route replace $VIP4/32 via $(node_link4 "$i") dev n$i table 150
		route replace $VIP6/128 via $(node_link6 "$i") dev n$i table 150
		rule add ipproto 1 to $VIP4 table 150 pref 150
	END
	netns_batch "$PREFIX-r" -6 <<-END
		rule add ipproto 58 to $VIP6 table 150 pref 150
	END
}

route_mtu() # NODE 4|6
{
	local -n to=CLIENT$2

	on_node "$1" ip "-$2" route get "${to[0]}" |
		sed -nE 's/.* mtu (lock )?([0-9]+).*/\2/p'
}

mtu_learnt() { [ "$(route_mtu "$1" "$2")" = "$SMALL" ]; }

# The server's answers are too large for the way back. Its connection came to
# node 1, the router's complaint goes to node 2, which has never heard of it.
path_mtu() # 4|6 RUN [CLIENT_OPTION...]
{
	local f=$1 name=$2
	local -n to=CLIENT$f

	stats_mark
	must ip -n "$PREFIX-r" route add "${to[0]}" dev c1 mtu lock $SMALL
	client_run "$name" -n 1 -b 300000 -T 60000 "${@:3}" "$(vip "$f")" "$PORT"
	check_eq "IPv$f, $name: the transfer is whole" "${R[ok]}" 1
	check_true "IPv$f, $name: the owner knows the path's MTU" mtu_learnt 1 "$f"
	stats_take
	check_ge "IPv$f, $name: node 2 sent the ICMP error on" \
		"$(grew steer icmp 2)" 1
	check_eq "IPv$f, $name: and no packet else" "$(grew tunnel tx 2)" \
		$(($(grew steer icmp 2) + $(grew steer flow 2) +
		$(grew steer resolved 2) + $(grew steer new-remote 2) +
		$(grew steer syn 2)))
	check_eq "IPv$f, $name: nothing odd about it" "$(grew bad icmp-mtu)" 0
	must ip -n "$PREFIX-r" route del "${to[0]}" dev c1
	on_node 1 ip "-$f" route flush cache
}

icmp() # 4|6 DPORT [OPTION...]
{
	local f=$1 dport=$2 from=10.1.1.9
	local -n to=CLIENT$f

	[ "$f" = 4 ] || from=2001:db8:1:1::9
	must on_client "$RAWPKT" icmp "${@:3}" $from "$(vip "$f")" "$PORT" \
		"${to[0]}" "$dport"
}

# The owner's stack found the connection, and saw that the error was not about
# anything under way.
judged() # NODE
{
	nstat_get "$PREFIX-n$1" TcpExtOutOfWindowIcmps
}

judged_more() { [ "$(judged 1)" -gt "$1" ]; }

# Forms of one error about one connection, all of which reach its stack.
forms() # 4|6
{
	local f=$1 port form forms=("-t 8" "-t 20" "-t 1000") before

	[ "$f" = 4 ] || forms+=("-e" "-e -t 500")
	client_start forms -n 1 -b 100 -P 30000 -w "$(vip "$f")" "$PORT"
	client_must forms connected
	port=30000
	for form in "${forms[@]}"; do
		before=$(judged 1)
		stats_mark
		# shellcheck disable=SC2086
		icmp "$f" $port $form
		wait_for 5 judged_more "$before"
		check_eq "IPv$f, $form: the owner's stack judged it" \
			$(($(judged 1) - before)) 1
		stats_take
		check_eq "IPv$f, $form: sent there once" "$(grew steer icmp 2)" 1
		check_eq "IPv$f, $form: came out once" "$(grew steer tunnel-in 1)" 1
	done
	# Absurd sizes are passed on too, and bounded by the stack.
	for form in 0 68 551 1279; do
		[ "$f" = 6 ] || [ $form -lt 552 ] || continue
		stats_mark
		icmp "$f" $port -m $form
		wait_for 5 moved_ge 1 bad icmp-mtu 2
		check_eq "IPv$f: an MTU of $form is counted" \
			"$(moved bad icmp-mtu 2)" 1
	done
	check_eq "IPv$f: no route has become that small" "$(route_mtu 1 "$f")" ""
	client_go forms
	client_end forms
	check_eq "IPv$f: the connection is unharmed" "${R[ok]}" 1
}

# What is about no connection costs a bounded number of questions.
strangers() # 4|6
{
	local f=$1

	wait_for 10 owner_total_is 0
	stats_mark
	icmp "$f" 999
	wait_for 5 moved_ge 1 resolve timeout 2
	stats_take
	check_eq "IPv$f: about no flow: asked for" "$(grew resolve started 2)" 1
	check_eq "IPv$f: about no flow: nobody claims it" \
		"$(grew steer unclaimed 2)" 1
	check_eq "IPv$f: about no flow: not sent on" "$(grew tunnel tx)" 0
	check_eq "IPv$f: about no flow: no entry is made" "$(flow_count 2)" 0

	stats_mark
	icmp "$f" 999 -i
	icmp "$f" 999 -i -t 100
	[ "$f" = 4 ] || icmp "$f" 999 -i -e
	sleep 0.2
	check_eq "IPv$f: ICMP inside ICMP moves nothing" "$(stats_changed 2)" ""

	stats_mark
	icmp "$f" 1000 -n 5000
	wait_for 10 moved_ge 1 resolve drop-icmp 2
	wait_for 10 nothing_parked 2
	stats_take
	check_ge "IPv$f: many: most are dropped and counted" \
		"$(grew resolve drop-icmp 2)" 1
	check_eq "IPv$f: many: each had one fate" $(($(grew resolve drop-icmp 2) +
		$(grew resolve parked 2) + $(grew resolve drop-full 2) +
		$(grew resolve drop-rate 2))) 5000
	check_eq "IPv$f: many: none is sent on" "$(grew tunnel tx)" 0
	check_eq "IPv$f: many: no entry is made" "$(flow_count 2)" 0
}

nothing_parked() # NODE
{
	ctl "$1" set | grep -q '^parked *0$'
}

test_begin
cluster_up 3
mlb_up
services_up
servers_up
router_pin 0 1
icmp_pin 2
for f in 4 6; do
	path_mtu $f "unknown flow, plain TCP" -t
	path_mtu $f "unknown flow"
	forms $f
	for ((i = 1; i <= NODES; i++)); do
		must ctl $i set resolve-timeout 20
	done
	strangers $f
	for ((i = 1; i <= NODES; i++)); do
		must ctl $i set resolve-timeout 500
	done
done
# The tunnel's other way round: connections that node 2 sends to node 1.
service_all set "$VIP4:$PORT" sched maglev nodes 1
service_all set "[$VIP6]:$PORT" sched maglev nodes 1
router_pin 0 2
for f in 4 6; do
	path_mtu $f "known flow"
done
tap_done
