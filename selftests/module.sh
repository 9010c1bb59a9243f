#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, the module's pure parts do not do in this kernel what the unit
# tests show, or its tables take more memory than they are said to.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# The last value that the module's own test printed behind WORD.
told() # WORD
{
	sed -n "s/.*mlb: selftest sizes: .*$1 \([0-9]*\) bytes.*/\1/p" \
		"$TMP/log" | tail -1
}

test_begin
if mlb_loaded; then
	must rmmod mlb
fi
mlb_load
dmesg > "$TMP/log"
for part in option maglev stale tunhdr owner-local owner-seen owner-age \
	    owner-evict; do
	check_true "the module's own test of $part passes" \
		line_there "$TMP/log" "mlb: selftest $part: pass"
done
owner=$(told "owner entry")
flow=$(told "flow entry")
echo "# owner entry $owner bytes, flow entry $flow bytes"
check_ge "an owner entry has 64 bytes at most" 64 "${owner:-65}"
check_ge "a flow entry has 128 bytes at most" 128 "${flow:-129}"
tap_done
