#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, a malformed packet crashes the node, or gets another answer
# than TCP would give.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Counter that must move, rawpkt's options.
CASES=(
	"bad.option  -o hex=1e00"
	"bad.option  -o hex=1e01"
	"bad.option  -o hex=1e02"
	"bad.option  -o hex=1e281001"
	"bad.option  -o hex=01010101010101011e"
	"bad.option  -o hex=0101011e -d 6"
	"bad.option  -o hex=0228"
	"bad.option  -o hex=0200"
	"bad.option  -o mss -o hex=1e0b1001112233441122"
	"bad.option  -o mss -o hex=1e0d100111223344112233445566"
	"bad.option  -o capable -o capable"
	"bad.option  -o join=1 -o join=2"
	"bad.option  -o capable -o join=3"
	"bad.option  -o join16"
	"bad.option  -o join24"
	"bad.option  -o keys"
	"bad.version -o capable=0"
	"bad.version -o hex=1e040001"
	"steer.new-local -o capable=15"
	"steer.new-local -o capable=2"
	"steer.new-local -o hex=1e040181"
	"steer.new-local -o hex=1e031f"
	"steer.unclaimed -o join=0"
	"steer.unclaimed -f A -o join=5"
	"steer.unclaimed -f SA -o join=6"
	"steer.unclaimed -f SA -o join16"
	"steer.unclaimed -f A -o join24"
	"steer.unclaimed -f A -o capable"
	"steer.unclaimed -f A -o hex=1e00"
	"steer.unclaimed -f A -p 100"
	"steer.unclaimed -f FA"
	"steer.unclaimed -f RA"
	"steer.unclaimed -f R"
	"steer.unclaimed -f F"
	"steer.new-local -f SF"
	"steer.new-local -f SR"
	"steer.new-local -f SFRPUEC"
	"steer.unclaimed -f FRPAUEC"
	"steer.unclaimed -f SFRPAUEC"
	"bad.header  -d 0"
	"bad.header  -d 4"
	"bad.header  -d 15"
	"bad.header  -o join=7 -d 15"
	"bad.header  -c 4"
	"bad.header  -c 8"
	"bad.header  -c 13"
	"bad.header  -c 19"
	"bad.header  -o join=8 -c 24"
	"none        -c 0"
	"none        -c 3"
	"bad.fragment -o join=9 -F 24"
	"bad.fragment -o join=10 -F 8"
	"steer.new-local -b"
	"steer.unclaimed -o join=11 -b"
	"steer.new-local -p 1000"
)

# Prints what came back. Silence is only waited for where it is unexpected.
inject() # 4|6 SPORT CASE WANT SILENCE_MS
{
	local -n from=CLIENT$1
	local options wait=5000

	[ "$4" != none ] || wait=$5
	read -ra options <<< "${3#* }"
	on_client "$RAWPKT" tcp -w "$wait" "${options[@]}" "${from[0]}" "$2" \
		"$(vip "$1")" "$PORT"
}

declare -A STACK # what the stack alone answers

