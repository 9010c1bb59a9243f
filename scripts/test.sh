#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every test of mlb: unit tests, static checks, a minute of each fuzz target,
# all selftests on User-Mode Linux, those of debug.list there with every checker
# of the kernel, in QEMU on each distribution kernel those of core.list and of
# the kernel's own list, and the cluster of three machines of scripts/test-cluster.sh.
# Ends with the line "N passed, N failed" and status 0 when nothing failed.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

need_root
scripts/deps.sh
mkdir -p build/test
rm -rf build/test/*
children=()
trap '[ ${#children[@]} -eq 0 ] || kill "${children[@]}" 2> /dev/null || :' EXIT
trap 'exit 1' INT TERM HUP

# Everything goes on side by side: QEMU's machines one after the other, each of
# which runs all its tests, and beside them, in as many slots as there are CPUs,
# whatever has its turn.
export MLB_SLOTS=$ROOT/build/test/slots
slots()
{
	local n

	mkdir -p "$MLB_SLOTS"
	for ((n = 0; n < $(nproc); n++)); do
		: > "$MLB_SLOTS/$n"
	done
}

# A part that is one test.
part()	# NAME COMMAND...
{
	local name=$1 start=$SECONDS

	shift
	if "$@" > "build/test/$name.log" 2>&1 < /dev/null; then
		printf '%-9s %-28s pass %6s s\n' "$name" '' $((SECONDS - start))
		echo "1 0" > "build/test/$name.count"
	else
		printf '%-9s %-28s FAIL %6s s\n' "$name" '' $((SECONDS - start))
		flock build/.report sed 's/^/    | /' "build/test/$name.log"
		echo "0 1" > "build/test/$name.count"
	fi
}

# A part that says in its last line how many of its tests passed. One that
# ends without that line has failed.
counted()	# NAME COMMAND...
{
	local name=$1 status=0 count

	shift
	"$@" 2>&1 < /dev/null | tee "build/test/$name.log" || status=$?
	count=$(tail -1 "build/test/$name.log" |
		sed -nE 's/^.*: ([0-9]+) passed, ([0-9]+) failed$/\1 \2/p')
	if [ -z "$count" ] || { [ $status -ne 0 ] && [[ $count = *' 0' ]]; }; then
		count="0 1"
	fi
	echo "$count" > "build/test/$name.count"
}

in_qemu()
{
	local kernel

	for kernel in "${KERNELS_QEMU[@]}"; do
		counted "$kernel" scripts/run-tests.sh "$kernel" core "$kernel"
	done
	counted cluster scripts/test-cluster.sh -s
	# The others have one more slot then.
	: > "$MLB_SLOTS/qemu"
}

background()	# COMMAND...
{
	"$@" &
	children+=($!)
}

# Until it has counted, it has failed.
for name in unit check fuzz cluster "${KERNELS_UML[@]}" "${KERNELS_QEMU[@]}"; do
	echo "0 1" > "build/test/$name.count"
done

# A kernel that cannot be had fails its tests; this says why. Downloads go on
# while this machine compiles.
{
	for kernel in "${KERNELS_QEMU[@]}"; do
		scripts/kernel.sh "$kernel"
	done
	scripts/stock.sh 6.1
} > build/test/prepare.log 2>&1 < /dev/null &
children+=($!)
for kernel in "${KERNELS_UML[@]}" clang; do
	scripts/kernel.sh "$kernel" > /dev/null || say "no kernel $kernel"
done
wait "${children[0]}" || cat build/test/prepare.log
children=()

slots
scripts/build.sh
background in_qemu
background part unit scripts/slot.sh make unit
background counted check scripts/slot.sh scripts/check.sh
background counted fuzz scripts/fuzz.sh
background counted uml-debug scripts/run-tests.sh uml-debug debug
background counted uml-fast scripts/run-tests.sh uml-fast
wait
children=()

echo
passed=0 failed=0
for file in build/test/*.count; do
	read -r good bad < "$file"
	[ "$bad" -eq 0 ] || echo "failed: $(basename "$file" .count) ($bad)"
	passed=$((passed + good)) failed=$((failed + bad))
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
