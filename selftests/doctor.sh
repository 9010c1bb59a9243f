#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, who sets a cluster up wrongly is not told what is wrong, or is
# told that something is wrong with a cluster that works.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

STATUS=0

diagnose() # NODE
{
	ctl "$1" -j doctor > "$TMP/doctor"
	STATUS=$?
}

# The remedies of a check's findings whose text has these words, a line each.
remedies() # CHECK RESULT WORDS
{
	jq -r --arg check "$1" --arg result "$2" --arg words "$3" '
		.[] | select(.check == $check and .result == $result) |
		select(.text | contains($words)) | .remedy // ""' "$TMP/doctor"
}

found() # DESCRIPTION CHECK RESULT WORDS
{
	check_true "$1" [ -n "$(remedies "${@:2}" | sed 's/^$/-/')" ]
	check_eq "$1: exit status" "$STATUS" \
		"$(jq 'if any(.result == "wrong") then 1 else 0 end' "$TMP/doctor")"
}

healthy() # DESCRIPTION NODE
{
	diagnose "$2"
	check_eq "$1: nothing is wrong" \
		"$(jq -c '[.[] | select(.result == "wrong")]' "$TMP/doctor")" "[]"
	check_eq "$1: exit status" "$STATUS" 0
}

# The remedy is a command that mends it.
mended() # DESCRIPTION NODE CHECK RESULT WORDS
{
	local remedy

	remedy=$(remedies "${@:3}")
	# shellcheck disable=SC2086
	must on_node "$2" ${remedy:-false} > /dev/null
	diagnose "$2"
	check_eq "$1: \"$remedy\" mends it" "$(remedies "${@:3}")" ""
}

sysctls()
{
	local setting

	for setting in net.ipv4.conf.mlb0.rp_filter=1 \
		       net.ipv4.conf.mlb0.rp_filter=2 \
		       net.ipv4.conf.all.rp_filter=1; do
		must on_node 1 sysctl -qw "$setting"
		diagnose 1
		found "$setting" rp_filter wrong "${setting%=*} is ${setting#*=}"
		mended "$setting" 1 rp_filter wrong mlb0
	done
	must on_node 1 sysctl -qw net.ipv4.conf.eth0.rp_filter=1
	diagnose 1
	found "a strict device" rp_filter note "strict on eth0"
	must on_node 1 sysctl -qw net.ipv4.conf.eth0.rp_filter=0

	must on_node 1 sysctl -qw net.mptcp.enabled=0
	diagnose 1
	found "MPTCP switched off" mptcp wrong "switched off"
	mended "MPTCP switched off" 1 mptcp wrong "switched off"
	must on_node 1 sysctl -qw net.mptcp.allow_join_initial_addr_port=0
	diagnose 1
	found "no joins" mptcp wrong "not to join"
	mended "no joins" 1 mptcp wrong "not to join"
	must on_node 1 sysctl -qw net.ipv4.tcp_syncookies=0
	diagnose 1
	found "no SYN cookies" cookies note "no SYN cookies"
	mended "no SYN cookies" 1 cookies note "no SYN cookies"
}

addresses()
{
	local address

	for address in "$VIP4/32" "$VIP6/128"; do
		must ip -n "$PREFIX-n1" addr del "$address" dev lo
		diagnose 1
		found "no ${address%/*}" service wrong "${address%/*}"
		mended "no ${address%/*}" 1 service wrong "${address%/*}"
	done
}

# One server on node 1 in place of its two.
server() # [OPTION...] ADDR
{
	spawn "$PREFIX-n1" "$TMP/server" "$LOAD" server "$@" "$PORT"
	wait_for 10 line_there "$TMP/server" listening ||
		bail "no server: $(cat "$TMP/server")"
	diagnose 1
}

