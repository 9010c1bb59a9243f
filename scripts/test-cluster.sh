#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A cluster as it is operated: three virtual machines with stock Debian and
# mlb's packages, systemd, corosync and mlbd as services, behind a router.
# Prints TAP; ends with "cluster: N passed, N failed".
#
#   test-cluster.sh [KERNEL]	(6.1, the kernel of Debian 12; 6.12)
# shellcheck disable=SC2016	# much is for the machines' shells
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab.sh"
lab_leash "$@"
cd "$ROOT"

begin=$SECONDS passed=0 failed=0
trap lab_down EXIT
trap 'exit 1' INT TERM HUP

# What fails does not end the run.
ok() # DESCRIPTION COMMAND...
{
	local out desc=$1 status=0

	shift
	out=$("$@" 2>&1) || status=$?
	if [ $status = 0 ]; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) - $desc (at $((SECONDS - begin)) s)"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) - $desc (at $((SECONDS - begin)) s)"
	fi
	[ -z "$out" ] || printf '%s\n' "$out" | sed 's/^/# /'
}

# The machine runs the command until it succeeds, and says how long that took.
becomes() # MACHINE SECONDS COMMAND
{
	on "$1" "from=\${EPOCHREALTIME/./}
		until { $3; } > /tmp/becomes 2>&1; do
			[ \$((\${EPOCHREALTIME/./} - from)) -lt ${2}000000 ] ||
				{ cat /tmp/becomes; exit 1; }
			sleep 0.1
		done
		echo \"$1: after \$(((\${EPOCHREALTIME/./} - from) / 1000)) ms\""
}

# Each of these nodes sees exactly these as active in its kernel.
active() # SECONDS NODE...
{
	local i status=0

	for i in "${@:2}"; do
		becomes "n$i" "$1" "[ \"\$(mlbctl -j node list |
			jq -r '[.[] | select(.state == \"active\") | .id] | sort | join(\" \")')\" = '${*:2}' ] ||
			{ mlbctl node list; mlbctl status; false; }" || status=1
	done
	return $status
}

each() # COMMAND, with $i
{
	local i status=0

	for ((i = 1; i <= LAB_NODES; i++)); do
		on "n$i" "i=$i; $1" || status=1
	done
	return $status
}

# N connections, whose second paths come when all tokens are known.
joins() # N VIP
{
	on router "endpoints_flush
		client_start join -n $1 -b 5000 -s 20000 -w $2 8080
		client_says join connected || bail \"\$(cat \$TMP/join.out)\"
		sleep 1
		endpoints_add
		client_says join ready 40; client_go join; client_end join
		[ \${R[second]} = $1 ] && [ \${R[ok]} = $1 ]" || {
		each 'echo "n$i:"; mlbctl stats nonzero; nstat -as | grep -E "MPTcp|Rst|Retr|Drop"
			ss -Mltn; ps -eo pid,stat,time,wchan:24,args | grep mptcp_load
			cat /proc/$(pgrep -of mptcp_load)/stack'
		return 1
	}
}

# While the command runs, connections over both paths carry data.
under_load() # COMMAND...
{
	local status=0

	on router 'here: endpoints_flush; endpoints_add
		client_start load -n 20 -b 200000 -r 4000 -s 20000 -T 300000 -l 10.9.0.1 8080
		client_says load ready 40' || status=1
	"$@" || status=1
	on router 'here: client_go load; client_end load; [ "${R[ok]}" = 20 ]' || status=1
	return $status
}

