#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A cluster as it is operated: three virtual machines with stock Debian and
# mlb's packages, systemd, corosync and mlbd as services, behind a router.
# Prints TAP; ends with "cluster: N passed, N failed".
#
#   test-cluster.sh [KERNEL]	(6.1, the kernel of Debian 12; 6.12; 7.3)
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab.sh"
lab_leash "$@"
cd "$ROOT"

begin=$SECONDS passed=0 failed=0
trap lab_down EXIT
trap 'exit 1' INT TERM HUP

# Not the TAP of the selftests: what fails here goes on.
ok() # DESCRIPTION COMMAND...
{
	local out desc=$1

	shift
	if out=$("$@" 2>&1); then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) - $desc (at $((SECONDS - begin)) s)"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) - $desc"
	fi
	[ -z "$out" ] || sed 's/^/# /' <<< "$out"
}

scripts/deb.sh > /dev/null
lab_up "${1:-6.1}" 3
for machine in router n1 n2 n3; do
	ok "$machine is up" on "$machine" 'cut -d" " -f1 /proc/uptime'
done
for i in 1 2 3; do
	ok "n$i: boot" on "n$i" 'systemctl is-system-running --wait; systemd-analyze; systemctl --failed --no-legend; ip -br a; corosync-quorumtool -s; lsmod | grep mlb; mlbctl doctor; systemd-analyze blame | head'
done
if [ -n "${LAB_SHELL:-}" ]; then sleep 1; while [ ! -e /tmp/h6stop ]; do if [ -e /tmp/h6cmd ]; then . /tmp/h6cmd > /tmp/h6cmd.out 2>&1 || :; rm -f /tmp/h6cmd; fi; sleep 0.3; done; fi
echo "cluster: $passed passed, $failed failed"
[ $failed -eq 0 ]
