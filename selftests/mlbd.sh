#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, mlbd without a cluster engine does not keep the kernel as its
# file says, or disturbs traffic when it starts, dies or reads its file again.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

declare -A ALONE_PID

conf_write() # NODE [LINE...]: nodes, both services, and these lines
{
	local i=$1 j

	{
		printf '[cluster]\nengine = none\nkey-file = %s\n' "$TMP/key"
		printf '[daemon]\nsocket = %s\nstate-dir = %s\n' \
			"$TMP/$i.sock" "$TMP/$i.state"
		for ((j = 1; j <= NODES; j++)); do
			if [ "$i" = "$j" ]; then
				printf '[node]\nid = %s\n' "$j"
			else
				printf '[node %s]\n' "$j"
			fi
			printf 'addr = %s\n' "$(node_addr4 "$j")"
		done
		printf '[service four]\nvip = %s:%s\n' "$VIP4" "$PORT"
		printf '[service six]\nvip = [%s]:%s\n' "$VIP6" "$PORT"
		printf '[kernel]\nresolve-timeout = 500\n'
		[ $# = 1 ] || printf '%s\n' "${@:2}"
	} > "$TMP/$i.conf"
}

alone_start() # NODE
{
	spawn "$PREFIX-n$1" "$TMP/mlbd.$1" mlbd -f "$TMP/$1.conf"
	ALONE_PID[$1]=$!
	wait_for 10 alone_is "$1" .node "$1" || bail "$(cat "$TMP/mlbd.$1")"
}

alone_end() # NODE [SIGNAL]
{
	kill "-${2:-TERM}" "${ALONE_PID[$1]}"
	wait "${ALONE_PID[$1]}" 2> "$TMP/wait"
}

alone() # NODE JQ
{
	ctl "$1" -s "$TMP/$1.sock" -j status 2> "$TMP/status.err" | jq -c "$2"
}

alone_is() # NODE JQ VALUE
{
	[ "$(alone "$1" "$2")" = "$3" ]
}

alone_reload() # NODE
{
	ctl "$1" -s "$TMP/$1.sock" cluster reload > "$TMP/reload" 2>&1
}

# All that mlbd is to keep, without what moves by itself.
kernel_state() # NODE
{
	printf 'node list\nservice list\nset\n' > "$TMP/look"
	ctl "$1" -j -b "$TMP/look" |
		sed -E 's/"(owners|flows|parked|rtt|silent)":[0-9]+,?//g
			s/"suspect":true,?//g; s/,$//' | sort
}

kernel_state_is() # NODE STATE
{
	[ "$(kernel_state "$1")" = "$2" ]
}

alone_says() # NODE JQ PATTERN
{
	alone "$1" "$2" | grep -q -- "$3"
}

changes() # NODE
{
	alone "$1" .kernel.applied
}

from_nothing()
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		conf_write "$i"
		alone_start "$i"
	done
	for ((i = 1; i <= NODES; i++)); do
		check_eq "node $i: nodes as in the file" "$(ctl "$i" node list |
			sed 's/ owners.*//' | xargs)" "$(for ((j = 1; j <= NODES; j++)); do
			echo "$j addr $(node_addr4 "$j") weight 1 state active$([ "$j" != "$i" ] || echo " self")"
		done | xargs)"
		check_eq "node $i: services as in the file" \
			"$(ctl "$i" service list | sort | xargs)" \
			"$VIP4:$PORT sched local nodes all [$VIP6]:$PORT sched local nodes all"
		check_eq "node $i: settings as in the file" \
			"$(ctl "$i" -j set | jq '.["resolve-timeout"]')" 500
	done
	check_eq "one key on all nodes" "$(for ((i = 1; i <= NODES; i++)); do
		ctl "$i" -j set | jq '.["key-id"]'
	done | sort -u | grep -vc null)" 1
	cluster_known 4
}

