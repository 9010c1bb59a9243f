#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, new connections go to a node that has stopped until somebody
# says that it is dead, joins wait for it, or a hiccup costs it its clients.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 24 8)
INTERVAL=$ALIVE_INTERVAL
DETECT=$((INTERVAL * 3))
NOBODY=02:00:00:00:00:99

now_us() { echo "${EPOCHREALTIME/./}"; }

# What a node sends to others gets lost on the wire; nothing else does.
cut() # FAMILY NODE TO...
{
	local i

	for i in "${@:3}"; do
		echo "neigh replace $("node_addr$1" "$i") lladdr $NOBODY" \
			"dev eth1 nud permanent"
	done | netns_batch "$PREFIX-n$2"
}

mend() # FAMILY NODE TO...
{
	local i

	for i in "${@:3}"; do
		echo "neigh replace $("node_addr$1" "$i")" \
			"lladdr ${MAC[i]} dev eth1 nud reachable"
	done | netns_batch "$PREFIX-n$2"
}

events_start() # NODE
{
	: > "$TMP/events.$1"
	nsenter --net="/run/netns/$PREFIX-n$1" -- mlbctl monitor -r event |
		while read -r line; do
			echo "${EPOCHREALTIME/./} $line"
		done >> "$TMP/events.$1" &
	CHILDREN+=("$!")
	wait_for 5 line_there "$TMP/events.$1" ready ||
		bail "no monitor on node $1"
}

suspect_seen()
{
	wait_for 10 line_there "$TMP/events.1" " node 3 .* suspect " ||
		bail "node 1 does not suspect node 3: $(nodes 1)"
}

# Judges when node 1 came to suspect node 3. The ticks of a machine without a CPU
# come late; selftests/unit/test_watch.c has the exact times.
suspected() # NAME CUT_AT
{
	local at ms silent

	read -r at silent < <(sed -nE \
		"s/ .* node 3 .* suspect silent ([0-9]+).*/ \1/p;T;q" \
		"$TMP/events.1")
	ms=$(((at - $2) / 1000))
	tap_note "$1: suspect after $silent ms of silence, told after $ms ms"
	check_range "$1: it is suspect as soon as it is to be" "$silent" \
		$DETECT $((DETECT + INTERVAL + 250 * MLB_SCALE))
	check_range "$1: and that is told at once" $ms $((DETECT - INTERVAL)) \
		$((DETECT + INTERVAL + 1000 * MLB_SCALE))
}

restored()
{
	grep -v " suspect " "$TMP/events.1" | grep -q " node 3 "
}

restored_at()
{
	wait_for 10 restored || bail "node 1 suspects node 3 still: $(nodes 1)"
	grep -v " suspect " "$TMP/events.1" | sed -n "s/ .* node 3 .*//p;T;q"
}

events_forget() { : > "$TMP/events.1"; }

nodes() { ctl "$1" node list; }

suspects() # NODE
{
	ctl "$1" -j node list | jq -r '[.[] | select(.suspect) | .id] | join(" ")'
}

suspects_are() # NODE WANT
{
	[ "$(suspects "$1")" = "$2" ]
}

all_heard()
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		[ "$(ctl "$i" -j node list |
			jq '[.[] | select(.silent != null)] | length')" = \
			$((NODES - 1)) ] || return
	done
}

# How many ms an unknown token's RST takes.
rst_takes()
{
	local start

	start=$(now_us)
	check_eq "$1: an unknown token gets a RST" \
		"$(on_client "$RAWPKT" tcp -o join=random -w 5000 \
			"${CLIENT4[0]}" 5000 "$VIP4" "$PORT")" rst
	TOOK=$((($(now_us) - start) / 1000))
	tap_note "$1: the RST took $TOOK ms"
}

# What may be a join of a suspect: its client is to send it again.
join_dropped() # NAME NODE
{
	local start

	router_pin 0 "$2"
	stats_mark "$2"
	start=$(now_us)
	spawn "$PREFIX-c" "$TMP/raw" "$RAWPKT" tcp -o join=random \
		-w $((100 * MLB_SCALE)) "${CLIENT4[0]}" 5000 "$VIP4" "$PORT"
	check_true "$1: node $2 drops an unknown token" \
		wait_for 5 moved_ge 1 resolve drop-unanswered "$2"
	TOOK=$((($(now_us) - start) / 1000))
	tap_note "$1: that took $TOOK ms"
	wait $! || :
	check_eq "$1: which gets no RST" "$(cat "$TMP/raw")" none
}

join_refused()
{
	[ "$(on_client "$RAWPKT" tcp -o join=random -w $((200 * MLB_SCALE)) \
		"${CLIENT4[0]}" 5000 "$VIP4" "$PORT")" = rst ]
}

new_avoid() # NAME
{
	client_run new -n "$N" -b 500 -T 8000 "$(vip "$f")" "$PORT"
	check_eq "$1: every new connection works" "${R[ok]}" "$N"
	check_eq "$1: none is given to the suspect" "$(served_by 3)" 0
}

explain_past()
{
	local p

	for ((p = 7000; p < 7024; p++)); do
		ctl 1 explain "${CLIENT4[0]}:$p-$VIP4:$PORT" syn
	done > "$TMP/explained"
	grep -q "past a suspect node" "$TMP/explained"
}

