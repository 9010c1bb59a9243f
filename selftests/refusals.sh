#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a slip of an operator's hand is taken for an order, or half of
# it is.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# All that can be set, for "nothing is half applied". Ages move by themselves.
state()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	on_node 1 bash -c 'for what in node service owner; do
			mlbctl -j $what list
		done
		mlbctl -j set' | sed 's/,"age":[0-9]*//'
}

STATE=

refused() # STATUS ARGUMENT...
{
	local want=$1 after got

	shift
	: "${STATE:=$(state)}"
	ctl 1 "$@" > "$TMP/out" 2> "$TMP/err" < /dev/null
	got=$?
	after=$(state)
	if [ "$got" != "$want" ]; then
		tap_not_ok "refused: $*" "status $got, want $want: $(cat "$TMP/err")"
	elif [ ! -s "$TMP/err" ]; then
		tap_not_ok "refused: $*" "without a word"
	elif [ "$after" != "$STATE" ]; then
		tap_not_ok "refused: $*" "but something changed: $after"
	else
		tap_ok "refused ($got): $*"
	fi
	STATE=$after
}

taken() # ARGUMENT...
{
	STATE=
	ctl 1 "$@" > "$TMP/out" 2>&1 < /dev/null
	check_eq "taken: $*" "$?:$(cat "$TMP/out")" "0:"
}

setup()
{
	taken key set "$(key_file key "sixteen bytes at least")"
	taken node add 1 addr 10.3.0.1 self
	taken node add 2 addr 10.3.0.2 weight 5
	taken node add 3 addr 10.3.0.3
	taken node add 4 addr 10.3.0.4 encap gue
	check_eq "gue has its port without being told" \
		"$(ctl 1 -j node list | jq -c '.[3] | [.encap, ."encap-port"]')" \
		'["gue",6080]'
	taken service add 10.9.0.1:80 sched maglev nodes 1,2
	taken service add "[2001:db8:9::1]:80"
	taken owner add 0x10 node 2
}

nodes()
{
	refused 1 node add 2 addr 10.3.0.9			# exists
	refused 1 node add 5 addr 10.3.0.2			# address taken
	refused 1 node add 5 addr 10.3.0.5 self			# two self
	refused 1 node add 5 addr 2001:db8:3::5			# mixed families
	refused 1 node del 2					# service names it
	refused 1 node del 7					# unknown
	refused 1 node set 7 weight 1
	refused 2 node add 0 addr 10.3.0.5
	refused 2 node add 4096 addr 10.3.0.5
	refused 2 node add 5 addr 10.3.0.5 weight 65536
	refused 2 node add 5 addr 10.3.0.5 weight -1
	refused 2 node add 5 addr 10.3.0.5 weight 1x
	refused 2 node add 5
	refused 2 node add 5 addr
	refused 2 node add 5 addr 10.3.0
	refused 2 node add 5 addr 10.3.0.5.1
	refused 2 node add x addr 10.3.0.5
	refused 2 node set 2
	refused 2 node set 2 weight 65536
	refused 2 node set 2 state asleep
	refused 2 node set 2 weight 7 state asleep
	refused 2 node frobnicate 2
	refused 1 node add 5 addr 10.3.0.5 self encap ipip	# self runs mlb
	refused 2 node add 5 addr 10.3.0.5 encap vxlan
	refused 2 node add 5 addr 10.3.0.5 encap ipip port 6080
	refused 2 node add 5 addr 10.3.0.5 port 6080
	refused 2 node add 5 addr 10.3.0.5 encap gue port 0
	refused 2 node set 2 encap gue
	refuse_addr node add 5 addr 0.0.0.0
	refuse_addr node add 5 addr 224.0.0.1
	refuse_addr node add 5 addr 255.255.255.255
	refuse_addr node add 5 addr ::
	refuse_addr node add 5 addr ff02::1
}

# Known to be wrong before or after the kernel was asked: either is a refusal.
refuse_addr() # ARGUMENT...
{
	ctl 1 "$@" > "$TMP/out" 2>&1
	case $? in
	1) refused 1 "$@" ;;
	*) refused 2 "$@" ;;
	esac
}

