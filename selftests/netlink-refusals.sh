#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a program that speaks netlink itself gets what can never work,
# or is not told why it was refused.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

test_begin python3
cluster_up 1
mlb_load
on_node 1 python3 "$MLB_TESTS/netlink_refusals.py" \
	"$MLB_TESTS/../include/netlink/mlb.yaml" > "$TMP/refusals" 2>&1
while read -r line; do
	case $line in
	"ok - "*) tap_ok "${line#ok - }" ;;
	"not ok - "*) tap_not_ok "${line#not ok - }" ;;
	*) tap_not_ok "the requests" "$line" ;;
	esac
done < "$TMP/refusals"
tap_done
