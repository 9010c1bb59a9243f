#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a node that has run for weeks has no memory left, or tables full
# of connections that are long over.
#
# In a virtual machine: three nodes with corosync and mlbd serve connections with
# second paths, one after the other as fast as they can, for SOAK_SECONDS, while
# the router's choice of nodes and the cluster's settings change. What is in use
# is looked at while nothing is going on, before and after, and every
# SOAK_SAMPLE seconds (60) meanwhile.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../lib/corosync.sh
. "$MLB_TESTS/lib/corosync.sh"
# shellcheck source=../lib/mlbd.sh
. "$MLB_TESTS/lib/mlbd.sh"

SOAK_SECONDS=${SOAK_SECONDS:-3600}
SOAK_SAMPLE=${SOAK_SAMPLE:-60}
# Until every cache has its size: connections of that long wait in TIME_WAIT.
WARM_SECONDS=150
RESHUFFLE_SECONDS=5
# The most that may be gone for good, in KiB: less than 8 bytes for each of an
# hour's connections; and of a daemon's memory.
SLAB_KB=1024
RSS_KB=256

# The nodes that the router knows, one after the other.
SHUFFLES=("1 2 3" "3 1" "2 3 1" "2" "3 2 1" "1 2" "1 3 2")

# Connections of a load at a time.
ROUND=100

ROW="%7s %8s %6s %6s %6s %4s %9s %8s %8s %8s %6s %6s %6s %6s %6s %6s\n"

