# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A cluster of virtual machines: nodes with a stock Debian system on which mlb's
# packages are installed, and in the middle a machine that is router, client and
# cluster network (scripts/lab-router.sh). They are connected in a network namespace
# of their own; the host's network is not touched, but it needs /dev/net/tun, and
# the modules tun and bridge stay loaded.
#
#	lab_up KERNEL NODES [MOST]	as many nodes, and room for more
#	on MACHINE COMMAND		MACHINE: router, n1, n2, ...
#	lab_kill MACHINE...		their power fails
#	lab_start I...			nodes that are new, or have no power
#	lab_freeze, lab_thaw MACHINE...	they stand still, and go on
#	lab_down
#
# A script that uses this starts with scripts/lib.sh and lab_leash "$@".

# shellcheck source=lab-node.sh
. "$(dirname "${BASH_SOURCE[0]}")/lab-node.sh"

declare -A LAB_IN LAB_OUT LAB_PID LAB_TALK
LAB_TIMEOUT=${LAB_TIMEOUT:-240}

# Starts the script anew in a PID namespace, which ends with it: no machine is
# left behind, however it ends.
lab_leash() # ARGUMENT...
{
	[ -z "${MLB_LAB:-}" ] || return 0
	need_root
	MLB_LAB=1 exec unshare --pid --fork --kill-child=KILL --mount-proc -- \
		"$0" "$@"
}

lab_qemu() # MACHINE TAR CPUS MEM KERNEL_ARGUMENT QEMU_ARGUMENT...
{
	local name=$1 accel=(-accel "tcg,thread=multi" -cpu "${LAB_CPU:-max,-cx16}")

	[ "$LAB_KVM" != yes ] || accel=(-accel kvm -cpu host)
	nsenter --net="$LAB/net" -- \
		qemu-system-x86_64 -M q35 "${accel[@]}" -smp "$3" -m "$4" \
		-no-reboot -nodefaults -display none \
		-serial "file:$LAB/$name.console" \
		-chardev "socket,id=lab,path=$LAB/$name.lab,server=on,wait=off" \
		-device virtio-serial -device virtserialport,chardev=lab,name=lab \
		-kernel "$IMAGE" -initrd "$INITRAMFS" \
		-append "console=ttyS0 quiet panic=-1 no_hash_pointers log_buf_len=4M norandmaps no_timer_check $5" \
		"${@:6}" \
		-drive "file=$2,format=raw,if=virtio,readonly=on" \
		< /dev/null > "$LAB/$name.qemu" 2>&1 &
	LAB_PID[$name]=$!
}

# A cable is a bridge with two taps, whose queues lose what a machine that stands
# still does not take: as a switch does, and unlike sockets, which have the sender
# wait.
lab_cables() # < the taps of a cable, both in a line
{
	local near far end

	modprobe -q tun 2> /dev/null || :
	{ true < /dev/net/tun; } 2> /dev/null ||
		die "the machines' network needs /dev/net/tun, which this host or container does not have"
	touch "$LAB/net"
	unshare --net="$LAB/net" sh -c '[ ! -e /proc/sys/net/ipv6/conf ] ||
		sysctl -qw net.ipv6.conf.default.disable_ipv6=1'
	while read -r near far; do
		echo "link add $near-$far mtu 1600 type bridge mcast_snooping 0"
		echo "link set $near-$far up"
		for end in "$near" "$far"; do
			echo "tuntap add $end mode tap"
			echo "link set $end mtu 1600 master $near-$far up"
		done
	done | nsenter --net="$LAB/net" -- ip -batch -
}

lab_card() # TAP MAC
{
	echo -netdev "tap,id=$1,ifname=$1,script=no,downscript=no,vnet_hdr=off"
	echo -device "virtio-net-pci,netdev=$1,mac=$2"
}

lab_router_up()
{
	local i dir=$LAB/router cards=()

	mkdir -p "$dir/$ROOT/userland/mlbctl" "$dir/mlb-job"
	cp -a "$ROOT/scripts" "$ROOT/selftests" "$dir/$ROOT/"
	{
		printf 'export ROOT=%q\n' "$ROOT"
		printf 'export MLB_SCALE=5 CI=1\n'
	} > "$dir/mlb-job/env"
	echo "scripts/lab-router.sh $LAB_MOST $LAB_NODES" > "$dir/mlb-job/command"
	cp "$BUSYBOX" "$dir/mlb-job/busybox"
	echo "$ROOT/scripts/vm-init.sh" > "$dir/mlb-job/init"
	tar -C "$dir" -c -f "$LAB/router.tar" .
	for ((i = 1; i <= LAB_MOST; i++)); do
		# shellcheck disable=SC2207	# words are meant
		cards+=($(lab_card "ra$i" "52:54:00:00:0a:0$i")
			$(lab_card "rb$i" "52:54:00:00:0b:0$i"))
	done
	lab_qemu router "$LAB/router.tar" 1 768 "" \
		-drive "file=$GUEST,format=raw,if=virtio,readonly=on,file.locking=off" \
		-drive "file=$MODULES,format=raw,if=virtio,readonly=on,file.locking=off" \
		"${cards[@]}"
}

lab_node_start() # I
{
	# shellcheck disable=SC2046	# words are meant
	lab_qemu "n$1" "$LAB/n$1.tar" 1 768 mlb.stock \
		-drive "file=$STOCK/root.img,format=raw,if=virtio,readonly=on,file.locking=off" \
		$(lab_card "na$1" "52:54:00:00:01:0$1") \
		$(lab_card "nb$1" "52:54:00:00:02:0$1")
}

