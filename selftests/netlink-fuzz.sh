#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, who may configure the module can also crash it, or is refused
# without being told why.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/join.sh
. "$MLB_TESTS/lib/join.sh"

FUZZ_SECONDS=${FUZZ_SECONDS:-$(scaled 20 10)}
FUZZ_SEED=${FUZZ_SEED:-$RANDOM}

test_begin python3
join_setup 2
tap_note "seed $FUZZ_SEED"
on_node 2 python3 "$MLB_TESTS/netlink_fuzz.py" \
	"$MLB_TESTS/../include/netlink/mlb.yaml" "$FUZZ_SECONDS" \
	"$FUZZ_SEED" > "$TMP/fuzz" 2>&1
status=$?
while read -r line; do
	tap_note "$line"
done < "$TMP/fuzz"
check_eq "every request is answered, and every refusal has a reason" $status 0
# Whatever is there now goes, and nothing holds the module.
children_end
cluster_down
check_true "the module can be unloaded" rmmod mlb
join_setup 2
join_run "after it, IPv4" 4 local full
join_run "after it, IPv6" 6 maglev empty
tap_done
