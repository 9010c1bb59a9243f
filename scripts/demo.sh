#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# See mlb at work: three machines with stock Debian, mlb's packages, corosync and
# nginx behind one address, and curl with two addresses; then one of the machines
# loses its power. Ends with the line
# "joins: without mlb A/100, with mlb B/100", and with status 0 when B is 100, a
# download over both paths came through whole, and the power failure cost the
# connections of that machine only, whose clients soon knew.
#
#   demo.sh [KERNEL]	(6.1, the kernel of Debian 12; 6.12; 7.3)
# shellcheck disable=SC2016	# much is for the machines' shells
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab.sh"
. "$(dirname "$0")/lab-test.sh"
lab_leash "$@"
cd "$ROOT"

CONNECTIONS=100
SURVIVORS=30
TOLD=30		# s, until the clients of a dead node know
VIP=10.9.0.1 VIP6=2001:db8:9::1 PORT=8080
SIZE=$((50 * 1024 * 1024))
RATE=40		# Mbit/s of each of the client's two links
kernel=${1:-6.1}
trap lab_down EXIT
trap 'exit 1' INT TERM HUP

title()
{
	printf '\n== %s (at %d s)\n' "$*" $((SECONDS - begin))
}

# Or the demo is over, and what was said is shown.
must_on() # MACHINE COMMAND
{
	on "$@" || die "$1 failed: ${*:2}"
}

# What a node serves, SIZE bytes: the same everywhere, and nobody has to carry it
# there.
LARGE='seq 6692488'

nginx_up() # NODE
{
	must_on "n$1" "mkdir -p /srv/www
		$LARGE > /srv/www/large
		head -c 40000 /srv/www/large > /srv/www/small
		head -c 160000 /srv/www/large > /srv/www/slow
		rm -f /etc/nginx/sites-enabled/default
		cat > /etc/nginx/conf.d/demo.conf <<-END
			server {
				listen $VIP:$PORT;
				listen [$VIP6]:$PORT;
				root /srv/www;
				access_log off;
				add_header node \$(hostname);
				location /small { limit_rate 8k; }
				location /slow { limit_rate 4k; }
			}
		END
		mptcpize enable nginx > /dev/null && systemctl restart nginx"
}

# The counter's sum over these nodes.
nodes_sum() # COUNTER NODE...
{
	local i sum=0 n

	for i in "${@:2}"; do
		n=$(must_on "n$i" "nstat -asz $1 | awk '\$1 == \"$1\" { print \$2 }'")
		sum=$((sum + n))
	done
	echo $sum
}

# Second paths that servers have accepted: an MP_JOIN handshake to its end, with a
# valid HMAC.
accepted() { nodes_sum MPTcpExtMPJoinAckRx 1 2 3; }

# One curl, many connections at once, each over the first path until the client's
# stack adds the second. Leaves the number of second paths in $joins.
run_connections() # with|without
{
	local before shown='' complete saved=''

	before=$(accepted)
	must_on router "here: downloads_start small $CONNECTIONS"
	while on router curl_runs downloads; do
		joins=$(($(accepted) - before))
		if [ "$joins" != "$shown" ]; then
			printf '   %3d connections asked for, %3d second paths\n' \
				"$CONNECTIONS" "$joins"
			shown=$joins
		fi
		# The tables as they are when all is up, for the owner of each.
		if [ "$1" = with ] && [ -z "$saved" ] && [ "$joins" -ge "$CONNECTIONS" ]; then
			flows_save
			saved=1
		fi
		sleep 0.3
	done
	joins=$(($(accepted) - before))
	complete=$(must_on router 'grep -c "^200 " $TMP/downloads || cat $TMP/downloads')
	printf '   %s of %d downloads complete, %d of %d got their second path\n' \
		"$complete" "$CONNECTIONS" "$joins" "$CONNECTIONS"
	[ "$1" = without ] || [ -n "$saved" ] || flows_save
}

flows_save()
{
	local i

	for i in 1 2 3; do
		must_on "n$i" 'mlbctl -j flow list' > "$LAB/flows.$i"
	done
}

# Where the router brought the joins, and which node owned them. Flows from the
# client's second address are joins, and a flow that is at home has no entry; one
# that closes is left from the run without mlb.
joins_table()
{
	local i j

	printf '   %-24s' "second paths"
	printf '%14s' "owner node 1" "owner node 2" "owner node 3"
	echo
	for i in 1 2 3; do
		printf '   arrived at node %-8s' "$i"
		for j in 1 2 3; do
			if [ $i = $j ]; then
				printf '%14s' "$(must_on n$i 'mlbctl -j stats' |
					jq '.steer["join-local"]')"
			else
				printf '%14s' "$(jq --argjson n $j 'map(select(
					.saddr == "10.1.2.2" and .node == $n and
					.state != "closing")) | length' "$LAB/flows.$i")"
			fi
		done
		echo
	done
	echo "   (on the diagonal the router was lucky; the rest went through the tunnel)"
}

