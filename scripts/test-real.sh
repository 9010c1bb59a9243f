#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Real clients against real servers, on every kernel against every kernel: three
# virtual machines, one for each of Debian's kernels, each with a cluster of
# three nodes and a client for every cluster (selftests/real/). Every connection
# has to come up as Multipath TCP, get its second path, of which the router
# brings most to the wrong node, and carry its data whole.
#
#	test-real.sh [-s SERVER_KERNEL] [-c CLIENT_KERNEL]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"
. "$(dirname "$0")/lab.sh"

servers=("${KERNELS_QEMU[@]}") clients=("${KERNELS_QEMU[@]}")
while getopts s:c: option; do
	case $option in
	s)	servers=("$OPTARG") ;;
	c)	clients=("$OPTARG") ;;
	*)	sed -n '10s/^#	/usage: /p' "$0" >&2; exit 2 ;;
	esac
done
lab_leash "$@"
cd "$ROOT"

# HAProxy does not run without cmpxchg16b, and QEMU's is not the kernel's friend
# (scripts/vm.sh): it is told not to use it.
LAB_CPU=max
begin=$SECONDS
trap lab_down EXIT
trap 'exit 1' INT TERM HUP

PROGRAMS=("curl nginx 8081" "curl HAProxy 8082" "curl Go 8083" "go Go 8083"
	"iperf3 iperf3 5201")
CLIENT=(MPTcpExtMPCapableSYNACKRX MPTcpExtMPJoinSynAckRx MPTcpExtDataCsumErr)
NODES=(MPTcpExtMPCapableACKRX MPTcpExtMPJoinAckRx MPTcpExtDataCsumErr
	MPTcpExtMPJoinNoTokenFound steer.join-local steer.join-owner
	steer.join-resolved)

number() # KERNEL
{
	local i

	for i in "${!KERNELS_QEMU[@]}"; do
		[ "${KERNELS_QEMU[i]}" != "$1" ] || echo $((i + 1))
	done
}

numbers() # KERNEL...
{
	local kernel

	for kernel; do
		number "$kernel"
	done | xargs
}

real_http()
{
	local go key

	apt_refresh trixie
	key=$(apt_version trixie golang-1.24-go)
	go=$(cached "golang-${key//[:~]/_}" scripts/golang.sh)/go
	mkdir -p build/real
	GOROOT=$go GOCACHE=$CACHE/go-build GOTOOLCHAIN=local GOFLAGS="" CGO_ENABLED=0 \
		"$go/bin/go" build -trimpath -o build/real/http selftests/real/http.go
}

# From the client for each other machine to that, and twice.
cables()
{
	local i j

	for i in $(numbers "${machines[@]}"); do
		for j in $(numbers "${machines[@]}"); do
			[ "$j" = "$i" ] || printf '%s\n' "c$i${j}1 s$i${j}1" "c$i${j}2 s$i${j}2"
		done
	done
}

# The ends of those at a machine.
cards() # I
{
	local j path

	for j in $(numbers "${machines[@]}"); do
		[ "$j" != "$1" ] || continue
		for path in 1 2; do
			lab_card "c$1$j$path" "52:54:00:0c:$1$j:0$path"
			lab_card "s$j$1$path" "52:54:00:05:$j$1:0$path"
		done
	done
}

machine_up() # KERNEL
{
	local i dir=$LAB/$1.dir project

	eval "$("$ROOT/scripts/kernel.sh" "$1")"
	LAB_KVM=$("$ROOT/scripts/kvm.sh" "$1")
	i=$(number "$1") project=$dir/$ROOT
	mkdir -p "$project/build/$1" "$project/userland/mlbctl" "$dir/mlb-job" "$dir/srv"
	cp -a "$ROOT/scripts" "$ROOT/selftests" "$project/"
	cp "$ROOT/build/$1/mlb.ko" "$project/build/$1/"
	cp "$ROOT/userland/mlbctl/mlbctl" "$project/userland/mlbctl/"
	cp build/real/http "$project/selftests/real/"
	cp "$LAB/data" "$dir/srv/"
	cp "$BUSYBOX" "$dir/mlb-job/busybox"
	echo "$ROOT/scripts/vm-init.sh" > "$dir/mlb-job/init"
	cat > "$dir/mlb-job/env" <<-END
		export ROOT='$ROOT' MLB_SCALE=5 CI=1
		export MLB_KO='$ROOT/build/$1/mlb.ko'
		export PATH='$ROOT/userland/mlbctl':\$PATH
	END
	echo "exec selftests/real/machine.sh $i $SUM" > "$dir/mlb-job/command"
	tar -C "$dir" -c -f "$LAB/$1.tar" .
	rm -r "$dir"
	# shellcheck disable=SC2046	# words are meant
	lab_qemu "$1" "$LAB/$1.tar" 2 1024 clearcpuid=cx16 \
		-drive "file=$GUEST_REAL,format=raw,if=virtio,readonly=on,file.locking=off" \
		-drive "file=$MODULES,format=raw,if=virtio,readonly=on,file.locking=off" \
		$(cards "$i")
}

