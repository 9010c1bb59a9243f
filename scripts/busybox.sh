#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Put a static busybox into DIR. It is unpacked, not installed: the package
# would replace the machine's own busybox.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

dir=$1
apt_unpack bookworm "$dir" busybox-static
find "$dir" -path "*/bin/busybox" -type f -exec ln {} "$dir/busybox" \;
[ -x "$dir/busybox" ] || die "no busybox in busybox-static"