# Nothing reaches node 3 and nothing comes from it.
both_ways() # FAMILY
{
	local f=$1 name="IPv$1, both ways" start at before

	router_pin 0 1
	rst_takes "$name, before"
	before=$TOOK
	events_forget
	start=$(now_us)
	cut "$f" 3 1 2
	cut "$f" 1 3
	cut "$f" 2 3
	suspect_seen
	# Before all else, for the patience of the nodes ends after ten seconds.
	join_dropped "$name" 1
	# To wait is to wait for twice the resolve-timeout, which is 500 ms.
	check_range "$name: and waits for nobody" $TOOK 0 \
		$((before + 600 * MLB_SCALE))
	# Who hears nobody has nobody to ask.
	check_true "$name: node 3 suspects all others" \
		wait_for 2 suspects_are 3 "1 2"
	join_dropped "$name" 3
	router_pin 0 1
	suspected "$name" "$start"
	check_true "$name: for the other node, too" wait_for 2 suspects_are 2 3
	new_avoid "$name"
	router_unpin 0
	client_run all -n "$N" -b 500 -T 8000 "$(vip "$f")" "$PORT"
	check_eq "$name: whichever node they reach" "${R[ok]}" "$N"
	router_pin 0 1
	check_true "$name: explain says why" explain_past
	check_true "$name: after ten seconds it is refused" \
		wait_for 20 join_refused
	check_eq "$name: its state is what it was" \
		"$(ctl 1 -j node list | jq -r '.[2].state')" active
	events_forget
	start=$(now_us)
	mend "$f" 3 1 2
	mend "$f" 1 3
	mend "$f" 2 3
	at=$(restored_at)
	tap_note "$name: restored after $(((at - start) / 1000)) ms"
	check_true "$name: nobody suspects anyone then" \
		wait_for 2 nobody_suspect
}

nobody_suspect()
{
	suspects_are 1 "" && suspects_are 2 "" && suspects_are 3 ""
}

# What node 3 says gets lost, so that it has to be told; the way to it is whole.
# It is the second time within a minute.
one_way() # FAMILY
{
	local f=$1 name="IPv$1, one way" start at took

	router_pin 0 1
	router_pin 1 2
	# So many that node 3 has some: (2/3)^24 is one in 17,000.
	client_start old -n 24 -b 500000 -r 20000 -T 90000 -l "$(vip "$f")" "$PORT"
	client_must old flowing
	events_forget
	stats_mark
	start=$(now_us)
	cut "$f" 3 1 2
	suspect_seen
	check_eq "$name: what may be a flow of it gets no RST" \
		"$(on_client "$RAWPKT" tcp -f A -a 1 -w $((200 * MLB_SCALE)) \
			"${CLIENT4[1]}" 5000 "$VIP4" "$PORT")" none
	check_eq "$name: it is dropped" "$(moved resolve drop-unanswered 2)" 1
	suspected "$name" "$start"
	stats_mark
	check_true "$name: where they are, they still go to it" \
		wait_for 5 moved_ge 10 tunnel rx 3
	check_true "$name: it suspects those that do not hear it" \
		wait_for 2 suspects_are 3 "1 2"
	new_avoid "$name"
	events_forget
	start=$(now_us)
	mend "$f" 3 1 2
	at=$(restored_at)
	router_unpin 1
	took=$(((at - start) / 1000))
	tap_note "$name: restored after $took ms"
	client_go old
	client_end old
	check_eq "$name: its flows end whole" "${R[ok]}" 24
	check_ge "$name: it had some" "$(served_by 3)" 1
	check_range "$name: what flaps has to be heard for a second" $took \
		1000 $((1500 + 3 * INTERVAL + 500 * MLB_SCALE))
	check_true "$name: then nobody suspects anyone" \
		wait_for 5 nobody_suspect
}

# A node that says that it will be silent is not suspect; then there are no
# messages, and who fails is waited for.
off() # FAMILY
{
	local name="IPv$1, off" i

	must ctl 3 set alive-interval 0
	stats_mark
	until stats_mark && sleep 0.2 && [ "$(moved alive tx 3)" = 0 ]; do
		:
	done
	check_eq "$name on one node: it is not suspect" "$(suspects 1)" ""
	stats_mark
	cut "$1" 3 1 2
	check_true "$name on one node: the others go on" \
		wait_for 5 moved_ge 10 alive tx 1
	check_eq "$name on one node: it says nothing" "$(moved alive tx 3)" 0
	check_eq "$name on one node: nor is it suspect now" "$(suspects 1)" ""
	alive_off
	stats_mark
	rst_takes "$name"
	check_ge "$name: it waits for what does not answer" $TOOK 500
	check_eq "$name: no messages" "$(moved alive tx)" 0
	check_eq "$name: nobody is suspect" \
		"$(suspects 1).$(suspects 2).$(suspects 3)" ".."
}

test_begin jq
for f in 4 6; do
	cluster_up 3
	MAC=("")
	for i in 1 2 3; do
		MAC+=("$(on_node $i ip -j link show eth1 | jq -r '.[].address')")
	done
	mlb_up --family $f
	services_up sched maglev
	servers_up
	check_true "IPv$f: all nodes hear each other" wait_for 5 all_heard
	events_start 1
	both_ways $f
	one_way $f
	[ $f = 6 ] || off $f
	children_end
	cluster_down
done
tap_done
