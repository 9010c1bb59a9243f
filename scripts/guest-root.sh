#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Make DIR/root.img, the root file system of the QEMU guests: Debian 12 with
# the packages of scripts/guest-packages.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

dir=$1
work=$(scratch 1500)
trap 'rm -rf "$work"' EXIT

say "preparing the guest's root file system"
mapfile -t sources < <(apt_sources bookworm)
mmdebstrap --quiet --mode=root --variant=minbase \
	--aptopt='Acquire::Languages "none"' \
	--dpkgopt='path-exclude=/usr/share/doc/*' \
	--dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' \
	--include="$(grep -v '^#' "$ROOT/scripts/guest-packages" | paste -sd,)" \
	bookworm "$work/root" "${sources[@]}"
rm -rf "$work"/root/var/lib/apt/lists/* "$work"/root/var/cache/apt/*
"$ROOT/scripts/disk.sh" "$work/root" "$dir/root.img"
