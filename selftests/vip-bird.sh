#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, what mlb.conf(5) says of routing daemons does not work: routers
# do not hear of a node that is well, or do not hear that it is not.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 60 20)
TABLE=100

declare -A BIRD_PID SERVER_PID

# As in mlb.conf(5), with both families, times for a test, and a BFD that a busy
# machine keeps up with.
bird_node_conf() # NODE
{
	local f

	printf 'router id 10.2.%s.2;\nprotocol device { }\nprotocol bfd {\n' "$1"
	printf '\tinterface "*" { interval 200 ms; multiplier 5; };\n}\n'
	for f in 4 6; do
		cat <<-END
			ipv$f table anycast$f;
			protocol kernel mlb$f {
				kernel table $TABLE;
				learn;
				scan time 1;
				ipv$f { table anycast$f; import all; export none; };
			}
			protocol bgp upstream$f {
				local as 65001;
				neighbor $("router_link$f" "$1") as 65000;
				bfd;
				connect delay time 1;
				connect retry time 1;
				error wait time 1, 1;
				ipv$f { table anycast$f; import none; export all; };
			}
		END
	done
}

bird_router_conf()
{
	local i f

	printf 'router id 10.0.0.1;\nprotocol device { }\nprotocol bfd {\n'
	printf '\tinterface "*" { interval 200 ms; multiplier 5; };\n}\n'
	for f in 4 6; do
		printf 'protocol kernel { merge paths on; ipv%s { import none; export all; }; }\n' $f
		for ((i = 1; i <= NODES; i++)); do
			cat <<-END
				protocol bgp n${i}v$f {
					local as 65000;
					neighbor $("node_link$f" "$i") as 65001;
					bfd;
					connect delay time 1;
					connect retry time 1;
					error wait time 1, 1;
					ipv$f { import all; export none; };
				}
			END
		done
	done
}

router_link4() { echo "10.2.$1.1"; }
router_link6() { echo "2001:db8:2:$1::1"; }

bird_start() # NETNS
{
	spawn "$1" "$TMP/bird.$1" bird -f -c "$TMP/$1.bird" \
		-s "$TMP/$1.ctl" -P "$TMP/$1.pid"
	BIRD_PID[$1]=$!
}

conf() # NODE [LINE...]: with these lines in [node]
{
	local i=$1 j

	{
		printf '[cluster]\nengine = none\nkey-file = %s\n' "$TMP/key"
		printf '[daemon]\nsocket = %s\nstate-dir = %s\n' \
			"$TMP/$i.sock" "$TMP/$i.state"
		for ((j = 1; j <= NODES; j++)); do
			[ "$i" = "$j" ] || printf '[node %s]\naddr = %s\n' \
				"$j" "$(node_addr4 "$j")"
		done
		printf '[service v4]\nvip = %s:%s\n' "$VIP4" "$PORT"
		printf '[service v6]\nvip = [%s]:%s\n' "$VIP6" "$PORT"
		for j in 4 6; do
			printf '[vip v%s]\naddr = %s\ntable = %s\n' \
				$j "$(vip $j)" $TABLE
		done
		printf '[check v4]\nservice = %s:%s\ntype = mptcp\ninterval = 100\n' \
			"$VIP4" "$PORT"
		printf '[check v6]\nservice = [%s]:%s\ntype = mptcp\ninterval = 100\n' \
			"$VIP6" "$PORT"
		printf '[node]\nid = %s\naddr = %s\n' "$i" "$(node_addr4 "$i")"
		[ $# = 1 ] || printf '%s\n' "${@:2}"
	} > "$TMP/$i.conf"
}

daemon_start() # NODE
{
	spawn "$PREFIX-n$1" "$TMP/mlbd.$1" mlbd -f "$TMP/$1.conf"
	wait_for 10 daemon_answers "$1" || bail "$(cat "$TMP/mlbd.$1")"
}

daemon_answers() # NODE
{
	ctl "$1" -s "$TMP/$1.sock" status > /dev/null 2>&1
}

reload() # NODE
{
	must ctl "$1" -s "$TMP/$1.sock" cluster reload
}

# The nodes that the router sends packets for the VIP to.
hops() # 4|6
{
	ip -n "$PREFIX-r" -"$1" -j route show "$(vip "$1")" |
		jq -r '.[] | (.nexthops // [.])[].dev' | sort | tr -d n | xargs
}

hops_are() # NODES
{
	[ "$(hops 4)" = "$1" ] && [ "$(hops 6)" = "$1" ]
}

hops_become() # DESCRIPTION NODES
{
	local t0=${EPOCHREALTIME/./}

	check_true "$1: the router has nodes \"$2\"" wait_for 20 hops_are "$2"
	tap_note "$1: after $(((${EPOCHREALTIME/./} - t0) / 1000)) ms"
}

begin()
{
	local i

	netns_batch "$PREFIX-r" <<-END
		route del $VIP4/32
		route del $VIP6/128
	END
	bird_router_conf > "$TMP/$PREFIX-r.bird"
	bird_start "$PREFIX-r"
	for ((i = 1; i <= NODES; i++)); do
		bird_node_conf "$i" > "$TMP/$PREFIX-n$i.bird"
		bird_start "$PREFIX-n$i"
		conf "$i"
		daemon_start "$i"
	done
	hops_become "from nothing" "1 2 3"
	client_run all -n "$N" -b 1000 "$VIP4" "$PORT"
	check_eq "connections work" "${R[ok]}" "$N"
	for ((i = 1; i <= NODES; i++)); do
		check_ge "node $i has some of them" "$(served_by "$i")" 1
	done
}

server_dies()
{
	kill "${SERVER_PID[2.4]}" "${SERVER_PID[2.6]}"
	hops_become "a server ends" "1 3"
	client_run new -n "$N" -b 1000 "$VIP6" "$PORT"
	check_eq "a server ends: new connections work" "${R[ok]}" "$N"
	server_start 2 4
	server_start 2 6
	hops_become "it is back" "1 2 3"
}

server_start() # NODE 4|6
{
	spawn "$PREFIX-n$1" "$TMP/server.$1.$2" "$LOAD" server -i "$1" \
		"$(vip "$2")" "$PORT"
	SERVER_PID[$1.$2]=$!
	wait_for 10 line_there "$TMP/server.$1.$2" listening ||
		bail "no server: $(cat "$TMP/server.$1.$2")"
}

# Packets of what the node has come in at others then, and are sent on to it.
maintenance()
{
	endpoints_flush
	client_start old -n "$N" -b 50000 -w "$VIP4" "$PORT"
	client_must old connected
	conf 2 "state = maintenance"
	reload 2
	hops_become "maintenance" "1 3"
	client_go old
	client_end old
	check_ge "maintenance: the node had connections" "$(served_by 2)" 1
	check_eq "maintenance: they go on" "${R[ok]}" "$N"
	conf 2
	reload 2
	hops_become "active again" "1 2 3"
}

# The node's routing daemon cannot say it any more: BFD finds out.
bird_dies()
{
	local pid=${BIRD_PID[$PREFIX-n3]}

	kill -STOP "$pid"
	hops_become "a routing daemon hangs" "1 2"
	kill -CONT "$pid"
	hops_become "it goes on" "1 2 3"
}

test_begin bird mlbd
cluster_up 3
mlb_load
key_file key "one key for the whole cluster" > "$TMP/keyname"
for ((i = 1; i <= NODES; i++)); do
	server_start "$i" 4
	server_start "$i" 6
done
begin
server_dies
maintenance
bird_dies
tap_done
