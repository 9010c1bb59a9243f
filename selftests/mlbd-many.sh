#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a large change of nodes keeps mlbd from its peers, and other
# users from the kernel, for as long as all pools take to compute.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

OTHERS=$(scaled 300 60)
SERVICES=$(scaled 100 20)

# All nodes but this one are far away, and each service is three nodes' work:
# the first two of them are of all services.
conf_write()
{
	local i

	{
		printf '[cluster]\nengine = none\nkey-file = %s\n' "$TMP/key"
		printf '[daemon]\nsocket = %s\nstate-dir = %s\n' \
			"$TMP/sock" "$TMP/state"
		printf '[kernel]\nalive-interval = 0\n'
		printf '[node]\nid = 1\naddr = %s\n' "$(node_addr4 1)"
		for ((i = 2; i <= OTHERS; i++)); do
			printf '[node %s]\naddr = 10.66.%s.%s\n' $i \
				$((i / 250)) $((i % 250 + 1))
		done
		for ((i = 1; i <= SERVICES; i++)); do
			printf '[service s%s]\nvip = 10.99.%s.1:80\nsched = maglev\nnodes = 2,3,%s\n' \
				$i $i $((i % 50 + 4))
		done
	} > "$TMP/conf"
}

status() # JQ
{
	ctl 1 -s "$TMP/sock" -j status 2> "$TMP/status.err" | jq -c "$1"
}

status_is() # JQ VALUE
{
	[ "$(status "$1")" = "$2" ]
}

daemon_start()
{
	spawn "$PREFIX-n1" "$TMP/mlbd" mlbd -f "$TMP/conf"
	MLBD=$!
	wait_for 30 status_is .node 1 || bail "$(cat "$TMP/mlbd")"
}

daemon_end()
{
	kill -TERM "$MLBD"
	wait "$MLBD" 2> "$TMP/wait"
}

ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

weights_differ() # fails when all are 1
{
	ctl 1 node list | grep -qv " weight 1 "
}

in_force()
{
	! weights_differ && status_is .kernel.applying false
}

# Which node has a new connection, of many.
placed() # -> PLACED
{
	local i

	for ((i = 1; i <= 40; i++)); do
		echo "explain 10.1.1.1:$((1000 + i))-10.99.7.1:80"
	done > "$TMP/explain"
	PLACED=$(ctl 1 -b "$TMP/explain" 2>&1 | grep -o "node [0-9]*" | sort -u | xargs)
}

avoided() # NODE
{
	placed
	! grep -q "node $1 " <<< "$PLACED "
}

test_begin
cluster_up 1
mlb_load
key_file key "one key for the whole cluster" > "$TMP/keyname"
conf_write

begin=$(ms)
daemon_start
tap_note "$OTHERS nodes and $SERVICES services: $(($(ms) - begin)) ms to start"
check_eq "all nodes are there" "$(status '.kernel.nodes | length')" "$OTHERS"
check_eq "all services are there" "$(status '.kernel.services | length')" "$SERVICES"

# Somebody sets all weights, which mlbd puts back.
daemon_end
for ((i = 2; i <= OTHERS; i++)); do
	echo "node set $i weight 3"
done > "$TMP/weights"
must ctl 1 -b "$TMP/weights"
begin=$(ms)
must ctl 1 node set 2 weight 0
tap_note "to compute all pools anew: $(($(ms) - begin)) ms"
daemon_start
check_true "a daemon that starts puts all weights right" wait_for 30 in_force
paused=$(status .kernel.paused)
must ctl 1 -b "$TMP/weights"
begin=$(ms)
check_true "one that runs does it as well" wait_for 30 in_force
paused=$(($(status .kernel.paused) - paused))
tap_note "which took $(($(ms) - begin)) ms, $paused turns more; $(status .turns)"
# How long a turn is says little: on a busy machine it waits for the CPU.
check_ge "in many turns of its loop" "$paused" "$(scaled 10 2)"
check_eq "nothing was refused" "$(status .kernel.refused)" null

placed
check_true "new connections go to a node of the pool" \
	grep -q "node 2 " <<< "$PLACED "
sed -i '/^\[node 2\]/a weight = 0' "$TMP/conf"
must ctl 1 -s "$TMP/sock" cluster reload
check_true "a little later than it gets weight 0, none" wait_for 10 avoided 2
daemon_end

tap_done
