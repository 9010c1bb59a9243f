#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a node whose server is gone, hangs, answers with errors or has
# lost Multipath TCP passes for a good one, or a good one for a broken one.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

HTTP_PORT=8081
SERVER=0

# The node's file: what stands on standard input comes after what is always there.
conf() # < checks
{
	{
		printf '[cluster]\nengine = none\nkey-file = %s\n' "$TMP/key"
		printf '[daemon]\nsocket = %s\nstate-dir = %s\n' \
			"$TMP/sock" "$TMP/state"
		printf 'metrics-file = %s\nmetrics-interval = 1\n' "$TMP/mlb.prom"
		printf '[node]\nid = 1\naddr = %s\n' "$(node_addr4 1)"
		printf '[service four]\nvip = %s:%s\n' "$VIP4" "$PORT"
		printf '[service six]\nvip = [%s]:%s\n' "$VIP6" "$PORT"
		printf '[service web]\nvip = %s:%s\n' "$VIP4" "$HTTP_PORT"
		cat
	} > "$TMP/conf"
}

check_conf() # NAME VIP:PORT TYPE [LINE...]
{
	printf '[check %s]\nservice = %s\ntype = %s\ninterval = 100\n' \
		"$1" "$2" "$3"
	printf 'timeout = %s\n' $((300 * MLB_SCALE))
	[ $# = 3 ] || printf '%s\n' "${@:4}"
}

# Every check with the rise and fall that all have if nothing is said: 2 and 3.
all_checks()
{
	check_conf tcp4 "$VIP4:$PORT" tcp
	check_conf mptcp4 "$VIP4:$PORT" mptcp
	check_conf mptcp6 "[$VIP6]:$PORT" mptcp
	check_conf web "$VIP4:$HTTP_PORT" http "path = /health?a=b" "host = www.example"
	check_conf command "$VIP4:$HTTP_PORT" command "command = . $TMP/command"
}

status()
{
	ctl 1 -s "$TMP/sock" -j status
}

health() # JQ
{
	status | jq -r ".health$1"
}

state() # CHECK
{
	health ".checks[] | select(.check == \"$1\").state"
}

state_is() # CHECK STATE
{
	[ "$(state "$1")" = "$2" ]
}

reason() # CHECK
{
	health ".checks[] | select(.check == \"$1\").reason"
}

becomes() # WHAT CHECK STATE [REASON]
{
	check_true "$1: $2 is $3" wait_for 5 state_is "$2" "$3"
	[ $# = 3 ] || check_true "$1: which says \"$4\"" \
		wait_for 5 reason_is "$2" "$4"
}

reason_is() # CHECK PATTERN
{
	reason "$1" | grep -q -- "$2"
}

states_are() # STATES
{
	[ "$(health '.checks | map(.state) | join(" ")')" = "$1" ]
}

server() # 4|6 [OPTION...]
{
	local f=$1

	spawn "$PREFIX-n1" "$TMP/server.$f" "$LOAD" server -i 1 "${@:2}" \
		"$(vip "$f")" "$PORT"
	SERVER=$!
	wait_for 10 line_there "$TMP/server.$f" listening ||
		bail "no server: $(cat "$TMP/server.$f")"
}

server_end() # PID
{
	kill "$1" && wait "$1"
}

# Answers each connection with the file, after it has read a request.
web_server()
{
	cat > "$TMP/web.sh" <<-END
		#!/bin/sh
		sed '/^.\$/q' > $TMP/request
		cat $TMP/answer
	END
	chmod +x "$TMP/web.sh"
	spawn "$PREFIX-n1" "$TMP/web" socat \
		"TCP4-LISTEN:$HTTP_PORT,bind=$VIP4,fork,reuseaddr" \
		"EXEC:$TMP/web.sh"
	WEB=$!
}

answer() # STATUS
{
	printf 'HTTP/1.1 %s\r\nContent-Length: 2\r\n\r\nok' "$1" > "$TMP/answer.new"
	mv "$TMP/answer.new" "$TMP/answer"
}

command_is() # TEXT
{
	echo "$1" > "$TMP/command.new"
	mv "$TMP/command.new" "$TMP/command"
}

daemon_start()
{
	spawn "$PREFIX-n1" "$TMP/mlbd" mlbd -f "$TMP/conf"
	MLBD=$!
	wait_for 10 status > /dev/null 2>&1 || bail "$(cat "$TMP/mlbd")"
}

reload()
{
	ctl 1 -s "$TMP/sock" cluster reload > "$TMP/reload" 2>&1
}

# From nothing: the first result counts alone.
begin()
{
	daemon_start
	becomes "no server" tcp4 down "Connection refused"
	becomes "no server" mptcp4 down "Connection refused"
	becomes "no server" mptcp6 down "Connection refused"
	becomes "no server" web down "Connection refused"
	becomes "no file" command down "exit status 2: .*$TMP/command"
	check_eq "a service is as its checks are" \
		"$(health ".services[\"$VIP4:$PORT\"]")" down
	spawn "$PREFIX-n1" "$TMP/monitor" mlbctl -s "$TMP/sock" monitor -r cluster
	wait_for 5 line_there "$TMP/monitor" ready || bail "no monitor"
	server 4
	SERVER4=$SERVER
	server 6
	answer "204 No Content"
	web_server
	command_is "exit 0"
	check_true "with servers all are up" wait_for 5 states_are \
		"up up up up up"
	check_eq "and so are the services" \
		"$(health '.services | map(.) | unique | join(" ")')" up
	check_true "what HTTP asks for" wait_for 2 line_there "$TMP/request" \
		'^GET /health?a=b HTTP/1.1'
	check_true "and of whom" wait_for 2 line_there "$TMP/request" \
		'^Host: www.example'
	check_true "an event tells" wait_for 5 line_there "$TMP/monitor" \
		"check check tcp4 service $VIP4:$PORT state up was down"
	check_true "metrics tell" wait_for 5 line_there "$TMP/mlb.prom" \
		"^mlb_check_up{check=\"web\",service=\"$VIP4:$HTTP_PORT\",type=\"http\"} 1"
	check_true "of services too" wait_for 5 line_there "$TMP/mlb.prom" \
		"^mlb_service_up{service=\"\[$VIP6\]:$PORT\"} 1"
	ctl 1 -s "$TMP/sock" status > "$TMP/out"
	check_true "status tells" line_there "$TMP/out" \
		"^check mptcp6 of \[$VIP6\]:$PORT: up for "
}

# Milliseconds from the signal to the event of the last look that counts.
stopped()
{
	local began=$EPOCHREALTIME at

	kill "$SERVER4"
	wait "$SERVER4"
	wait_for 5 line_there "$TMP/monitor" "check mptcp4 .* state down"
	at=$(awk '/check mptcp4 .* state down/ { print $1; exit }' "$TMP/monitor")
	at=$(($(date -d "$at" +%s%6N) - ${began/./}))
	tap_note "a server that is gone is seen after $((at / 1000)) ms" \
		"(interval 100, fall 3)"
	check_range "stopped: seen after the third look, ms" $((at / 1000)) \
		150 $((800 * MLB_SCALE))
	becomes "stopped" tcp4 down
	check_eq "stopped: the other family is not concerned" "$(state mptcp6)" up
	ctl 1 -s "$TMP/sock" status > "$TMP/out"
	check_true "stopped: status says what is wrong" line_there "$TMP/out" \
		"^! service $VIP4:$PORT: Connection refused"
}

# A server without Multipath TCP is well only for who does not ask for it.
loses_mptcp()
{
	server 4 -t
	SERVER4=$SERVER
	becomes "plain TCP" tcp4 up
	becomes "plain TCP" mptcp4 down "plain TCP, not as Multipath"
	check_eq "plain TCP: one check that is down is enough" \
		"$(health ".services[\"$VIP4:$PORT\"]")" down
	server_end "$SERVER4"
	server 4
	SERVER4=$SERVER
	becomes "Multipath TCP again" mptcp4 up
	must on_node 1 sysctl -qw net.mptcp.enabled=0
	becomes "switched off on the host" mptcp4 down "no Multipath TCP socket"
	check_eq "switched off on the host: TCP goes on" "$(state tcp4)" up
	must on_node 1 sysctl -qw net.mptcp.enabled=1
	becomes "switched on" mptcp4 up
}

# The kernel goes on to accept for it, so only who wants an answer sees it.
hangs()
{
	kill -STOP "$WEB"
	becomes "hung" web down "no HTTP answer within"
	kill -CONT "$WEB"
	becomes "hung no more" web up
}

answers()
{
	answer "500 Internal Server Error"
	becomes "status 500" web down "HTTP status 500"
	answer "302 Found"
	becomes "status 302" web up
	printf 'SSH-2.0-OpenSSH_9.2\r\n' > "$TMP/answer"
	becomes "no HTTP" web down "not HTTP"
	: > "$TMP/answer"
	becomes "nothing" web down "hung up without an answer"
	answer "200 OK"
	becomes "status 200" web up
}

# With the address gone nobody else's server is looked at.
address_gone()
{
	must ip -n "$PREFIX-n1" addr del "$VIP4/32" dev lo
	becomes "address gone" mptcp4 down "$VIP4 is no address of this host"
	becomes "address gone" web down "no address of this host"
	must ip -n "$PREFIX-n1" addr add "$VIP4/32" dev lo
	becomes "address there" mptcp4 up
	becomes "address there" web up
}

commands()
{
	local fds

	command_is "[ -e $TMP/env ] || { ls -l /proc/self/fd > $TMP/fds
		env > $TMP/env.new; mv $TMP/env.new $TMP/env; }"
	check_true "a command runs" wait_for 5 test -s "$TMP/env"
	fds=$(grep -c -- '->' "$TMP/fds")
	check_eq "with standard input, output and error, and its own" "$fds" 4
	check_eq "and nothing of mlbd's environment" \
		"$(sed '/^PWD=\|^SHLVL=\|^_=\|^OLDPWD=/d; s/=.*//' "$TMP/env" |
			sort | xargs)" "MLB_ADDR MLB_CHECK MLB_PORT MLB_SERVICE PATH"
	check_true "but with what it is to look at" line_there "$TMP/env" \
		"^MLB_SERVICE=$VIP4:$HTTP_PORT"
	command_is "echo the disk is full >&2; echo more; exit 3"
	becomes "exit status" command down "exit status 3: the disk is full$"
	command_is "exit 0"
	becomes "exit status 0" command up
	command_is "kill -SEGV \$\$"
	becomes "a signal" command down "signal 11"
	command_is "exit 0"
	becomes "exit status 0" command up
	# It heeds no signal, and what it starts heeds none.
	command_is "trap '' TERM; echo \$\$ > $TMP/pid; sleep 1000 & wait; sleep 1000"
	becomes "never ends" command down "did not end within\|has not ended"
	becomes "never ends" command down "has not ended"
	command_is "exit 0"
	becomes "ends" command up
	check_eq "what did not end is killed, and all that it started" \
		"$(pgrep -c -f "sleep 1000")" 0
}

