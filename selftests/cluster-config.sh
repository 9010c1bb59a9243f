#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, nodes of one cluster serve different things, take a node in
# that does not fit, or forget what was agreed on.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/corosync.sh
. "$MLB_TESTS/lib/corosync.sh"
# shellcheck source=lib/mlbd.sh
. "$MLB_TESTS/lib/mlbd.sh"

MANY=$(scaled 100000 10000)

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

document_of() # NODE
{
	node_ctl "$1" cluster show
}

stored_document() # NODE
{
	jq -c .services "$(node_root "$1")/var/lib/mlb/cluster.json"
}

# What the kernel of every one of these serves.
serve() # SERVICES NODE...
{
	local want=$1 i

	shift
	for i; do
		[ "$(ctl "$i" service list | sort | xargs)" = "$want" ] || return 1
	done
}

alive_settings() # NODE
{
	ctl "$1" set | grep ^alive- | xargs
}

everywhere()
{
	local i base

	base=$(ctl 1 service list)
	must node_ctl 3 cluster service add "$VIP4:81" sched maglev nodes 1,2
	must node_ctl 1 cluster service set "$VIP4:81" nodes 1,3
	must node_ctl 2 cluster service del "$VIP4:$PORT"
	must node_ctl 2 cluster node set 2 weight 7 state drain
	must node_ctl 1 cluster set alive-interval 70 alive-multiplier 5
	check_comes "services are the same on all nodes" 5 serve "$(xargs -n 99 <<-END
		$VIP4:81 sched maglev nodes 1,3
		[$VIP6]:$PORT sched local nodes all
	END
	)" 1 2 3
	for i in 1 2 3; do
		check_comes "node $i: weight and state of node 2" 5 line_in \
			"^2 .* weight 7 state drain" ctl "$i" node list
		check_comes "node $i: how often it is to say that it is alive" 5 \
			line_in "^alive-interval 70 alive-multiplier 5$" \
			alive_settings "$i"
		check_comes "node $i: stores it" 5 status_is "$i" \
			'.cluster.persisted' true
		check_eq "node $i: and that is it" "$(stored_document "$i")" \
			"$(stored_document 1)"
	done
	must node_ctl 1 cluster node forget 2
	must node_ctl 1 cluster service del "$VIP4:81"
	must node_ctl 1 cluster service add "$VIP4:$PORT"
	check_comes "all of it can be taken back" 5 serve "$(sort <<< "$base" | xargs)" 1 2 3
}

line_in() # PATTERN COMMAND...
{
	"${@:2}" | grep -q -- "$1"
}

# Everybody proposes at the same time: each change is made once.
at_once()
{
	local i j pids=() ok=0 refused=0

	for i in 1 2 3; do
		for j in 1 2 3 4; do
			node_ctl "$i" cluster service add "$VIP4:7$i$j" &
			pids+=("$!")
		done
	done
	for i in "${pids[@]}"; do
		wait "$i" && ok=$((ok + 1))
	done
	check_eq "changes of three nodes at once are all made" "$ok" 12
	pids=()
	for i in 1 2 3; do
		node_ctl "$i" cluster service add "$VIP4:700" 2> "$TMP/once.$i" &
		pids+=("$!")
	done
	ok=0
	for i in "${pids[@]}"; do
		wait "$i" && ok=$((ok + 1))
	done
	refused=$(cat "$TMP"/once.* | grep -c "^mlbctl: there is a service $VIP4:700 already")
	check_eq "the same change of three nodes is made once" "$ok $refused" "1 2"
	check_comes "the document is the same on all nodes" 5 cluster_ready 1 2 3
	check_eq "with all that was added" \
		"$(document_of 3 | grep -c "service add $VIP4:7[0-9][0-9] ")" 13
}

refuses() # STATUS TEXT ARGUMENT...
{
	node_ctl 2 cluster "${@:3}" > "$TMP/out" 2>&1
	check_eq "refused: cluster ${*:3}" "$?:$(cat "$TMP/out")" "$1:mlbctl: $2"
}

