# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The daemon on the nodes of lib/corosync.sh.

declare -A MLBD_PID

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
		MLBD_PID[$i]=$!
	done
	for i; do
		wait_for 10 mlbd_answers "$i" ||
			bail "mlbd of node $i: $(tail "$TMP/mlbd.$i")"
	done
}

mlbd_answers() # NODE
{
	kill -0 "${MLBD_PID[$1]}" && cluster_status "$1" .pid > /dev/null 2>&1
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

cluster_status() # NODE JQ_FILTER
{
	node_ctl "$1" -j status | jq -r "$2"
}

status_is() # NODE JQ_FILTER VALUE
{
	[ "$(cluster_status "$1" "$2")" = "$3" ]
}

# Every node named sees all of them ready.
cluster_ready() # NODE...
{
	local i

	for i; do
		status_is "$i" '[.cluster.nodes[] | select(.ready) | .node] | sort | join(" ")' \
			"$*" || return 1
	done
}
