#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Inside a test VM: run selftests, LIMIT seconds each at most, and mark on the
# console where each begins and ends (see scripts/run-tests.sh).
#
#   vm-tests.sh LIMIT TEST...
. "$(dirname "$0")/vm-faults.sh"

limit=$1
shift
output=$(mktemp)
failed=0

verdict()	# STATUS
{
	if [ "$1" -eq 124 ]; then
		echo "no end after $limit s"
	elif [ "$1" -eq 4 ] || grep -qiE '^ok .*# *skip' "$output"; then
		echo "skipped: a test must not, on any kernel that mlb supports"
	elif [ "$1" -ne 0 ]; then
		echo "exit status $1"
	elif grep -q '^not ok' "$output"; then
		echo "exit status 0, but a check failed"
	elif grep -qE '^Bail out!|: unbound variable$' "$output"; then
		# After some of these bash goes on with the next command.
		echo "exit status 0, but something was left out"
	elif ! grep -q '^ok ' "$output"; then
		echo "exit status 0, but nothing was checked"
	else
		return 0
	fi
	return 1
}

for name; do
	echo "@@ run $name"
	faults_begin "$name"
	begin=$EPOCHREALTIME
	timeout --kill-after=5 "$limit" "selftests/$name.sh" \
		< /dev/null 2>&1 | tee "$output"
	status=${PIPESTATUS[0]}
	end=$EPOCHREALTIME
	result=pass
	verdict "$status" || result=FAIL
	faults=$(faults_since "$name")
	if [ -n "$faults" ]; then
		printf 'faults in the kernel log:\n%s\n' "$faults"
		result=FAIL
	fi
	if [ $result = FAIL ]; then
		echo "the kernel log:"
		log_since "$name" | tail -150
		failed=1
	fi
	echo "@@ end $name $result $(((${end/./} - ${begin/./}) / 1000000))"
done
exit $failed
