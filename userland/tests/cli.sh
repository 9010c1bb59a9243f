#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a slip is sent to the kernel, a key that others know is taken,
# or help is missing. Needs no module; runs MLBCTL.
set -u

MLBCTL=${MLBCTL:?}
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
n=0
failed=0

ok() { echo "ok $((++n)) $*"; }
not_ok()
{
	echo "not ok $((++n)) $*"
	sed 's/^/# /' "$TMP/out" "$TMP/err"
	failed=1
}

run() { timeout 20 "$MLBCTL" "$@" > "$TMP/out" 2> "$TMP/err" < "${INPUT:-/dev/null}"; }

# Wrong usage: status 2, a message that has these words, nothing on stdout.
usage() # WORDS ARGUMENT...
{
	local words=$1 status

	shift
	run "$@"
	status=$?
	if [ "$status" = 2 ] && [ ! -s "$TMP/out" ] &&
	   grep -qF -- "$words" "$TMP/err"; then
		ok "usage: $*"
	else
		not_ok "usage: $*: status $status, want \"$words\""
	fi
}

# Good usage: gets as far as the kernel.
passes() # ARGUMENT...
{
	local status

	run "$@"
	status=$?
	if [ "$status" = 3 ] && grep -q 'modprobe mlb' "$TMP/err"; then
		ok "passes: $*"
	else
		not_ok "passes: $*: status $status"
	fi
}

# Good usage, but nobody at the socket.
no_mlbd() # ARGUMENT...
{
	local status

	run -s "$TMP/nobody" "$@"
	status=$?
	if [ "$status" = 3 ] && [ ! -s "$TMP/out" ] &&
	   grep -q 'systemctl start mlbd' "$TMP/err"; then
		ok "no mlbd: $*"
	else
		not_ok "no mlbd: $*: status $status"
	fi
}

helps() # WORDS ARGUMENT...
{
	local words=$1 status

	shift
	run "$@"
	status=$?
	if [ "$status" = 0 ] && [ ! -s "$TMP/err" ] &&
	   grep -qF -- "$words" "$TMP/out"; then
		ok "helps: $*"
	else
		not_ok "helps: $*: status $status, want \"$words\""
	fi
}

key() # NAME BYTES MODE
{
	(umask 077 && head -c "$2" /dev/zero > "$TMP/$1")
	chmod "$3" "$TMP/$1"
	echo "$TMP/$1"
}

if [ -d /sys/module/mlb ]; then
	echo "Bail out! the module is loaded, and this would change its settings"
	exit 1
fi

usage "Usage"
usage "no command" nonsense
usage "ambiguous" s
usage "nothing to change" node set 5
usage "nothing to change" service set 10.0.0.1:80
usage "what to do is missing" service
usage "there is no" node frobnicate
usage "from 1 to 65535" set port 0
usage "from 10 to 10000, or 0" set alive-interval 9
usage "from 10 to 10000, or 0" set alive-interval 10001
passes set alive-interval 0 alive-multiplier 2
usage "bits set behind" group add 1 prefix 10.0.0.1/8
usage "is missing" group add 1
usage "from 1 to 65535" group del 0
usage "not a list" group set 1 prefix 10.0.0.0/8,
passes group add 1 prefix 10.0.0.0/8,2001:db8::/32
usage "is missing" pool set 10.0.0.1:80 group 1
usage "is not \"none\"" pool set 10.0.0.1:80 nodes all
passes pool set 10.0.0.1:80 group 1 nodes none
passes pool set 10.0.0.1:80 group 1 nodes 2 wait
usage "No such file" pool load "$TMP/nothing"
printf '%s\n' '# two' '1 prefix 10.0.0.0/8' '10.0.0.1:80 group 1 wait nodes 2' > "$TMP/pools"
passes pool load "$TMP/pools"
echo '10.0.0.1:80 group 0 nodes 2' >> "$TMP/pools"
usage "line 4" pool load "$TMP/pools"
usage "not understood" node list 5
usage "not understood" key set a b
usage "given twice" set port 1 port 2
usage "not a number" monitor -c x
usage "no command" -x
usage "write [ADDR]:PORT" service add 2001:db8::1:80
usage "only" node add 5 addr 10.0.0.5 encap ipip port 6080
usage "only" node add 5 addr 10.0.0.5 port 6080
usage "none of mlb, ipip, gue" node add 5 addr 10.0.0.5 encap vxlan
usage "not understood" node set 5 encap gue
usage "is missing" owner announce 0x10
usage "is missing" owner withdraw 0x10
usage "not understood" owner withdraw 0x10 node 2 cpu 1
usage "is missing" owner end
usage "neither tokens nor" owner end 0x10,
usage "neither tokens nor" owner end 0x1g
usage "neither tokens nor" owner end every
usage "not understood" owner end 0x10 0x11
usage "not understood" owner end 0x10 node 2
passes owner end all
passes owner end 0x10,17
usage "is missing" explain
usage "neither a flow nor a token" explain 0x1g
usage "join already" explain 0x10 syn
usage "give one of both" explain 10.1.1.2:5-10.0.0.1:80 syn join 0x10
usage "has no port" explain 10.1.1.2-10.0.0.1:80
usage "two families" explain '[2001:db8::2]:5-10.0.0.1:80'

