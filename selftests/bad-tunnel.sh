#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, who can send a UDP packet to a node can inject traffic into its
# services, or crash it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

TUNNEL_PORT=6084
HEADER=16

# Captures what the nodes say to each other about one join of the client.
capture() # NAME NODE MIN_LENGTH
{
	spawn "$PREFIX-n$2" "$TMP/$1.log" "$RAWPKT" capture -m "$3" -w 30000 \
		eth1 $TUNNEL_PORT "$TMP/$1"
	wait_for 5 line_there "$TMP/$1.log" capturing || bail "no capture"
}

captured() # NAME
{
	[ -s "$TMP/$1" ]
}

TO=1	# the node that was sent to, and whose counters tell

send() # TO_NODE FILE [OPTION...]: from node 2
{
	TO=$1
	must on_node 2 "$RAWPKT" udp "${@:3}" "$("node_addr$FAMILY" "$1")" \
		$TUNNEL_PORT "$TMP/$2"
}

# How many tunnel packets of any kind were refused, and how many were not,
# when the counters were last read.
refused()
{
	echo $(($(grew tunnel rx-short "$TO") + $(grew tunnel rx-version "$TO") +
		$(grew tunnel rx-sender "$TO") + $(grew tunnel rx-mac "$TO") +
		$(grew tunnel rx-inner "$TO")))
}

taken()
{
	echo $(($(grew tunnel rx "$TO") + $(grew resolve query-rx "$TO") +
		$(grew resolve answer-rx "$TO")))
}

all_refused()
{
	stats_take "$TO"
	[ "$(refused)" -ge "$1" ]
}

one_taken()
{
	stats_take "$TO"
	[ "$(taken)" -ge 1 ]
}

check_refused() # DESCRIPTION SENT
{
	wait_for 10 all_refused "$2"
	check_eq "$1: all refused" "$(refused)" "$2"
	check_eq "$1: none taken" "$(taken)" 0
}

# Without the change the packet is taken, so it is the change that is refused.
control() # FILE
{
	stats_mark
	send 1 "$1"
	wait_for 5 one_taken
	check_eq "$1: as captured it is taken" "$(taken)" 1
	check_eq "$1: and not refused" "$(refused)" 0
}

cut_short() # FILE
{
	stats_mark
	send 1 "$1" -t
	check_refused "$1: cut to every length" "$(stat -c %s "$TMP/$1")"
	check_ge "$1: short ones are counted as such" "$(moved tunnel rx-short)" \
		$HEADER
}

flipped() # FILE BYTES
{
	stats_mark
	send 1 "$1" -x "$2:1"
	send 1 "$1" -x "$2:128"
	check_refused "$1: each of its first $2 bytes changed" $(($2 * 2))
	check_ge "$1: forged ones are counted as such" "$(moved tunnel rx-mac)" \
		16
	check_ge "$1: unknown forms are counted as such" \
		"$(moved tunnel rx-version)" 8
}

misdirected() # FILE
{
	stats_mark
	send 3 "$1"
	check_refused "$1: sent to a node that it is not for" 1
}

other_cluster() # FILE
{
	local i other

	other=$(key_file other "another cluster's secret")
	for ((i = 1; i <= NODES; i++)); do
		must ctl $i key set "$other"
	done
	stats_mark
	send 1 "$1"
	check_refused "$1: from a cluster with another key" 1
	check_eq "$1: counted as forged" "$(moved tunnel rx-mac)" 1
	for ((i = 1; i <= NODES; i++)); do
		must ctl $i key set "$TMP/key"
	done
}

be16() { printf '%b' "$(printf '\\x%02x\\x%02x' $(($1 >> 8)) $(($1 & 255)))"; }

# A tunnel packet in a UDP packet in a tunnel packet, and in itself.
nested() # DATA
{
	local size inner n=1

	size=$(stat -c %s "$TMP/$1")
	inner=$((20 + 8 + size))
	{
		head -c $HEADER "$TMP/$1"
		printf '\x45\x00'; be16 $inner
		printf '\x00\x01\x00\x00\x40\x11\x00\x00'
		printf '\x0a\x03\x00\x02\x0a\x03\x00\x01'
		be16 $TUNNEL_PORT; be16 $TUNNEL_PORT
		be16 $((8 + size)); printf '\x00\x00'
		cat "$TMP/$1"
	} > "$TMP/nested-udp"
	{
		head -c $HEADER "$TMP/$1"
		cat "$TMP/$1"
	} > "$TMP/nested-self"
	stats_mark
	send 1 nested-udp
	[ "$FAMILY" = 6 ] || n=2
	send 1 nested-self
	check_refused "tunnel packets in tunnel packets" 2
	check_eq "no packet came out" "$(taken)" 0
	check_ge "counted as not TCP for a service, or not whole" \
		$(($(moved tunnel rx-inner) + $(moved tunnel rx-short))) $n
}

mlb0_packets() # NODE
{
	ip -n "$PREFIX-n$1" -s -j link show mlb0 |
		jq '.[0].stats64.rx.packets'
}

tunnel_run() # CLUSTER_FAMILY
{
	local before

	FAMILY=$1
	cluster_up 3
	mlb_up --family "$1"
	services_up
	servers_up
	router_pin 0 1
	router_pin 1 2
	# A query has 80 bytes; a join with its SYN has more.
	capture query 1 $HEADER
	capture data 1 81
	client_start tunnel -b 1000 -s 20000 -T 600000 -w "$VIP4" "$PORT"
	client_says tunnel connected || bail "$(cat "$TMP/tunnel.out")"
	endpoints_add
	client_says tunnel ready || bail "$(cat "$TMP/tunnel.out")"
	wait_for 10 captured query || bail "no query"
	wait_for 10 captured data || bail "no data"

	control query
	control data
	before=$(mlb0_packets 1)
	cut_short query
	cut_short data
	flipped query 80
	flipped data $HEADER
	misdirected query
	misdirected data
	other_cluster query
	other_cluster data
	nested data
	check_eq "IPv$1: nothing of it came in on mlb0" "$(mlb0_packets 1)" \
		"$before"
	client_go tunnel
	client_end tunnel
	check_eq "IPv$1: the connection is unharmed" "${R[ok]}" 1
	check_eq "IPv$1: with both paths" "${R[second_at_end]}" 1
	children_end
	cluster_down
}

test_begin
tunnel_run 4
tunnel_run 6
tap_done
