#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, who ends a node's connections leaves clients or applications
# waiting, or ends those of other nodes, or the kernel does not survive it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 50 10)

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# What the command says, as it is or with its complaints.
end() # NODE WHICH
{
	ctl "$1" owner end "$2" > "$TMP/ended" 2>&1
	ENDED=$?
}

check_says() # DESCRIPTION PATTERN
{
	check_true "$1" line_there "$TMP/ended" "$2"
	line_there "$TMP/ended" "$2" || tap_note "$(cat "$TMP/ended")"
}

fastcloses() { nstat_get "$PREFIX-c" MPTcpExtMPFastcloseRx; }

# Half of them send and receive, half are idle; each has a second path, which
# another node lets in. Those of other nodes run on, and so does plain TCP.
ends() # 4|6
{
	local f=$1 what began ms told before n=$((2 * N))

	endpoints_flush
	router_pin 0 2
	client_start idle -n "$N" -s 20000 -w "$(vip "$f")" "$PORT"
	client_start flow -n "$N" -s 20000 -b 1000000 -r 2000 -w -T 300000 \
		"$(vip "$f")" "$PORT"
	client_start tcp -t -n 2 -w "$(vip "$f")" "$PORT"
	for what in idle flow tcp; do
		client_must $what connected
	done
	router_pin 0 3
	client_start live -n "$N" -b 50000 -s 20000 -w "$(vip "$f")" "$PORT"
	client_must live connected
	wait_for 5 owner_total_is $((n + N)) || bail "not all are known"
	owners_copy
	router_pin 1 1
	endpoints_add
	for what in idle flow live; do
		client_must $what ready
	done
	client_go flow
	client_must flow flowing

	others "$f"
	stats_mark 2
	before=$(fastcloses)
	began=$(now_ms)
	end 2 all
	ms=$(($(now_ms) - began))
	for what in idle flow; do
		wait "${CLIENT_PID[$what]}"
	done
	told=$(($(now_ms) - began))
	check_eq "IPv$f: all of the node's end" "$ENDED" 0
	check_says "IPv$f: and are counted" "^ended $n gone 0 detached 0$"
	check_eq "IPv$f: in the counters, too" "$(moved owner ended 2)" $n
	for what in idle flow; do
		client_end $what
		check_eq "IPv$f, $what: every client is told" "${R[reset]}" "$N"
		check_eq "IPv$f, $what: all had two paths" "${R[second]}" "$N"
	done
	check_range "IPv$f: the last application hears of it at once, ms" \
		$told 0 $((1000 * MLB_SCALE))
	tap_note "IPv$f: $n connections end in $ms ms, and all know in $told ms"
	check_ge "IPv$f: by MP_FASTCLOSE" $(($(fastcloses) - before)) $n
	again "$f"
	for what in live tcp; do
		client_go $what
		client_end $what
		check_eq "IPv$f, $what: what else there is goes on to its end" \
			"${R[ok]}" "${R[connections]}"
	done
	wait_for 10 owner_total_is 0
	check_eq "IPv$f: their tokens are withdrawn" "$(owner_total_local)" 0
	router_unpin 0
	router_unpin 1
	for what in 1 2 3; do
		must ctl $what owner flush
	done
}

# A token of another node's refuses those beside it as well.
others() # 4|6
{
	local own other

	stats_mark 2
	own=$(owner_tokens 2 local | head -n 1)
	other=$(ctl 2 owner list node 3 | sed -n '1s/ .*//p')
	end 2 "$own,$other"
	check_eq "IPv$1: a token of another node is refused" "$ENDED" 1
	check_says "IPv$1: with a reason" "is of another node"
	check_says "IPv$1: which it is" "^mlbctl: token $other$"
	printf '%s\n' "$own" "$other" > "$TMP/tokens"
	ctl 2 owner end - < "$TMP/tokens" > "$TMP/ended" 2>&1
	check_eq "IPv$1: on standard input, too" $? 1
	check_true "IPv$1: none has ended" client_runs idle
	check_eq "IPv$1: none at all" "$(moved owner ended 2)" 0
	printf '%s\n' "$own" > "$TMP/tokens"
}

# The entry is there for a moment after its connection; then it is not.
again()
{
	end 2 "$(cat "$TMP/tokens"),0xfffffff1"
	check_eq "IPv$1: what has ended does not end again" "$ENDED" 1
	check_says "IPv$1: which is said" "^ended 0 gone 2 detached 0$"
}

hold_says() # PATTERN
{
	wait_for 10 line_there "$TMP/hold" "$1"
}

