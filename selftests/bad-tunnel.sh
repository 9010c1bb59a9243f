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

# How many tunnel packets of any kind were refused, and how many were not.
count()
{
	local name

	stats_take "$TO"
	REFUSED=0 TAKEN=0
	for name in short version sender mac inner; do
		name=$TO.tunnel.rx-$name
		REFUSED=$((REFUSED + STATS_NOW[$name] - STATS_MARK[$name]))
	done
	for name in tunnel.rx resolve.query-rx resolve.answer-rx; do
		name=$TO.$name
		TAKEN=$((TAKEN + STATS_NOW[$name] - STATS_MARK[$name]))
	done
}

all_refused() # N
{
	count
	[ "$REFUSED" -ge "$1" ]
}

one_taken()
{
	count
	[ "$TAKEN" -ge 1 ]
}

check_refused() # DESCRIPTION SENT
{
	wait_for 10 all_refused "$2"
	check_eq "$1: all refused" "$REFUSED" "$2"
	check_eq "$1: none taken" "$TAKEN" 0
}

# Without the change the packet is taken, so it is the change that is refused.
control() # FILE
{
	stats_mark
	send 1 "$1"
	wait_for 5 one_taken
	check_eq "$1: as captured it is taken" "$TAKEN" 1
	check_eq "$1: and not refused" "$REFUSED" 0
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
	check_eq "no packet came out" "$TAKEN" 0
	check_ge "counted as not TCP for a service, or not whole" \
		$(($(moved tunnel rx-inner) + $(moved tunnel rx-short))) $n
}

# Node 1's count of datagrams that were put together, or that were not.
reasm() # OKs|Fails
{
	local prefix=Ip

	[ "$FAMILY" = 4 ] || prefix=Ip6
	nstat_get "$PREFIX-n1" "${prefix}Reasm$1"
}

fails_are() # N
{
	[ "$(reasm Fails)" -ge "$1" ]
}

# In two fragments, of which the first has the tunnel's header.
fragments() # FILE [OPTION...]
{
	send 1 "$1" -s "$("node_addr$FAMILY" 2)" -F 64 "${@:2}"
}

nothing_came() # DESCRIPTION
{
	count
	check_eq "$1: nothing is taken" "$TAKEN" 0
	check_eq "$1: nor refused, for nothing comes" "$REFUSED" 0
}

fragmented() # FILE
{
	local oks fails

	oks=$(reasm OKs) fails=$(reasm Fails)
	stats_mark 1
	fragments "$1"
	wait_for 5 one_taken
	check_eq "$1: in fragments it is taken" "$TAKEN" 1
	check_eq "$1: which the kernel put together" \
		$(($(reasm OKs) - oks)) 1
	stats_mark 1
	fragments "$1" -x $HEADER:1
	check_refused "$1: fragments of what is forged" $HEADER
	stats_mark 1
	fragments "$1" -O -n 20
	check_true "$1: overlapping fragments fail" wait_for 5 fails_are \
		$((fails + 20))
	nothing_came "$1: overlapping fragments"
	fails=$(reasm Fails)
	fragments "$1" -I -n 200
	check_true "$1: fragments that stay alone are let go" wait_for 5 \
		fails_are $((fails + 200))
	nothing_came "$1: fragments that stay alone"
	check_eq "$1: none is kept" \
		"$(on_node 1 cat /proc/net/sockstat /proc/net/sockstat6 |
			awk '/^FRAG6?:/ { n += $3 + $5 } END { print n }')" 0
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
	alive_off
	services_up
	servers_up
	must on_node 1 sysctl -qw net.ipv4.ipfrag_time=1 net.ipv6.ip6frag_time=1
	router_pin 0 1
	router_pin 1 2
	# A query has 80 bytes; a join with its SYN has more.
	capture query 1 $HEADER
	capture data 1 81
	client_start tunnel -b 1000 -s 20000 -T 600000 -w "$VIP4" "$PORT"
	client_must tunnel connected
	endpoints_add
	client_must tunnel ready
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
	fragmented data
	# The one that was whole and right.
	check_eq "IPv$1: nothing else came in on mlb0" "$(mlb0_packets 1)" \
		$((before + 1))
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
