#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every test of mlb: unit tests, static checks, all selftests on User-Mode
# Linux, those of debug.list there with every checker of the kernel, and in QEMU
# on each distribution kernel those of core.list and of the kernel's own list.
# Ends with the line "N passed, N failed" and status 0 when nothing failed. The
# cluster of machines is not among them: scripts/test-cluster.sh.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

need_root
scripts/deps.sh
mkdir -p build/test
rm -f build/test/*
begin=$SECONDS
children=()
trap '[ ${#children[@]} -eq 0 ] || kill "${children[@]}" 2> /dev/null || :' EXIT
trap 'exit 1' INT TERM HUP

stage()
{
	printf '\n--- %s (at %d:%02d)\n' "$*" $(((SECONDS - begin) / 60)) \
		$(((SECONDS - begin) % 60))
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
		sed 's/^/    | /' "build/test/$name.log"
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

# Downloads go on while this machine compiles.
stage "kernels"
for kernel in "${KERNELS_QEMU[@]}"; do
	scripts/kernel.sh "$kernel"
done > build/test/prepare.log 2>&1 < /dev/null &
prepare=$!
children+=("$prepare")
for kernel in "${KERNELS_UML[@]}"; do
	scripts/kernel.sh "$kernel" > /dev/null ||
		echo "0 1" > "build/test/kernel-$kernel.count"
done

stage "unit tests and static checks"
part unit make unit
counted check scripts/check.sh

stage "selftests, User-Mode Linux"
counted uml-fast scripts/run-tests.sh uml-fast
counted uml-debug scripts/run-tests.sh uml-debug debug

stage "selftests, QEMU"
if ! wait $prepare; then
	cat build/test/prepare.log
	echo "0 1" > build/test/prepare.count
fi
children=()
for kernel in "${KERNELS_QEMU[@]}"; do
	# Until it has counted, it has failed.
	echo "0 1" > "build/test/$kernel.count"
	counted "$kernel" scripts/run-tests.sh "$kernel" core "$kernel" &
	children+=($!)
done
wait
children=()

stage "result"
passed=0 failed=0
for file in build/test/*.count; do
	read -r good bad < "$file"
	[ "$bad" -eq 0 ] || echo "failed: $(basename "$file" .count) ($bad)"
	passed=$((passed + good)) failed=$((failed + bad))
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
