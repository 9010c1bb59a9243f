#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's own MPTCP selftests, those of each version on that version: each
# once without mlb and once with it and services in every namespace that it
# makes. Both must say the same. What differs is run again both ways, and how
# often it passed is told. Fails when there is a difference that mlb makes, and
# when a script says nothing or was not run.
#
#   test-mptcp.sh [-k] [-r] [-j JOBS] [-n REPEATS] [-s SCRIPT]... [-w FILE]
#                 [KERNEL...]
#
# KERNEL is uml-6.1, uml-6.12, uml-7.3 (User-Mode Linux with virtual time), or
# 6.1, 6.12, 7.3 (QEMU; without -s only the scripts that emulation is not too
# slow for). All of them by default. -k goes on with an earlier call: what ended
# then, with this module and these scripts, is not run again; -r runs nothing and
# reports what there is. -w writes the report, which else goes to
# build/mptcp/report.md; the one kept is selftests/mptcp/report.md.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

ALL=(mptcp_connect.sh mptcp_join.sh simult_flows.sh userspace_pm.sh
	pm_netlink.sh diag.sh mptcp_sockopt.sh)
# What it would draw by lot, the same for both.
CONNECT=(-d 20 -l 0.1% -r "90% 50%" -f 3000000)
SHORT=(userspace_pm.sh pm_netlink.sh diag.sh mptcp_sockopt.sh)

jobs=$(nproc) repeats=5 chosen=() report=build/mptcp/report.md keep='' run=1
while getopts krj:n:s:w: option; do
	case $option in
	k)	keep=1 ;;
	r)	keep=1 run='' ;;
	j)	jobs=$OPTARG ;;
	n)	repeats=$OPTARG ;;
	s)	chosen+=("${OPTARG%.sh}.sh") ;;
	w)	report=$OPTARG ;;
	*)	sed -n '3,18s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
kernels=("$@")
[ $# -gt 0 ] || kernels=(uml-6.1 uml-6.12 uml-7.3 "${KERNELS_QEMU[@]}")

# The selftests of a kernel, as "make -C tools/testing/selftests install" would
# leave them; their programs are built with the headers of that kernel.
make_tests()	# SOURCE DIR
{
	local tests=$1/tools/testing/selftests dir=$2 file

	make -s -C "$1" "O=$dir/headers" ARCH=x86 headers
	mkdir -p "$dir/net/mptcp"
	make -s -C "$tests/net/mptcp" "OUTPUT=$dir/net/mptcp" \
		KHDR_INCLUDES="-isystem $dir/headers/usr/include" all
	rm -r "$dir/headers"
	cp "$tests"/net/mptcp/*.sh "$dir/net/mptcp/"
	for file in lib.sh net_helper.sh lib/sh; do
		[ ! -e "$tests/net/$file" ] ||
			(cd "$tests" && cp -r --parents "net/$file" "$dir/")
	done
}

tests_of()	# SERIES
{
	local SOURCE

	eval "$(scripts/kernel.sh source "$1")"
	cached "mptcp-tests-$1-$(digest "${SOURCE##*/}" "$(declare -f make_tests)")" \
		make_tests "$SOURCE"
}