passes node list
passes n l
passes -j node list
passes node list -j
passes node add 5 addr 2001:db8::5 weight 0 self
passes node add 5 addr 10.0.0.5 encap gue port 6090
passes node add 5 addr 10.0.0.5 encap ipip
passes owner announce 0x10 node 2 cpu 1
passes owner withdraw 0x10 node 2
passes explain 0x10
passes -j explain 10.1.1.2:5000-10.0.0.1:80
passes explain '[2001:db8::2]:5000-[2001:db8::1]:443' join 0x10
passes service add '[2001:db8::1]:443' sched maglev nodes 1,2
passes service set 10.0.0.1:80 nodes all
passes owner get 0x1
passes owner flush node 3
passes flow list service 10.0.0.1:80
passes stats -z
passes monitor -c 5 owner
passes set
passes set port 1 max-flows 5

usage "what to do is missing" cluster
usage "what to do is missing" cluster service
usage "there is no" cluster service frob
usage "max-flows is each node's own" cluster set max-flows 5
usage "port is each node's own" cluster set resolve-rate 5 port 5
usage "ambiguous" cluster s
usage "nothing to change" cluster service set 10.0.0.1:80
usage "nothing to change" cluster node set 5
usage "nothing to change" cluster set
usage "use maintenance" cluster node set 5 state dead
usage "each node's own" cluster set port 5
usage "is missing" cluster service add
usage "is missing" cluster save
usage "not understood" cluster show 5
usage "No such file" cluster load "$TMP/absent"
usage "not understood" status 5
printf '{"services": [}' > "$TMP/json"
usage ":1: " cluster load "$TMP/json"

usage "prefixes is missing" cluster group add eu
usage "prefixes is missing" cluster group set eu
usage "is missing" cluster group del
usage "nodes is missing" cluster role add web
usage "nothing to change" cluster role set web
usage "named one by one" cluster role add web nodes all
usage "names a node twice" cluster role add web nodes 1,1
usage "failback \"soon\" is not" cluster role set web failback soon
usage "maybe" cluster role set web exclusive maybe
usage "neither \"home\" nor" cluster role move web all
usage "neither \"home\" nor" cluster role move web back
usage "is missing" cluster role move web

