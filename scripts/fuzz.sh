#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Fuzz what reads bytes that come from elsewhere, and show how much of it is
# reached.
#
#   fuzz.sh [-c] [TARGET...]
#
# Each target runs for FUZZ_SECONDS (60), as many beside each other as there are
# CPUs. Inputs that reach something new stay in build/fuzz/TARGET.corpus for the
# next run; what breaks a target is left in build/fuzz. Then all inputs, the
# seeds among them, are replayed (-c: only that), and a parser that they leave
# more than 5 % of the lines of without a visit has failed. Ends with the line
# "fuzz: N passed, N failed".
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

COVERED=95 # percent
# Which parsers a target is there for. Of the module first.
declare -A parsers=(
	[option]=kmod/option.c
	[tunhdr]=kmod/tunhdr.c
	[packet]=kmod/packet.c
	[wire]=$(echo userland/mlbd/{wire,hello,report,document_{change,check,group,parse,role,role_change}}.c)
	[config]=$(echo userland/mlbd/config{,_check,_read}.c)
	[args]=$(echo userland/mlbctl/{args,parse}.c)
	[pools]=userland/mlbctl/pool_file.c
)
all=(option tunhdr packet wire config args pools)

only_coverage=
while getopts c option; do
	case $option in
	c)	only_coverage=1 ;;
	*)	sed -n '3,15s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
targets=("$@")
[ $# -gt 0 ] || targets=("${all[@]}")
for target in "${targets[@]}"; do
	[ -n "${parsers[$target]:-}" ] || die "there is no target $target"
done

scripts/deps.sh
work=$ROOT/build/fuzz
coverage=$work/coverage
mkdir -p "$coverage"
results=$(mktemp -d)
running=()
cleanup()
{
	end_groups "${running[@]}"
	rm -rf "$results"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

verdict()	# WHAT pass|FAIL SAYING [FILE]: more to say
{
	(
		flock 9
		printf '%-9s %-36s %s  %s\n' fuzz "$1" "$2" "$3"
		[ -z "${4:-}" ] || sed 's/^/    | /' "$4"
	) 9> "$ROOT/build/.report"
	echo "$2" > "$results/${1//\//-}.verdict"
}

# Where a target is made, where its seeds and its dictionary are, and how long
# its inputs are at most.
place()	# TARGET
{
	if [[ ${parsers[$1]} = kmod/* ]]; then
		dir=selftests/unit given=selftests/unit/fuzz/$1 max=256
	else
		dir=userland given=userland/tests/fuzz/$1 max=1024
	fi
}

build()	# TARGET DIR [CFLAGS]
{
	mkdir -p "$work/$1.corpus"
	make --no-print-directory -C "$dir" FUZZ_DIR="$2" \
		${3:+FUZZ_CFLAGS="$3"} "$2/fuzz_$1"
}

fuzz()	# TARGET
{
	local dir given max

	place "$1"
	build "$1" "$work" &&
		"$work/fuzz_$1" -max_total_time="${FUZZ_SECONDS:-60}" \
			-max_len="$max" -timeout=10 -dict="$given.dict" \
			-artifact_prefix="$work/$1-" -print_final_stats=1 \
			-verbosity=0 "$work/$1.corpus" "$given.corpus"
}

# Status 0 in any case: the verdict is what counts.
fuzz_in_turn()	# TARGET
{
	local start log=$work/$1.log runs

	take_slot
	start=$SECONDS
	if fuzz "$1" > "$log" 2>&1 < /dev/null; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
		verdict "$1" pass "$((SECONDS - start)) s, $runs inputs"
	else
		verdict "$1" FAIL "$((SECONDS - start)) s" "$log"
	fi
}

replay()	# TARGET
{
	local dir given max

	place "$1"
	build "$1" "$coverage" \
		"-O1 -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping" &&
		LLVM_PROFILE_FILE=$coverage/$1.profraw "$coverage/fuzz_$1" \
			-runs=0 -verbosity=0 "$work/$1.corpus" "$given.corpus"
}

# Of a parser's lines, those that some input came to.
covered()	# FILE
{
	local shown=$coverage/${1//\//-} lines missed percent result=FAIL

	llvm-cov show "${objects[@]:1}" -instr-profile="$coverage/profile" \
		"$ROOT/$1" > "$shown"
	lines=$(grep -cE '^ *[0-9]+\| +[0-9]' "$shown" || :)
	grep -E '^ *[0-9]+\| +0\|' "$shown" > "$shown.missed" || :
	missed=$(wc -l < "$shown.missed")
	percent=$((lines ? 1000 * (lines - missed) / lines : 0))
	[ $percent -lt $((10 * COVERED)) ] || result=pass
	verdict "$1" $result \
		"$((percent / 10)).$((percent % 10)) % of $lines lines" \
		"$shown.missed"
}

cover()
{
	local target file log profiles=() objects=()

	take_slot
	for target in "${targets[@]}"; do
		log=$coverage/$target.log
		if replay "$target" > "$log" 2>&1 < /dev/null; then
			profiles+=("$coverage/$target.profraw")
			objects+=(-object "$coverage/fuzz_$target")
		else
			verdict "coverage of $target" FAIL '' "$log"
		fi
	done
	[ ${#profiles[@]} -gt 0 ] || return 0
	llvm-profdata merge -o "$coverage/profile" "${profiles[@]}"
	for target in "${targets[@]}"; do
		for file in ${parsers[$target]}; do
			covered "$file"
		done
	done
}

if [ -z "${MLB_SLOTS:-}" ]; then
	export MLB_SLOTS=$results/slots
	mkdir "$MLB_SLOTS"
	for ((i = 0; i < $(nproc); i++)); do
		: > "$MLB_SLOTS/$i"
	done
fi

# Each in a group of its own, which can be ended.
set -m
if [ -z "$only_coverage" ]; then
	for target in "${targets[@]}"; do
		fuzz_in_turn "$target" &
		running+=($!)
	done
	wait
	running=()
fi
cover &
running=($!)
wait
running=()

passed=$(cat "$results"/*.verdict | grep -c pass || :)
failed=$(cat "$results"/*.verdict | grep -c FAIL || :)
echo "fuzz: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
