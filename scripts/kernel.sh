#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Prepare a kernel for building and running mlb, and print shell variables:
#   KIND     uml or qemu
#   RELEASE  kernel release
#   KDIR     directory of the kernel's build (qemu: inside BUILDROOT)
#   SOURCE   kernel source tree (uml)
#   IMAGE    program (uml) or kernel image (qemu)
#   BUILDROOT, INITRAMFS, MODULES, GUEST  (qemu) toolchain root, initramfs,
#            disk of modules, disk with the root file system
#   BUSYBOX  static busybox
# "kernel.sh source [6.1|6.12|7.3]" prepares only a source tree (6.12) and
# prints SOURCE; "clang" one of 6.12 and, in KDIR, what clang needs to compile a
# module for it.
# shellcheck disable=SC2034	# the variables are printed by name
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

usage="usage: kernel.sh uml-fast|uml-debug|uml-gcov|uml-6.1|uml-6.12|uml-7.3|6.1|6.12|7.3|source|clang"
scripts=$ROOT/scripts

# The newest release of a series for which a suite has image and headers.
newest_release()	# SUITE PATTERN
{
	apt_private "$1" apt-cache pkgnames linux- |
		sed -nE "s/^linux-(image|headers)-($2)$/\2/p" |
		sort -V | uniq -d | tail -1
}

entry_busybox()
{
	cached "busybox-$(digest "$scripts/busybox.sh")" "$scripts/busybox.sh"
}

entry_guest()
{
	local key

	key=$(digest "$scripts"/{guest-root.sh,guest-packages,disk.sh})
	cached "guest-$key" "$scripts/guest-root.sh"
}

entry_source()	# SUITE PACKAGE
{
	local version

	version=$(apt_version "$1" "$2")
	[ -n "$version" ] || die "$1 has no $2"
	cached "$2-${version//[:~]/_}-$(digest "$scripts/kernel-source.sh")" \
		"$scripts/kernel-source.sh" "$1" "$2"
}

# The newest source package of a suite.
newest_source()	# SUITE
{
	apt_private "$1" apt-cache pkgnames linux-source- |
		grep -E '^linux-source-[0-9.]+$' | sort -V | tail -1
}

prepare_source()	# SERIES
{
	apt_refresh bookworm
	case $1 in
	6.1 | 6.12)
		SOURCE=$(entry_source bookworm "linux-source-$1") ;;
	7.3)
		apt_refresh trixie
		SOURCE=$(entry_source trixie "$(newest_source trixie)") ;;
	*)
		die "$usage" ;;
	esac
}

prepare_uml()	# FLAVOUR FRAGMENT...
{
	local flavour=$1 key

	shift
	KIND=uml
	key=$(digest "${SOURCE##*/}" "$scripts/kernel-uml.sh" "$@")
	KDIR=$(cached "$flavour-$key" "$scripts/kernel-uml.sh" "$SOURCE" "$@")
	IMAGE=$KDIR/linux
	RELEASE=$(cat "$KDIR/include/config/kernel.release")
	BUSYBOX=$(entry_busybox)/busybox
}

# Debian 12's clang is too old for the newest source.
prepare_clang()
{
	prepare_source 6.12
	KDIR=$(cached "clang-$(digest "${SOURCE##*/}" "$scripts"/{kernel-clang.sh,uml/config})" \
		"$scripts/kernel-clang.sh" "$SOURCE" "$scripts/uml/config")
}

# What 6.1 calls otherwise: TCP-AO came with 6.7, and REJECT needs the old tables.
config_6_1()	# DIR
{
	grep -v '^CONFIG_TCP_AO=' "$scripts/uml/config" > "$1/config"
	printf 'CONFIG_%s=y\n' IP_NF_FILTER IP6_NF_FILTER >> "$1/config"
}

# For the kernel's own MPTCP selftests.
prepare_uml_mptcp()	# SERIES
{
	local config=$scripts/uml/config

	prepare_source "$1"
	if [ "$1" = 6.1 ]; then
		config=$(cached "uml-config-$(digest "$config" "$(declare -f config_6_1)")" \
			config_6_1)/config
	fi
	prepare_uml "uml-$1" "$config" "$scripts/uml/config.mptcp"
}

prepare_debian()	# SUITE SERIES PATTERN
{
	local suite=$1 series=$2 key entry early

	KIND=qemu
	apt_refresh "$suite"
	[ "$suite" = bookworm ] || apt_refresh bookworm
	RELEASE=$(newest_release "$suite" "$3")
	[ -n "$RELEASE" ] || die "$suite has no kernel $series"
	BUSYBOX=$(entry_busybox)/busybox
	key=$(digest "$RELEASE" "$(apt_version "$suite" "linux-headers-$RELEASE")" \
		"$scripts"/{kernel-debian.sh,disk.sh})
	entry=$(cached "debian-$series-$key" "$scripts/kernel-debian.sh" \
		"$suite" "$RELEASE")
	early=$(cached "early-$series-$(digest "$key" "$scripts"/{kernel-initramfs.sh,vm-early.sh})" \
		"$scripts/kernel-initramfs.sh" "$entry/image" "$RELEASE" "$BUSYBOX")
	KDIR=/lib/modules/$RELEASE/build
	IMAGE=$entry/vmlinuz
	BUILDROOT=$entry/root
	INITRAMFS=$early/initramfs
	MODULES=$entry/modules.img
	GUEST=$(entry_guest)/root.img
}

case "${1:-}" in
source)
	prepare_source "${2:-6.12}" ;;
clang)
	prepare_clang ;;
uml-fast)	# 7.x: its system calls cost half of what they do before 6.16
	prepare_source 7.3
	prepare_uml "$1" "$scripts/uml/config" ;;
uml-gcov)
	prepare_source 7.3
	prepare_uml "$1" "$scripts/uml/config" "$scripts/uml/config.gcov" ;;
uml-debug)
	prepare_source 6.12
	prepare_uml "$1" "$scripts/uml/config" "$scripts/uml/config.debug" ;;
uml-6.1 | uml-6.12 | uml-7.3)
	prepare_uml_mptcp "${1#uml-}" ;;
6.1)
	prepare_debian bookworm "$1" '6[.]1[.].*-cloud-amd64' ;;
6.12)
	prepare_debian bookworm "$1" '6[.]12[.].*-cloud-amd64' ;;
7.3)	# or what trixie-backports has moved on to
	prepare_debian trixie "$1" '[0-9]+[.].*-cloud-amd64' ;;
*)
	die "$usage" ;;
esac

for name in KIND RELEASE KDIR SOURCE IMAGE BUILDROOT INITRAMFS MODULES GUEST BUSYBOX; do
	[ -z "${!name:-}" ] || printf '%s=%q\n' "$name" "${!name}"
done
