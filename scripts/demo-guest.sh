#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The demo, inside its virtual machine. The cluster is the selftests' one (see
# selftests/lib/cluster.sh); server and client are Debian's nginx and curl.
# shellcheck source=../selftests/lib.sh
. "$(dirname "$0")/../selftests/lib.sh"

CONNECTIONS=100
NODE_COUNT=3
PORT=80
SIZE=$((50 * 1024 * 1024))
RATE=40		# Mbit/s of each of the client's two links
# shellcheck disable=SC2034	# for the selftests' functions
PREFIX=demo CHILDREN=() NETNS=()
TMP=$(mktemp -d)
trap 'children_end; cluster_down' EXIT

title()
{
	printf '\n== %s\n' "$*"
}

nginx_up()
{
	local i

	mkdir -p "$TMP/www"
	head -c 40000 /dev/urandom > "$TMP/www/small"
	head -c "$SIZE" /dev/urandom > "$TMP/www/large"
	chmod -R a+rX "$TMP"
	for ((i = 1; i <= NODE_COUNT; i++)); do
		cat > "$TMP/nginx.$i" <<-END
			daemon off;
			pid $TMP/nginx.$i.pid;
			error_log $TMP/nginx.$i.log;
			events { worker_connections 512; }
			http {
				access_log off;
				client_body_temp_path $TMP/body;
				sendfile on;
				server {
					listen $VIP4:$PORT;
					root $TMP/www;
					# Slow enough for a second path to come up.
					location /small { limit_rate 8k; }
				}
			}
		END
		spawn "$PREFIX-n$i" "$TMP/nginx.$i.out" \
			mptcpize run nginx -c "$TMP/nginx.$i"
	done
	for ((i = 1; i <= NODE_COUNT; i++)); do
		wait_for 20 nginx_listens "$i" || bail "nginx: $(cat "$TMP/nginx.$i.out" "$TMP/nginx.$i.log")"
	done
}

nginx_listens()	# NODE
{
	on_node "$1" ss -Hltn "sport = :$PORT" | grep -q LISTEN
}

# Second paths that the servers have accepted since the count was BEFORE: an
# MP_JOIN handshake to its end, with a valid HMAC.
joins_since()	# BEFORE
{
	echo $(($(nodes_nstat MPTcpExtMPJoinAckRx) - $1))
}

# One curl, many connections at once, each over the first path until the
# client's stack adds the second. Leaves the number of second paths in $joins.
run_connections()
{
	local before pid shown='' i url=()

	before=$(nodes_nstat MPTcpExtMPJoinAckRx)
	for ((i = 0; i < CONNECTIONS; i++)); do
		url+=(-o /dev/null "http://$VIP4:$PORT/small")
	done
	spawn "$PREFIX-c" "$TMP/codes" mptcpize run curl -sS --fail -Z \
		--parallel-immediate --parallel-max "$CONNECTIONS" \
		-w '%{http_code}\n' "${url[@]}"
	pid=$!
	while kill -0 $pid 2> /dev/null; do
		joins=$(joins_since "$before")
		if [ "$joins" != "$shown" ]; then
			printf '   %3d connections asked for, %3d second paths\n' \
				"$CONNECTIONS" "$joins"
			shown=$joins
		fi
		# The tables as they are when all is up, for the owner of each.
		if mlb_loaded && [ "$joins" -ge "$CONNECTIONS" ] && [ ! -e "$TMP/flows.1" ]; then
			flows_save
		fi
		sleep 0.5
	done
	wait $pid || bail "curl: $(sort "$TMP/codes" | uniq -c | head -5)"
	joins=$(joins_since "$before")
	printf '   %d of %d downloads complete, %d of %d got their second path\n' \
		"$(grep -cx 200 "$TMP/codes")" "$CONNECTIONS" "$joins" "$CONNECTIONS"
}

flows_save()
{
	local i

	for ((i = 1; i <= NODE_COUNT; i++)); do
		ctl "$i" -j flow list > "$TMP/flows.$i"
	done
}