refusals()
{
	local before

	before=$(document_of 1)
	refuses 1 "there is a service $VIP4:$PORT already" \
		service add "$VIP4:$PORT"
	refuses 1 "there is no service $VIP4:1" service set "$VIP4:1" sched maglev
	refuses 1 "there is no service $VIP4:1" service del "$VIP4:1"
	refuses 1 "nothing is known of node 9" node forget 9
	printf '{"services": [{"vip": "%s:1"}, {"vip": "%s:1"}]}' "$VIP4" "$VIP4" \
		> "$TMP/twice"
	refuses 1 "a service is there twice" load "$TMP/twice"
	echo '{"servises": []}' > "$TMP/typo"
	refuses 1 '"servises" is not known' load "$TMP/typo"
	in_node 2 setpriv --reuid 65534 --clear-groups --inh-caps=-all \
		--bounding-set=-all mlbctl cluster service add "$VIP4:2" \
		> "$TMP/out" 2>&1
	check_eq "a user without rights is refused" $? 1
	check_true "and told so" line_there "$TMP/out" "only root"
	check_eq "what is refused changes nothing" "$(document_of 1)" "$before"
}

node_leaves() # NODE
{
	mlbd_stop "$1"
	corosync_stop "$1"
	wait_for 10 cluster_ready 1 2 || bail "node $1 does not leave"
}

node_comes() # NODE
{
	corosync_start "$1"
	mlbd_start "$1"
}

# A node with nothing, and with what is older, gets what the others have.
joiner()
{
	local dir

	dir=$(node_root 3)/var/lib/mlb
	node_leaves 3
	must node_ctl 1 cluster service add "$VIP4:90"
	rm "$dir/cluster.json"
	node_comes 3
	check_comes "a node without a document gets it" 20 cluster_ready 1 2 3
	check_eq "and serves it" "$(ctl 3 service list | grep -c ":90 ")" 1
	mlbd_stop 3
	must node_ctl 1 cluster service del "$VIP4:90"
	mlbd_start 3
	check_comes "a node with an old one gets the new one" 20 \
		cluster_ready 1 2 3
	check_eq "and serves that" "$(ctl 3 service list | grep -c ":90 ")" 0
	mlbd_stop 3
	echo '{"services": [' > "$dir/cluster.json"
	echo '{' > "$dir/cluster.json.new"
	mlbd_start 3
	check_comes "a node with half a document gets it whole" 20 \
		cluster_ready 1 2 3
	check_comes "and stores it" 5 status_is 3 .cluster.persisted true
}

# What was saved comes to a cluster whose mlbds and kernels have never heard of
# node 3: corosync knows that there is one.
from_nothing()
{
	local i

	must node_ctl 1 cluster save "$TMP/saved"
	node_leaves 3
	for i in 1 2; do
		mlbd_stop $i
		must ctl $i node del 3
	done
	rm "$(node_root 1)/var/lib/mlb/cluster.json" \
		"$(node_root 2)/var/lib/mlb/cluster.json" \
		"$(node_root 3)/var/lib/mlb/cluster.json"
	mlbd_start 1 2
	check_comes "two of three, from nothing" 10 cluster_ready 1 2
	check_true "they have agreed on nothing" line_in "^# version 0 of ring 0" \
		document_of 1
	for i in 9 3; do
		jq ".roles = [{role: \"new\", nodes: [$i], spares: [1]}]" \
			"$TMP/saved" > "$TMP/new.$i"
	done
	refuses 1 "node 9 has never been in the cluster: start it first" \
		load "$TMP/new.9"
	check_true "a role can name who has not been there yet" \
		node_ctl 2 cluster load "$TMP/new.3"
	check_comes "its spare stands in" 10 role_at 1
	node_comes 3
	check_comes "the third comes" 20 cluster_ready 1 2 3
	check_comes "and takes its role" 10 role_at 3
	must node_ctl 1 cluster load "$TMP/saved"
}

