#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Make DIR/root.img, the root file system of QEMU guests: a Debian SUITE with
# the packages that a file lists; without these, Debian 12 with those of
# scripts/guest-packages.
#
#   guest-root.sh [SUITE PACKAGES] DIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

[ $# -gt 1 ] || set -- bookworm "$ROOT/scripts/guest-packages" "$1"
suite=$1 packages=$2 dir=$3
work=$(scratch 1500)
trap 'rm -rf "$work"' EXIT

say "preparing the guest's root file system: $suite, ${packages##*/}"
mapfile -t sources < <(apt_sources "$suite")
# The lists of a suite that is not released expire after a week, and a mirror can
# be behind by more.
mmdebstrap --quiet --mode=root --variant=minbase \
	--aptopt='Acquire::Languages "none"' \
	--aptopt='Acquire::Check-Valid-Until "false"' \
	--dpkgopt='path-exclude=/usr/share/doc/*' \
	--dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' \
	--include="$(grep -v '^#' "$packages" | paste -sd,)" \
	"$suite" "$work/root" "${sources[@]}"
rm -rf "$work"/root/var/lib/apt/lists/* "$work"/root/var/cache/apt/*
"$ROOT/scripts/disk.sh" "$work/root" "$dir/root.img"