stack_alone() # 4|6
{
	local i pids=()

	for ((i = 0; i < ${#CASES[@]}; i++)); do
		inject "$1" $((20000 + i)) "${CASES[i]}" none 1500 \
			> "$TMP/alone.$i" &
		pids+=($!)
	done
	wait "${pids[@]}"
	for ((i = 0; i < ${#CASES[@]}; i++)); do
		STACK[$1.$i]=$(< "$TMP/alone.$i")
	done
}

# With mlb the answer is the same, and the right counter of node 1 has moved.
with_mlb() # 4|6
{
	local i counter want before got

	before=$(stat_sum tunnel tx)
	for ((i = 0; i < ${#CASES[@]}; i++)); do
		counter=${CASES[i]%% *} want=${STACK[$1.$i]}
		stats_mark 1
		check_eq "IPv$1: as the stack alone ($want): ${CASES[i]#* }" \
			"$(inject "$1" $((30000 + i)) "${CASES[i]}" "$want" 100)" \
			"$want"
		if [ "$counter" = none ]; then
			check_eq "IPv$1: moves no counter" "$(stats_changed 1)" ""
			continue
		fi
		# The answer comes behind the count. Where there is none, the
		# packet may still be waiting.
		stats_take 1
		got=$(grew "${counter%.*}" "${counter#*.}" 1)
		if [ "$got" = 0 ]; then
			wait_for 5 moved_ge 1 "${counter%.*}" "${counter#*.}" 1
			got=$(moved "${counter%.*}" "${counter#*.}" 1)
		fi
		check_eq "IPv$1: counted as $counter" "$got" 1
	done
	check_eq "IPv$1: none of it was forwarded" "$(stat_sum tunnel tx)" \
		"$before"
}

# Where the scheduler sends SYNs elsewhere, each packet goes there once: as many
# have left as were decided on, as many arrive, and none leaves again.
forwarded_once() # 4|6
{
	local i wrong=0 got want sent

	stats_mark
	for ((i = 0; i < ${#CASES[@]}; i++)); do
		want=${STACK[$1.$i]}
		got=$(inject "$1" $((40000 + i)) "${CASES[i]}" "$want" 100)
		[ "$got" = "$want" ] || {
			wrong=$((wrong + 1))
			tap_note "maglev: $got, not $want: ${CASES[i]}"
		}
	done
	check_eq "IPv$1, maglev: same answers" $wrong 0
	stats_take
	sent=$(grew tunnel tx)
	check_ge "IPv$1, maglev: SYNs were forwarded" "$sent" 5
	check_eq "IPv$1, maglev: each by one decision of the ingress" "$sent" \
		$(($(grew steer new-remote 1) + $(grew steer resolved 1) +
		$(grew steer flow 1) + $(grew steer syn 1)))
	check_eq "IPv$1, maglev: each came out once" "$(grew steer tunnel-in)" \
		"$sent"
}

# A join whose headers lie across the border of the skb's pages still finds its
# owner. It is as large as that takes, with data on the SYN.
paged_headers() # 4|6
{
	local -n from=CLIENT$1
	local token linear mac port=50000

	router_pin 0 1
	client_start "paged$1" -b 100 -w "$(vip "$1")" "$PORT"
	client_must "paged$1" connected
	wait_for 5 owner_total_is 1
	token=$(owner_tokens 1 local)
	mac=$(ip -n "$PREFIX-r" -j link show c2 | jq -r '.[0].address')
	router_pin 1 2
	for linear in 20 21 28 40 41 52 60 64 72; do
		stats_mark
		must ctl 2 owner flush
		check_eq "IPv$1: join with $linear bytes of IP before the pages" \
			"$(on_client "$RAWPKT" tcp -o "join=$token" -p 6000 \
			-L $linear -D eth1 -M "$mac" -w 5000 "${from[1]}" $port \
			"$(vip "$1")" "$PORT")" synack
		check_eq "IPv$1: it was forwarded" "$(moved steer join-resolved 2)" 1
		port=$((port + 1))
	done
	client_go "paged$1"
	client_end "paged$1"
	check_eq "IPv$1: and its connection unharmed" "${R[ok]}" 1
	router_unpin 1
}

test_begin
cluster_up 3 --mtu 9216 --link-mtu 9000
router_pin 0 1
servers_up
stack_alone 4
stack_alone 6
mlb_up
services_up
for ((i = 1; i <= NODES; i++)); do
	must ctl $i set resolve-timeout 20
done
with_mlb 4
with_mlb 6
service_all set "$VIP4:$PORT" sched maglev
service_all set "[$VIP6]:$PORT" sched maglev
forwarded_once 4
forwarded_once 6
service_all set "$VIP4:$PORT" sched local
service_all set "[$VIP6]:$PORT" sched local
wait_for 10 owner_total_is 0
for ((i = 1; i <= NODES; i++)); do
	must ctl $i set resolve-timeout 500
done
paged_headers 4
wait_for 10 owner_total_is 0
paged_headers 6
tap_done
