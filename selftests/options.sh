#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, steering or its MSS clamping breaks what client and server say
# to each other in TCP options: time stamps, SACK, MPTCP, signatures.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

SERVER=2	# has every connection; all packets come to node 1

# What the tunnel leaves of 1500 bytes, as the hex digits of an MSS.
declare -A MSS=([4]=$(printf %04x $((1500 - 44 - 40)))
		[6]=$(printf %04x $((1500 - 44 - 60))))

# Options of SYN/ACKs, as rawpkt synack prints them; MSS is what is clamped to.
SYNACKS=(
	"020405b4=2:MSS"
	"01020405b4010101=1 2:MSS 1 1 1"
	"0101020405b40101=1 1 2:MSS 1 1"
	"010101020405b401=1 1 1 2:MSS 1"
	"020405b40402080a112233445566778801030307=2:MSS 4 8:1122334455667788 1 3:07"
	"01080a1122334455667788020405b401=1 8:1122334455667788 2:MSS 1"
	"fd03aa020405b401=253:aa 2:MSS 1"
	"13120123456789abcdef0123456789abcdef020405b40101=19:0123456789abcdef0123456789abcdef 2:MSS 1 1"
	"011e0c01810123456789abcdef020405b4010101=1 30:01810123456789abcdef 2:MSS 1 1 1"
	# small enough
	"0102040200010101=1 2:0200 1 1 1"
	# signed with the options
	"020405b41d080102030405ff=2:05b4 29:0102030405ff"
	"1d080102030405ff01020405b4010101=29:0102030405ff 1 2:05b4 1 1 1"
	# behind the end, cut off, of another length
	"00020405b4010101=rest:00020405b4010101"
	"01010102=1 1 1 rest:02"
	"020505b400010101=2:05b400 1 1 1"
	"02ff05b4=rest:02ff05b4"
)

watch() # COUNT DEV
{
	spawn "$PREFIX-c" "$TMP/synacks" "$RAWPKT" synack -n "$1" \
		-w $((3000 * MLB_SCALE)) "$2" "$PORT"
	WATCH=$!
	wait_for 5 line_there "$TMP/synacks" verifying || bail "no capture"
}