# Joins that node INGRESS sent to node OWNER: flows from the client's second
# address are joins, and a flow that is at home needs no entry. One that closes
# is left from the run without mlb.
joins_sent()	# INGRESS OWNER
{
	jq --arg a "${CLIENT4[1]}" --argjson n "$2" \
		'map(select(.saddr == $a and .node == $n and .state != "closing")) |
			length' "$TMP/flows.$1"
}

# Where the router brought the joins, and which node owned them.
joins_table()
{
	local i j n

	[ -e "$TMP/flows.1" ] || flows_save
	printf '   %-24s' "second paths"
	for ((j = 1; j <= NODE_COUNT; j++)); do
		printf '%14s' "owner node $j"
	done
	echo
	for ((i = 1; i <= NODE_COUNT; i++)); do
		printf '   arrived at node %-8s' "$i"
		for ((j = 1; j <= NODE_COUNT; j++)); do
			if [ "$i" = "$j" ]; then
				n=$(stat_get "$i" steer join-local)
			else
				n=$(joins_sent "$i" "$j")
			fi
			printf '%14s' "$n"
		done
		echo
	done
	echo "   (on the diagonal the router was lucky; the rest went through the tunnel)"
}

received()	# DEVICE
{
	ip -n "$PREFIX-c" -j -s link show dev "$1" | jq '.[0].stats64.rx.bytes'
}

mib() { echo "$(($1 / 1048576)) MiB"; }

# One connection, both paths; sets $intact.
download()
{
	local i want got before0 before1 path0 path1 begin pid

	for i in 1 2; do
		on_router tc qdisc add dev "c$i" root tbf rate "${RATE}mbit" \
			burst 128k latency 100ms || bail "cannot shape the links"
	done
	want=$(sha256sum < "$TMP/www/large")
	before0=$(received eth0) before1=$(received eth1) begin=$SECONDS
	spawn "$PREFIX-c" "$TMP/curl" mptcpize run curl -sS --fail \
		-o "$TMP/got" "http://$VIP4:$PORT/large"
	pid=$!
	while kill -0 $pid 2> /dev/null; do
		printf '   first path %8s, second path %8s\n' \
			"$(mib $(($(received eth0) - before0)))" \
			"$(mib $(($(received eth1) - before1)))"
		sleep 2
	done
	wait $pid || bail "the download failed: $(cat "$TMP/curl")"
	path0=$(($(received eth0) - before0)) path1=$(($(received eth1) - before1))
	got=$(sha256sum < "$TMP/got")
	echo "   in $((SECONDS - begin)) s: $path0 bytes over the first path, $path1 over the second"
	echo "   sent      ${want%% *}"
	echo "   received  ${got%% *}"
	intact=
	[ "$got" != "$want" ] || [ "$path1" -lt $((SIZE / 20)) ] || intact=1
}

echo "kernel $(uname -r), $(nginx -v 2>&1 | sed 's/.*: //'), $(curl -V | awk 'NR == 1 { print $1 "/" $2 }')"
title "The cluster"
cat <<END
   client, two addresses        ${CLIENT4[0]}  ${CLIENT4[1]}
      |  |
   ECMP router                  spreads connections by addresses and ports
     / | \\
   3 nodes, one address         $VIP4:$PORT  nginx on each
END
cluster_up $NODE_COUNT
on_client ip mptcp endpoint add "${CLIENT4[1]}" dev eth1 subflow
nginx_up

title "Without mlb: $CONNECTIONS downloads by curl"
run_connections
without=$joins
echo "   The others' second path reached a node that does not know the connection."

title "With mlb: the same again"
echo "   insmod mlb.ko; on each node: mlbctl key set, node add, service add"
mlb_up
service_all add "$VIP4:$PORT"
run_connections
with=$joins
joins_table

title "One download of $((SIZE / 1048576)) MiB over both paths, $RATE Mbit/s each"
download

echo
[ -n "$intact" ] || echo "the download is damaged or used one path only"
echo "joins: without mlb $without/$CONNECTIONS, with mlb $with/$CONNECTIONS"
[ "$with" -eq "$CONNECTIONS" ] && [ -n "$intact" ]