scripts_of()	# KERNEL
{
	if [ ${#chosen[@]} -gt 0 ]; then
		printf '%s\n' "${chosen[@]}"
	elif [[ $1 = uml-* ]]; then
		printf '%s\n' "${ALL[@]}"
	else
		printf '%s\n' "${SHORT[@]}"
	fi
}

# What the results of a run are of.
subject()	# KERNEL with|without SCRIPT [ARGUMENT...]
{
	local from=(selftests/mptcp/run.sh) parts

	[ "$2" = without ] || from+=(Kbuild kmod include selftests/mptcp/ip.sh)
	mapfile -t parts < <(find "${from[@]}" -type f -name '[!.]*[!o]' | sort)
	[ "$3" != mptcp_connect.sh ] || parts+=("${CONNECT[*]}")
	digest "${parts[@]}" "${tests[$1]##*/}" "${@:4}"
}

# One script in a machine of its own. What it says stays in LOGS/KERNEL/.
run()	# LOG KERNEL with|without NUMBER SCRIPT [ARGUMENT...]
{
	local log=$1 kernel=$2 mode=$3 status=0 begin=$SECONDS
	local arguments=("${@:5}") options=(--timeout 10800 --with "${tests[$2]}")
	local cpu=(nice)

	if [[ $kernel = uml-* ]]; then
		# No time passes while anything runs: on a busy host a test
		# would take for dead what only had no CPU.
		options+=(--boot time-travel=inf-cpu --env MLB_VIRTUAL=1)
		# A system call goes to and fro between two processes of the
		# host: on one CPU that is five times as fast when it is busy.
		cpu+=(taskset -c $((${#children[@]} % $(nproc))))
	else
		options+=(--env MLB_RESOLVE_TIMEOUT=500)
	fi
	[ "$5" != mptcp_connect.sh ] || arguments+=("${CONNECT[@]}")
	"${cpu[@]}" scripts/vm.sh "$kernel" "${options[@]}" -- selftests/mptcp/run.sh \
		"$mode" "${tests[$kernel]}" "${arguments[@]}" > "$log" 2>&1 < /dev/null || status=$?
	{
		[ $# -eq 5 ] || (IFS=$'\t' && echo "@@ only ${*:6}")
		echo "@@ of $(subject "$kernel" "$mode" "${@:5}")"
		echo "@@ vm $status $((SECONDS - begin))"
	} >> "$log"
	printf '%-8s %-18s %-7s %s: status %s, %s s\n' "$kernel" "$5" "$mode" "$4" \
		$status $((SECONDS - begin))
}

# In process groups of their own: killing a group ends its machine.
set -m
children=()
trap 'end_groups "${children[@]}"' EXIT
trap 'exit 1' INT TERM HUP
start()	# KERNEL with|without NUMBER SCRIPT [ARGUMENT...]
{
	local log=$logs/$1/$4.$2.$3.log

	if [ -n "$keep" ] && grep -qs '^@@ vm [01] ' "$log" &&
	   grep -qx "@@ of $(subject "$1" "$2" "${@:4}")" "$log"; then
		return
	fi
	if [ -z "$run" ]; then
		[ ! -e "$log" ] || MLB_OLDER+=" $1/$4"
		return 0
	fi
	# What was run again is of no use without the first.
	if [ "$3" = 0 ]; then rm -f "$logs/$1/$4.$2".*; else rm -f "$log"; fi
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
		wait -n || :
	done
	mkdir -p "${log%/*}"
	run "$log" "$@" &
	children+=($!)
}

need_root
if [ -n "$run" ]; then
	scripts/deps.sh
	scripts/build.sh "${kernels[@]}"
fi
declare -A tests
for kernel in "${kernels[@]}"; do
	tests[$kernel]=$(tests_of "${kernel#uml-}")
done

logs=$ROOT/build/mptcp/logs
export MLB_OLDER=	# what has run with another module or other scripts
every=()
for kernel in "${kernels[@]}"; do
	for script in $(scripts_of "$kernel"); do
		every+=("$kernel/$script")
		for mode in without with; do
			start "$kernel" $mode 0 "$script"
		done
	done
done
wait

mapfile -t again < <(scripts/mptcp-report.py -d "$logs" "${every[@]}")
for line in "${again[@]}"; do
	IFS=$'\t' read -r kernel script names <<< "$line"
	IFS=$'\t' read -ra names <<< "$names"
	for ((i = 1; i <= repeats; i++)); do
		for mode in without with; do
			start "$kernel" $mode "$i" "$script" "${names[@]}"
		done
	done
done
wait
children=()

mkdir -p "$(dirname "$report")"
status=0
scripts/mptcp-report.py "$logs" "${every[@]}" > "$report" || status=$?
say "the report: $report"
exit $status
