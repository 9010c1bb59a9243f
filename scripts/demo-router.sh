# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What scripts/demo.sh has the lab's middle machine do, in the shell of
# scripts/lab-router.sh: curl as the client, and the bytes on its links.

curl_start() # NAME ARGUMENT...
{
	spawn "$PREFIX-c" "$TMP/$1" mptcpize run curl -sS "${@:2}"
	CURL[$1]=$!
}

curl_runs() # NAME
{
	kill -0 "${CURL[$1]}" 2> /dev/null
}

# Connections to the same FILE, all at once, none for longer than two minutes. Of
# each one its HTTP status, its bytes, its node and its time in a line.
downloads_start() # FILE CONNECTIONS
{
	local i url=()

	for ((i = 0; i < $2; i++)); do
		url+=(-o /dev/null "http://$VIP4:8080/$1")
	done
	curl_start downloads -Z --parallel-immediate --parallel-max "$2" --max-time 120 \
		-w '%{http_code} %{size_download} %header{node} %{time_total}\n' "${url[@]}"
}

# Over both links, each of RATE Mbit/s.
large_start() # FILE RATE
{
	local i

	for i in 1 2; do
		must on_router tc qdisc add dev "c$i" root tbf rate "$2mbit" \
			burst 128k latency 100ms
	done
	BEFORE=("$(received 0)" "$(received 1)")
	curl_start large --fail -o "$TMP/large.got" "http://$VIP4:8080/$1"
}

received() # LINK
{
	ip -n "$PREFIX-c" -j -s link show dev "eth$1" | jq '.[0].stats64.rx.bytes'
}

# Whether there is more to come, and bytes on each link so far.
large_progress()
{
	local state=over

	! curl_runs large || state=runs
	echo "$state $(($(received 0) - BEFORE[0])) $(($(received 1) - BEFORE[1]))"
}

declare -A CURL
