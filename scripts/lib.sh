# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts share: where things are, messages, and the cache.

set -euo pipefail
shopt -s inherit_errexit

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${MLB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/mlb}
export ROOT CACHE

# The kernels that mlb is tested on. The first two are User-Mode Linux.
KERNELS_UML=(uml-fast uml-debug)
KERNELS_QEMU=(6.1 6.12 7.3)
export KERNELS_UML KERNELS_QEMU

say()
{
	printf '%s\n' "$*" >&2
}

die()
{
	say "${0##*/}: $*"
	exit 1
}

need_root()
{
	[ "$(id -u)" = 0 ] || die "must run as root"
}

# Wait for a slot of those in $MLB_SLOTS. It is free again when the caller and
# all that it started have ended.
take_slot()
{
	local slot

	while [ -n "${MLB_SLOTS:-}" ]; do
		for slot in "$MLB_SLOTS"/*; do
			exec {SLOT}<> "$slot"
			! flock -n "$SLOT" || return 0
			exec {SLOT}>&-
		done
		sleep 0.2
	done
}

# One short name for the contents of some files and strings.
digest()	# FILE|STRING...
{
	local arg

	for arg; do
		if [ -f "$arg" ]; then cat "$arg"; else printf '%s\n' "$arg"; fi
	done | sha256sum | cut -c1-10
}

# Print the path of a cache entry, made by "COMMAND... DIR" when it is absent.
# An entry appears whole or not at all: it is made beside its place and then
# renamed, and the lock keeps two makers of one entry apart. For use in $(...):
# it sets a trap.
cached()	# NAME COMMAND...
{
	local name=$1 lock work

	shift
	if [ ! -d "$CACHE/$name" ]; then
		mkdir -p "$CACHE/lock"
		exec {lock}> "$CACHE/lock/$name"
		flock "$lock"
		if [ ! -d "$CACHE/$name" ]; then
			work=$(mktemp -d "$CACHE/tmp.XXXXXX")
			# shellcheck disable=SC2064	# now, while $work is known
			trap "rm -rf '$work'" EXIT
			chmod 755 "$work"
			"$@" "$work" >&2 {lock}>&- || die "cannot make $name"
			mv "$work" "$CACHE/$name"
			# What the new entry replaces, unless somebody still
			# uses it: a checkout of another commit, say.
			find "$CACHE" -maxdepth 1 -name "${name%-*}-*" -mtime +14 \
				-exec rm -rf {} +
		fi
		exec {lock}>&-
	fi
	touch "$CACHE/$name"
	printf '%s\n' "$CACHE/$name"
}

# A directory for files that live as short as the caller, in memory when there
# is room for MIB more.
scratch()	# MIB
{
	local dir base=$CACHE

	if [ -w /dev/shm ] &&
	   [ "$(df --output=avail -m /dev/shm | tail -1)" -gt "$1" ] &&
	   [ "$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)" -gt $(($1 + 2048)) ]; then
		base=/dev/shm
	fi
	mkdir -p "$base"
	dir=$(mktemp -d "$base/mlb.XXXXXX")
	printf '%s\n' "$dir"
}

# Ends jobs that "set -m" gave process groups of their own, with all that they
# started.
end_groups()	# GROUP...
{
	local group

	for group; do
		kill -- "-$group" 2> /dev/null || :
	done
	wait
}