# The disk of a node, configured for a cluster of LAB_NODES. In a shell of its
# own: what a test step calls goes on after a command that fails, "set -e" or not.
lab_node_disk() # I
{
	LAB=$LAB LAB_NODES=$LAB_NODES LAB_TOKEN=$LAB_TOKEN MLB_UID=$MLB_UID \
		bash -euo pipefail -c \
		'. "$ROOT/scripts/lab-node.sh"; lab_node_tar "$1"' bash "$1"
}

# Connects to the machine's agent and waits until it is up.
lab_connect() # MACHINE
{
	local name=$1 in out word

	rm -f "$LAB/$name.in" "$LAB/$name.out"
	mkfifo "$LAB/$name.in" "$LAB/$name.out"
	exec {in}<> "$LAB/$name.in" {out}<> "$LAB/$name.out"
	socat -t 3600 "UNIX-CONNECT:$LAB/$name.lab,retry=100,interval=0.1" STDIO \
		<&"$in" >&"$out" 2> /dev/null &
	LAB_TALK[$name]=$! LAB_IN[$name]=$in LAB_OUT[$name]=$out
	if ! read -r -t "$LAB_TIMEOUT" word _ <&"$out" || [ "$word" != up ]; then
		tail -n 30 "$LAB/$name.console" "$LAB/$name.qemu"
		echo "machine $name does not come up"
		return 1
	fi
}

# A node that had power before boots from its disk as it was made: what it had
# written there since is gone, but for lab_write's. One that does not come up has
# no power.
lab_start() # I...
{
	local i status=0

	for i; do
		[ -e "$LAB/n$i.tar" ] || lab_node_disk "$i" || return
	done
	for i; do
		rm -f "$LAB/n$i.killed"
		lab_node_start "$i"
	done
	for i; do
		lab_connect "n$i" || { lab_kill "n$i"; status=1; }
	done
	return $status
}

# Whether the harness has spoken to them since they were made.
lab_known() # MACHINE...
{
	local name

	for name; do
		[ -n "${LAB_IN[$name]:-}" ] || {
			echo "machine $name has never been up"
			return 125
		}
	done
}

# A file of a node is this from now on.
lab_write() # I FILE < CONTENTS
{
	local files=$LAB/files

	mkdir -p "$files/$(dirname "$2")"
	cat > "$files/$2"
	tar -C "$files" -r -f "$LAB/n$1.tar" --owner=0 --group=0 ".$2"
	on "n$1" "base64 -d <<< '$(base64 -w0 "$files/$2")' > $2"
}

# The power of all these fails at once.
lab_kill() # MACHINE...
{
	local name in out pids=()

	lab_known "$@" || return
	for name; do
		touch "$LAB/$name.killed"
		pids+=("${LAB_PID[$name]}" "${LAB_TALK[$name]}")
	done
	kill -KILL "${pids[@]}" 2> /dev/null || :
	wait "${pids[@]}" 2> /dev/null || :
	for name; do
		in=${LAB_IN[$name]} out=${LAB_OUT[$name]}
		exec {in}>&- {out}>&-
	done
}

# They stand still, all at once, and go on.
lab_freeze() # MACHINE...
{
	lab_signal STOP "$@"
}

lab_thaw() # MACHINE...
{
	lab_signal CONT "$@"
}

lab_signal() # SIGNAL MACHINE...
{
	local name pids=()

	lab_known "${@:2}" || return
	for name in "${@:2}"; do
		pids+=("${LAB_PID[$name]}")
	done
	kill "-$1" "${pids[@]}"
}

# Prints what the command printed; its status is the command's. A machine that
# was killed has nothing to say.
on() # MACHINE COMMAND
{
	local status output

	[ ! -e "$LAB/$1.killed" ] || return 0
	lab_known "$1" || return
	if ! kill -0 "${LAB_PID[$1]}" 2> /dev/null; then
		echo "machine $1 has ended"
		return 125
	fi
	base64 -w0 <<< "${*:2}" >&"${LAB_IN[$1]}"
	echo >&"${LAB_IN[$1]}"
	if ! read -r -t "$LAB_TIMEOUT" status output <&"${LAB_OUT[$1]}"; then
		echo "$1 does not answer to: ${*:2}"
		return 125
	fi
	base64 -d <<< "$output"
	return "$status"
}

lab_up() # KERNEL NODES [MOST]
{
	local i

	eval "$("$ROOT/scripts/kernel.sh" "$1")"
	STOCK=$("$ROOT/scripts/stock.sh" "$1")
	LAB_KVM=$("$ROOT/scripts/kvm.sh" "$1")
	LAB_NODES=$2 LAB_MOST=${3:-$2}
	LAB=$(scratch 1500)
	head -c 256 /dev/urandom > "$LAB/authkey"
	head -c 32 /dev/urandom > "$LAB/key"
	for ((i = 1; i <= LAB_MOST; i++)); do
		printf '%s\n' "ra$i na$i" "rb$i nb$i"
	done | lab_cables
	lab_router_up
	lab_install "$RELEASE"
	# shellcheck disable=SC2046	# words are meant
	lab_start $(seq "$LAB_NODES") >&2
	lab_connect router >&2
}

lab_down()
{
	local pid

	for pid in "${LAB_PID[@]}"; do
		kill "$pid" 2> /dev/null || :
	done
	umount "$LAB/net" 2> /dev/null || :
	rm -rf "${LAB:?}"
}
