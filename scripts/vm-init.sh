#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# First process of a test VM. Runs the job's command, reads the kernel's log
# for faults, leaves the exit status for scripts/vm.sh and ends the VM. The
# job's directory is /mlb-job: env, command, busybox.
#
# QEMU arrives here with a writable root. User-Mode Linux arrives with the
# host's own files, mounted read-only, and the place of the job's directory
# there in $mlb_job: a layer in memory goes over them, and only the job's
# directory is the host's.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LC_ALL=C.UTF-8 TERM=${TERM:-linux} DEBIAN_FRONTEND=noninteractive

layer()	# DIRECTORY
{
	mount -t tmpfs -o size=75% layer /mnt
	mkdir /mnt/up /mnt/work /mnt/root
	mount -t overlay -o lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work \
		root /mnt/root
	mkdir /mnt/root/mlb-job
	mount -t hostfs -o "$1" job /mnt/root/mlb-job
	cd /mnt/root || return
	pivot_root . mnt
	cd / || return
	umount -l /mnt
}

[ -d /mlb-job ] || layer "${mlb_job:?}"
trap '/mlb-job/busybox poweroff -f' EXIT

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mountpoint -q /dev || mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mkdir -p /run/netns /run/lock
mount -t debugfs debugfs /sys/kernel/debug 2> /dev/null
# What takes longest in User-Mode Linux is a page fault: map more pages at each.
[ -z "${mlb_job:-}" ] || echo 2097152 > /sys/kernel/debug/fault_around_bytes
mount -t tracefs tracefs /sys/kernel/tracing 2> /dev/null
mount -t bpf bpf /sys/fs/bpf 2> /dev/null
for link in fd:/proc/self/fd stdin:/proc/self/fd/0 stdout:/proc/self/fd/1 \
	    stderr:/proc/self/fd/2; do
	ln -sfn "${link#*:}" "/dev/${link%%:*}"
done
stty -opost < /dev/console 2> /dev/null
ip link set lo up
hostname mlb-vm 2> /dev/null

# shellcheck source=/dev/null
. /mlb-job/env	# ROOT and what the caller passes on
# shellcheck source=vm-faults.sh
. "$ROOT/scripts/vm-faults.sh"

faults_begin vm
(cd "$ROOT" && exec bash /mlb-job/command)
status=$?
leaks=$(kernel_leaks)
faults=$(faults_since vm)
# The kernel keeps what a module has counted that is no more.
find /sys/kernel/debug/gcov -name '*.gcda' 2> /dev/null > /run/counted
if [ -s /run/counted ]; then
	mkdir /mlb-job/gcov
	xargs cp -t /mlb-job/gcov < /run/counted
fi
if [ -n "$leaks" ]; then
	printf 'memory that nothing refers to:\n%s\n' "$leaks"
fi
if [ -n "$faults$leaks" ]; then
	echo "the kernel log:"
	log_since vm | tail -300
	[ $status -ne 0 ] || status=70
fi

if [ -n "${mlb_job:-}" ]; then
	echo $status > /mlb-job/status
	sync /mlb-job/status
else
	echo $status > /dev/ttyS1
fi
