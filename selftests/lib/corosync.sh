# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Nodes that run daemons: lib/cluster.sh gives each a network, this gives it
# mount, IPC and UTS namespaces too, with /etc/corosync, /etc/mlb, their state,
# /run and /dev/shm of its own. In each runs a corosync, whose views of the
# membership quorum_watch writes down; and mlbd, see lib/mlbd.sh.
#
# nodes_split parts the cluster network: each side gets a bridge of its own, so
# that no node sees its link go down. Clients reach all nodes all the time.

WATCH=$MLB_TESTS/quorum_watch
NODE_DIRS="/run /dev/shm /etc/corosync /var/lib/corosync /etc/mlb /var/lib/mlb"
# With token T a loss is known after 2.2 T. A real cluster does with 300 ms;
# several corosyncs on one slow CPU, which others want too, do not.
COROSYNC_TOKEN=${COROSYNC_TOKEN:-1000}
CLUSTER_NAME=mlb

# shellcheck disable=SC2034 # MLBD_PID is for lib/mlbd.sh
declare -A NODE_PID COROSYNC_PID WATCH_PID MLBD_PID

# Enters all namespaces of the node.
in_node() # NODE COMMAND...
{
	nsenter -t "${NODE_PID[$1]}" -m -i -u -n -- "${@:2}"
}

# The node's file system, seen from outside.
node_root() # NODE
{
	echo "/proc/${NODE_PID[$1]}/root"
}

# As spawn, in all namespaces of the node; what it says is appended.
node_spawn() # NODE OUTPUT_FILE COMMAND...
{
	nsenter -t "${NODE_PID[$1]}" -m -i -u -n -- "${@:3}" >> "$2" 2>&1 \
		< /dev/null &
	CHILDREN+=("$!")
}

# Namespaces for the node's daemons, kept by a process that sleeps.
node_dirs_up() # NODE
{
	# shellcheck disable=SC2016,SC2086 # expanded by the inner shell; words
	nsenter --net="/run/netns/$PREFIX-n$1" -- \
		unshare --mount --ipc --uts -- sh -euc '
		hostname "$1"
		shift
		for dir; do
			mount -t tmpfs -o mode=755 node "$dir"
		done
		mkdir /run/lock /etc/corosync/uidgid.d
		chmod 1777 /dev/shm
		echo ready
		exec sleep infinity' sh "n$1" $NODE_DIRS \
		> "$TMP/node.$1" 2>&1 < /dev/null &
	NODE_PID[$1]=$!
	CHILDREN+=("$!")
}