# A file with the same checks changes nothing of what is known; a new question
# is asked at once.
reloads()
{
	local good

	good=$(health '.checks[] | select(.check == "tcp4").good')
	reload
	check_ge "reload: an unchanged check goes on" \
		"$(health '.checks[] | select(.check == "tcp4").good')" "$good"
	check_eq "reload: none is unknown" \
		"$(health '.checks | map(.state) | unique | join(" ")')" up
	all_checks | sed 's/^interval = 100/interval = 200/' | conf
	reload
	check_ge "reload: with another interval it keeps its state" \
		"$(health '.checks[] | select(.check == "tcp4").good')" "$good"
	{
		all_checks | sed "s#^path.*#&\nstatus = 500#"
		check_conf more "[$VIP6]:$PORT" tcp "port = 9"
	} | conf
	reload
	becomes "reload: another question" web down "HTTP status 200"
	becomes "reload: a new check" more down "refused"
	check_eq "reload: of a service that was up" \
		"$(health ".services[\"[$VIP6]:$PORT\"]")" down
	all_checks | sed 's/^type = http/&s/' | conf
	reload
	check_true "reload: a bad one is refused with its line" line_there \
		"$TMP/reload" "$TMP/conf:[0-9]*: type \"https\" is none of tcp, mptcp, http, command"
	check_eq "reload: and all goes on" "$(state mptcp4)" up
	conf < /dev/null
	reload
	check_eq "reload: without checks nothing is known" \
		"$(health '.services | length')" 0
	all_checks | conf
	reload
	check_true "reload: with them again all are up" wait_for 5 states_are \
		"up up up up up"
}

# Nobody but the server hears of checks.
no_traces()
{
	check_eq "checks leave no tokens" "$(owner_count 1)" 0
	check_eq "nor flows" "$(flow_count 1)" 0
}

ends()
{
	command_is "echo \$\$ > $TMP/pid; exec sleep 1000"
	: > "$TMP/pid"
	wait_for 5 line_there "$TMP/pid" . || bail "no command"
	kill "$MLBD"
	wait "$MLBD"
	check_eq "mlbd ends in order" $? 0
	check_true "and its commands with it" wait_for 5 gone "$(cat "$TMP/pid")"
}

gone() # PID
{
	[ ! -e "/proc/$1" ]
}

test_begin mlbd socat pgrep
cluster_up 1
mlb_load
key_file key "one key for the whole cluster" > "$TMP/keyname"
all_checks | conf
begin
stopped
loses_mptcp
hangs
answers
address_gone
commands
reloads
no_traces
ends
tap_done