# It is killed, comes back and is killed again while data flows.
restarts()
{
	local before owners

	endpoints_add
	# Node 1 has some of them.
	client_start long -n "$(scaled 50 25)" -b 200000 -r 10000 -l "$VIP4" "$PORT"
	client_must long ready 40
	before=$(kernel_state 1)
	stats_mark
	alone_end 1 KILL
	alone_start 1
	check_eq "a start after a SIGKILL changes nothing" "$(changes 1)" 0
	check_eq "and the kernel is as it was" "$(kernel_state 1)" "$before"
	check_true "it takes over a socket that was left behind" \
		alone_is 1 .engine '"none"'
	alone_end 1
	check_eq "SIGTERM: a clean end" $? 0
	check_eq "which changes nothing either" "$(kernel_state 1)" "$before"
	check_eq "and takes its socket along" "$([ -e "$TMP/1.sock" ] && echo there)" ""
	alone_start 1
	check_eq "the start after it changes nothing" "$(changes 1)" 0
	owners=$(alone 1 .kernel.settings.owners)
	[ "$owners" -gt 0 ] || tap_note "$(ctl 1 stats nonzero | xargs)"
	check_ge "tokens are older than it" "$owners" 1
	client_go long
	client_end long
	check_eq "every transfer is whole" "${R[ok]}" "${R[connections]}"
	check_eq "with its second path" "${R[second_at_end]}" "${R[connections]}"
	endpoints_flush
}

reloads()
{
	local before n

	before=$(kernel_state 1)
	conf_write 1 "max-flow = 5"
	alone_reload 1
	check_eq "a bad file is refused" $? 1
	check_eq "with file, line and what was meant" "$(cat "$TMP/reload")" \
		"mlbctl: $TMP/1.conf:$(wc -l < "$TMP/1.conf"): [kernel] has no key \"max-flow\"; is it \"max-flows\"?"
	check_eq "the kernel is as it was" "$(kernel_state 1)" "$before"
	conf_write 1 $'caf\xe9 = 5'
	alone_reload 1
	check_true "of a byte that is no text" line_there "$TMP/reload" \
		'has no key "caf?"'
	check_true "status can tell, too" alone_says 1 '.["reload-error"]' 'caf?'
	before=$(kernel_state 1)
	conf_write 1
	sed -i "s/^addr = $(node_addr4 1)\$/addr = 10.3.0.99/" "$TMP/1.conf"
	alone_reload 1
	check_true "an address that is not here is refused" line_there \
		"$TMP/reload" "this host does not have the address"
	check_eq "and the tunnel stays" "$(kernel_state 1)" "$before"
	conf_write 1 "max-flow = 5"
	kill -HUP "${ALONE_PID[1]}"
	check_true "SIGHUP says the same in status" wait_for 5 alone_says 1 \
		'.["reload-error"]' "is it .*max-flows"
	conf_write 1 "port = 6084" "[node 9]" "addr = $(node_addr4 2)"
	alone_reload 1
	check_eq "what is wrong only as a whole is refused too" "$(cat "$TMP/reload")" \
		"mlbctl: $TMP/1.conf:$(wc -l < "$TMP/1.conf"): node 2 has this address already"
	spawn "$PREFIX-n1" "$TMP/socat" socat -u UDP4-RECV:7777,reuseaddr=0 \
		/dev/null
	wait_for 5 port_bound || bail "socat does not bind"
	conf_write 1 "port = 7777" "[service more]" "vip = $VIP4:9999"
	alone_reload 1
	check_eq "what the kernel refuses is refused" $? 1
	check_eq "and what went before is taken back" "$(kernel_state 1)" "$before"

	n=$(changes 1)
	conf_write 1 "max-flows = 77777" "[service more]" "vip = $VIP4:9999" \
		"sched = maglev" "nodes = 2,1"
	kill -HUP "${ALONE_PID[1]}"
	check_true "SIGHUP with a good file is followed" wait_for 5 \
		alone_is 1 '.kernel.services | length' 3
	check_eq "only the difference is changed" $(($(changes 1) - n)) 2
	check_eq "status forgets the error" "$(alone 1 '.["reload-error"]')" null
	conf_write 1
	must alone_reload 1
	check_eq "what the file lost goes" "$(ctl 1 service list | wc -l)" 2
}

port_bound()
{
	on_node 1 ss -Hlun "sport = 7777" | grep -q 7777
}

# Somebody types at the kernel while mlbd runs.
by_hand()
{
	local before

	ctl 1 -s "$TMP/1.sock" cluster reload
	before=$(kernel_state 1)
	spawn "$PREFIX-n1" "$TMP/monitor" mlbctl -s "$TMP/1.sock" monitor -r cluster
	wait_for 5 line_there "$TMP/monitor" ready || bail "no monitor"
	ctl 1 node set 2 weight 7 state drain
	ctl 1 service del "$VIP4:$PORT"
	ctl 1 service add "$VIP4:4444"
	check_true "what was changed by hand is put back" wait_for 5 \
		kernel_state_is 1 "$before"
	check_true "with a warning in the log" line_there "$TMP/mlbd.1" \
		"somebody else"
	check_true "and an event" wait_for 5 line_there "$TMP/monitor" repaired
	check_eq "once and for all" "$(alone 1 .kernel.repaired)" 3
}

