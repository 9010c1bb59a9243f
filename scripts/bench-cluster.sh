#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Measure how fast a cluster's owner tables keep in step, in one virtual machine
# that holds all of its nodes. What is measured, and how: selftests/bench/README.md.
#
#   bench-cluster.sh [-j] [-q] [KERNEL [PART...]]
#
# KERNEL is uml-fast unless told; 6.1, 6.12, 7.3 are QEMU with two CPUs. -j
# prints JSON, -q measures a tenth of everything. PART: idle, visible, million,
# joiner, gone, highest.
. "$(dirname "$0")/lib.sh"

options=()
while getopts jq option; do
	case $option in
	[jq])	options+=("-$option") ;;
	*)	sed -n '6,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
kernel=${1:-uml-fast}
shift $(($# > 0))
need_root
scale=1
[[ $kernel = uml-* ]] || scale=5
"$ROOT/scripts/deps.sh"
"$ROOT/scripts/build.sh" "$kernel"

# How long somebody had to wait for a CPU of this machine, in us, and the time.
pressure()
{
	sed -n 's/^some.* total=//p' /proc/pressure/cpu 2> /dev/null || :
	echo "${EPOCHREALTIME/./}"
}

mapfile -t from < <(pressure)
"$ROOT/scripts/vm.sh" "$kernel" --mem 3072 --timeout 1800 \
	--env "MLB_SCALE=$scale" -- selftests/bench/cluster.sh "${options[@]}" "$@" |
	sed -u 's/\r$//; /reboot: Power down$/d'
mapfile -t to < <(pressure)
if [ ${#to[@]} = 2 ]; then
	say "somebody waited for a CPU of this machine $((100 * (to[0] - from[0]) / (to[1] - from[1]))) % of the time, load $(cut -d' ' -f1-3 /proc/loadavg)"
fi
