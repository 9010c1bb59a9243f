#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Build a User-Mode Linux kernel from the tree SOURCE with the given
# configuration fragments into DIR: the "linux" program and what a module
# build (make ARCH=um O=DIR M=...) needs.
. "$(dirname "$0")/lib.sh"

source=$1 dir=${*: -1}
fragments=("${@:2:$#-2}")

work=$(scratch 2500)
trap 'rm -rf "$work"' EXIT
um=(make -C "$source" ARCH=um "O=$work/obj" -s "-j$(nproc)")

mkdir "$work/obj"
cat "${fragments[@]}" > "$work/fragment"
"${um[@]}" "KCONFIG_ALLCONFIG=$work/fragment" allnoconfig > "$work/log" 2>&1 || {
	cat "$work/log" >&2
	die "cannot configure User-Mode Linux"
}

# Kconfig drops without a word what a missing dependency forbids; a checker
# that is silently absent would make every test look clean.
dropped=$(grep -E '^CONFIG_[A-Z0-9_]+=' "$work/fragment" |
	grep -Fxv -f "$work/obj/.config" || :)
[ -z "$dropped" ] ||
	die "options that this kernel cannot have: ${dropped//$'\n'/ }"

say "building User-Mode Linux (${fragments[*]##*/}): some minutes"
nice "${um[@]}" linux modules_prepare modules > "$work/log" 2>&1 || {
	tail -40 "$work/log" >&2
	die "cannot build User-Mode Linux"
}

# vmlinux is "linux" once more; objects are of no use to module builds, but
# for the host programs in scripts/.
cd "$work/obj"
rm -f vmlinux vmlinux.o vmlinux.unstripped .tmp_vmlinux*
find . -path ./scripts -prune -o -type f \
	\( -name '*.o' -o -name '*.a' -o -name '.*.cmd' \) -exec rm {} +
cp -a . "$dir"
