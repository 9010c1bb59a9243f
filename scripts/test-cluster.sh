#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A cluster as it is operated: virtual machines with stock Debian and mlb's
# packages, systemd, corosync and mlbd as services, behind a router. It begins
# with three and grows to five while it serves. Prints TAP; ends with "cluster: N
# passed, N failed".
#
#   test-cluster.sh [-s] [KERNEL]	(6.1, the kernel of Debian 12; 6.12)
#
# -s: it stays at three.
# shellcheck disable=SC2016	# much is for the machines' shells
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab.sh"
. "$(dirname "$0")/lab-test.sh"
lab_leash "$@"
cd "$ROOT"

most=5
if [ "${1:-}" = -s ]; then
	most=3
	shift
fi
trap lab_down EXIT
trap 'exit 1' INT TERM HUP

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

# What its check has found on node 3 so far, and what of the role's moves is known.
ups() { on n3 'journalctl -u mlbd -b | grep -c "^.*: check .* is up$"'; }
epoch() { on n1 'mlbctl -j cluster role list | jq ".[0].assigned.epoch"'; }

# Its servers are there for 3 s and not there for 3 s: each time they seem well.
flap()
{
	local i held ups

	on n1 'mlbctl cluster role set web failback 10' || return
	ups=$(ups)
	servers 3 -p Restart=always -p RestartSec=3 -p RuntimeMaxSec=3
	served_by 20 2 || return
	held=$(epoch)
	for i in 1 2 3 4 5; do
		sleep 3
		on router "$(served_now 2)" || return
	done
	ups=$(($(ups) - ups))
	echo "seen $ups times to come back; role of version $held, then $(epoch)"
	[ $ups -ge 4 ] && [ "$held" = "$(epoch)" ] && servers 3
}

freeze()
{
	lab_freeze n3
	on router 'router_nexthops 1 2' && served_by 60 2
}

# They go on, and are used again.
thaw() # NODE...
{
	local all

	all=$(seq -s' ' "$LAB_NODES")
	lab_thaw "${@/#/n}"
	# shellcheck disable=SC2086	# words are meant
	active 90 $all && on router "router_nexthops $all"
}

split()
{
	on router 'nodes_split 1,2 3; router_nexthops 1 2'
	served_by 60 2 && becomes n3 60 \
		'! corosync-quorumtool -s | grep -q "Quorate: *Yes" && ! mlbctl cluster service add 10.9.0.1:81' &&
		active 60 1 2
}

# What these nodes' kernels have reported since they booted: without power, nobody
# knows. A machine that has stood still finds that it was stalled.
no_faults() # NODE...
{
	local i status=0

	for i; do
		on "n$i" '. /usr/local/lib/vm-faults.sh
			! dmesg | grep -vE "rcu.*(stall|starved)|soft lockup" |
				grep -E "$FAULTS"' || {
			echo "node $i"
			status=1
		}
	done
	return $status
}

