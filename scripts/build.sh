#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Build the module for each KERNEL into build/KERNEL/, and the user-space
# programs and test helpers once. Prints a build's output only when it fails,
# and its warnings.
#
#   build.sh [KERNEL...]
. "$(dirname "$0")/lib.sh"

# Run a build quietly.
quietly()	# LOG COMMAND...
{
	local log=$1

	shift
	if ! "$@" > "$log" 2>&1 < /dev/null; then
		cat "$log" >&2
		return 1
	fi
}

# In the build root of a Debian kernel: its own compiler and headers. The
# mounts are seen by this make alone.
in_buildroot()	# DIRECTORY COMMAND...
{
	# shellcheck disable=SC2016	# expanded by the inner shell
	unshare --mount --propagation private sh -euc '
		root=$1 work=$2
		shift 2
		mount --bind "$work" "$root/work"
		mount -t proc proc "$root/proc"
		exec chroot "$root" "$@"' sh "$BUILDROOT" "$@"
}

# With the module's own unit tests, which run when it is loaded.
#
# Each kernel compiles a copy of the sources, because kbuild leaves objects
# beside them. Products are not copied and so not deleted either.
build_module()	# KERNEL
{
	local kernel=$1 work=$ROOT/build/$1 lock options=()

	[ "$kernel" != uml-gcov ] || options=(GCOV_PROFILE=y)
	mkdir -p "$work"
	exec {lock}> "$work/.lock"
	flock "$lock"
	rsync -a --delete --exclude='*.o' --exclude='*.gcno' --exclude='*.ko' --exclude='*.mod*' \
		--exclude='*.cmd' --exclude='*.log' --exclude=.lock \
		--exclude=Module.symvers --exclude=modules.order \
		--exclude=/include/netlink \
		--include=/Kbuild --include='/kmod/***' --include='/include/***' \
		--exclude='*' "$ROOT/" "$work/"

	if [ "$KIND" = uml ]; then
		quietly "$work/build.log" make -C "$SOURCE" ARCH=um O="$KDIR" \
			M="$work" W=1 KCFLAGS=-DMLB_SELFTEST "${options[@]}" \
			"-j$(nproc)" modules
	else
		quietly "$work/build.log" in_buildroot "$work" make -C "$KDIR" \
			M=/work W=1 KCFLAGS=-DMLB_SELFTEST "-j$(nproc)" modules
	fi || die "the module does not build for $kernel"
	grep 'warning:' "$work/build.log" >&2 || :
	[ -f "$work/mlb.ko" ] || die "no mlb.ko for $kernel"
	exec {lock}>&-
}

build_userland()
{
	local work=$ROOT/build/userland lock

	mkdir -p "$work"
	exec {lock}> "$work/.lock"
	flock "$lock"
	if [ -e "$ROOT/userland/Makefile" ]; then
		quietly "$work/build.log" make -C "$ROOT/userland" "-j$(nproc)" ||
			die "userland does not build"
	fi
	if [ -e "$ROOT/selftests/Makefile" ]; then
		quietly "$work/selftests.log" make -C "$ROOT/selftests" "-j$(nproc)" ||
			die "the helpers of the selftests do not build"
	fi
	exec {lock}>&-
}

need_root
build_userland
for kernel; do
	# A subshell for the variables of this kernel alone.
	(
		eval "$("$ROOT/scripts/kernel.sh" "$kernel")"
		build_module "$kernel"
	)
done