# The kernel has tokens before mlbd is there for the first time.
older_than_mlbd()
{
	client_start old -n "$(scaled 20 5)" -b 2000 -w "$VIP4" "$PORT"
	client_must old connected
	wait_for 5 owner_total_is "$(scaled 20 5)"
	alone_end 2 KILL
	alone_start 2
	check_eq "with live connections a start changes nothing" "$(changes 2)" 0
	check_eq "and loses no token" "$(owner_total_local)" "$(scaled 20 5)"
	client_go old
	client_end old
	check_eq "every one of their transfers is whole" "${R[ok]}" \
		"${R[connections]}"
}

address_change()
{
	conf_write 1 "[service pool]" "vip = $VIP4:7000" "nodes = 2,3"
	must alone_reload 1
	sed -i "s/^addr = $(node_addr4 3)\$/addr = 10.3.0.33/" "$TMP/1.conf"
	must alone_reload 1
	check_eq "a node that a pool names can get another address" \
		"$(ctl 1 node list | sed -n 's/^3 //p' | sed 's/ owners.*//')" \
		"addr 10.3.0.33 weight 1 state active"
	check_eq "and is in the pool as before" \
		"$(ctl 1 service list | sed -n "s/^$VIP4:7000 //p")" \
		"sched local nodes 2,3"
	conf_write 1
	must alone_reload 1
}

# What a file is refused for, before anything is done.
refusals()
{
	mlbd -t -f "$TMP/1.conf" > "$TMP/out" 2>&1
	check_eq "mlbd -t: a good file" "$?:$(cat "$TMP/out")" 0:
	conf_write 3 "nonsense"
	mlbd -t -f "$TMP/3.conf" > "$TMP/out" 2>&1
	check_eq "mlbd -t: a bad file" $? 2
	check_true "with file and line" line_there "$TMP/out" \
		"3.conf:$(wc -l < "$TMP/3.conf"): neither"
	conf_write 3
	on_node 1 mlbd -f "$TMP/1.conf" > "$TMP/out" 2>&1
	check_eq "a second mlbd at one socket gives up" $? 1
	check_true "and says why" line_there "$TMP/out" "another mlbd"
	on_node 2 setpriv --reuid 65534 --clear-groups --inh-caps=-all \
		--bounding-set=-all mlbctl -s "$TMP/1.sock" cluster reload \
		> "$TMP/out" 2>&1
	check_eq "a user without rights cannot reload" $? 1
	check_true "and is told so" line_there "$TMP/out" "only root"
	on_node 2 setpriv --reuid 65534 --clear-groups --inh-caps=-all \
		--bounding-set=-all mlbctl -s "$TMP/1.sock" status \
		> "$TMP/out" 2>&1
	check_eq "but may look" $? 0
	ctl 1 -s "$TMP/1.sock" cluster show > "$TMP/out" 2>&1
	check_eq "without an engine there is no document" "$(cat "$TMP/out")" \
		"mlbctl: there is no cluster: engine = none"
	ctl 1 -s "$TMP/nobody.sock" status > "$TMP/out" 2>&1
	check_eq "without mlbd: exit status 3" $? 3
	check_true "and what to do" line_there "$TMP/out" "systemctl start mlbd"
}