# Options that no stack has in this order leave the server.
made_up() # 4|6
{
	local f=$1 i want
	local -n to=CLIENT$f

	watch ${#SYNACKS[@]} eth0
	for ((i = 0; i < ${#SYNACKS[@]}; i++)); do
		must on_node $SERVER "$RAWPKT" tcp -f SA -o \
			"hex=${SYNACKS[i]%%=*}" "$(vip "$f")" "$PORT" \
			"${to[0]}" $((40000 + i))
	done
	wait $WATCH
	mapfile -t LINES_SEEN < <(tail -n+2 "$TMP/synacks")
	for ((i = 0; i < ${#SYNACKS[@]}; i++)); do
		want=${SYNACKS[i]#*=}
		check_eq "IPv$f: SYN/ACK with ${SYNACKS[i]%%=*}" \
			"${LINES_SEEN[i]:-}" "good ${want/MSS/${MSS[$f]}}"
	done
}

stack_has() # TIMESTAMPS SACK
{
	local ns

	for ns in c n$SERVER; do
		must in_netns "$PREFIX-$ns" sysctl -qw \
			net.ipv4.tcp_timestamps="$1" net.ipv4.tcp_sack="$2"
	done
}

# Time stamps and SACK off and on; on a slow machine half of it.
SETTINGS=("0 0" "0 1" "1 0" "1 1")
[ "$MLB_SCALE" -lt 4 ] || SETTINGS=("0 0" "1 1")
N=$((4 * ${#SETTINGS[@]}))

# Transfers with each setting; their SYN/ACKs' options, with what differs from
# connection to connection left out, come into FILE.
negotiate() # FILE BYTES
{
	local f set kind

	watch $N eth0
	for set in "${SETTINGS[@]}"; do
		# shellcheck disable=SC2086 # two values
		stack_has $set
		for f in 4 6; do
			for kind in -t ""; do
				on_client "$LOAD" client $kind -b 1000 -u "$2" \
					"$(vip $f)" "$PORT" > "$TMP/client" &&
					OK=$((OK + 1))
			done
		done
	done
	wait $WATCH
	tail -n+2 "$TMP/synacks" | sed -E 's/ 8:[0-9a-f]+/ 8:TIME/
		s/ 30:([0-9a-f]{4})[0-9a-f]{16}/ 30:\1KEY/' > "$1"
}

negotiated()
{
	OK=0
	stats_mark
	negotiate "$TMP/steered" 200000
	check_eq "time stamps and SACK on and off: transfers" $OK $N
	stats_take
	check_eq "all were steered" "$(grew steer new-remote 1)" $N
	check_eq "every MSS was clamped" "$(grew mss clamped)" $N
	check_eq "but for that, SYN/ACKs have the options they have without mlb" \
		"$(cat "$TMP/steered")" \
		"$(awk -v m4="${MSS[4]}" -v m6="${MSS[6]}" '{
			sub(/ 2:[0-9a-f]+/, " 2:" ((NR - 1) % 4 > 1 ? m6 : m4))
			print
		}' "$TMP/alone")"
	check_eq "time stamps and SACK are in half of them" \
		"$(grep -c " 8:TIME" "$TMP/steered") $(grep -c " 4\b" \
			"$TMP/steered")" "$((N / 2)) $((N / 2))"
}

# Losses on the way to the client: its SACK blocks come through the tunnel.
lossy() # 4|6
{
	local recovered

	recovered=$(nstat_get "$PREFIX-n$SERVER" TcpExtTCPSackRecovery)
	client_run loss -t -u 1000 -b 1000000 "$(vip "$1")" "$PORT"
	check_eq "IPv$1: a transfer with losses is whole" "${R[ok]}" 1
	check_ge "IPv$1: the client's SACK blocks arrive" \
		$(($(nstat_get "$PREFIX-n$SERVER" TcpExtTCPSackRecovery) -
		   recovered)) 1
}

losses()
{
	stack_has 1 1
	must ip -n "$PREFIX-n$SERVER" link set eth0 gso_max_segs 1
	must on_router tc qdisc add dev c1 root netem loss 3% limit 10000
	lossy 4
	lossy 6
	must on_router tc qdisc del dev c1 root
}

# A join whose options lie at any offset finds its connection's node.
odd_joins() # 4|6
{
	local f=$1 token pad
	local -n from=CLIENT$f

	client_start "odd$f" -b 100 -w "$(vip "$f")" "$PORT"
	client_must "odd$f" connected
	wait_for 5 has_token || bail "no token"
	token=$(owner_tokens $SERVER local)
	stats_mark
	for pad in 01 0101 010101; do
		check_eq "IPv$f: a join behind $pad is answered" \
			"$(on_client "$RAWPKT" tcp -w $((3000 * MLB_SCALE)) \
				-o "hex=$pad" -o "join=$token" "${from[0]}" \
				$((50000 + ${#pad})) "$(vip "$f")" "$PORT")" \
			synack
	done
	check_eq "IPv$f: they were steered by their token" \
		$(($(moved steer join-owner 1) + $(moved steer join-resolved 1))) 3
	client_go "odd$f"
	client_end "odd$f"
	wait_for 5 no_token
}

has_token() { [ "$(owner_count "$SERVER" local)" = 1 ]; }
no_token() { [ "$(owner_count "$SERVER" local)" = 0 ]; }

# Plain TCP that signs each segment.
signed() # NAME OPTION_OF_LOAD CLAMPED
{
	local f

	children_end
	servers_up -t "$2" "a shared secret"
	for f in 4 6; do
		stats_mark
		client_run signed -t "$2" "a shared secret" -n 5 -b 100000 \
			"$(vip $f)" "$PORT"
		check_eq "$1, IPv$f: transfers" "${R[ok]}" 5
		stats_take
		check_eq "$1, IPv$f: were steered" "$(grew steer new-remote 1)" 5
		check_eq "$1, IPv$f: clamped" "$(grew mss clamped)" "$3"
	done
}

test_begin tc
modprobe -q sch_netem
cluster_up 2 --mtu 1500
servers_up
router_pin 0 $SERVER
OK=0
negotiate "$TMP/alone" 1000
check_eq "without mlb: transfers" $OK $N
mlb_up
services_up sched maglev nodes $SERVER
router_pin 0 1
made_up 4
made_up 6
negotiated
losses
odd_joins 4
odd_joins 6
signed TCP-MD5 -M 5
# Its signature covers the MSS, so nothing is clamped, and it does not heed an
# ICMP error: the cluster network needs room.
if grep -q ' tcp_ao_hash_skb$' /proc/kallsyms; then
	for i in 1 2; do
		must ip -n "$PREFIX-n$i" link set eth1 mtu 1600
		must ip -n "$PREFIX-b" link set n$i mtu 1600
	done
	signed TCP-AO -A 0
else
	tap_note "this kernel has no TCP-AO"
fi
tap_done
