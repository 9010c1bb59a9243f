# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What every selftest starts with. A test runs as root in a throw-away VM,
# speaks TAP 13 and exits with 0 (pass), 1 (fail) or 4 (skip).
#
# From outside: MLB_KO (the module's file), mlbctl in PATH, MLB_SCALE (sizes are
# divided by it, for slow machines), MLB_CI=0 (a missing feature skips instead
# of failing; never when CI is set).
# shellcheck disable=SC2034 # shared by the files below
set -u

MLB_TESTS=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
MLB_SCALE=${MLB_SCALE:-1}
LOAD=$MLB_TESTS/mptcp_load
RAWPKT=$MLB_TESTS/rawpkt

# shellcheck source=lib/tap.sh
. "$MLB_TESTS/lib/tap.sh"
# shellcheck source=lib/cluster.sh
. "$MLB_TESTS/lib/cluster.sh"
# shellcheck source=lib/mlb.sh
. "$MLB_TESTS/lib/mlb.sh"
# shellcheck source=lib/traffic.sh
. "$MLB_TESTS/lib/traffic.sh"

# A size for this machine: N divided by MLB_SCALE, at least MIN (1).
scaled() # N [MIN]
{
	local n=$(($1 / MLB_SCALE))

	echo $((n < ${2:-1} ? ${2:-1} : n))
}

test_begin() # REQUIRED_COMMAND...
{
	local cmd

	TEST=$(basename "$0" .sh)
	PREFIX=mlb-$$
	TMP=$(mktemp -d "${TMPDIR:-/tmp}/mlb-$TEST.XXXXXX")
	CHILDREN=()
	echo "TAP version 13"
	trap test_cleanup EXIT
	trap 'exit 1' INT TERM HUP
	for cmd in ip nstat jq nsenter sysctl "$LOAD" "$RAWPKT" "$@"; do
		command -v "$cmd" > /dev/null || missing "$cmd is not there"
	done
	[ "$(id -u)" = 0 ] || missing "needs root"
	[ -e /proc/sys/net/mptcp/enabled ] || missing "the kernel has no MPTCP"
}

# Ends the processes that the test started and waits for them, so that no
# socket of theirs is left when the namespaces go.
children_end()
{
	local pid

	for pid in "${CHILDREN[@]}"; do
		kill "$pid" 2> /dev/null
		kill -CONT "$pid" 2> /dev/null
	done
	for pid in "${CHILDREN[@]}"; do
		wait "$pid" 2> /dev/null
	done
	CHILDREN=()
}

test_cleanup()
{
	local status=$?

	trap - EXIT INT TERM HUP
	children_end
	cluster_down
	rm -rf "$TMP"
	if [ "${TAP_DONE:-0}" = 0 ]; then
		echo "Bail out! $TEST ended before its last line"
		status=1
	fi
	exit "$status"
}

# Runs COMMAND until it succeeds; gives up after SECONDS.
wait_for() # SECONDS COMMAND...
{
	local end=$((SECONDS + $1 * MLB_SCALE + 1))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.02
	done
}

# A step that the test cannot do without.
must() # COMMAND...
{
	"$@" || bail "failed: $*"
}
