#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a client that joins a connection that is gone waits for ever
# instead of being told by a RST, or strangers' joins cost the cluster traffic.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

join_syn() # 4|6 TOKEN SPORT [OPTION...]
{
	local -n from=CLIENT$1

	on_client "$RAWPKT" tcp -o "join=$2" -w 3000 "${@:4}" "${from[0]}" "$3" \
		"$(vip "$1")" "$PORT"
}

unknown() # 4|6
{
	local f=$1 i

	stats_mark
	check_eq "IPv$f: unknown token gets a RST" \
		"$(join_syn "$f" "0x1122334$f" 4000)" rst
	check_eq "IPv$f: it was asked for" "$(moved resolve started)" 1
	check_range "IPv$f: by at most two queries to each peer" \
		"$(moved resolve query-tx)" 2 4
	check_eq "IPv$f: nobody claimed it" "$(moved resolve timeout)" 1
	check_eq "IPv$f: it was left to the stack" "$(moved steer unclaimed)" 1
	check_eq "IPv$f: the token made no entry" "$(owner_count 1)" 0
	for i in 1 2 3; do
		check_eq "IPv$f: node $i has no flow of it" "$(flow_count $i)" 0
	done
	check_eq "IPv$f: it was not forwarded" "$(moved tunnel rx)" 0
}

# The same token again, from the next port, as soon as the first was answered.
again() # 4|6
{
	local f=$1

	stats_mark
	check_eq "IPv$f: the same token twice gets two RSTs" \
		"$(join_syn "$f" "0x5566770$f" 5000 -n 2 | xargs)" "rst rst"
	check_eq "IPv$f: it was asked for once" "$(moved resolve started)" 1
	check_eq "IPv$f: the second answer is out of the negative cache" \
		"$(moved resolve negative)" 1
}

test_begin
cluster_up 3
router_pin 0 1
mlb_load
servers_up
for f in 4 6; do
	check_eq "IPv$f: the stack alone sends a RST" \
		"$(join_syn $f 0x11223344 3000)" rst
done
mlb_up
services_up
for f in 4 6; do
	unknown $f
done
# The cache holds for a second; the limit on answers would eat into that.
for ((i = 1; i <= NODES; i++)); do
	must ctl $i set resolve-timeout 20
done
for f in 4 6; do
	again $f
done
tap_done
