#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Run selftests in virtual machines.
#
#   run-tests.sh [-j JOBS] [-v] KERNEL [TEST...]
#
# TEST is a name in selftests/ (baseline for selftests/baseline.sh), or that of
# a list there ("core" for core.list); without any, every test runs, but for those
# that say which kernels they need ("# kernels: NAME...") and not this one. With
# User-Mode Linux each test has a machine of its own; in QEMU, which is slow to
# start, one machine runs all. Prints a line for each test and the output of
# those that fail (-v: of all), which also stays in build/tests/KERNEL/. A test
# that skips has failed.
. "$(dirname "$0")/lib.sh"

# A test sleeps now and then: one more than there are CPUs keeps them busy.
jobs=$(($(nproc) + 1)) verbose=
while getopts j:v option; do
	case $option in
	j)	jobs=$OPTARG ;;
	v)	verbose=1 ;;
	*)	sed -n '3,13s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || die "which kernel?"
kernel=$1
shift

tests=()
if [ $# -eq 0 ]; then
	for file in "$ROOT"/selftests/*.sh; do
		name=${file##*/}
		[ "$name" != lib.sh ] || continue
		only=$(sed -n '2,12s/^# kernels: //p' "$file")
		[ -n "$only" ] && [[ " $only " != *" $kernel "* ]] ||
			tests+=("${name%.sh}")
	done
fi
for name; do
	if [ -e "$ROOT/selftests/$name.list" ]; then
		mapfile -t -O ${#tests[@]} tests \
			< <(sed 's/[[:space:]]*#.*//; /^$/d' "$ROOT/selftests/$name.list")
	else
		tests+=("$name")
	fi
done
[ ${#tests[@]} -gt 0 ] || die "no tests"
for name in "${tests[@]}"; do
	[ -e "$ROOT/selftests/$name.sh" ] || die "there is no test $name"
done

"$ROOT/scripts/build.sh" "$kernel"

logs=$ROOT/build/tests/$kernel
mkdir -p "$logs"
results=$(mktemp -d)
running=()
cleanup()
{
	end_groups "${running[@]}"
	rm -rf "$results"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

report()	# TEST VERDICT TIME
{
	echo "$2" > "$results/$1.verdict"
	cp "$results/$1.out" "$logs/$1.log"
	# Machines run side by side: one report at a time.
	(
		flock 9
		printf '%-9s %-28s %-4s %6s s\n' "$kernel" "$1" "$2" "$3"
		if [ "$2" = FAIL ] || [ -n "$verbose" ]; then
			sed 's/^/    | /' "$results/$1.out"
		fi
	) 9> "$ROOT/build/.report"
}

# What the console of a machine says between the marks of scripts/vm-tests.sh
# is the output of a test; what it says after the last one, of its last test.
split_console()	# VM
{
	local line test='' last='' verdict time

	while IFS= read -r line; do
		line=${line%$'\r'}
		case $line in
		'@@ run '*)
			test=${line#@@ run } last=$test
			: > "$results/$test.out" ;;
		'@@ end '*)
			read -r _ _ test verdict time <<< "$line"
			echo "$verdict $time" > "$results/$test.end"
			[ "$test" = "$1" ] || report "$test" "$verdict" "$time"
			test= ;;
		*)
			printf '%s\n' "$line" >> "$results/${test:-${last:-$1}}.out" ;;
		esac
	done
}

# The verdict on the last test waits for the end of the machine: leaks are
# looked for when all is over.
machine()	# TEST...
{
	local scale limit status=0 test verdict time last=${*: -1}

	case $kernel in
	uml-fast|uml-gcov) scale=1 limit=300 ;;
	uml-debug)	scale=10 limit=600 ;;
	*)		scale=5 limit=900 ;;
	esac
	[[ $kernel != uml-* ]] || take_slot
	"$ROOT/scripts/vm.sh" "$kernel" --timeout $((limit * $# + 120)) \
		--env "MLB_SCALE=$scale" --env CI=1 \
		-- scripts/vm-tests.sh "$limit" "$@" < /dev/null 2>&1 |
		split_console "$last" || status=$?

	for test; do
		[ ! -e "$results/$test.verdict" ] || continue
		verdict=FAIL time=-
		if [ -e "$results/$test.end" ]; then
			read -r verdict time < "$results/$test.end"
		else
			echo "did not end" >> "$results/$test.out"
		fi
		# Status 1 only says that some test failed.
		[ $status -le 1 ] || verdict=FAIL
		report "$test" "$verdict" "$time"
	done
}

# Jobs in process groups of their own: killing a group ends its machine.
set -m
start()	# TEST...
{
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
		wait -n || :
	done
	machine "$@" &
	running+=($!)
}

if [[ $kernel = uml-* ]]; then
	for name in "${tests[@]}"; do
		start "$name"
	done
else
	start "${tests[@]}"
fi
wait
running=()

passed=0 failed=0
for name in "${tests[@]}"; do
	if [ "$(cat "$results/$name.verdict" 2> /dev/null)" = pass ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done
echo "$kernel: $passed passed, $failed failed"
[ $failed -eq 0 ]
