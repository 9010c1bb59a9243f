#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Make DIR hold what running and building for the Debian kernel RELEASE takes:
#   root/       a file system of the suite with its compiler and the headers
#   image/      the kernel and its modules, unpacked
#   vmlinuz     the kernel
#   modules.img the modules as a disk
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

suite=$1 release=$2 dir=$3

say "preparing kernel $release: headers and compiler of $suite"
mapfile -t sources < <(apt_sources "$suite")
mmdebstrap --quiet --mode=root --variant=apt \
	--aptopt='Acquire::Languages "none"' \
	--dpkgopt='path-exclude=/usr/share/doc/*' \
	--dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' \
	--include="ca-certificates,gcc,make,libc6-dev,linux-headers-$release" \
	"$suite" "$dir/root" "${sources[@]}"
mkdir "$dir/root/work"

say "preparing kernel $release: image and modules"
# From 7.x on the image is split over packages of the same release.
mapfile -t packages < <(apt_private "$suite" apt-cache depends --recurse \
	--no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
	--no-enhances "linux-image-$release" |
	grep -E '^linux-[a-z]+-[0-9]' | grep -F -e "-$release" | sort -u)
apt_unpack "$suite" "$dir/image" "${packages[@]}"
[ -d "$dir/image/lib" ] || ln -s usr/lib "$dir/image/lib"
find "$dir/image/lib/modules/$release" -name '*.ko.xz' -exec xz -d {} +
find "$dir/image/lib/modules/$release" -name '*.ko.zst' -exec zstd -q -d --rm {} +
depmod -b "$dir/image" "$release"
kernel=$(find "$dir/image/" -name "vmlinuz*" -type f | head -1)
[ -n "$kernel" ] || die "no kernel in ${packages[*]}"
ln "$kernel" "$dir/vmlinuz"

"$ROOT/scripts/disk.sh" "$dir/image/lib/modules" "$dir/modules.img"
