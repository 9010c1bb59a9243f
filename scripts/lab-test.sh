# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016	# much is for the machines' shells
# What the steps of scripts/test-cluster.sh share, on the machines of lab.sh.

begin=$SECONDS passed=0 failed=0

# What fails does not end the run.
ok() # DESCRIPTION COMMAND...
{
	local desc=$1 status=0

	shift
	"$@" > "$LAB/step" 2>&1 || status=$?
	if [ $status = 0 ]; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) - $desc (at $((SECONDS - begin)) s)"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) - $desc (at $((SECONDS - begin)) s)"
	fi
	sed 's/^/# /' "$LAB/step"
}

# The machine runs the command until it succeeds, and says how long that took.
becomes() # MACHINE SECONDS COMMAND
{
	on "$1" "from=\${EPOCHREALTIME/./}
		until { $3; } > /tmp/becomes 2>&1; do
			[ \$((\${EPOCHREALTIME/./} - from)) -lt ${2}000000 ] ||
				{ cat /tmp/becomes; exit 1; }
			sleep 0.1
		done
		echo \"$1: after \$(((\${EPOCHREALTIME/./} - from) / 1000)) ms\""
}

# Each of these nodes sees exactly these as active in its kernel.
active() # SECONDS NODE...
{
	local i status=0

	for i in "${@:2}"; do
		becomes "n$i" "$1" "[ \"\$(mlbctl -j node list |
			jq -r '[.[] | select(.state == \"active\") | .id] | sort | join(\" \")')\" = '${*:2}' ] ||
			{ mlbctl node list; mlbctl status; false; }" || status=1
	done
	return $status
}

each() # COMMAND, with $i
{
	local i status=0

	for ((i = 1; i <= LAB_NODES; i++)); do
		on "n$i" "i=$i; $1" || status=1
	done
	return $status
}

# N connections, whose second paths come when all tokens are known.
joins() # N VIP
{
	on router "endpoints_flush
		client_start join -n $1 -b 5000 -s 20000 -w $2 8080
		client_says join connected || bail \"\$(cat \$TMP/join.out)\"
		sleep 1
		endpoints_add
		client_says join ready 40; client_go join; client_end join
		[ \${R[second]} = $1 ] && [ \${R[ok]} = $1 ]" || {
		each 'echo "n$i:"; mlbctl stats nonzero; nstat -as | grep -E "MPTcp|Rst|Retr|Drop"
			ss -Mltn; ps -eo pid,stat,time,wchan:24,args | grep mptcp_load
			cat /proc/$(pgrep -of mptcp_load)/stack'
		return 1
	}
}

# Of a connection's 60000 bytes, in each second, until client_go lifts that limit:
# they take five minutes, which is longer than any step.
SLOW=200

# While the command runs, connections over both paths carry data.
under_load() # COMMAND...
{
	local status=0

	on router "here: endpoints_flush; endpoints_add
		client_start load -n 20 -b 60000 -r $SLOW -s 20000 -T 600000 -l 10.9.0.1 8080
		client_says load flowing 60" || status=1
	"$@" || status=1
	on router 'here: over=0
		client_runs load || { over=1; echo "they were over before the step was"; }
		client_go load; client_end load; [ "$over ${R[ok]}" = "0 20" ]' || status=1
	return $status
}

# 20 slow transfers of each family, all on this node, which may take twice their
# time; "late": their second paths are still to come, and data comes after them.
# Then the router has all nodes.
transfers_begin() # NODE RATE [late]
{
	on router "here: router_nexthops $1 && endpoints_flush" &&
		{ [ $# = 3 ] || on router 'here: endpoints_add'; } &&
		on router "here:
		client_start live4 -n 20 -b 60000 -r $2 -s 40000 -T $((120000000 / $2)) -l 10.9.0.1 8080
		client_start live6 -n 20 -b 60000 -r $2 -s 40000 -T $((120000000 / $2)) -l 2001:db8:9::1 8080
		client_says live4 connected 40 && client_says live6 connected 40 &&
			router_nexthops $(seq -s' ' "$LAB_NODES")" &&
		{ [ $# = 3 ] || transfers_flow; }
}

# Data has come on each.
transfers_flow()
{
	on router 'client_says live4 flowing 60 && client_says live6 flowing 60 ||
		{ echo "no data"; false; }'
}

# They were not over before, and all of them end whole, with both paths.
transfers_end()
{
	on router 'here: over=0
		client_runs live4 && client_runs live6 ||
			{ over=1; echo "they were over before the step was"; }
		client_go live4; client_go live6
		client_end live4; live="${R[ok]} ${R[second]}"
		client_end live6
		[ "$over $live ${R[ok]} ${R[second]}" = "0 20 20 20 20" ]'
}

# While the command runs, connections of a node that lives carry data.
survive() # NODE [late] COMMAND...
{
	local status=0 begin=("$1" "$SLOW")

	shift
	[ "$1" != late ] || { begin+=(late); shift; }
	transfers_begin "${begin[@]}" || status=1
	"$@" || status=1
	[ ${#begin[@]} = 2 ] || transfers_flow || status=1
	transfers_end || status=1
	return $status
}

# Ten new connections, of both families, of the client's first or second
# addresses: all of them are this node's. For the router's shell.
served_now() # NODE [PATH]
{
	cat <<-END
		for f in 4 6; do
			client_start at\$f -n 5 -b 1000 -T 5000 \
				-S \$([ \$f = 4 ] && echo 10.1.${2:-2}.2 || echo 2001:db8:1:${2:-2}::2) \
				"\$(vip \$f)" 8080
		done
		at=0
		for f in 4 6; do
			client_end at\$f
			at=\$((at + \$(served_by $1)))
		done
		[ \$at = 10 ]
	END
}

# They come to be.
served_by() # SECONDS NODE [PATH]
{
	becomes router "$1" "$(served_now "${@:2}")"
}

# A role is this node's, and all of these know.
held() # SECONDS ROLE NODE KNOWING_NODE...
{
	local i

	for i in "${@:4}"; do
		becomes "n$i" "$1" "mlbctl cluster role list | grep '^$2 .* held-by $3 '" ||
			return
	done
}

# Servers of both families.
servers() # NODE [SYSTEMD_RUN_OPTION...]
{
	on "n$1" "ip mptcp limits set subflows 4 add_addr_accepted 4
		systemctl stop load4 load6 2> /dev/null
		systemctl reset-failed load4 load6 2> /dev/null
		systemd-run -q --unit=load4 ${*:2} mptcp_load server -i $1 10.9.0.1 8080 &&
		systemd-run -q --unit=load6 ${*:2} mptcp_load server -i $1 2001:db8:9::1 8080"
}
