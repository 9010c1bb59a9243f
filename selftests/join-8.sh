#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, larger clusters lose second paths: with 8 nodes 7 of 8 joins
# reach the wrong one.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/join.sh
. "$MLB_TESTS/lib/join.sh"

test_begin
join_matrix 8
tap_done