role_at() # NODE
{
	line_in "^new .* held-by $1 " node_ctl 1 cluster role list
}

fault_is() # NODE OF TEXT
{
	status_is "$1" ".cluster.nodes[] | select(.node == $2) | .fault" "$3"
}

# Node 3 comes back and does not fit.
misfit() # DESCRIPTION FAULT3 FAULT1
{
	corosync_start 3
	mlbd_start 3
	check_comes "$1: the others see what is wrong" 10 fault_is 1 3 "$2"
	check_comes "$1: and so does the node" 10 fault_is 3 1 "$3"
	check_true "$1: it is not used" cluster_ready 1 2
	check_eq "$1: it is dead in the kernels" "$(ctl 1 node list |
		sed -n 's/^3 .* state \([a-z]*\) .*/\1/p')" dead
	check_true "$1: mlbctl status shows it" line_in "$2" node_ctl 1 status
}

misfits()
{
	local root text

	root=$(node_root 3)
	text="its cluster key is another one: every node needs the same key file"
	node_leaves 3
	printf "another key of the cluster" > "$root/etc/mlb/key"
	misfit "wrong key" "$text" "$text"
	printf "one key for the whole cluster" > "$root/etc/mlb/key"
	mlbd_reload 3
	check_comes "the right key: it is used again" 20 cluster_ready 1 2 3

	node_leaves 3
	mlbd_conf 3 <<-END
		[kernel]
		port = 7777
	END
	text="port must be the same in every mlb.conf"
	misfit "wrong port" "its tunnel port is 7777, this node's 6084: $text" \
		"its tunnel port is 6084, this node's 7777: $text"
	mlbd_conf 3 < /dev/null
	mlbd_reload 3
	check_comes "the right port: it is used again" 20 cluster_ready 1 2 3
}

# Corosync knows its cluster by the key alone, whatever name is in its file.
strangers()
{
	local root before

	root=$(node_root 3)
	node_leaves 3
	before=$(ctl 3 service list; ctl 3 node list | sed "s/ owners.*//")
	head -c 256 /dev/urandom > "$root/etc/corosync/authkey"
	node_comes 3
	check_comes "wrong key of corosync: it is alone, without quorum" 10 \
		status_is 3 '.cluster | "\(.connected) \(.quorate)"' \
		"true false"
	node_ctl 3 cluster service add "$VIP4:3" > "$TMP/out" 2>&1
	check_eq "wrong key of corosync: it refuses changes" \
		"$?:$(cat "$TMP/out")" \
		"1:mlbctl: this side of the cluster has no quorum"
	# As long as it takes with the right one.
	sleep 2
	check_true "wrong key of corosync: so it stays" view_is "no 3" 3
	check_true "wrong key of corosync: the others go on" cluster_ready 1 2
	check_eq "wrong key of corosync: it changes nothing" \
		"$(ctl 3 service list; ctl 3 node list | sed "s/ owners.*//")" "$before"
	mlbd_stop 3
	corosync_stop 3
	must corosync_setup 3
	sed -i 's/cluster_name: .*/cluster_name: other/' \
		"$root/etc/corosync/corosync.conf"
	node_comes 3
	check_comes "another cluster_name: the others say so" 20 fault_is 1 3 \
		"its corosync.conf has the cluster_name \"other\", this node's \"$CLUSTER_NAME\""
	check_comes "another cluster_name: it hears it, too" 5 fault_is 3 1 \
		"its corosync.conf has the cluster_name \"$CLUSTER_NAME\", this node's \"other\""
	check_true "another cluster_name: it is not used" line_in \
		"^3 .* state dead" ctl 1 node list
	check_true "another cluster_name: the others go on" cluster_ready 1 2
	node_leaves 3
	must corosync_setup 3
	node_comes 3
	check_comes "the right key and name: it is one of them" 20 \
		cluster_ready 1 2 3
}

