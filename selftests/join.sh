#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, second subflows that reach the wrong node are refused, and the
# client loses the path that MPTCP promised it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/join.sh
. "$MLB_TESTS/lib/join.sh"

test_begin
# A slow machine shows the usual cluster only.
[ "$MLB_SCALE" -gt 1 ] || join_matrix 2
join_matrix 3
tap_done
