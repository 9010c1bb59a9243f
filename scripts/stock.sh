#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Print the directory of the stock Debian system (scripts/stock-root.sh) with
# KERNEL (6.1, 6.12, 7.3), made when it is absent.
. "$(dirname "$0")/lib.sh"

need_root
eval "$("$ROOT/scripts/kernel.sh" "$1")"
[ "$KIND" = qemu ] || die "no Debian kernel: $1"
key=$(digest "$BUILDROOT" "$ROOT"/scripts/{stock-root.sh,stock-packages,in-root.sh,disk.sh})
cached "stock-$1-$key" "$ROOT/scripts/stock-root.sh" "$BUILDROOT" \
	"${BUILDROOT%/root}/image" "$RELEASE"