disk_full()
{
	local dir warning

	dir=$(node_root 3)/var/lib/mlb
	in_node 3 mount -o remount,size=64k /var/lib/mlb || bail "no remount"
	dd if=/dev/zero of="$dir/filler" bs=4k > "$TMP/dd" 2>&1
	check_true "the disk is full" line_there "$TMP/dd" "No space left"
	must node_ctl 1 cluster service add "$VIP4:60"
	check_comes "a change of another node is made all the same" 5 \
		cluster_ready 1 2 3
	warning="/var/lib/mlb/cluster.json: No space left on device"
	check_comes "and status says that it is not stored" 5 status_is 3 \
		'.cluster | "\(.persisted) \(.["persist-error"])"' \
		"false $warning"
	node_ctl 3 cluster service del "$VIP4:60" > "$TMP/out" 2>&1
	check_eq "one's own is made with a warning" "$?:$(cat "$TMP/out")" \
		"0:mlbctl: warning: the change is made, but this node cannot store it: $warning"
	check_true "the old document is still there" jq -e .stamp "$dir/cluster.json"
	rm "$dir/filler"
	check_comes "with room it is stored" 10 status_is 3 \
		'.cluster | "\(.persisted) \(.["persist-error"])"' "true null"
	check_eq "as the others have it" "$(stored_document 3)" \
		"$(stored_document 1)"
	in_node 3 mount -o remount,size=50% /var/lib/mlb || bail "no remount"
}

# It dies at some moment while it writes what comes thick and fast.
killed_while_storing()
{
	local dir round broken=0 rounds

	rounds=$(scaled 5 2)
	dir=$(node_root 3)/var/lib/mlb
	for ((round = 0; round < rounds; round++)); do
		(for ((j = 0; j < 5; j++)); do
			node_ctl 1 cluster set resolve-rate $((10000 + round * 10 + j))
		done) &
		sleep "0.$((RANDOM % 20 + 10))"
		mlbd_kill 3
		jq -e .stamp.version "$dir/cluster.json" >> "$TMP/versions" ||
			broken=$((broken + 1))
		wait $!
		mlbd_start 3
		wait_for 5 status_is 3 .cluster.ready true
	done
	check_eq "killed $rounds times while it stores: whole each time" "$broken" 0
	tap_note "versions: $(xargs < "$TMP/versions")"
	check_comes "and the node is one of them" 20 cluster_ready 1 2 3
}

tokens_make() # NODE N
{
	perl -e 'print pack("L*", map { $_ * 40503 } 1 .. $ARGV[0])' "$2" \
		> "$TMP/tokens"
	on_node "$1" dd if="$TMP/tokens" of=/proc/net/mlb_learn bs=4000 \
		2> "$TMP/dd" || bail "$(cat "$TMP/dd")"
}

many_tokens()
{
	local t0

	node_leaves 3
	must ctl 3 owner flush
	t0=$(now_ms)
	tokens_make 1 "$MANY"
	check_comes "$MANY tokens reach another node" 60 owners_known_are "$MANY" 2
	tap_note "after $(($(now_ms) - t0)) ms"
	t0=$(now_ms)
	node_comes 3
	check_comes "and a node that joins" 60 owners_known_are "$MANY" 3
	tap_note "$(($(now_ms) - t0)) ms after its corosync was started"
	check_comes "all nodes take part" 10 cluster_ready 1 2 3
	check_tables "tables agree" 1 2 3
	printf '\0\0\0\0' | on_node 1 dd of=/proc/net/mlb_learn 2> /dev/null
	check_comes "and they go again" 60 owners_known_are 0 1 2 3
}

test_begin corosync mlbd perl setpriv
daemons_up 3
everywhere
at_once
refusals
joiner
from_nothing
misfits
strangers
disk_full
killed_while_storing
many_tokens
tap_done
