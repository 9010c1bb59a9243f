#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, routers go on to send clients to a node whose server is gone, or
# stop to send them to one that is well.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

TABLE=100
OTHER=10.9.0.2

# The node's file, with these lines at its end.
conf() # [LINE...]
{
	{
		printf '[cluster]\nengine = none\nkey-file = %s\n' "$TMP/key"
		printf '[daemon]\nsocket = %s\nstate-dir = %s\n' \
			"$TMP/sock" "$TMP/state"
		printf 'metrics-file = %s\nmetrics-interval = 1\n' "$TMP/mlb.prom"
		printf '[service four]\nvip = %s:%s\n' "$VIP4" "$PORT"
		printf '[service six]\nvip = [%s]:%s\n' "$VIP6" "$PORT"
		printf '[service other]\nvip = %s:%s\n' "$OTHER" "$PORT"
		printf '[node]\nid = 1\naddr = %s\n' "$(node_addr4 1)"
		[ $# = 0 ] || printf '%s\n' "$@"
	} > "$TMP/conf"
}

vips()
{
	printf '[vip four]\naddr = %s\ntable = %s\n' "$VIP4" $TABLE
	printf '[vip six]\naddr = %s\ntable = %s\n' "$VIP6" $TABLE
	printf '[check four]\nservice = %s:%s\ntype = mptcp\n' "$VIP4" "$PORT"
	printf 'interval = 100\n'
	printf '[check six]\nservice = [%s]:%s\ntype = mptcp\n' "$VIP6" "$PORT"
	printf 'interval = 100\n'
}

# What a routing daemon finds in the table.
routes()
{
	{
		ip -n "$PREFIX-n1" -4 route show table $TABLE
		ip -n "$PREFIX-n1" -6 route show table $TABLE
	} 2> /dev/null | awk '{ print $2 }' | xargs
}

routes_are() # ADDR...
{
	[ "$(routes)" = "$*" ]
}

ms_until() # COMMAND...
{
	local t0=${EPOCHREALTIME/./}

	until "$@"; do
		[ $((${EPOCHREALTIME/./} - t0)) -lt 10000000 ] || break
	done
	echo $(((${EPOCHREALTIME/./} - t0) / 1000))
}

status()
{
	ctl 1 -s "$TMP/sock" -j status
}

reload()
{
	ctl 1 -s "$TMP/sock" cluster reload > "$TMP/reload" 2>&1
}

daemon_start()
{
	spawn "$PREFIX-n1" "$TMP/mlbd" mlbd -f "$TMP/conf"
	MLBD=$!
	wait_for 10 status > /dev/null 2>&1 || bail "$(cat "$TMP/mlbd")"
}

follows()
{
	local server4=${CHILDREN[0]}

	check_eq "before mlbd there is no route" "$(routes)" ""
	daemon_start
	check_true "with servers that are well both are announced" \
		wait_for 5 routes_are "$VIP4" "$VIP6"
	spawn "$PREFIX-n1" "$TMP/monitor" mlbctl -s "$TMP/sock" monitor -r cluster
	wait_for 5 line_there "$TMP/monitor" ready || bail "no monitor"
	kill "$server4"
	tap_note "withdrawn $(ms_until routes_are "$VIP6") ms after its server" \
		"ended (interval 100, fall 3)"
	check_eq "the one whose server is gone is withdrawn" "$(routes)" "$VIP6"
	check_true "an event tells" wait_for 5 line_there "$TMP/monitor" \
		"vip addr $VIP4 where in table $TABLE state withdrawn .*reason a service of it is down"
	check_true "metrics tell" wait_for 5 line_there "$TMP/mlb.prom" \
		"^mlb_vip_announced{addr=\"$VIP4\"} 0"
	ctl 1 -s "$TMP/sock" status > "$TMP/out"
	check_true "status tells" line_there "$TMP/out" \
		"^vip $VIP4: withdrawn in table $TABLE for .*: a service of it is down"
	spawn "$PREFIX-n1" "$TMP/server" "$LOAD" server -i 1 "$VIP4" "$PORT"
	tap_note "announced $(ms_until routes_are "$VIP4" "$VIP6") ms after it" \
		"is back (rise 2)"
	check_eq "and announced when it is back" "$(routes)" "$VIP4 $VIP6"
}

stays()
{
	local seen

	ip -n "$PREFIX-n1" monitor route > "$TMP/routes.log" 2>&1 &
	CHILDREN+=("$!")
	reload
	kill -KILL "$MLBD"
	wait "$MLBD" 2> /dev/null
	check_eq "mlbd dies: the routes stay" "$(routes)" "$VIP4 $VIP6"
	daemon_start
	wait_for 5 vip_states_are "announced announced"
	kill "$MLBD"
	wait "$MLBD"
	check_eq "mlbd ends: the routes stay" "$(routes)" "$VIP4 $VIP6"
	daemon_start
	wait_for 5 vip_states_are "announced announced"
	seen=$(grep -c "table $TABLE" "$TMP/routes.log")
	check_eq "and nobody has seen them move" "$seen" 0
	must ip -n "$PREFIX-n1" route del blackhole "$VIP4" table $TABLE
	check_true "what somebody takes away comes back" \
		wait_for 5 routes_are "$VIP4" "$VIP6"
	check_true "with a warning" line_there "$TMP/mlbd" "somebody else"
}

vip_states_are() # STATES
{
	[ "$(status | jq -r '.vips | map(.state) | join(" ")')" = "$1" ]
}

maintenance()
{
	{ conf "state = drain"; vips >> "$TMP/conf"; }
	reload
	check_eq "in drain they stay: what it has may still come here" \
		"$(routes)" "$VIP4 $VIP6"
	{ conf "state = maintenance"; vips >> "$TMP/conf"; }
	reload
	check_true "in maintenance they go" wait_for 5 routes_are ""
	{ conf; vips >> "$TMP/conf"; }
	reload
	check_true "active: they are back" wait_for 5 routes_are "$VIP4" "$VIP6"
}

reloads()
{
	{ conf; vips | sed 1,3d >> "$TMP/conf"; }
	reload
	check_true "one that the file loses goes" wait_for 5 routes_are "$VIP6"
	{ conf; vips >> "$TMP/conf"; printf '[vip other]\naddr = %s\ntable = 7\n' \
		"$OTHER" >> "$TMP/conf"; }
	reload
	check_true "it comes again" wait_for 5 routes_are "$VIP4" "$VIP6"
	check_eq "one without a check is announced too" \
		"$(ip -n "$PREFIX-n1" route show table 7 | xargs)" \
		"blackhole $OTHER proto 109"
	{ conf; vips | sed 's/^table.*/table = 254/' >> "$TMP/conf"; }
	reload
	check_true "the main table is refused" line_there "$TMP/reload" \
		"$TMP/conf:[0-9]*: table 254 is one that this host routes by"
	check_eq "and all stay" "$(routes)" "$VIP4 $VIP6"
}

# What a file named that is gone: no reload has seen it go.
restarted()
{
	{ conf; vips >> "$TMP/conf"; }
	reload
	wait_for 5 routes_are "$VIP4" "$VIP6" || bail "no routes"
	must ip -n "$PREFIX-n1" route add blackhole 192.0.2.1 table $TABLE
	kill -KILL "$MLBD"
	wait "$MLBD" 2> /dev/null
	{ conf; vips | sed 1,3d >> "$TMP/conf"; }
	daemon_start
	check_true "started anew without one: its route goes, and no other" \
		wait_for 5 routes_are "192.0.2.1" "$VIP6"
	check_true "the log tells" line_there "$TMP/mlbd" \
		"1 routes of addresses that the file does not name"
	must ip -n "$PREFIX-n1" route del blackhole 192.0.2.1 table $TABLE
}

# Without the module this host's stack would reset what others have.
unloaded()
{
	children_end_but "$MLBD"
	must rmmod mlb
	wait "$MLBD"
	check_eq "without the module nothing is announced" "$(routes)" ""
}

children_end_but() # PID
{
	local pid kept=()

	for pid in "${CHILDREN[@]}"; do
		if [ "$pid" = "$1" ]; then
			kept+=("$pid")
		else
			kill "$pid" 2> /dev/null
		fi
	done
	CHILDREN=("${kept[@]}")
}

test_begin mlbd
cluster_up 1
mlb_load
key_file key "one key for the whole cluster" > "$TMP/keyname"
servers_up
{ conf; vips >> "$TMP/conf"; }
follows
stays
maintenance
reloads
restarted
unloaded
tap_done
