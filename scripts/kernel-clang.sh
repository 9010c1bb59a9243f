#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Configure User-Mode Linux from the tree SOURCE with the configuration FRAGMENT
# for clang, and make in DIR what the compilation of a module needs: there is no
# kernel.
. "$(dirname "$0")/lib.sh"

source=$1 fragment=$2 dir=$3
log=$(mktemp)
trap 'rm -f "$log"' EXIT

say "preparing a kernel's headers for clang"
for target in allnoconfig modules_prepare; do
	make -C "$source" ARCH=um "O=$dir" CC=clang -s "-j$(nproc)" \
		"KCONFIG_ALLCONFIG=$fragment" "$target" > "$log" 2>&1 || {
		tail -40 "$log" >&2
		die "cannot prepare a kernel's headers for clang"
	}
done
