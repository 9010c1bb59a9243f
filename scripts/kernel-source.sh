#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Unpack the kernel source in a Debian linux-source package into DIR.
# It serves the User-Mode Linux builds, checkpatch and the netlink generator.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

suite=$1 package=$2 dir=$3
debs=$(scratch 500)
trap 'rm -rf "$debs"' EXIT

say "downloading and unpacking $package"
apt_unpack "$suite" "$debs" "$package"

# A third of the tree is headers of one graphics driver and other
# architectures, whose absence no build here notices. Kconfig files stay.
tar -xf "$debs/usr/src/$package.tar.xz" -C "$dir" --strip-components=1 \
	--wildcards --exclude='*/drivers/gpu/drm/amd/include/*' \
	--exclude='*/arch/[a-tv-wyz]*/*.[chS]' --exclude='*/arch/*/boot/dts' \
	--exclude='*/Documentation/translations'