# Connections until $TMP/stop is there; how many of them did well is in
# $TMP/load.N.
load() # 4|6
{
	local f=$1 vip pair line n=0 all=0 ok=0 second=0
	local -A r

	vip=$(vip "$f")
	until [ -e "$TMP/stop" ]; do
		n=$((n + 1))
		line=$(in_netns "$PREFIX-c" "$LOAD" client -n $ROUND -b 2000 \
			-s 5000 -e $n "$vip" "$PORT" 2>&1)
		line=${line##*$'\n'}
		r=([connections]=0 [ok]=0 [second]=0)
		for pair in $line; do
			r[${pair%%=*}]=${pair#*=}
		done
		all=$((all + r[connections])) ok=$((ok + r[ok]))
		second=$((second + r[second]))
		[ "${r[ok]}" = $ROUND ] || echo "$EPOCHSECONDS $line" >> "$TMP/bad"
		echo "$all $ok $second" > "$TMP/load.$f.new"
		mv "$TMP/load.$f.new" "$TMP/load.$f"
	done
}

# What was done since the beginning -> ALL, OK, SECOND
loads_read()
{
	local all ok second f

	ALL=0 OK=0 SECOND=0
	for f in 4 6; do
		read -r all ok second < "$TMP/load.$f" || continue
		ALL=$((ALL + all)) OK=$((OK + ok)) SECOND=$((SECOND + second))
	done
}

# Entries of all nodes' tables -> TABLES: owners, flows, clients of dead nodes,
# parked packets.
tables_read()
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		ctl "$i" -j set
	done | jq -s '[.[] | [.owners, .flows, .dead // 0, .parked]] |
		transpose | map(add) | join(" ")' -r > "$TMP/tables"
	read -ra TABLES < "$TMP/tables"
}

tables_empty()
{
	tables_read
	[ "${TABLES[*]}" = "0 0 0 0" ]
}

# What is in use, in KiB, in the order of the table's columns. The objects of
# /proc/slabinfo are what is in use of it; its slabs also have room for more. A
# daemon's memory is what it has for itself: the rings that it shares with corosync
# get resident page by page, as messages come round, and stand for themselves.
use_read() # -> USE
{
	local i files=()

	for ((i = 1; i <= NODES; i++)); do
		files+=("/proc/${MLBD_PID[$i]}/status")
	done
	for ((i = 1; i <= NODES; i++)); do
		files+=("/proc/${COROSYNC_PID[$i]}/status")
	done
	# shellcheck disable=SC2016 # awk's
	awk '
		FILENAME == "/proc/meminfo" { mem[$1] = $2; next }
		FILENAME == "/proc/slabinfo" {
			if (/^[#s]/)
				next
			bytes = $2 * $4
			used += bytes
			if (/^mlb_/)
				mlb += bytes
			if (/^kmalloc/)
				kmalloc += bytes
			next
		}
		/^RssAnon/ { rss[++n] = $2 }
		/^RssShmem/ && $2 > shared { shared = $2 }
		END {
			for (i = n / 2 + 1; i <= n; i++)
				if (rss[i] > corosync)
					corosync = rss[i]
			printf "%d %d %d %d %d", mem["MemAvailable:"],
				mem["SUnreclaim:"], used / 1024,
				kmalloc / 1024, mlb / 1024
			for (i = 1; i <= n / 2; i++)
				printf " %d", rss[i]
			printf " %d %d\n", corosync, shared
		}' /proc/meminfo /proc/slabinfo "${files[@]}" > "$TMP/use"
	read -ra USE < "$TMP/use"
}

# shellcheck disable=SC2059 # the format is the table's
table_row() # WHEN
{
	tables_read
	use_read
	loads_read
	printf "$ROW" "$1" "$ALL" \
		"$((SECOND * 1000 / (ALL ? ALL : 1)))" "${TABLES[0]}" \
		"${TABLES[1]}" "${TABLES[2]}" "${USE[@]}"
}

# shellcheck disable=SC2059
table_head()
{
	printf "$ROW" seconds connects 2nd/1k owners flows dead \
		available unrecl. objects kmalloc mlb mlbd1 mlbd2 mlbd3 coros. rings
}

# For SECONDS, as fast as it goes; TOLD says when the table gets a row.
work() # SECONDS [TOLD]
{
	local begin=$SECONDS next=$((SECONDS + SOAK_SAMPLE)) n=0 pids=() f

	rm -f "$TMP/stop"
	for f in 4 6; do
		echo "0 0 0" > "$TMP/load.$f"
		load $f &
		pids+=("$!")
		CHILDREN+=("$!")
	done
	while [ $((SECONDS - begin)) -lt "$1" ]; do
		sleep $RESHUFFLE_SECONDS
		# shellcheck disable=SC2086
		router_nexthops ${SHUFFLES[n++ % ${#SHUFFLES[@]}]}
		if [ -z "${2:-}" ] || [ $SECONDS -lt $next ]; then
			continue
		fi
		next=$((next + SOAK_SAMPLE))
		node_ctl $((n % 3 + 1)) cluster set resolve-timeout \
			$((500 + n % 100)) > "$TMP/change" 2>&1 ||
			cat "$TMP/change" >> "$TMP/bad"
		table_row $((SECONDS - begin)) | tee -a "$TMP/samples"
	done
	touch "$TMP/stop"
	wait "${pids[@]}"
	router_nexthops 1 2 3
	loads_read
}

# Nothing goes on, and nothing that was is remembered: TIME_WAIT is over, and the
# flow that nobody closed (300 s).
rest() # before|after
{
	local i

	sleep 65
	for ((i = 0; i < 60; i++)); do
		tables_empty && break
		sleep 5
	done
	echo 3 > /proc/sys/vm/drop_caches
	sleep 2
	echo 3 > /proc/sys/vm/drop_caches
	cp /proc/slabinfo "$TMP/slab.$1"
	table_row "$1"
	tap_note "$1: owners, flows, clients of dead nodes, parked: ${TABLES[*]}"
}

# By how much a column of the samples grew, by the line that fits them best, in
# KiB an hour.
slope() # COLUMN
{
	awk -v col="$1" '
		{ n++; x = $1; y = $col; sx += x; sy += y; sxx += x * x; sxy += x * y }
		END {
			d = n * sxx - sx * sx
			printf "%d\n", d ? 3600 * (n * sxy - sx * sy) / d : 0
		}' "$TMP/samples"
}

# The caches that grew most between the two times of rest.
grown()
{
	awk 'FNR > 2 && FNR == NR { was[$1] = $2 * $4; next }
	     FNR > 2 && $2 * $4 > was[$1] {
		print $2 * $4 - was[$1], $1, "bytes more, " $2 " objects" }' \
		"$TMP/slab.before" "$TMP/slab.after" | sort -rn | head -8
}

test_begin corosync mlbd
daemons_up 3
servers_up
endpoints_add
table_head
work $WARM_SECONDS
rest before
check_eq "the tables are empty before" "${TABLES[*]}" "0 0 0 0"
BEFORE=("${USE[@]}")

work "$SOAK_SECONDS" told
total=("$ALL" "$OK" "$SECOND")
rest after
AFTER=("${USE[@]}")

for col in 7:available 8:unreclaimable 9:objects 12:mlbd1 13:mlbd2 14:mlbd3; do
	tap_note "under load, ${col#*:} grew by $(slope "${col%:*}") KiB an hour"
done
tap_note "caches that grew: $(grown)"
[ ! -e "$TMP/bad" ] || tap_note "$(tail -n 20 "$TMP/bad")"
check_ge "connections were served" "${total[0]}" "$SOAK_SECONDS"
check_eq "each transfer was whole" "${total[1]}" "${total[0]}"
check_ge "nearly all had a second path" $((total[2] * 1000 / total[0])) 990
check_eq "the tables are empty: owners, flows, dead, parked" \
	"${TABLES[*]}" "0 0 0 0"
check_range "the kernel's objects have the size that they had, in KiB" \
	$((AFTER[2] > BEFORE[2] ? AFTER[2] - BEFORE[2] : 0)) 0 $SLAB_KB
for i in 1 2 3; do
	check_range "mlbd $i has, in KiB" \
		$((AFTER[i + 4] > BEFORE[i + 4] ? AFTER[i + 4] - BEFORE[i + 4] : 0)) \
		0 $RSS_KB
done
must rmmod mlb
tap_done
