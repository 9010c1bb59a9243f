#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Make DIR/initramfs for the Debian kernel RELEASE unpacked in IMAGE: busybox,
# the modules that the guest's disks need, and scripts/vm-early.sh.
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin:/sbin

image=$1 release=$2 busybox=$3 dir=$4

mkdir -p "$dir/early/modules" "$dir/early/bin"
cp "$busybox" "$dir/early/bin/busybox"
cp "$ROOT/scripts/vm-early.sh" "$dir/early/init"
# Some of these are built into some kernels; those have no file to load.
for module in virtio_pci virtio_blk ext4 overlay; do
	modprobe -d "$image" -S "$release" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
while read -r file; do
	cp "$file" "$dir/early/modules/"
	printf '%s\n' "${file##*/}" >> "$dir/early/modules/order"
done
(cd "$dir/early" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) \
	> "$dir/initramfs"
rm -r "$dir/early"