# One connection, both paths; sets $intact.
download()
{
	local want got path0=0 path1=0 state=runs from=$SECONDS

	want=$($LARGE | sha256sum)
	must_on router "here: large_start large $RATE"
	while [ "$state" = runs ]; do
		read -r state path0 path1 < <(must_on router here:large_progress)
		printf '   first path %3d MiB, second path %3d MiB\n' \
			$((path0 >> 20)) $((path1 >> 20))
		sleep 1
	done
	got=$(must_on router 'sha256sum < $TMP/large.got')
	echo "   in $((SECONDS - from)) s: $path0 bytes over the first path, $path1 over the second"
	echo "   sent      ${want%% *}"
	echo "   received  ${got%% *}"
	intact=
	[ "$got" != "$want" ] || [ "$path1" -lt $((SIZE / 20)) ] || intact=1
}

# Downloads that take 40 s, when a machine dies: those of the others are complete,
# and its own are over soon.
power_failure()
{
	local others dead late slowest

	must_on n1 'mlbctl cluster set fastclose probe'
	must_on router "here: downloads_start slow $SURVIVORS"
	sleep 5
	echo "   $SURVIVORS slow downloads run; node 3 loses its power"
	lab_kill n3
	must_on router 'router_nexthops 1 2'
	active 60 1 2 > "$LAB/active" || { cat "$LAB/active"; return; }
	must_on n1 'mlbctl status' | sed 's/^/   /'
	while on router curl_runs downloads; do
		sleep 1
	done
	must_on router 'cat $TMP/downloads' > "$LAB/downloads"
	read -r others dead late slowest < <(awk -v most=$TOLD '
		/^200 160000 n[12] / { others++ }
		$3 == "n3" {
			after = $4 - 5
			dead++
			late += after > most
			if (after > slowest)
				slowest = after
		}
		END { printf "%d %d %d %.1f\n", others, dead, late, slowest }' "$LAB/downloads")
	[ "$dead" -eq 0 ] ||
		echo "   node 3 had $dead: over, the last after $slowest s"
	echo "   nodes 1 and 2 had $others: complete"
	[ $((dead + others)) -ne $SURVIVORS ] || [ "$others" -eq 0 ] ||
		[ "$late" -ne 0 ] || survived=1
}

cat <<END
mlb demo: Multipath TCP behind one address

Everything runs in virtual machines. This host gets the Debian packages that
are named below, if any are missing, and a cache in
  $CACHE

END
scripts/deps.sh
say "building mlb for Debian's kernel $kernel"
scripts/build.sh "$kernel"
say "building Debian packages"
scripts/deb.sh > /dev/null
say "starting four virtual machines"
lab_up "$kernel" 3
each '[ "$(systemctl is-system-running --wait)" = running ]' || die "a node does not boot"
must_on router 'here: . scripts/demo-router.sh; endpoints_add'

title "The cluster"
cat <<END
   client, two addresses        10.1.1.2  10.1.2.2
      |  |
   ECMP router                  spreads connections by addresses and ports
     / | \\
   3 nodes, one address         $VIP:$PORT  nginx on each
END
must_on n1 '. /etc/os-release; echo "   each: $PRETTY_NAME, kernel $(uname -r), $(nginx -v 2>&1 | sed "s/.*: //"),"
	dpkg-query -W -f "   \${Package} \${Version}\n" corosync mlb mlb-dkms'
for i in 1 2 3; do
	must_on n$i 'systemctl stop mlbd && modprobe -r mlb'
	nginx_up $i
done

title "Without mlb: $CONNECTIONS downloads by curl"
run_connections without
without=$joins
echo "   The others' second path reached a node that does not know the connection."

title "With mlb: the same again"
echo "   each node: systemctl start mlbd;  node 1: mlbctl cluster service add $VIP:$PORT"
for i in 1 2 3; do
	must_on n$i 'systemctl start mlbd'
done
active 60 1 2 3 > "$LAB/active" || die "$(cat "$LAB/active")"
must_on n1 "mlbctl cluster service add $VIP:$PORT"
for i in 1 2 3; do
	becomes n$i 20 "mlbctl service list | grep -q '$VIP:$PORT'" > /dev/null ||
		die "the service is not agreed on"
done
run_connections with
with=$joins
joins_table

title "One download of $((SIZE >> 20)) MiB over both paths, $RATE Mbit/s each"
download

title "A power failure"
survived=
power_failure

printf '\nIt took %d s.\n' $((SECONDS - begin))
[ -n "$intact" ] || echo "the download is damaged or used one path only"
[ -n "$survived" ] || echo "the power failure cost more than its own connections, or their clients too much time"
echo "joins: without mlb $without/$CONNECTIONS, with mlb $with/$CONNECTIONS"
[ "$with" -eq "$CONNECTIONS" ] && [ -n "$intact" ] && [ -n "$survived" ]