power_off()
{
	local status=0

	no_faults 3 || status=1
	lab_kill n3
	on router 'router_nexthops 1 2' && served_by 60 2 && active 60 1 2 && return $status
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

# The new ones are installed and configured; corosync has to be told on the others.
grow()
{
	local i

	for i in 1 2 3; do
		lab_corosync_conf 5 | lab_write $i /etc/corosync/corosync.conf
	done
	on n2 'corosync-cfgtool -R' && active 90 1 2 3 4 5 && servers 4 && servers 5 &&
		on router 'router_nexthops 1 2 3 4 5'
}

# Who serves which clients, and these nodes know.
roles_at() # WEB API NODE...
{
	held 60 web "$1" "${@:3}" && held 60 api "$2" "${@:3}" &&
		served_by 20 "$1" 2 && served_by 20 "$2" 1
}

# Their spares are two of the three that are left.
two_at_once()
{
	lab_freeze n4 n5
	on router 'router_nexthops 1 2 3' && roles_at 3 2 1 2 3
}

# Node 4 gets what node 3 had, and at once goes the same way.
spare_dies()
{
	lab_freeze n3
	on router 'router_nexthops 1 2 4 5'
	held 60 web 4 1 || return
	lab_freeze n4
	on router 'router_nexthops 1 2 5' && roles_at 5 2 1 2 5
}

# Node 1 would decide, and is gone before it knows of node 5.
manager_dies()
{
	local status=0

	on n2 'mlbctl -j status | jq -e ".cluster.manager == 1"' || return
	no_faults 1 5 || status=1
	lab_kill n5
	sleep $((LAB_TOKEN / 2000))
	lab_kill n1
	on router 'router_nexthops 2 3 4' && roles_at 4 2 2 3 4 &&
		on n3 'mlbctl -j status | jq -e ".cluster.manager == 2"' && return $status
}

five_nodes()
{
	LAB_NODES=5
	ok "its power is back, and two more machines boot" lab_start 3 4 5
	ok "it is used again" active 60 1 2 3
	ok "its servers start" servers 3
	ok "the cluster grows by two" grow
	ok "100 of 100 second paths come up" joins 100 2001:db8:9::1
	ok "connections of node 2" transfers_begin 2 50
	ok "nodes 4 and 5 get the clients' roles" on n5 \
		'mlbctl cluster role set web nodes 4 spares 5,3 failback no &&
		mlbctl cluster group add one prefixes 10.1.1.0/24,2001:db8:1:1::/64 &&
		mlbctl cluster role add api groups one nodes 5 spares 3,2 failback no'
	ok "and serve them" roles_at 4 5 1 2 3 4 5
	ok "two of five stand still at once: their spares serve" two_at_once
	ok "they go on" thaw 4 5
	ok "a node stands still, and its spare while it takes over: the next serves" spare_dies
	ok "they go on" thaw 3 4
	ok "a node loses power, and the manager before it has decided: others serve" manager_dies
	ok "no connection of node 2 has broken" transfers_end
}

scripts/deps.sh
scripts/build.sh
scripts/deb.sh > /dev/null
lab_up "${1:-6.1}" 3 $most
echo "# all machines are up (at $((SECONDS - begin)) s)"
ok "the nodes boot without a unit that fails" each \
	'echo "n$i: $(systemctl is-system-running --wait)"; systemd-analyze | head -1
	[ -z "$(systemctl --failed --no-legend | tee /dev/stderr)" ]'
ok "three nodes are active everywhere" active 60 1 2 3
ok "a service is agreed on" on n1 \
	'mlbctl cluster service add 10.9.0.1:8080 && mlbctl cluster service add "[2001:db8:9::1]:8080"'
# Emulated, an answer can take longer than the usual 20 ms, and each packet costs:
# with 50 ms, to say that they are alive takes five nodes 40 % of a CPU.
ok "settings are agreed on" on n2 'mlbctl cluster set resolve-timeout 500 alive-interval 500'
ok "every kernel has it" each \
	'becomes=0; until [ "$(mlbctl -j service list | jq length)" = 2 ]; do
		[ $((becomes++)) -lt 50 ] || { mlbctl service list; exit 1; }; sleep 0.1; done'
for i in 1 2 3; do
	ok "servers start on node $i" servers $i
done
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
ok "it goes on, and is used again" thaw 3
ok "failback" served_by 40 3
ok "cut off, it changes nothing; node 2 serves" survive 1 split
on router 'nodes_heal; router_nexthops 1 2 3'
ok "they find together" active 60 1 2 3
ok "failback" served_by 40 3
ok "its server comes and goes: node 2 serves" survive 1 flap
ok "it stays: failback" served_by 40 3
on n1 'mlbctl cluster role set web failback yes'
ok "its power fails: node 2 serves" survive 1 power_off
ok "100 of 100 second paths come up" joins 100 10.9.0.1

[ $most = 3 ] || five_nodes

# Those without power have been looked at before.
# shellcheck disable=SC2046	# words are meant
ok "no fault in the kernels' logs" no_faults $(seq "$LAB_NODES")
if [ $failed -gt 0 ]; then
	each 'echo "--- n$i"; mlbctl status; ip -s addr; ip neigh
		journalctl -b -u mlbd -u corosync -u systemd-networkd --no-pager |
			tail -n 40' || :
	on router 'ip -n lab-r -s addr; ip -n lab-r neigh'
fi
echo "# the whole took $((SECONDS - begin)) s"
echo "cluster: $passed passed, $failed failed"
[ $failed -eq 0 ]
