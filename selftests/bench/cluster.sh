#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In a virtual machine: how fast the owner tables of a three-node cluster keep
# in step, and what it costs. See README.md here.
#
#   cluster.sh [-j] [-q] [PART...]
#
# -j: JSON; -q: quick, a tenth of everything. The parts are idle, visible,
# million, joiner, gone, highest; joiner needs million before it.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../lib/corosync.sh
. "$MLB_TESTS/lib/corosync.sh"
# shellcheck source=../lib/mlbd.sh
. "$MLB_TESTS/lib/mlbd.sh"
# shellcheck source=../lib/tokens.sh
. "$MLB_TESTS/lib/tokens.sh"

json='' part=1
while getopts jq option; do
	case $option in
	j) json=1 ;;
	q) part=10 ;;
	*) sed -n '6,9s/^# *//p' "$0" >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- idle visible million joiner gone highest
MILLION=$((1000000 / part))
ROUNDS=3
ROWS=()

say() { echo "$*" >&2; }

# What was measured, and what it should be: at least (>=) or at most (<=).
figure() # NAME VALUE UNIT [>=|<= GOAL]
{
	local met=

	if [ $# -gt 3 ]; then
		met=$(awk -v v="$2" -v g="$5" -v op="$4" \
			'BEGIN { print (op == ">=" ? v >= g : v <= g) ? "yes" : "no" }')
	fi
	ROWS+=("$1|$2|$3|${4:-}|${5:-}|$met")
	say "$1: $2 $3${met:+ (goal $4 $5: $met)}"
}

figures_print()
{
	local row name value unit op goal met

	if [ -n "$json" ]; then
		printf '%s\n' "${ROWS[@]}" | jq -R 'split("|") | {
			name: .[0], value: (.[1] | tonumber? // .), unit: .[2],
			goal: (if .[3] == "" then null else .[3] + " " + .[4] end),
			met: (if .[5] == "" then null else .[5] == "yes" end)}' |
			jq -s "{kernel: \"$(uname -r)\", cpus: $(nproc), figures: .}"
		return
	fi
	printf '%-58s %10s %-4s %-12s %s\n' "" measured "" goal met
	for row in "${ROWS[@]}"; do
		IFS='|' read -r name value unit op goal met <<< "$row"
		printf '%-58s %10s %-4s %-12s %s\n' "$name" "$value" "$unit" \
			"$op $goal" "$met"
	done
}

in_ms() { awk -v us="$1" 'BEGIN { printf "%.1f\n", us / 1000 }'; }

# Of the processes of all nodes, the one with most.
status_kb() # FIELD NODE...
{
	local i most=0 kb

	for i in "${@:2}"; do
		kb=$(awk "/^$1:/ { print \$2 }" "/proc/${MLBD_PID[$i]}/status")
		[ "$kb" -le "$most" ] || most=$kb
	done
	awk -v kb="$most" 'BEGIN { printf "%.1f\n", kb / 1024 }'
}

CPU_PIDS=()
cpu_begin()
{
	CPU_PIDS=("${MLBD_PID[@]}" "${COROSYNC_PID[@]}")
	CPU_FROM=$("$TOKENS" cpu "${CPU_PIDS[@]}")
	CPU_AT=${EPOCHREALTIME/./}
}

# Percent of a CPU since cpu_begin, of the mlbd and of the corosync that used
# most.
cpu_end()
{
	local took=$((${EPOCHREALTIME/./} - CPU_AT)) to

	to=$("$TOKENS" cpu "${CPU_PIDS[@]}")
	read -r CPU_MLBD CPU_COROSYNC < <(echo "$CPU_FROM $to" |
		awk -v n="$NODES" -v took="$took" '{
			for (i = 1; i <= 2 * n; i++) {
				used = $(2 * n + i) - $i
				if (used > most[i <= n]) most[i <= n] = used
			}
			printf "%.2f %.2f\n", 100 * most[1] / took, 100 * most[0] / took
		}')
}

idle()
{
	sleep 2
	cpu_begin
	sleep $((20 / part + 2))
	cpu_end
	figure "idle: CPU of mlbd" "$CPU_MLBD" % "<=" 1
	figure "idle: CPU of corosync" "$CPU_COROSYNC" %
}

# The machine may have been busy with something else: the best round counts,
# and the worst is told.
visible()
{
	local i rate=10000 best='' p50='' worst=0

	for ((i = 0; i < ROUNDS; i++)); do
		tokens run -r $rate -n $((10 * rate / part)) -- 1 2 3
		say "  $(cat "$TMP/tokens")"
		[ "${T[p99]}" -le "$worst" ] || worst=${T[p99]}
		if [ -z "$best" ] || [ "${T[p99]}" -lt "$best" ]; then
			best=${T[p99]} p50=${T[p50]}
		fi
		tokens_drop 60 || bail "tokens do not go"
	done
	figure "announce to visible at $rate/s: p50" "$(in_ms "$p50")" ms
	figure "announce to visible at $rate/s: p99" "$(in_ms "$best")" ms "<=" 30
	figure "announce to visible at $rate/s: p99, worst of $ROUNDS rounds" \
		"$(in_ms "$worst")" ms
}

# Runs at a rate; fails when it was not sustained: something was lost, the
# source did not come to it, or the observers fell behind.
sustained() # RATE TOKENS
{
	local lost

	lost=$(tokens_lost)
	cpu_begin
	tokens run -r "$1" -n "$2" -w 60000 -- 1 2 3
	cpu_end
	LOST=$(($(tokens_lost) - lost))
	say "  $(cat "$TMP/tokens") lost=$LOST mlbd=$CPU_MLBD corosync=$CPU_COROSYNC"
	[ "$LOST" = 0 ] && [ "${T[missing]:-1}" = 0 ] &&
		[ "${T[rate]}" -ge $(($1 * 98 / 100)) ] &&
		[ "${T[worst]}" -le 500000 ]
}

# A million tokens at the rate that is the goal. They stay.
million()
{
	sustained 100000 "$MILLION"
	figure "tokens synced through 3 nodes, offered 100,000/s" \
		"$((T[tokens] * 1000 / (T[ms] + T[drained])))" /s ">=" 98000
	figure "  lost on the way" "$LOST" "" "<=" 0
	figure "  announce to visible: p99" "$(in_ms "${T[p99]}")" ms
	figure "  until all were visible after the last" "${T[drained]}" ms
	figure "  CPU of mlbd" "$CPU_MLBD" %
	figure "  CPU of corosync" "$CPU_COROSYNC" %
	tokens same -- 1 2 3
	figure "  entries that differ then" "${T[differ]}" "" "<=" 0
	figure "memory of mlbd with $MILLION entries" \
		"$(status_kb VmRSS 1 2 3)" MB "<=" 64
	figure "  at its peak so far" "$(status_kb VmHWM 1 2 3)" MB
}

# For who has to find out why.
state()
{
	local i

	say "$(tail -n 8 "$TMP"/mlbd.* "$TMP"/view.*)"
	for i in 1 2 3; do
		say "$(cluster_status "$i" '{sync: .cluster.sync, errors: .cluster.errors,
			nodes: [.cluster.nodes[] | del(.addr, .version, .stamp,
			.["key-id"])]} | tojson')"
	done
}

