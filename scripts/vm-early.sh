#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
# First program of a QEMU guest, in its initramfs: put the disks together
# (vda root file system, vdb kernel modules, vdc a tar with the job) under a
# writable layer in memory, then start there what the job names as its init.
# With "mlb.stock" on the command line the root file system has its own modules
# and vdb is the tar.
# With "mlb.probe" on the command line it only shows that the guest came up.

b=/bin/busybox
trap '$b poweroff -f' EXIT

$b mkdir -p /proc /dev /layer
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
if $b grep -q mlb.probe /proc/cmdline; then
	echo up > /dev/ttyS1
	exit
fi

while read -r module; do
	$b insmod "/modules/$module" || echo "cannot load $module"
done < /modules/order

# The disks appear when the virtio drivers have probed them.
tries=0
job=/dev/vdc
! $b grep -q mlb.stock /proc/cmdline || job=/dev/vdb
until [ -b /dev/vda ] && [ -b /dev/vdb ] && [ -b $job ]; do
	tries=$((tries + 1))
	[ $tries -lt 200 ] || { echo "no disks"; exit; }
	$b usleep 50000
done

$b mount -t tmpfs -o size=75% layer /layer
$b mkdir -p /layer/base /layer/up /layer/work /layer/root
$b mount -t ext4 -o ro /dev/vda /layer/base || exit
$b mount -t overlay -o lowerdir=/layer/base,upperdir=/layer/up,workdir=/layer/work \
	root /layer/root || exit
if [ $job = /dev/vdc ]; then
	$b mkdir -p /layer/root/lib/modules
	$b mount -t ext4 -o ro /dev/vdb /layer/root/lib/modules || exit
fi
$b tar -x -f $job -C /layer/root || exit
init=$($b cat /layer/root/mlb-job/init)
$b umount /proc
exec $b switch_root /layer/root "$init"