services()
{
	refused 1 service add 10.9.0.1:80			# exists
	refused 1 service add 10.9.0.1:81 nodes 1,9		# unknown node
	refused 1 service set 10.9.0.1:80 nodes 1,9 sched local
	refused 1 service set 10.9.0.1:81 sched local		# unknown
	refused 1 service del 10.9.0.1:81
	refuse_addr service add 10.9.0.1:81 nodes 1,1
	refuse_addr service add 0.0.0.0:80
	refuse_addr service add 224.1.2.3:80
	refuse_addr service add 255.255.255.255:80
	refuse_addr service add "[::]:80"
	refuse_addr service add "[ff02::1]:80"
	refused 2 service add 10.9.0.1
	refused 2 service add 10.9.0.1:0
	refused 2 service add 10.9.0.1:65536
	refused 2 service add 10.9.0.1:80x
	refused 2 service add 2001:db8:9::1:80x
	refused 2 service add "[2001:db8:9::1]"
	refused 2 service add "[2001:db8:9::1:80"
	refused 2 service add 10.9.0.1:81 sched roundrobin
	refused 2 service add 10.9.0.1:81 nodes
	refused 2 service add 10.9.0.1:81 nodes 1,,2
	refused 2 service add 10.9.0.1:81 nodes 1,4096
	refused 2 service set 10.9.0.1:80
	refused 2 service
}

owners()
{
	local lines

	refused 1 owner add 0x10 node 3				# exists
	refused 1 owner add 0x11 node 9				# unknown node
	refused 1 owner add 0x11 node 1				# this node's own
	refused 1 owner del 0x11
	refused 1 owner get 0x11
	refuse_addr owner add 0 node 2
	refused 2 owner add 0x100000000 node 2
	refused 2 owner add 4294967296 node 2
	refused 2 owner add 0x1g node 2
	refused 2 owner add -1 node 2
	refused 2 owner add 0x11
	refused 2 owner add 0x11 node
	refused 2 owner add 0x11 node 4096
	refused 2 owner del
	refused 1 owner announce 0x11 node 9			# unknown node
	refused 1 owner announce 0x11 node 1			# this node's own
	refused 2 owner announce 0x11
	refused 1 owner withdraw 0x11 node 2			# not there
	refused 1 owner withdraw 0x10 node 3			# another's
	refused 2 owner withdraw 0x10
	# In bulk: all or nothing.
	for lines in '0x20 node 2\n0x21 node 9\n' '0x20 node 2\n0x10 node 3\n' \
		     '0x20 node 2\nnonsense\n'; do
		printf "%b" "$lines" | ctl 1 owner add - > "$TMP/out" 2>&1
		check_range "bulk with a bad line is refused: $lines" $? 1 2
		check_eq "and none of it is applied" \
			"$(ctl 1 -j owner list | jq length)" 1
	done
}

explanations()
{
	refused 2 explain
	refused 2 explain 0x1g
	refused 2 explain 0x10 syn
	refused 2 explain 10.1.1.2:5000-10.9.0.1
	refused 2 explain 10.1.1.2:5000-10.9.0.1:80 syn join 0x10
	refused 2 explain "10.1.1.2:5000-[2001:db8:9::1]:80"
}

settings()
{
	refused 2 set resolve-timeout 1
	refused 2 set resolve-timeout 1001
	refused 2 set resolve-timeout
	refused 2 set resolve-rate 0
	refused 2 set port 0
	refused 2 set port 65536
	refused 2 set port 12x
	refused 2 set nothing 1
	refused 2 set max-flows 5 port 0
	refused 2 nonsense
	refused 2
	spawn "$PREFIX-n1" "$TMP/socat" socat -u UDP4-RECV:7777,reuseaddr=0 \
		/dev/null
	wait_for 5 port_bound || bail "socat does not bind"
	refused 1 set port 7777					# taken
}

port_bound()
{
	on_node 1 ss -Hlun "sport = 7777" | grep -q 7777
}

unprivileged_ctl() # ARGUMENT...
{
	on_node 1 setpriv --reuid 65534 --clear-groups --inh-caps=-all \
		--bounding-set=-all mlbctl "$@" > "$TMP/out" 2>&1
}

# An unprivileged user may look, not at connections, and not touch.
unprivileged()
{
	local before what

	before=$(state)
	unprivileged_ctl node add 6 addr 10.3.0.6
	check_eq "without CAP_NET_ADMIN a change is refused" $? 1
	check_eq "and changes nothing" "$(state)" "$before"
	for what in "owner list" "flow list" "monitor owner -c 1" \
		    "explain 0x10"; do
		# shellcheck disable=SC2086
		unprivileged_ctl $what
		check_eq "without CAP_NET_ADMIN \"$what\" is refused" $? 1
	done
	for what in "node list" "service list" stats set; do
		# shellcheck disable=SC2086
		unprivileged_ctl $what
		check_eq "anyone may ask for \"$what\"" $? 0
	done
}

test_begin socat setpriv ss
cluster_up 1
mlb_load
setup
nodes
services
owners
explanations
settings
unprivileged
taken service del 10.9.0.1:80
taken node del 2
check_eq "a node's entries go with it" "$(ctl 1 -j owner list | jq length)" 0
tap_done