# Libknet looks at its links every 200 ms: shorter times than these make them
# flap, as does "sched_rr: no" under load. After a message the token goes round
# 30 times more unless it is told to rest sooner, and with a message each tick it
# never rests: that takes most of a CPU.
corosync_conf()
{
	local i

	cat <<-END
		totem {
			version: 2
			cluster_name: $CLUSTER_NAME
			transport: knet
			token: $COROSYNC_TOKEN
			token_coefficient: 0
			seqno_unchanged_const: 1
			crypto_cipher: aes256
			crypto_hash: sha256
			interface {
				linknumber: 0
				knet_ping_interval: 200
				knet_ping_timeout: $((COROSYNC_TOKEN * 2))
			}
		}
		quorum {
			provider: corosync_votequorum
		}
		logging {
			to_stderr: yes
			to_syslog: no
			timestamp: hires
		}
		system {
			sched_rr: yes
		}
		nodelist {
	END
	for ((i = 1; i <= NODES; i++)); do
		cat <<-END
			node {
				nodeid: $i
				name: n$i
				ring0_addr: $(node_addr4 "$i")
			}
		END
	done
	echo "}"
}

# Configuration and key of the node's corosync; it is not started.
corosync_setup() # NODE
{
	local root

	root=$(node_root "$1")
	cp "$TMP/corosync.conf" "$root/etc/corosync/corosync.conf" &&
		(umask 077 && cp "$TMP/authkey" "$root/etc/corosync/authkey")
}

# After cluster_up: daemons can be run on every node.
nodes_ready()
{
	local i

	# shellcheck disable=SC2086
	mkdir -p $NODE_DIRS
	# Several corosyncs share a CPU: at the usual 100 ms each, the last one
	# in the queue takes itself for stopped.
	must sysctl -qw kernel.sched_rr_timeslice_ms=10
	for ((i = 1; i <= NODES; i++)); do
		node_dirs_up "$i"
	done
	corosync_conf > "$TMP/corosync.conf"
	head -c 256 /dev/urandom > "$TMP/authkey"
	for ((i = 1; i <= NODES; i++)); do
		wait_for 10 line_there "$TMP/node.$i" '^ready' ||
			bail "node $i: $(cat "$TMP/node.$i")"
		must corosync_setup "$i"
	done
}

# The watcher outlives the corosync that it watches.
corosync_start() # NODE...
{
	local i

	for i; do
		# It locks its memory, and so the stacks of its threads.
		node_spawn "$i" "$TMP/corosync.$i" \
			prlimit --stack=524288 corosync -f
		COROSYNC_PID[$i]=$!
		[ -z "${WATCH_PID[$i]:-}" ] || continue
		node_spawn "$i" "$TMP/view.$i" "$WATCH"
		WATCH_PID[$i]=$!
	done
}

child_ends() # PID
{
	wait "$1" 2> /dev/null
	return 0
}

# TERM: the node leaves in order. KILL: the others find out.
corosync_end() # SIGNAL NODE
{
	kill "-$1" "${COROSYNC_PID[$2]}" && child_ends "${COROSYNC_PID[$2]}"
	unset "COROSYNC_PID[$2]"
}

corosync_stop() { corosync_end TERM "$1"; }
corosync_kill() { corosync_end KILL "$1"; }
corosync_freeze() { kill -STOP "${COROSYNC_PID[$1]}"; }
corosync_thaw() { kill -CONT "${COROSYNC_PID[$1]}"; }

# What the node's corosync said last: "yes 1,2,3", "no 3", or "gone". VIEW_TIME
# is when, in microseconds, VIEW_RING its ring.
view_read() # NODE
{
	local lines=()

	# shellcheck disable=SC2034 # VIEW_TIME is for the tests
	VIEW="" VIEW_TIME=0 VIEW_RING=0
	# Who writes it may not have got so far.
	[ -e "$TMP/view.$1" ] || return 0
	mapfile -t lines < "$TMP/view.$1"
	# shellcheck disable=SC2034
	[ ${#lines[@]} = 0 ] ||
		read -r VIEW_TIME VIEW_RING VIEW <<< "${lines[-1]}"
}

view_is() # VIEW NODE...
{
	local want=$1 i

	shift
	for i; do
		view_read "$i"
		[ "$VIEW" = "$want" ] || return 1
	done
}

# Every node named in it has the view "yes NODES", or "no NODES".
view_wait() # SECONDS yes|no NODE,NODE...
{
	# shellcheck disable=SC2086
	wait_for "$1" view_is "$2 $3" ${3//,/ }
}

views() # for a message
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		view_read "$i"
		echo "node $i: $VIEW (ring $VIEW_RING)"
	done
}

# A corosync on each node, and all of them in one quorate view.
corosync_up()
{
	local all

	nodes_ready
	# shellcheck disable=SC2046
	corosync_start $(seq "$NODES")
	all=$(seq -s, "$NODES")
	view_wait 20 yes "$all" || bail "corosync forms no cluster:
$(views; tail -n 5 "$TMP"/corosync.*)"
}

# Only nodes of one group reach each other over the cluster network.
nodes_split() # NODE,NODE... NODE,NODE...
{
	local side=0 group i

	for group; do
		{
			[ $side = 0 ] || cat <<-END
				link add br$side mtu $MTU type bridge stp_state 0 forward_delay 0
				link set br$side up
			END
			for i in ${group//,/ }; do
				[ $side = 0 ] || echo "link set n$i master br$side"
			done
		} | netns_batch "$PREFIX-b"
		side=$((side + 1))
	done
}

nodes_heal()
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		echo "link set n$i master br0"
	done | netns_batch "$PREFIX-b"
	for ((i = 1; i < NODES; i++)); do
		ip -n "$PREFIX-b" link del "br$i" 2> /dev/null || break
	done
}

# Ends all that runs on the nodes; before cluster_down.
nodes_down()
{
	children_end
	# shellcheck disable=SC2034 # MLBD_PID is for lib/mlbd.sh
	NODE_PID=() COROSYNC_PID=() WATCH_PID=() MLBD_PID=()
	rm -f "$TMP"/view.*
}
