#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Stands before ip(8) in the path of the kernel's MPTCP selftests (see run.sh).
# Each namespace that they add becomes a node of mlb whose one peer, a real one,
# is the namespace mlb-peer. What listens at a port makes that port of all
# addresses of its namespace a service: of scheduler local when the port is
# even, of maglev with the node as its pool when it is odd.
#
# MLB_IP is the real ip(8). In MLB_STATE, NETNS.node has the node's id,
# NETNS.addr the addresses, NETNS.port the ports, NETNS.service the services;
# "stats" what mlb counted, "errors" what went wrong here.

PEER_ADDR=198.19.255.1

fail() # WHAT
{
	echo "$*" >> "$MLB_STATE/errors"
}

batch() # NETNS < COMMANDS
{
	mlbctl -n "$1" -b - >> "$MLB_STATE/errors" 2>&1 || fail "mlbctl in $1"
}

node_addr() # ID
{
	echo "198.18.$(($1 / 200)).$(($1 % 200 + 1))"
}

netns_add() # NETNS
{
	read -r id < "$MLB_STATE/next"
	echo $((id + 1)) > "$MLB_STATE/next"
	echo "$id" > "$MLB_STATE/$1.node"
	for list in addr port service; do
		: > "$MLB_STATE/$1.$list"
	done
	addr=$(node_addr "$id")
	"$MLB_IP" link add mlb-cluster netns "$1" type veth \
		peer name "n$id" netns mlb-peer || fail "no link for $1"
	"$MLB_IP" -n mlb-peer -batch - <<-END || fail "no network for $1"
		link set n$id addrgenmode none up
		route add $addr dev n$id src $PEER_ADDR
	END
	"$MLB_IP" -n "$1" -batch - <<-END || fail "no network in $1"
		link set mlb-cluster addrgenmode none
		addr add $addr/32 dev mlb-cluster
		link set mlb-cluster up
		route add $PEER_ADDR dev mlb-cluster src $addr
	END
	echo "node add $id addr $addr" | batch mlb-peer
	batch "$1" <<-END
		key set $MLB_STATE/key
		set resolve-timeout ${MLB_RESOLVE_TIMEOUT:-20}
		node add $id addr $addr self
		node add 1 addr $PEER_ADDR
	END
}

netns_del() # NETNS
{
	[ -e "$MLB_STATE/$1.node" ] || return
	mlbctl -n "$1" stats nonzero >> "$MLB_STATE/stats" || fail "no stats of $1"
	read -r id < "$MLB_STATE/$1.node"
	echo "node del $id" | batch mlb-peer
	rm -f "$MLB_STATE/$1".*
}

# Make services of these ports of these addresses, as far as they are none.
serve() # NETNS PORTS ADDRESSES
{
	known=" $(tr '\n' ' ' < "$MLB_STATE/$1.service") "
	read -r id < "$MLB_STATE/$1.node"
	new=
	for port in $2; do
		how="sched local"
		[ $((port % 2)) = 0 ] || how="sched maglev nodes $id"
		for addr in $3; do
			case $addr in
			*:*) vip="[$addr]:$port" ;;
			*) vip=$addr:$port ;;
			esac
			case $known in
			*" $vip "*) continue ;;
			esac
			new="${new}service add $vip $how
"
			known="$known$vip "
			echo "$vip" >> "$MLB_STATE/$1.service"
		done
	done
	[ -z "$new" ] || printf %s "$new" | batch "$1"
}

addr_add() # NETNS ADDRESS/LENGTH
{
	echo "${2%/*}" >> "$MLB_STATE/$1.addr"
	serve "$1" "$(sort -u "$MLB_STATE/$1.port")" "${2%/*}"
}

# A program is about to be run in a namespace, and may listen there. Without a
# fork where there is nothing to do: a test that starts many waits for the last.
listens() # netns exec NETNS COMMAND [ARGUMENT...]
{
	netns=$3 program=${4##*/} port='' listen='' addrs=''
	shift 4
	case "$program $1 $*" in
	"pm_nl_ctl listen "*)
		listen=1 port=$3 ;;
	"pm_nl_ctl add "*" port "*)
		listen=1 ;;
	esac
	while [ $# -gt 0 ]; do
		case $1 in
		-l) listen=1 ;;
		-p | port) port=$2 ;;
		# What it listens for are other hosts' addresses.
		TRANSPARENT) addrs=$(cat "$MLB_STATE"/*.addr) ;;
		esac
		shift
	done
	if [ -z "$listen" ] || [ -z "$port" ]; then
		return
	fi
	echo "$port" >> "$MLB_STATE/$netns.port"
	[ -s "$MLB_STATE/$netns.addr" ] || [ -n "$addrs" ] || return
	serve "$netns" "$port" "$(cat "$MLB_STATE/$netns.addr") $addrs"
}

case "$*" in
"netns add "*)
	"$MLB_IP" "$@" || exit
	netns_add "$3" ;;
"netns del"*)
	netns_del "$3"
	exec "$MLB_IP" "$@" ;;
"-n"*" addr add "*)
	"$MLB_IP" "$@" || exit
	[ ! -e "$MLB_STATE/$2.node" ] || addr_add "$2" "$5" ;;
"netns exec "*mptcp_connect* | "netns exec "*pm_nl_ctl*)
	[ ! -e "$MLB_STATE/$3.node" ] || listens "$@"
	exec "$MLB_IP" "$@" ;;
*)
	exec "$MLB_IP" "$@" ;;
esac
exit 0
