# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The clients, and who makes their second paths.

MPTCPD=/usr/libexec/mptcpd

versions()
{
	{ curl -V; haproxy -v; iperf3 -v; } | grep -oE '^(curl|HAProxy version|iperf) [0-9.]+'
	nginx -v
	grep -aom1 'go1[.][0-9.]*' "$HTTP"
	dpkg-query -W -f '${Package} ${Version}\n' mptcpd
}

# The device of the client's second path has endpoints of both families.
endpoints_there() # NETNS
{
	local list

	list=$(ip -n "$1" mptcp endpoint) &&
		grep -q '^10\..*subflow.*dev eth1' <<< "$list" &&
		grep -q '^2001.*subflow.*dev eth1' <<< "$list"
}

# From now on the client's second paths come from the kernel's own endpoints, as
# "ip mptcp" or mptcpd adds them. With the latter the data has checksums too.
paths_by() # kernel|mptcpd SERVER
{
	local ns net

	ns=$(client_netns "$2") net=$(path_net "$ME" "$2" 2)
	[ -z "${MPTCPD_PID:-}" ] || { kill "$MPTCPD_PID"; wait "$MPTCPD_PID"; }
	MPTCPD_PID=
	ip -n "$ns" mptcp endpoint flush || return
	if [ "$1" = kernel ]; then
		in_netns "$ns" sysctl -qw net.mptcp.checksum_enabled=0
		ip -n "$ns" mptcp endpoint add "10.1.$net.2" dev eth1 subflow &&
			ip -n "$ns" mptcp endpoint add "2001:db8:1:$net::2" \
				dev eth1 subflow
	else
		in_netns "$ns" sysctl -qw net.mptcp.checksum_enabled=1
		spawn "$ns" "$TMP/mptcpd" "$MPTCPD" --log=stderr \
			--path-manager=addr_adv --load-plugins=addr_adv \
			--addr-flags=subflow \
			--notify-flags=existing,skip_link_local,skip_loopback
		MPTCPD_PID=$!
		wait_for 10 endpoints_there "$ns"
	fi || { ip -n "$ns" mptcp endpoint; cat "$TMP/mptcpd"; return 1; }
}

# How many get the file, and how many put it.
HALF=4

# What follows prints how many connections it asked for, and over how many of them
# the file arrived as it was sent.

real_curl() # NETNS HOST PORT
{
	local i

	rm -rf "$TMP/curl" && mkdir "$TMP/curl"
	for ((i = 1; i <= HALF; i++)); do
		printf '%s\n' mptcp fail silent show-error \
			"url = http://$2:$3/data" "output = $TMP/curl/$i" next \
			mptcp fail silent show-error \
			"url = http://$2:$3/sum" "upload-file = $TMP/data" \
			"output = $TMP/curl/sum.$i"
		[ "$i" = "$HALF" ] || echo next
	done > "$TMP/curlrc"
	in_netns "$1" curl --globoff --max-time 120 -Z --parallel-immediate \
		--parallel-max $((HALF * 2)) -K "$TMP/curlrc" >&2
	for ((i = 1; i <= HALF; i++)); do
		sha256sum < "$TMP/curl/$i"
		cat "$TMP/curl/sum.$i"
	done > "$TMP/sums"
	echo "want=$((HALF * 2)) good=$(grep -c "^$SUM" "$TMP/sums")"
}

real_go() # NETNS HOST PORT
{
	in_netns "$1" "$HTTP" load "$HALF" "$TMP/data" "$2:$3" > "$TMP/go"
	cat "$TMP/go" >&2
	# Only if its kernel calls none of them plain TCP.
	echo "want=$((HALF * 2)) $(sed -n "s/^multipath=$((HALF * 2)) //p" "$TMP/go")"
}

# First the file goes to the server's disk, and then back from there. What iperf3
# has to say goes over plain TCP, and only the data over Multipath TCP.
real_iperf3() # NETNS HOST PORT
{
	local size good=0 host=${2//[][]/}

	size=$(stat -c %s "$TMP/data")
	rm -f "$TMP/got"
	in_netns "$1" timeout 120 iperf3 -m -c "$host" -p "$3" -n "$size" \
		-l 65536 -F "$TMP/data" > "$TMP/iperf3" 2>&1 && good=1
	in_netns "$1" timeout 120 iperf3 -m -c "$host" -p "$3" -n "$size" -R \
		-l 65536 -F "$TMP/got" >> "$TMP/iperf3" 2>&1 && good=$((good + 1))
	if [ "$good" != 2 ] || ! sha256sum "$TMP/got" | grep -q "^$SUM"; then
		good=0
		cat "$TMP/iperf3" >&2
	fi
	echo "want=2 good=$good"
}

client_counts() # NETNS COUNTER...
{
	in_netns "$1" nstat -asz > "$TMP/counts"
	for name in "${@:2}"; do
		awk -v n="$name" '$1 == n { printf "%s=%d ", n, $2 }' "$TMP/counts"
	done
	echo
}

# Prints what came of it and what the client has counted so far, and then what
# the program said.
real_run() # SERVER curl|go|iperf3 4|6 PORT COUNTER...
{
	local ns host result

	ns=$(client_netns "$1")
	[ "$3" = 4 ] && host=$VIP4 || host="[$VIP6]"
	result=$("real_$2" "$ns" "$host" "$4" 2> "$TMP/said")
	echo "$result $(client_counts "$ns" "${@:5}")"
	cat "$TMP/said"
}
