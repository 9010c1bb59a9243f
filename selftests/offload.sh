#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, sending packets on to their node is several times slower than
# it need be, or corrupts them on network cards that do less (or more) of the
# work.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

BYTES=$(scaled 20000000)
PACKETS=$(scaled 1000)

offload() # NETNS DEV FEATURE on|off...
{
	must in_netns "$PREFIX-$1" ethtool -K "$2" "${@:3}" > "$TMP/ethtool" 2>&1
}

# Bytes and packets that a device has sent or received.
device_count() # NODE DEV rx|tx
{
	ip -n "$PREFIX-n$1" -s -j link show "$2" |
		jq -r ".[0].stats64.$3 | \"\(.bytes) \(.packets)\""
}

# One connection with node 1 whose packets come to node 2, or with "direct"
# do not. Leaves the mean size of the packets that were sent on in SIZE.
transfer() # NAME 4|6 [direct]
{
	local link before b p

	router_pin 0 1
	client_start load -t -w -b 1000 -u "$BYTES" "$(vip "$2")" "$PORT"
	client_must load connected
	[ -n "${3:-}" ] || router_pin 0 2
	before=$(device_count 2 mlb0 tx) link=$(device_count 2 eth1 tx)
	client_go load
	client_end load
	check_eq "$1: the transfer is whole" "${R[ok]}" 1
	[ -z "${3:-}" ] || return
	read -r b p <<< "$(device_count 2 mlb0 tx)"
	SIZE=$(((b - ${before% *}) / (p - ${before#* })))
	read -r b p <<< "$(device_count 2 eth1 tx)"
	LINK_SIZE=$(((b - ${link% *}) / (p - ${link#* })))
}

# The same, with a look at every checksum on the cluster network's wire.
verified() # NAME 4|6
{
	local wire

	spawn "$PREFIX-b" "$TMP/verify" "$RAWPKT" verify -n "$PACKETS" \
		-w $((3000 * MLB_SCALE)) n2 6084
	wire=$!
	wait_for 10 line_there "$TMP/verify" verifying
	transfer "$@"
	wait "$wire"
	[[ $(tail -n1 "$TMP/verify") =~ \
	   good=([0-9]+)\ bad=([0-9]+)\ partial=([0-9]+)\ gso=([0-9]+) ]]
	GOOD=${BASH_REMATCH[1]} PARTIAL=${BASH_REMATCH[3]}
	GSO=${BASH_REMATCH[4]}
	tap_note "on the wire: ${BASH_REMATCH[0]}"
	check_eq "$1: no checksum on the wire is wrong" "${BASH_REMATCH[2]}" 0
}

# Nothing is cut before its last device.
whole() # NAME 4|6
{
	transfer "$@"
	tap_note "bytes per packet: mlb0 $SIZE, cluster link $LINK_SIZE"
	check_ge "$1: super-packets go into the tunnel" "$SIZE" 5000
	check_ge "$1: and onto the wire" "$LINK_SIZE" 5000
}

features() # NAME 4|6
{
	local name

	name="$1, no offloads"
	offload n2 eth1 tx off gso off tso off tx-udp_tnl-segmentation off
	verified "$name" "$2"
	check_ge "$name: all are filled in" "$GOOD" "$PACKETS"
	check_ge "$name: yet super-packets go into the tunnel" "$SIZE" 5000
	offload n2 eth1 tx on gso on tso on tx-udp_tnl-segmentation on

	name="$1, no tunnel segmentation"
	offload n2 eth1 tx-udp_tnl-segmentation off
	verified "$name" "$2"
	check_eq "$name: all are cut" "$GSO" 0
	check_ge "$name: all have come" $((GOOD + PARTIAL)) "$PACKETS"
	offload n2 eth1 tx-udp_tnl-segmentation on

	name="$1, no checksumming"
	offload n2 eth1 tx off
	verified "$name" "$2"
	check_ge "$name: all are filled in" "$GOOD" "$PACKETS"
	offload n2 eth1 tx on gso on tso on
}

# The client's packets are single segments here, as on a real wire.
grown() # NAME 4|6
{
	local name

	name="$1, GRO"
	offload n2 eth0 gro on
	transfer "$name" "$2"
	tap_note "bytes per packet: mlb0 $SIZE, cluster link $LINK_SIZE"
	check_ge "$name: super-packets go into the tunnel" "$SIZE" 3000
	check_ge "$name: and onto the wire" "$LINK_SIZE" 3000

	name="$1, GRO by chaining"
	offload n2 eth0 rx-gro-list on
	offload n2 eth1 tx off
	verified "$name" "$2"
	check_ge "$name: all are filled in" "$GOOD" "$PACKETS"
	# Before 6.10, chains were for UDP only.
	if kernel_since 6 10; then
		check_range "$name: chains are taken apart" "$SIZE" 500 1500
	fi
	offload n2 eth1 tx on gso on tso on
	offload n2 eth0 rx-gro-list off
}

kernel_since() # MAJOR MINOR
{
	local major minor

	IFS=. read -r major minor _ < /proc/sys/kernel/osrelease
	[ "$major" -gt "$1" ] || { [ "$major" = "$1" ] &&
				   [ "${minor%%[!0-9]*}" -ge "$2" ]; }
}

test_begin ethtool
# On a slow machine each family once inside and once outside.
declare -A INNER=([4]="4 6" [6]="4 6")
[ "$MLB_SCALE" -lt 4 ] || INNER=([4]=6 [6]=4)
for outer in 4 6; do
	cluster_up 2
	mlb_up --family $outer
	services_up
	servers_up
	for f in ${INNER[$outer]}; do
		name="IPv$f in IPv$outer"
		transfer "$name, not steered" "$f" direct
		direct=${R[ms]}
		whole "$name" "$f"
		tap_note "$name: $((BYTES / 1000000)) MB in ${R[ms]} ms through" \
			"the tunnel, $direct ms not steered"
		features "$name" "$f"
	done
	offload c eth0 tso off gso off tx off
	# A veth puts nothing together that its other end might have cut.
	offload r n2 tso off
	for f in ${INNER[$outer]}; do
		grown "IPv$f in IPv$outer" "$f"
	done
	children_end
	cluster_down
done
tap_done
