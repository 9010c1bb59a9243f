#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, the owner table does not say who has a connection, or goes on
# saying so when it is gone.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

now_ms() { date +%s%3N; }

# The tokens that the node's own stack shows, as the kernel writes them.
stack_tokens() # NODE
{
	on_node "$1" ss -Htni "sport = :$PORT" |
		sed -n 's/.*token:[0-9a-f]*([^)]*)\/\([0-9a-f]*\)(.*/0x\1/p' |
		while read -r token; do
			printf '0x%08x\n' "$token"
		done | sort
}

# Its whole life: connected, learnt, announced, closed, withdrawn, announced.
life() # 4|6
{
	local entry token start

	spawn "$PREFIX-n1" "$TMP/monitor$1" mlbctl -j monitor -r owner
	wait_for 5 line_there "$TMP/monitor$1" ready || bail "no monitor"
	stats_mark
	client_start "life$1" -b 2000 -w "$(vip "$1")" "$PORT"
	client_must "life$1" connected
	start=$(now_ms)
	wait_for 5 owner_total_is 1
	check_range "IPv$1: learnt within a second" $(($(now_ms) - start)) \
		0 $((1000 * MLB_SCALE))
	entry=$(ctl 1 -j owner list | jq -c '.[0]')
	token=$(jq -r .token <<< "$entry")
	check_eq "IPv$1: it is the stack's token" "$token" "$(stack_tokens 1)"
	check_eq "IPv$1: owner is this node" "$(jq .node <<< "$entry")" 1
	check_range "IPv$1: CPU is one of this host's" \
		"$(jq .cpu <<< "$entry")" 0 $(($(nproc) - 1))
	check_eq "IPv$1: marked as this host's own" "$(jq .local <<< "$entry")" true
	check_eq "IPv$1: get finds it" "$(ctl 1 -j owner get "$token" |
		jq -r .token)" "$token"
	check_eq "IPv$1: counted" "$(moved owner learnt)" 1
	check_true "IPv$1: announced" wait_for 5 line_there "$TMP/monitor$1" \
		"owner-add.*$token"
	client_go "life$1"
	client_end "life$1"
	check_true "IPv$1: withdrawn after the close" wait_for 10 owner_total_is 0
	check_true "IPv$1: the withdrawal is announced" wait_for 5 line_there \
		"$TMP/monitor$1" "owner-del.*$token"
	check_eq "IPv$1: and counted" "$(moved owner withdrawn)" 1
	check_eq "IPv$1: two events, no more" "$(grep -c owner- "$TMP/monitor$1")" 2
}

# Packets stay on the CPU that sends them, and the answers to them too.
right_cpu()
{
	local cpu

	for ((cpu = 0; cpu < $(nproc); cpu++)); do
		must taskset -cp $cpu $$ > "$TMP/out"
		client_start cpu$cpu -b 100 -w "$VIP4" "$PORT"
		client_must cpu$cpu connected
		wait_for 5 owner_total_is 1
		check_eq "connection from CPU $cpu is owned by CPU $cpu" \
			"$(ctl 1 -j owner list | jq '.[0].cpu')" $cpu
		client_go cpu$cpu
		client_end cpu$cpu
		wait_for 10 owner_total_is 0
	done
	must taskset -cp 0-$(($(nproc) - 1)) $$ > "$TMP/out"
}

many()
{
	local n

	n=$(scaled 200 20)
	endpoints_add
	stats_mark
	client_start many -n "$n" -b 2000 -s 20000 -w "$VIP4" "$PORT"
	client_must many ready
	wait_for 5 owner_total_is "$n"
	check_eq "many: each connection once, its joins not" \
		"$(owner_total_local)" "$n"
	check_eq "many: tokens are the stack's" \
		"$(owner_tokens 1 local | sort -u)" "$(stack_tokens 1 | sort -u)"
	client_go many
	client_end many
	wait_for 10 owner_total_is 0
	check_eq "many: all withdrawn" "$(owner_total_local)" 0
	check_eq "many: withdrawn once each" "$(moved owner withdrawn)" "$n"
}

test_begin ss taskset
cluster_up 2
router_pin 0 1
router_pin 1 1
mlb_up
services_up
servers_up
life 4
life 6
right_cpu
many
tap_done