# Node 3 has to get all of node 1's entries, while new ones come.
joiner()
{
	local i began pid

	mlbd_kill 3
	must ctl 3 owner flush
	for i in 1 2; do
		echo 5 > "/proc/${MLBD_PID[$i]}/clear_refs"
	done
	"$TOKENS" run -r 1000 -n 100000 -s 2000000 "1:/run/netns/$PREFIX-n1" \
		"2:/run/netns/$PREFIX-n2" > "$TMP/new" 2>&1 &
	pid=$!
	CHILDREN+=("$pid")
	sleep 1
	began=${EPOCHREALTIME/./}
	mlbd_start 3
	tokens await -w 90000 -d 100 -- 1 3
	[ "${T[missing]}" -le 100 ] || state
	figure "$MILLION entries handed to a joiner" "$(awk -v us=$((
		${EPOCHREALTIME/./} - began)) 'BEGIN { printf "%.1f", us / 1e6 }')" \
		s "<=" 20
	figure "  entries that it lacks then" "$((T[missing] > 100 ? T[missing] : 0))" "" "<=" 0
	kill "$pid"
	wait "$pid"
	tokens_read "$TMP/new"
	say "  $(cat "$TMP/new")"
	figure "  new ones at 1,000/s meanwhile, to another node: p50" \
		"$(in_ms "${T[p50]}")" ms
	figure "  p99" "$(in_ms "${T[p99]}")" ms
	figure "  worst" "$(in_ms "${T[worst]}")" ms "<=" 100
	wait_for 30 in_step 3
	sleep 2
	tokens same -- 1 2 3
	figure "  entries that differ in the end" "${T[differ]}" "" "<=" 0
	figure "  memory of mlbd meanwhile, who gives: peak" \
		"$(status_kb VmHWM 1)" MB "<=" 64
	figure "  who takes: peak" "$(status_kb VmHWM 3)" MB "<=" 64
	figure "  who does neither: peak" "$(status_kb VmHWM 2)" MB "<=" 64
}

gone()
{
	local began=${EPOCHREALTIME/./}

	tokens_drop 120 || { state; bail "tokens do not go"; }
	figure "$MILLION entries taken back at once, by all" "$(awk -v us=$((
		${EPOCHREALTIME/./} - began)) 'BEGIN { printf "%.1f", us / 1e6 }')" s
}

# Upwards until it is too much.
highest()
{
	local rate best=0

	for rate in 25000 50000 75000 100000 125000 150000 200000 250000 300000 400000; do
		if ! sustained $rate $((rate * 5 / part)) &&
		   ! { tokens_drop 120; sustained $rate $((rate * 5 / part)); }; then
			break
		fi
		best=$rate
		tokens_drop 120 || bail "tokens do not go"
	done
	tokens_drop 120
	figure "highest rate for 5 s without loss, all seen within 500 ms" \
		"$best" /s ">=" 100000
}

test_begin > /dev/null
say "$(uname -r), $(nproc) CPU; load of the machine: $(cut -d' ' -f1-3 /proc/loadavg)"
tokens_cluster 3 '[kernel]' 'max-owners = 4000000'
for name; do
	"$name"
done
figures_print
TAP_DONE=1