privileges()
{
	local pid=${ALONE_PID[1]}

	check_eq "as root it keeps CAP_NET_ADMIN alone" \
		"$(awk '/^Cap(Prm|Eff|Bnd|Inh|Amb)/ { printf "%s ", $2 }' \
			"/proc/$pid/status")" \
		"0000000000000000 0000000000001000 0000000000001000 0000000000001000 0000000000000000 "
	check_eq "and can gain nothing" \
		"$(awk '/^NoNewPrivs/ { print $2 }' "/proc/$pid/status")" 1
	# As mlbd.service starts it.
	alone_end 3
	mkdir -m 755 "$TMP/user"
	sed "s#$TMP#$TMP/user#" "$TMP/3.conf" > "$TMP/user/3.conf"
	cp "$TMP/key" "$TMP/user/key"
	chown -R 65534 "$TMP/user"
	spawn "$PREFIX-n3" "$TMP/mlbd.3" setpriv --reuid 65534 --clear-groups \
		--inh-caps=+net_admin --ambient-caps=+net_admin \
		mlbd -f "$TMP/user/3.conf"
	ALONE_PID[3]=$!
	ln -s "$TMP/user/3.sock" "$TMP/3.sock"
	check_true "it runs as another user with an ambient capability" \
		wait_for 5 alone_is 3 .kernel.applied 0
	setpriv --reuid 65534 --clear-groups --inh-caps=-all --bounding-set=-all \
		mlbd -f "$TMP/user/3.conf" > "$TMP/out" 2>&1
	check_eq "and not without it" $? 1
	check_true "which it says" line_there "$TMP/out" "CAP_NET_ADMIN is missing"
}

# CPU time of a process, ns; asking mlbd itself would cost some. A kernel
# without scheduler statistics counts ticks of 10 ms.
cpu_ns() # PID
{
	local fields

	if [ -e "/proc/$1/schedstat" ]; then
		read -r -a fields < "/proc/$1/schedstat"
		echo "${fields[0]}"
	else
		read -r -a fields < "/proc/$1/stat"
		echo $(((fields[13] + fields[14]) * 10000000))
	fi
}

# Ticks also count what the host took from the machine, so the least of three
# times is the one that counts: what is not idle is so at no time.
frugal()
{
	local i before ns least=2000000000

	for i in 1 2 3; do
		before=$(cpu_ns "${ALONE_PID[1]}")
		sleep 2
		ns=$(($(cpu_ns "${ALONE_PID[1]}") - before))
		least=$((ns < least ? ns : least))
		[ $least -gt 20000000 ] || break
	done
	ns=$least
	check_range "idle for 2 s: microseconds of CPU" $((ns / 1000)) 0 20000
	tap_note "mlbd: $(alone 1 .rss) bytes resident," \
		"$((ns / 2000)) ppm of a CPU when idle"
	check_range "resident memory, KiB" "$(alone 1 '.rss / 1024 | floor')" 1 16384
}

metrics()
{
	conf_write 1 "[daemon]"
	sed -i '/^\[daemon\]$/d' "$TMP/1.conf"
	sed -i "s#^state-dir.*#&\nmetrics-file = $TMP/mlb.prom\nmetrics-interval = 1#" \
		"$TMP/1.conf"
	sed -i 's/^socket/[daemon]\n&/' "$TMP/1.conf"
	must alone_reload 1
	check_true "metrics appear" wait_for 5 line_there "$TMP/mlb.prom" \
		'^mlb_node_state{node="2",state="active"} 1'
	# shellcheck disable=SC2016 # awk's
	check_true "each sample has its type" awk \
		'/^# TYPE/ { type[$3] = 1 }
		 /^[^#]/ { sub(/[{ ].*/, ""); if (!type[$0]) exit 1 }' \
		"$TMP/mlb.prom"
	alone_end 1
	check_eq "and go with mlbd" "$([ -e "$TMP/mlb.prom" ] && echo there)" ""
	conf_write 1
	alone_start 1
}

unloaded()
{
	local pid=${ALONE_PID[1]}

	children_end_but_mlbd
	must rmmod mlb
	wait "$pid" 2> "$TMP/wait"
	check_eq "rmmod: mlbd ends with status 1" $? 1
	check_true "and says why" line_there "$TMP/mlbd.1" "module was unloaded"
	on_node 1 mlbd -f "$TMP/1.conf" > "$TMP/out" 2>&1
	check_eq "without the module it does not start" $? 1
	check_true "and says what to do" line_there "$TMP/out" "modprobe mlb"
}

# Sockets of services hold nothing of the module, but rmmod comes last.
children_end_but_mlbd()
{
	alone_end 2
	alone_end 3
}

test_begin mlbd socat setpriv ss
chmod 711 "$TMP" # for tests as another user
cluster_up 3
mlb_load
key_file key "one key for the whole cluster" > "$TMP/keyname"
from_nothing
servers_up
restarts
older_than_mlbd
reloads
by_hand
address_change
refusals
privileges
frugal
metrics
ctl 1 -s "$TMP/1.sock" status | while IFS= read -r line; do tap_note "$line"; done
unloaded
tap_done