# As under_load, with IPv4 and IPv6, and all connections on a node that lives.
# Second paths come up before, or with "late" while the command runs.
survive() # NODE [late] COMMAND...
{
	local status=0 late=

	on router "here: router_nexthops $1 && endpoints_flush" || status=1
	shift
	[ "$1" != late ] || { late=1; shift; }
	[ -n "$late" ] || on router 'here: endpoints_add' || status=1
	on router 'here:
		client_start live4 -n 20 -b 200000 -r 4000 -s 40000 -T 300000 -l 10.9.0.1 8080
		client_start live6 -n 20 -b 200000 -r 4000 -s 40000 -T 300000 -l 2001:db8:9::1 8080
		client_says live4 connected 40 && client_says live6 connected 40 &&
			router_nexthops 1 2 3' || status=1
	[ -n "$late" ] || on router 'client_says live4 ready 60 && client_says live6 ready 60' || status=1
	"$@" || status=1
	on router 'here: client_says live4 ready 60 && client_says live6 ready 60 || echo "not ready"
		client_go live4; client_go live6
		client_end live4; live="${R[ok]} ${R[second]}"
		client_end live6
		[ "$live ${R[ok]} ${R[second]}" = "20 20 20 20" ]' || status=1
	return $status
}

# From now on new connections of the client's second addresses are this node's.
served_by() # SECONDS NODE
{
	becomes router "$1" "served4=0 served6=0
		for f in 4 6; do
			client_start at\$f -n 5 -b 1000 -T 5000 \\
				-S \$([ \$f = 4 ] && echo 10.1.2.2 || echo 2001:db8:1:2::2) \\
				\"\$(vip \$f)\" 8080
		done
		for f in 4 6; do
			client_end at\$f
			[ \"\$(served_by $2)\" = 5 ] || break
		done && [ \"\$(served_by $2)\" = 5 ]"
}

drain()
{
	on n1 'mlbctl cluster node drain 3 timeout 200' || return
	becomes n3 20 'mlbctl -j node list | jq -e ".[] | select(.id == 3).state == \"drain\""' &&
		on n3 'mlbctl status | grep -i drain' &&
		on router 'here: endpoints_add' && served_by 20 2
}

crash()
{
	on n3 'systemctl kill -s KILL load4 load6' && served_by 20 2
}

servers() # NODE
{
	on "n$1" "systemctl reset-failed 'load*' 2> /dev/null
		systemd-run -q --unit=load4 mptcp_load server -i $1 10.9.0.1 8080 &&
		systemd-run -q --unit=load6 mptcp_load server -i $1 2001:db8:9::1 8080"
}

freeze()
{
	kill -STOP "${LAB_PID[n3]}"
	on router 'router_nexthops 1 2' && served_by 60 2
}

thaw()
{
	kill -CONT "${LAB_PID[n3]}"
	active 60 1 2 3 && on router 'router_nexthops 1 2 3'
}

split()
{
	on router 'nodes_split 1,2 3; router_nexthops 1 2'
	served_by 60 2 && becomes n3 60 \
		'! corosync-quorumtool -s | grep -q "Quorate: *Yes" && ! mlbctl cluster service add 10.9.0.1:81' &&
		active 60 1 2
}

power_off()
{
	lab_kill n3
	on router 'router_nexthops 1 2' && served_by 60 2 && active 60 1 2
}

reinstall()
{
	on n1 'was=$(cat /sys/module/mlb/refcnt; stat -c %Z /sys/module/mlb)
		pid=$(systemctl show -P MainPID mlbd)
		DEBIAN_FRONTEND=noninteractive dpkg -i /srv/mlb_*.deb > /tmp/dpkg 2>&1 ||
			{ cat /tmp/dpkg; exit 1; }
		systemctl is-active mlbd || { journalctl -u mlbd -n 20; exit 1; }
		[ "$pid" != "$(systemctl show -P MainPID mlbd)" ] || { echo "not restarted"; exit 1; }
		[ "$was" = "$(cat /sys/module/mlb/refcnt; stat -c %Z /sys/module/mlb)" ]'
}

scripts/deps.sh
scripts/build.sh
scripts/deb.sh > /dev/null
lab_up "${1:-6.1}" 3
echo "# all machines are up (at $((SECONDS - begin)) s)"
ok "the nodes boot without a unit that fails" each \
	'echo "n$i: $(systemctl is-system-running --wait)"; systemd-analyze | head -1
	[ -z "$(systemctl --failed --no-legend | tee /dev/stderr)" ]'
ok "three nodes are active everywhere" active 60 1 2 3
ok "a service is agreed on" on n1 \
	'mlbctl cluster service add 10.9.0.1:8080 && mlbctl cluster service add "[2001:db8:9::1]:8080"'
# Emulated, an answer can take longer than the usual 20 ms.
ok "a setting is agreed on" on n2 'mlbctl cluster set resolve-timeout 500'
ok "every kernel has it" each \
	'becomes=0; until [ "$(mlbctl -j service list | jq length)" = 2 ]; do
		[ $((becomes++)) -lt 50 ] || { mlbctl service list; exit 1; }; sleep 0.1; done'
ok "servers start" each 'ip mptcp limits set subflows 4 add_addr_accepted 4
	systemd-run -q --unit=load4 mptcp_load server -i $i 10.9.0.1 8080 &&
	systemd-run -q --unit=load6 mptcp_load server -i $i 2001:db8:9::1 8080'
ok "mlbctl doctor finds nothing wrong" each 'mlbctl doctor > /tmp/doctor || { cat /tmp/doctor; false; }'
ok "IPv4: 100 of 100 second paths come up" joins 100 10.9.0.1
ok "IPv6: 100 of 100 second paths come up" joins 100 2001:db8:9::1
ok "how they were found" each 'echo "n$i: $(mlbctl stats nonzero | grep -E "^steer +join|^resolve +started" | xargs)"'
ok "the package is installed anew under load" under_load reinstall
ok "mlbd is killed under load" under_load on n2 'systemctl kill -s KILL mlbd'
ok "and is there again" becomes n2 30 'systemctl is-active mlbd && mlbctl -j status | jq -e .cluster.quorate'
ok "corosync is killed under load" under_load on n2 'systemctl kill -s KILL corosync; systemctl start corosync'
ok "all are active" active 60 1 2 3

ok "node 3 gets the role of some clients" on n1 \
	'mlbctl cluster group add two prefixes 10.1.2.0/24,2001:db8:1:2::/64 &&
	mlbctl cluster role add web groups two nodes 3 spares 2 failback yes'
ok "and serves it" served_by 30 3
ok "a drain: node 2 serves, no connection breaks, joins come up" survive 3 late drain
ok "it ends in maintenance when the last connection has ended" becomes n3 30 \
	'mlbctl -j node list | jq -e ".[] | select(.id == 3).state == \"maintenance\""'
ok "undrained" on n2 'mlbctl cluster node undrain 3'
ok "node 3 takes the role back" served_by 30 3
ok "its server crashes: node 2 serves" survive 1 crash
ok "its server is there again" servers 3
ok "failback" served_by 30 3
ok "its machine stands still: node 2 serves" survive 1 freeze
ok "it goes on, and is used again" thaw
ok "failback" served_by 40 3
ok "cut off, it changes nothing; node 2 serves" survive 1 split
on router 'nodes_heal; router_nexthops 1 2 3'
ok "they find together" active 60 1 2 3
ok "failback" served_by 40 3
ok "its power fails: node 2 serves" survive 1 power_off
ok "100 of 100 second paths come up" joins 100 10.9.0.1

ok "no fault in the kernel's log" each '. /usr/local/lib/vm-faults.sh; ! dmesg | grep -E "$FAULTS"'
if [ $failed -gt 0 ]; then
	each 'echo "--- n$i"; mlbctl status; ip -s addr; ip neigh
		journalctl -b -u mlbd -u corosync -u systemd-networkd --no-pager |
			tail -n 40' || :
	on router 'ip -n lab-r -s addr; ip -n lab-r neigh'
fi
echo "# the whole took $((SECONDS - begin)) s"
echo "cluster: $passed passed, $failed failed"
[ $failed -eq 0 ]