servers()
{
	local f name

	children_end
	diagnose 1
	for name in "$VIP4:$PORT" "[$VIP6]:$PORT"; do
		found "$name without server" server wrong "$name: nothing listens"
	done
	for f in 4 6; do
		server -t "$(vip $f)"
		found "IPv$f server without MPTCP" server note "$(vip $f)"
		check_true "and the way out" grep -q mptcpize "$TMP/doctor"
		children_end
	done
	server 0.0.0.0
	check_eq "0.0.0.0 serves the IPv4 service" \
		"$(remedies server wrong "$VIP4")$(remedies server note "$VIP4")" ""
	check_true "but not the IPv6 one" [ -n "$(remedies server wrong "$VIP6")" ]
	children_end
	server ::
	check_eq ":: serves both" \
		"$(remedies server wrong "")$(remedies server note "")" ""
	children_end
	servers_up
}

# Node 3 is not reached, or does not reach; both sides are told.
suspects_are() # NODE NUMBER
{
	[ "$(ctl "$1" -j node list | jq '[.[] | select(.suspect)] | length')" = \
		"$2" ]
}

node_lost() # DESCRIPTION
{
	wait_for 5 suspects_are 1 1
	diagnose 1
	found "$1, seen at node 1" alive wrong "node 3: suspect"
	found "$1, seen at node 1" node wrong "node 3"
	check_eq "$1: node 2 is reached" "$(remedies node wrong "node 2")" ""
	check_true "$1: says what to compare" grep -q 'key-id.*firewall' "$TMP/doctor"
	diagnose 3
	found "$1, seen at node 3" node wrong "node 1"
}

nodes()
{
	must ctl 3 key set "$(key_file other "quite another cluster's key")"
	node_lost "another key"
	check_true "another key: is recognised by what came in" \
		[ -n "$(remedies node wrong "so the keys differ")" ]
	must ctl 3 key set "$TMP/key"
	wait_for 10 suspects_are 3 0
	healthy "node 3 is back" 3
}

walls()
{
	must ctl 3 set port 7777
	node_lost "another port"
	must ctl 3 set port 6084

	must on_node 3 nft -f - <<-END
		table inet wall {
			chain input {
				type filter hook input priority 0
				udp dport 6084 drop
			}
		}
	END
	node_lost "a firewall"
	must on_node 3 nft delete table inet wall
	wait_for 10 suspects_are 1 0
}

mtu() # OVERHEAD
{
	must ip -n "$PREFIX-n1" link set eth1 mtu 1500
	diagnose 1
	found "MTU 1500" mtu note "the tunnel leaves $((1500 - $1))"
	check_true "MTU 1500: what is needed" \
		grep -q "an MTU of $((1500 + $1))" "$TMP/doctor"
	must ip -n "$PREFIX-n1" link set eth1 mtu 1300
	diagnose 1
	found "MTU 1300" mtu wrong "IPv6 needs 1280"
	must ip -n "$PREFIX-n1" link set eth1 mtu 1600
}

test_begin nft
for f in 4 6; do
	cluster_up 3
	mlb_up --family $f
	services_up
	servers_up
	for ((i = 1; i <= NODES; i++)); do
		healthy "IPv$f, node $i" $i
	done
	check_eq "IPv$f: the other nodes answer" \
		"$(jq -c '[.[] | select(.check == "node") | .result]' "$TMP/doctor")" \
		'["ok","ok"]'
	nodes
	mtu $((f == 4 ? 44 : 64))
	if [ $f = 4 ]; then
		walls
		sysctls
		addresses
		servers
		healthy "all is mended" 1
		ctl 1 doctor -q > "$TMP/quiet"
		check_eq "quiet: of what is ok, nothing" \
			"$(grep -c '^ok' "$TMP/quiet")" 0
		mlbctl -n "$PREFIX-r" -j doctor > "$TMP/doctor"
		STATUS=$?
		found "without key" key wrong "no cluster key"
		found "without nodes" self wrong "no node is this host"
		found "without services" service wrong "no service"
	fi
	children_end
	cluster_down
done
must rmmod mlb
mlbctl -j doctor > "$TMP/doctor"
check_eq "without the module: exit status" $? 3
check_eq "without the module: what to do" \
	"$(remedies module wrong "not loaded")" "modprobe mlb"
tap_done
