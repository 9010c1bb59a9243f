# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The daemon on the nodes of lib/corosync.sh.

declare -A MLBD_PID
# What all nodes have in their files, besides what mlbd_conf writes.
NODE_CONF=

# The node's file: what stands on standard input comes after what all have.
mlbd_conf() # NODE [FAMILY] < more
{
	local root

	root=$(node_root "$1")
	(umask 077 && printf %s "one key for the whole cluster" > "$root/etc/mlb/key")
	{
		cat <<-END
			[node]
			id = $1
			addr = $("node_addr${2:-4}" "$1")

			[cluster]
			engine = corosync
			key-file = /etc/mlb/key

		END
		cat
	} > "$root/etc/mlb/mlb.conf"
}

# As the unit does: mlbd finds its directories.
mlbd_start() # NODE...
{
	local i root

	for i; do
		root=$(node_root "$i")
		mkdir -p "$root/run/mlb"
		[ -e "$root/etc/mlb/mlb.conf" ] || mlbd_conf "$i" < /dev/null
		node_spawn "$i" "$TMP/mlbd.$i" mlbd
		MLBD_PID["$i"]=$!
	done
	for i; do
		wait_for 10 mlbd_answers_or_ends "$i"
		mlbd_answers "$i" ||
			bail "mlbd of node $i: $(tail "$TMP/mlbd.$i")"
	done
}

mlbd_answers() # NODE
{
	node_status "$1" > /dev/null 2>&1
}

mlbd_answers_or_ends() # NODE
{
	mlbd_answers "$1" || ! kill -0 "${MLBD_PID[$1]}" 2> /dev/null
}

mlbd_end() # SIGNAL NODE
{
	kill "-$1" "${MLBD_PID[$2]}" && child_ends "${MLBD_PID[$2]}"
	unset "MLBD_PID[$2]"
}

mlbd_stop() { mlbd_end TERM "$1"; }
mlbd_kill() { mlbd_end KILL "$1"; }
mlbd_freeze() { kill -STOP "${MLBD_PID[$1]}"; }
mlbd_thaw() { kill -CONT "${MLBD_PID[$1]}"; }
mlbd_reload() { kill -HUP "${MLBD_PID[$1]}"; }

# mlbctl where it sees the daemon of the node, and not only its kernel.
node_ctl() # NODE ARGUMENT...
{
	in_node "$1" mlbctl "${@:2}"
}

# Its status, asked for from outside: saves a process.
node_status() # NODE
{
	ctl "$1" -s "/proc/${NODE_PID[$1]}/root/run/mlb/mlbd.sock" -j status
}

cluster_status() # NODE JQ_FILTER
{
	node_status "$1" | jq -r "$2"
}

status_is() # NODE JQ_FILTER VALUE
{
	[ "$(cluster_status "$1" "$2")" = "$3" ]
}

# They serve, and node 1, who decides, has been told so by all: whose checks are not
# up yet gets no role.
servers_found()
{
	servers_up
	wait_for 20 status_is 1 '[.cluster.nodes[].down == []] | all' true || {
		cluster_tell
		bail "the servers are not found"
	}
}

# Nodes of which this one's mlbd and kernel both say that they take part, and
# whose tokens it has.
# shellcheck disable=SC2016 # jq's
NODES_IN_USE='.cluster.stamp as $ours |
	[.kernel.nodes[] | select(.state == "active") | .id] as $active |
	[.cluster.nodes[] | select(.ready and .fault == null and
		.stamp == $ours and (.self or .["in-step"])) | .node] |
	map(select([.] | inside($active))) | sort | join(" ")'

# Those named see each other, and nobody else, in use.
cluster_ready() # NODE...
{
	local i

	for i; do
		node_status "$i" || break
	done > "$TMP/statuses" 2>&1
	[ "$(jq -rs "[.[] | $NODES_IN_USE] | unique[]" "$TMP/statuses" 2>&1)" = "$*" ] &&
		[ "$(wc -l < "$TMP/statuses")" = $# ]
}

# For a failed test's reader.
cluster_tell()
{
	local i

	for ((i = 1; i <= NODES; i++)); do
		tap_note "node $i: $(node_ctl "$i" status 2>&1)"
		tap_note "$(tail -n 15 "$TMP/mlbd.$i")"
	done
}

# Like check_true: waits, with the state of the cluster if that is in vain.
check_comes() # DESCRIPTION SECONDS COMMAND...
{
	if wait_for "${@:2}"; then
		tap_ok "$1"
	else
		tap_not_ok "$1" "in vain: ${*:3}"
		cluster_tell
	fi
}

# A whole cluster with both services, for which one command each was typed.
daemons_up() # NODES [FAMILY]
{
	local all i

	cluster_up "$1"
	mlb_load
	corosync_up
	all=$(seq "$1")
	for i in $all; do
		mlbd_conf "$i" "${2:-4}" <<< "$NODE_CONF"
	done
	# shellcheck disable=SC2086
	mlbd_start $all
	# shellcheck disable=SC2086
	wait_for 20 cluster_ready $all || {
		cluster_tell
		bail "the nodes do not find together"
	}
	must node_ctl 1 cluster service add "$VIP4:$PORT"
	must node_ctl 2 cluster service add "[$VIP6]:$PORT"
	# See mlb_up.
	must node_ctl 3 cluster set resolve-timeout 500
	# shellcheck disable=SC2086
	wait_for 10 cluster_ready $all || bail "a change does not reach all"
}

# Says where the owner tables of these nodes are not what the owners have.
tables_differ() # NODE...
{
	local i tables=()

	for i; do
		tables+=("$TMP/table.$i")
		ctl "$i" owner list > "$TMP/table.$i" || return
	done
	# shellcheck disable=SC2016 # awk's
	awk '{
		entry = $1 " of node " $3 " cpu " $5
		known[entry]
		here[FILENAME, entry]
		if ($6 == "local")
			true_[entry]
	} END {
		for (entry in known) {
			if (!(entry in true_))
				print "nobody has " entry
			for (i = 1; i < ARGC; i++)
				if (!((ARGV[i], entry) in here))
					print ARGV[i] " lacks " entry
		}
	}' "${tables[@]}"
}

tables_agree() # NODE...
{
	TABLES_DIFFER=$(tables_differ "$@") && [ -z "$TABLES_DIFFER" ]
}

# Once is enough: connections that end while the tables are listed, one after
# the other, make them differ again.
check_tables() # DESCRIPTION NODE...
{
	wait_for 5 tables_agree "${@:2}"
	check_eq "$1" "$TABLES_DIFFER" ""
}

# How many tokens of its own and of others the node has.
owners_known() # NODE
{
	ctl "$1" -j set | jq .owners
}

owners_known_are() # N NODE...
{
	local n=$1 i

	shift
	for i; do
		[ "$(owners_known "$i")" = "$n" ] || return 1
	done
}