no_mlbd status
no_mlbd -j status
no_mlbd cluster show
no_mlbd cluster service add '[2001:db8::1]:443' sched maglev nodes 1,2
no_mlbd c serv a 10.0.0.1:80
no_mlbd cluster service list
no_mlbd cluster node set 5 weight 3 state drain
no_mlbd cluster node forget 5
no_mlbd cluster set resolve-timeout 5
no_mlbd cluster set alive-interval 0 alive-multiplier 5
no_mlbd cluster group add eu prefixes 192.0.2.0/24,2001:db8::/32
no_mlbd cluster group set eu prefixes 192.0.2.0/24
no_mlbd cluster group del eu
no_mlbd cluster group list
no_mlbd cluster role add web nodes 1,2 services 10.0.0.1:80 groups eu spares 3 failback 60 without-spare refuse exclusive yes
no_mlbd cluster role set web groups others services all failback no
no_mlbd cluster role move web 2,3
no_mlbd cluster role move web home
no_mlbd cluster role del web
no_mlbd cluster role list
no_mlbd cluster node set 5 roles web,db
no_mlbd cluster save -
no_mlbd cluster reload
no_mlbd monitor cluster
passes monitor

usage "can be read by others" key set "$(key read 32 644)"
usage "can be read by others" key set "$(key group 32 640)"
usage "can be written by others" key set "$(key write 32 622)"
usage "less than 16" key set "$(key short 15 600)"
usage "more than 64" key set "$(key long 65 600)"
usage "No such file" key set "$TMP/absent"
usage "not a regular file" key set "$TMP"
mkfifo -m 600 "$TMP/fifo"
usage "not a regular file" key set "$TMP/fifo"
usage "not a regular file" key set /dev/zero
passes key set "$(key min 16 600)"
passes key set "$(key max 64 400)"
ln -s "$TMP/min" "$TMP/link"
passes key set "$TMP/link"

INPUT=$TMP/lines
printf '0x1 node 2\n0x2 node\n' > "$INPUT"
usage "line 2: node has no value" owner add -
printf '0x1 node 2\n0x1 node 3\n' > "$INPUT"
usage "line 2: token 0x00000001 is on line 1" owner add -
printf '0x1 node 2\n' > "$INPUT"
usage "line 1: \"node\" is not understood" owner del -
passes owner add -
passes owner replace -
passes owner announce -
passes owner withdraw -
INPUT=

INPUT=$TMP/batch
printf '# a comment\n\nnode add 1 addr 10.0.0.1 self\n  set port 5\n' > "$INPUT"
passes -b -
passes -b "$INPUT"
usage "Usage" -b "$INPUT" node list
usage "No such file" -b "$TMP/absent"
printf 'set port 5\nset prot 5\n' > "$INPUT"
usage ":2: nothing of the batch was done" -b "$INPUT"
usage "standard input:2: nothing" -b -
printf 'set port 5\nmonitor\n' > "$INPUT"
usage "not in a batch" -b "$INPUT"
printf 'owner add -\n0x1 node 2\n' > "$INPUT"
usage "not in a batch" -b -
printf 'set port 5\0\n' > "$INPUT"
usage "zero byte" -b "$INPUT"
seq -s ' ' 40 > "$INPUT"
usage "too many words" -b "$INPUT"
INPUT=

usage "there is none" -n absent node list
usage "there is none" node list -n
passes -n /proc/self/ns/net node list

helps "Exit status" -h
helps "mlbctl " -V
helps "3 the module is not loaded" doctor -h
helps "MP_JOIN SYNs" stats -h
helps "standard input" owner add -h
for noun in $("$MLBCTL" --complete); do
	helps "mlbctl $noun" "$noun" -h
	for verb in $("$MLBCTL" --complete "$noun"); do
		grep -q "^mlbctl $noun $verb" "$TMP/out" || continue
		helps "mlbctl $noun $verb" "$noun" "$verb" -h
		run "$noun" -h
	done
done

# A listing that could not be written must not pass for one.
"$MLBCTL" -h > /dev/full 2> "$TMP/err"
if [ $? = 1 ] && grep -q "No space" "$TMP/err"; then
	ok "a full disk is noticed"
else
	not_ok "a full disk is noticed"
fi

run -j doctor -q
status=$?
if [ "$status" = 3 ] && grep -q '"remedy":"modprobe mlb"' "$TMP/out"; then
	ok "doctor without the module says how to load it"
else
	not_ok "doctor without the module says how to load it: status $status"
fi

echo "1..$n"
exit $failed
