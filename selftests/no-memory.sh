#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a host that is short of memory is left with half of a change,
# loses memory or crashes, or serves nobody any more.
#
# kernels: uml-gcov
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/join.sh
. "$MLB_TESTS/lib/join.sh"

FAIL=/sys/kernel/debug/failslab
SLABS=/sys/kernel/slab
MOST=1000000

python() # NODE ARGUMENT...
{
	on_node "$1" python3 "$MLB_TESTS/no_memory.py" "${@:2}" \
		> "$TMP/python" 2>&1
	local status=$?

	while read -r line; do
		tap_note "$line"
	done < "$TMP/python"
	return "$status"
}

# Allocations from these caches fail, as often as that, where nobody may sleep.
atomic_fail() # PERCENT CACHE...
{
	local cache

	for cache in "${@:2}"; do
		echo 1 > "$SLABS/$cache/failslab" || bail "no $SLABS/$cache"
	done
	FAILING=("${@:2}")
	echo Y > $FAIL/ignore-gfp-wait
	echo Y > $FAIL/cache-filter
	echo "$MOST" > $FAIL/times
	echo "$1" > $FAIL/probability
}

# How many have failed since atomic_fail.
atomic_failed()
{
	echo $((MOST - $(cat $FAIL/times)))
}

atomic_fail_end()
{
	local cache

	echo 0 > $FAIL/probability
	for cache in "${FAILING[@]}"; do
		echo 0 > "$SLABS/$cache/failslab"
	done
	echo N > $FAIL/cache-filter
}

# Connections and their second paths, which the tables only make cheaper.
served_without() # WHAT CACHE...
{
	local what=$1 f n

	n=$(scaled 40 10)
	shift
	for f in 4 6; do
		atomic_fail 100 "$@"
		client_join without -n "$n" -b 20000 -T 120000 "$(vip $f)" "$PORT"
		client_end without
		check_eq "IPv$f without $what: transfers are whole" "${R[ok]}" "$n"
		check_eq "IPv$f without $what: second paths" "${R[second]}" "$n"
		check_ge "IPv$f without $what: so many were not to be had" \
			"$(atomic_failed)" "$n"
		atomic_fail_end
	done
}

# Anything may fail now and then: what exists must go on.
served_in_need() # PERCENT
{
	local n caches

	n=$(scaled 40 10)
	caches=$(cd $SLABS && echo kmalloc-[0-9]* mlb_*)
	client_start need -n "$n" -b 400000 -r 100000 -s 10000 -l -T 120000 \
		"$VIP4" "$PORT"
	client_says need flowing || bail "$(cat "$TMP/need.out")"
	stats_mark
	# shellcheck disable=SC2086
	atomic_fail "$1" $caches
	router_nexthops 3 1
	client_start more -n "$n" -b 20000 -s 1000 -T 60000 "$VIP6" "$PORT"
	sleep 3
	router_nexthops 1 2 3
	sleep 2
	tap_note "$1 %: $(atomic_failed) allocations failed"
	atomic_fail_end
	check_ge "$1 % of the allocations fail: of flow entries, too" \
		"$(moved flow failed)" 1
	client_go need
	client_end need
	check_eq "$1 % of the allocations fail: transfers go on" "${R[ok]}" "$n"
	client_end more
}

test_begin python3
[ -d $FAIL ] || missing "the kernel injects no faults"
echo 0 > $FAIL/verbose
# The kernel has a word for each.
dmesg -n 1
echo N > $FAIL/ignore-gfp-wait
cluster_up 3
mlb_load
check_true "requests: all is done or nothing" \
	python 1 requests "$MLB_TESTS/../include/netlink/mlb.yaml"
check_true "namespaces come, or do not" python 2 netns
must rmmod mlb
check_true "the module is loaded, or is not" python 2 module "$MLB_KO"
must rmmod mlb
cluster_down

join_setup 3
served_without "flow entries" mlb_flow
served_without "owner entries" mlb_owner
served_in_need 20
wait_for 20 owner_total_is 0
join_run "afterwards, IPv4" 4 local full
join_run "afterwards, IPv6" 6 maglev empty
tap_done