# Threads that wait in the kernel, and what has no application to be told.
holds() # 4|6
{
	local f=$1 fd

	kill "${SERVER_PID[2.$f]}"
	wait "${SERVER_PID[2.$f]}"
	check_true "IPv$f: the server's applications have heard of it" \
		line_there "$TMP/server.2.$f" \
		"^accepted=$((2 * N + 2)) served=2 .* broken=$((2 * N))$"
	rm -f "$TMP/hold.in"
	mkfifo "$TMP/hold.in"
	exec {fd}<> "$TMP/hold.in"
	IN=$TMP/hold.in spawn "$PREFIX-n2" "$TMP/hold" \
		"$MLB_TESTS/mptcp_hold" "$(vip "$f")" "$PORT" \
		read write linger close
	HOLD=$!
	hold_says listening || bail "$(cat "$TMP/hold")"
	router_pin 0 2
	client_start held -n 6 -u 0 -b 1000000000 -T 300000 "$(vip "$f")" "$PORT"
	hold_says accepted || bail "$(cat "$TMP/hold")"
	wait_for 5 owner_total_is 6 || bail "not all are known"
	kill -STOP "${CLIENT_PID[held]}"
	echo >&"$fd"
	hold_says "close closed" || bail "$(cat "$TMP/hold")"
	sleep 0.5
	check_eq "IPv$f: the others wait" "$(grep -c closed "$TMP/hold")" 1
	end 2 all
	check_says "IPv$f: those with an application end" \
		"^ended 3 gone 0 detached 3$"
	check_eq "IPv$f: that others do not is told" "$ENDED" 1
	check_says "IPv$f: in words" "no application holds go on: 3"
	check_true "IPv$f: a reader is woken" hold_says "^read error EPIPE"
	check_true "IPv$f: hears why" hold_says "^read again ECONNABORTED"
	check_true "IPv$f: and that there is no more" hold_says \
		"^read then ENOTCONN"
	check_true "IPv$f: a writer is woken" hold_says "^write error ECONN"
	check_true "IPv$f: who waits in close() is woken" hold_says \
		"^linger closed"
	kill -CONT "${CLIENT_PID[held]}"
	echo >&"$fd"
	check_true "IPv$f: what is accepted later is whole" hold_says \
		"^late greeted"
	check_true "IPv$f: and can end then" wait_for 10 late_ends
	check_true "IPv$f: its reader hears of it" hold_says "^late end E"
	client_end held
	check_eq "IPv$f: their clients do" "${R[reset]}" 5
	check_eq "IPv$f: what was closed is closed" "${R[cut]}" 1
	resets "$f"
	kill "$HOLD"
	wait "$HOLD" 2> /dev/null
	exec {fd}>&-
	router_unpin 0
	wait_for 10 owner_total_is 0
	check_eq "IPv$f: nothing is left" "$(owner_total_local)" 0
}

# One more is accepted, two are not, and what cannot be ended as a whole is reset.
resets() # 4|6
{
	client_start more -n 3 -u 0 -b 1000000000 -T 300000 "$(vip "$1")" "$PORT"
	wait_for 5 owner_total_is 3 || bail "not all are known"
	wait_for 5 lates_are 3 || bail "$(cat "$TMP/hold")"
	kill -STOP "$HOLD"
	end 2 all
	check_says "IPv$1: what is accepted ends" "^ended 1 gone 0 detached 2$"
	on_node 2 ss -tK "sport = :$PORT" > "$TMP/killed" 2>&1
	check_ge "IPv$1: what is not is reset, each path" \
		"$(grep -c ESTAB "$TMP/killed")" 2
	kill -CONT "$HOLD"
	check_true "IPv$1: the application can still accept it" wait_for 10 \
		lates_are 5
	kill "${CLIENT_PID[more]}"
	wait "${CLIENT_PID[more]}"
}

lates_are() # N
{
	[ "$(grep -c "^late greeted" "$TMP/hold")" = "$1" ]
}

# The second is accepted when the first has ended.
late_ends()
{
	end 2 all
	ctl 2 owner list | grep -q local || return 0
	return 1
}

# While connections come, get their second path, move data and close.
storm()
{
	local i corrupt=0

	endpoints_flush
	endpoints_add
	stats_mark 2
	for i in 1 2 3 4 5 6; do
		client_start storm -n "$N" -b 20000 -r 20000 \
			"$(vip $((4 + i % 2 * 2)))" "$PORT"
		while client_runs storm; do
			end 2 all
		done
		client_end storm
		corrupt=$((corrupt + R[corrupt]))
	done
	check_ge "storm: connections end" "$(moved owner ended 2)" 1
	check_eq "storm: no other byte comes through" "$corrupt" 0
	for i in 4 6; do
		client_run after -n "$N" -b 1000 "$(vip $i)" "$PORT"
		check_eq "storm, IPv$i: the node serves on" "${R[ok]}" "$N"
	done
}

test_begin ss "$(dirname "$0")/mptcp_hold"
cluster_up 3
mlb_up
services_up
servers_up
for f in 4 6; do
	ends $f
	holds $f
	server_start 2 $f
	server_listens 2 $f
done
router_pin 0 2
storm
tap_done
