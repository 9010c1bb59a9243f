#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# See mlb at work: nginx on three nodes behind one address and curl with two
# addresses, in a virtual machine with a stock Debian kernel. What happens
# there is in scripts/demo-guest.sh. Ends with the line
# "joins: without mlb A/100, with mlb B/100", and with status 0 when B is 100
# and a download over both paths came through whole.
#
#   demo.sh [KERNEL]	(6.1, the kernel of Debian 12; 6.12; 7.3)
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

kernel=${1:-6.1}
need_root

cat <<END
mlb demo: Multipath TCP behind one address

Everything runs in a virtual machine. This host gets the Debian packages that
are named below, if any are missing, and a cache in
  $CACHE

END
scripts/deps.sh
say "building mlb for Debian's kernel $kernel"
scripts/build.sh "$kernel"
say "starting the virtual machine"

status=0
scripts/vm.sh "$kernel" --timeout 420 -- scripts/demo-guest.sh < /dev/null 2>&1 |
	sed -u 's/\r$//; /reboot: Power down$/d' || status=$?
exit $status
