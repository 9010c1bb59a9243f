#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Does mlb keep memory or table entries of connections that are over? A cluster
# in one virtual machine serves as many as it can for SOAK_SECONDS (3600), and
# twice some minutes more. What is looked at: selftests/bench/soak.sh.
#
#   soak.sh [KERNEL]	(uml-fast)
. "$(dirname "$0")/lib.sh"

kernel=${1:-uml-fast}
seconds=${SOAK_SECONDS:-3600}
need_root
"$ROOT/scripts/deps.sh"
"$ROOT/scripts/build.sh" "$kernel"
"$ROOT/scripts/vm.sh" "$kernel" --mem 2048 --timeout $((seconds * 2 + 3600)) \
	--env "SOAK_SECONDS=$seconds" \
	-- selftests/bench/soak.sh |
	sed -u 's/\r$//; /reboot: Power down$/d'
