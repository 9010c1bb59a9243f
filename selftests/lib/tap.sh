# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Test Anything Protocol, version 13.
# shellcheck disable=SC2034 # TAP_DONE is for test_cleanup

KSFT_PASS=0
KSFT_FAIL=1
KSFT_SKIP=4

TAP_COUNT=0
TAP_FAILED=0
# shellcheck disable=SC2034 # read by test_cleanup
TAP_DONE=0

tap_note() # TEXT...
{
	printf '%s\n' "$*" | sed 's/^/# /'
}

tap_ok() # DESCRIPTION
{
	TAP_COUNT=$((TAP_COUNT + 1))
	echo "ok $TAP_COUNT - $1"
}

tap_not_ok() # DESCRIPTION [WHY]
{
	TAP_COUNT=$((TAP_COUNT + 1))
	TAP_FAILED=$((TAP_FAILED + 1))
	echo "not ok $TAP_COUNT - $1"
	[ -z "${2:-}" ] || tap_note "$2"
}

# The last line of every test.
tap_done()
{
	echo "1..$TAP_COUNT"
	TAP_DONE=1
	[ "$TAP_COUNT" -gt 0 ] && [ "$TAP_FAILED" = 0 ] && exit $KSFT_PASS
	exit $KSFT_FAIL
}

bail() # WHY
{
	echo "Bail out! $*"
	TAP_DONE=1
	exit $KSFT_FAIL
}

# A feature that the test needs is absent: a failure, unless asked otherwise.
missing() # WHAT
{
	if [ -z "${CI:-}" ] && [ "${MLB_CI:-1}" = 0 ]; then
		echo "1..0 # SKIP $1"
		TAP_DONE=1
		exit $KSFT_SKIP
	fi
	bail "$1"
}

check_eq() # DESCRIPTION GOT WANT
{
	if [ "$2" = "$3" ]; then
		tap_ok "$1"
	else
		tap_not_ok "$1" "got '$2', want '$3'"
	fi
}

check_range() # DESCRIPTION GOT MIN MAX
{
	if [[ $2 =~ ^[0-9]+$ ]] && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then
		tap_ok "$1"
	else
		tap_not_ok "$1" "got '$2', want $3 to $4"
	fi
}

check_ge() # DESCRIPTION GOT MIN
{
	if [[ $2 =~ ^[0-9]+$ ]] && [ "$2" -ge "$3" ]; then
		tap_ok "$1"
	else
		tap_not_ok "$1" "got '$2', want $3 or more"
	fi
}

check_true() # DESCRIPTION COMMAND...
{
	local desc=$1 out

	shift
	if out=$("$@" 2>&1); then
		tap_ok "$desc"
	else
		tap_not_ok "$desc" "failed: $*${out:+
$out}"
	fi
}