# NAME=VALUE pairs become $2NAME in the array C.
counts() # TEXT PREFIX
{
	local pair

	for pair in $1; do
		C[$2${pair%%=*}]=${pair#*=}
	done
}

# By how much a counter of the client (c), or of all nodes (n), grew.
grew() # c|n NAME
{
	echo $((${C[$1.$2]:-0} - ${C[was.$1.$2]:-0}))
}

tell() # MACHINE
{
	on "$1" servers_tell | sed 's/^/    | /' || :
}

# A pair of machines, a way to second paths, a program and a family.
cell() # SERVER CLIENT PATHS FAMILY "PROGRAM SERVER_PROGRAM PORT"
{
	local server=$1 client=$2 counter said program name port verdict=FAIL
	local up up_nodes joins joins_nodes steered good want bad

	read -r program name port <<< "$5"
	for counter in "${!C[@]}"; do
		[[ $counter = was.* ]] || C[was.$counter]=${C[$counter]}
	done
	C[c.good]=0 C[c.want]=0
	said=$(on "$client" "real_run $(number "$server") $program $4 $port ${CLIENT[*]}") || :
	counts "$(head -n 1 <<< "$said")" c.
	counts "$(on "$server" "node_counts ${NODES[*]}")" n. || :
	up=$(grew c "${CLIENT[0]}") up_nodes=$(grew n "${NODES[0]}")
	joins=$(grew c "${CLIENT[1]}") joins_nodes=$(grew n "${NODES[1]}")
	good=${C[c.good]} want=${C[c.want]}
	steered=$(($(grew n steer.join-owner) + $(grew n steer.join-resolved)))
	bad=$(($(grew c "${CLIENT[2]}") + $(grew n "${NODES[2]}") + $(grew n "${NODES[3]}")))
	if [ "$want" -gt 0 ] && [ "$up $up_nodes $joins $joins_nodes $good $bad" = \
				  "$want $want $want $want $want 0" ]; then
		verdict=ok
	fi
	printf '%-6s %-6s %-7s IPv%s %-6s %-8s %5d %7d %7d %7d %7d %7d %7d  %s\n' \
		"$client" "$server" "$3" "$4" "$program" "$name" "$want" "$up" "$up_nodes" \
		"$joins" "$joins_nodes" "$steered" "$good" "$verdict" |
		tee -a "$table"
	if [ "$verdict" != ok ]; then
		sed -n '2,30s/^/    | /p' <<< "$said"
		tell "$client"
		[ "$client" = "$server" ] || tell "$server"
	fi
}

# Totals of every pair, from the table.
matrix()
{
	local client server

	printf '\n%-34s' "second paths/connections, steered"
	printf '%16s' "${servers[@]/#/server }"
	echo
	for client in "${clients[@]}"; do
		printf '%-34s' "client $client"
		for server in "${servers[@]}"; do
			printf '%16s' "$(awk -v c="$client" -v s="$server" \
				'$1 == c && $2 == s {
					n += $7; j += $10 < $11 ? $10 : $11; t += $12
				}
				END { printf "%d/%d, %d", j, n, t }' "$table")"
		done
		echo
	done
}

need_root
scripts/deps.sh
mapfile -t machines < <(printf '%s\n' "${servers[@]}" "${clients[@]}" | sort -uV)
scripts/build.sh "${machines[@]}"
real_http
GUEST_REAL=$(cached "real-$(digest scripts/{guest-root.sh,real-packages,disk.sh})" \
	scripts/guest-root.sh forky scripts/real-packages)/root.img
LAB=$(scratch 1500)
table=$ROOT/build/test/real.table
mkdir -p build/test
head -c 1048576 /dev/urandom > "$LAB/data"
SUM=$(sha256sum < "$LAB/data" | cut -d' ' -f1)
cables | lab_cables
for kernel in "${machines[@]}"; do
	machine_up "$kernel"
done
for kernel in "${machines[@]}"; do
	lab_connect "$kernel"
	echo "# $(on "$kernel" "uname -r" || die "machine $kernel does not answer")"
done
for kernel in "${machines[@]}"; do
	on "$kernel" "reached $(numbers "${machines[@]}")" ||
		die "not all clients reach $kernel"
done
on "$kernel" versions | sed 's/^/# /'
echo "# all machines are up (at $((SECONDS - begin)) s)"

declare -A C
printf '%-6s %-6s %-7s %-4s %-6s %-8s %5s %15s %15s %7s %7s\n' client server \
	paths '' with of conns '  multipath c/n' ' second path c/n' steered whole |
	tee "$table"
for server in "${servers[@]}"; do
	for client in "${clients[@]}"; do
		C=()
		counts "$(on "$server" "node_counts ${NODES[*]}")" n.
		counts "$(on "$client" "client_counts \$(client_netns $(number "$server")) ${CLIENT[*]}")" c.
		for paths in kernel mptcpd; do
			on "$client" "here: paths_by $paths $(number "$server")" ||
				echo "    | $paths makes no endpoints" | tee -a "$table"
			for program in "${PROGRAMS[@]}"; do
				for family in 4 6; do
					cell "$server" "$client" $paths $family "$program"
				done
			done
		done
	done
done

failed=$(grep -vc ' ok$' <(tail -n +2 "$table")) || :
passed=$(grep -c ' ok$' "$table") || :
for kernel in "${machines[@]}"; do
	# shellcheck disable=SC2016	# for the machine's shell
	on "$kernel" '. "$ROOT/scripts/vm-faults.sh"; ! dmesg | grep -E "$FAULTS"' ||
		failed=$((failed + 1))
done
matrix
# By chance it is two of three.
awk 'NR > 1 { n += $7; steered += $12 } END { exit steered * 3 < n }' "$table" || {
	echo "too few second paths came to another node to show anything"
	failed=$((failed + 1))
}
echo "# the whole took $((SECONDS - begin)) s"
echo "real: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
