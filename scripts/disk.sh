#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Make IMAGE an ext4 file system that holds what is in DIRECTORY. Guests mount
# it read-only, so it has neither journal nor room to spare.
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin

mib=$(($(du -sm --apparent-size "$1" | cut -f1) * 5 / 4 + 32))
inodes=$(($(find "$1" | wc -l) + 1000))
mke2fs -q -t ext4 -O ^has_journal -m 0 -N "$inodes" -d "$1" "$2" "${mib}M" > /dev/null
