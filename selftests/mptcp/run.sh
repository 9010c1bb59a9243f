#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In a virtual machine: run one of the kernel's own MPTCP selftests, without mlb
# or with it in every namespace that the test makes (see ip.sh beside this file).
# Ends with lines for scripts/mptcp-report.py, and with the status of the test,
# or with 99 when it was not run as it should.
#
#   run.sh without|with DIRECTORY SCRIPT [ARGUMENT...]
#
# MLB_VIRTUAL says that this is User-Mode Linux with virtual time.
set -u

here=$(dirname "$(readlink -f "$0")")
mode=$1 dir=$2 script=$3
shift 3

set_up()
{
	MLB_IP=$(command -v ip)
	MLB_STATE=$(mktemp -d)
	export MLB_IP MLB_STATE
	modprobe -q udp_tunnel
	modprobe -q ip6_udp_tunnel
	insmod "$MLB_KO" || return
	echo 2 > "$MLB_STATE/next"
	: > "$MLB_STATE/stats"
	(umask 077 && head -c 32 /dev/urandom > "$MLB_STATE/key")
	ip netns add mlb-peer || return
	ip -n mlb-peer link set lo up || return
	ip -n mlb-peer addr add 198.19.255.1/32 dev lo || return
	printf '%s\n' "key set $MLB_STATE/key" "node add 1 addr 198.19.255.1 self" |
		mlbctl -n mlb-peer -b - || return
	mkdir "$MLB_STATE/bin"
	ln -s "$here/ip.sh" "$MLB_STATE/bin/ip"
	PATH=$MLB_STATE/bin:$PATH
}

# What mlb counted in all namespaces, and what the one peer did.
tell()
{
	awk '{ n[$1 " " $2] += $3 } END { for (c in n) print "@@ count", c, n[c] }' \
		"$MLB_STATE/stats" | sort
	mlbctl -n mlb-peer stats nonzero | sed 's/^/@@ peer /'
	[ ! -s "$MLB_STATE/errors" ] || sed 's/^/@@ error /' "$MLB_STATE/errors"
}

if [ "$mode" = with ] && ! set_up; then
	echo "@@ error mlb cannot be set up"
	exit 99
fi
cd "$dir/net/mptcp" || exit 99
if [ -n "${MLB_VIRTUAL:-}" ]; then
	# User-Mode Linux is linked so that all symbols are local, and a test
	# wants a global one.
	sed 's/ t / T /' /proc/kallsyms > /run/kallsyms
	mount --bind /run/kallsyms /proc/kallsyms
	# Nstat gets confused by files as old as the system, and this is free.
	sleep 100
fi
export NO_COLOR=1
uname -r | sed 's/^/@@ release /'
begin=$EPOCHREALTIME
"./$script" "$@" < /dev/null 2>&1
status=$?
end=$EPOCHREALTIME
if [ "$mode" = with ]; then
	tell
	[ ! -s "$MLB_STATE/errors" ] || status=99
fi
echo "@@ end $status $(((${end/./} - ${begin/./}) / 1000000))"
exit $status
