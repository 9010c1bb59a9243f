#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How much of the module the selftests reach: all of them on the kernel uml-gcov,
# and what its machines counted put together.
#
#   coverage.sh [-j JOBS] [-n] [-u] [TEST...]
#
# It counts from zero each time; -n: no tests, only the report on what was counted
# last. -u: bring selftests/coverage.md up to date, where each region that is not
# reached stands with its reason. Fails when a test fails or too little is reached.
# In build/coverage/ are the report, the regions and lines.json, with how often
# each line ran.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

COVERED=85 # percent
run=1 update=() jobs=()
while getopts j:nu option; do
	case $option in
	j)	jobs=(-j "$OPTARG") ;;
	n)	run= ;;
	u)	update=(--update) ;;
	*)	sed -n '3,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))

work=$ROOT/build/coverage
status=0
if [ -n "$run" ]; then
	need_root
	scripts/deps.sh
	rm -rf "$work"
	mkdir -p "$work/data"
	MLB_COVERAGE=$work/data \
		scripts/run-tests.sh "${jobs[@]}" uml-gcov "$@" 2>&1 | tee "$work/tests.log" || status=$?
fi

machines=("$work"/data/*/)
[ -d "${machines[0]}" ] || die "no machine has counted anything"
rm -rf "$work/sum"
for machine in "${machines[@]}"; do
	if [ -d "$work/sum" ]; then
		gcov-tool merge -o "$work/next" "$work/sum" "$machine"
		rm -r "$work/sum"
		mv "$work/next" "$work/sum"
	else
		cp -r "$machine" "$work/sum"
	fi
done > "$work/merge.log" 2>&1 || { cat "$work/merge.log" >&2; die "gcov-tool"; }
cp "$ROOT"/build/uml-gcov/kmod/*.gcno "$work/sum/"
(cd "$work/sum" && gcov --json-format --stdout ./*.gcda) > "$work/lines.json"
scripts/coverage.py --min $COVERED "${update[@]}" "$work/lines.json" \
	"$work" selftests/coverage.md || status=$?
exit $status
