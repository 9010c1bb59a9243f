# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A cluster of virtual machines: nodes with a stock Debian system on which mlb's
# packages are installed, and in the middle a machine that is router, client and
# cluster network (scripts/lab-router.sh). They are connected by sockets in the
# file system; the host's network is not touched.
#
#	lab_up KERNEL NODES
#	on MACHINE COMMAND	MACHINE: router, n1, n2, ...
#	lab_down
#
# A script that uses this starts with scripts/lib.sh and lab_leash "$@".

declare -A LAB_IN LAB_OUT LAB_PID
LAB_TIMEOUT=${LAB_TIMEOUT:-240}
# A loss is known after 2.2 times this, in ms: emulated machines are slow.
LAB_TOKEN=${LAB_TOKEN:-4000}

# Starts the script anew in a PID namespace, which ends with it: no machine is
# left behind, however it ends.
lab_leash() # ARGUMENT...
{
	[ -z "${MLB_LAB:-}" ] || return 0
	need_root
	MLB_LAB=1 exec unshare --pid --fork --kill-child=KILL --mount-proc -- \
		"$0" "$@"
}

# What is installed on every node, as a layer over the stock system.
lab_install() # RELEASE
{
	local layer=$LAB/layer

	mkdir -p "$layer/up/srv"
	cp "$ROOT"/build/deb/mlb-dkms_*.deb "$layer/up/srv/"
	cp "$ROOT"/build/deb/mlb_*.deb "$layer/up/srv/"
	# shellcheck disable=SC2016	# expanded by the inner shell
	"$ROOT/scripts/in-root.sh" -l "$layer" "$STOCK/root" sh -euc '
		export DEBIAN_FRONTEND=noninteractive
		dpkg -i /srv/*.deb
		version=$(dpkg-query -W -f "\${Version}" mlb-dkms)
		dkms status "mlb/$version" -k "$1" | grep -q installed ||
			dkms install "mlb/$version" -k "$1"
		rm /srv/mlb-dkms*' sh "$1" > "$LAB/install.log" 2>&1 < /dev/null || {
		cat "$LAB/install.log" >&2
		die "the packages cannot be installed"
	}
	MLB_UID=$(awk -F: '$1 == "mlb" { print $3 }' "$layer/up/etc/passwd")
	# Marks of what was removed are overlayfs's own.
	find "$layer/up" -type c -delete
}

lab_corosync_conf() # NODES
{
	local i

	cat <<-END
		totem {
			version: 2
			cluster_name: mlb
			transport: knet
			token: $LAB_TOKEN
			token_coefficient: 0
			crypto_cipher: aes256
			crypto_hash: sha256
			interface {
				linknumber: 0
				knet_ping_interval: 200
				knet_ping_timeout: $((LAB_TOKEN * 2))
			}
		}
		quorum {
			provider: corosync_votequorum
		}
		logging {
			to_stderr: no
			to_syslog: yes
		}
		system {
			sched_rr: yes
		}
		nodelist {
	END
	for ((i = 1; i <= $1; i++)); do
		cat <<-END
			node {
				nodeid: $i
				name: n$i
				ring0_addr: 10.3.0.$i
			}
		END
	done
	echo "}"
}

# What an administrator configures on node I.
lab_node_files() # I DIR
{
	local i=$1 etc=$2/etc

	mkdir -p "$etc/systemd/network" "$etc/systemd/system/multi-user.target.wants" \
		"$etc/corosync" "$etc/mlb" "$2/usr/local/sbin" "$2/mlb-job" \
		"$etc/modules-load.d" "$etc/sysctl.d"
	echo /sbin/init > "$2/mlb-job/init"
	echo "n$i" > "$etc/hostname"
	printf '127.0.0.1 localhost\n10.3.0.%s n%s\n' "$i" "$i" > "$etc/hosts"
	head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' > "$etc/machine-id"
	cat > "$etc/systemd/network/10-access.network" <<-END
		[Match]
		MACAddress=52:54:00:00:01:0$i
		[Link]
		RequiredForOnline=no
		[Network]
		IPv6AcceptRA=no
		Address=10.2.$i.2/24
		Address=2001:db8:2:$i::2/64
		Gateway=10.2.$i.1
		Gateway=2001:db8:2:$i::1
	END
	cat > "$etc/systemd/network/10-cluster.network" <<-END
		[Match]
		MACAddress=52:54:00:00:02:0$i
		[Link]
		MTUBytes=1600
		[Network]
		IPv6AcceptRA=no
		Address=10.3.0.$i/24
		Address=2001:db8:3::$i/64
	END
	cat > "$etc/systemd/network/10-lo.network" <<-END
		[Match]
		Name=lo
		[Network]
		Address=10.9.0.1/32
		Address=2001:db8:9::1/128
	END
	cat > "$etc/systemd/system/lab-agent.service" <<-END
		[Unit]
		Description=What the tests have this machine do
		DefaultDependencies=no
		After=systemd-modules-load.service
		[Service]
		ExecStart=/usr/local/sbin/lab-agent
		KillMode=process
	END
	ln -s ../lab-agent.service "$etc/systemd/system/multi-user.target.wants/"
	ln -s /lib/systemd/system/systemd-networkd.service \
		"$etc/systemd/system/multi-user.target.wants/"
	mkdir "$etc/systemd/system/network-online.target.wants"
	ln -s /lib/systemd/system/systemd-networkd-wait-online.service \
		"$etc/systemd/system/network-online.target.wants/"
	cp "$ROOT/scripts/lab-agent.sh" "$2/usr/local/sbin/lab-agent"
	cp "$ROOT/selftests/mptcp_load" "$2/usr/local/sbin/"
	mkdir -p "$2/usr/local/lib"
	cp "$ROOT/scripts/vm-faults.sh" "$2/usr/local/lib/"
	lab_corosync_conf "$LAB_NODES" > "$etc/corosync/corosync.conf"
	install -m 400 "$LAB/authkey" "$etc/corosync/authkey"
	install -m 600 -o "$MLB_UID" "$LAB/key" "$etc/mlb/key"
	ln -s /lib/systemd/system/mlbd.service \
		"$etc/systemd/system/multi-user.target.wants/"
	sed "s/@ID@/$i/" "$ROOT/scripts/lab-mlb.conf" > "$etc/mlb/mlb.conf"
}

lab_qemu() # MACHINE TAR CPUS MEM KERNEL_ARGUMENT QEMU_ARGUMENT...
{
	local name=$1 accel=(-accel "tcg,thread=multi" -cpu "max,-cx16")

	[ "$LAB_KVM" != yes ] || accel=(-accel kvm -cpu host)
	qemu-system-x86_64 -M q35 "${accel[@]}" -smp "$3" -m "$4" \
		-no-reboot -nodefaults -display none \
		-serial "file:$LAB/$name.console" \
		-chardev "socket,id=lab,path=$LAB/$name.lab,server=on,wait=off" \
		-device virtio-serial -device virtserialport,chardev=lab,name=lab \
		-kernel "$IMAGE" -initrd "$INITRAMFS" \
		-append "console=ttyS0 quiet panic=-1 no_hash_pointers log_buf_len=4M norandmaps $5" \
		"${@:6}" \
		-drive "file=$2,format=raw,if=virtio,readonly=on" \
		< /dev/null > "$LAB/$name.qemu" 2>&1 &
	LAB_PID[$name]=$!
}

# One end of a cable: frames are datagrams between two sockets.
lab_card() # ID NEAR FAR MAC
{
	echo -netdev "dgram,id=$1,local.type=unix,local.path=$LAB/$2,remote.type=unix,remote.path=$LAB/$3"
	echo -device "virtio-net-pci,netdev=$1,mac=$4"
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
	echo "scripts/lab-router.sh $LAB_NODES" > "$dir/mlb-job/command"
	cp "$BUSYBOX" "$dir/mlb-job/busybox"
	echo "$ROOT/scripts/vm-init.sh" > "$dir/mlb-job/init"
	tar -C "$dir" -c -f "$LAB/router.tar" .
	for ((i = 1; i <= LAB_NODES; i++)); do
		# shellcheck disable=SC2207	# words are meant
		cards+=($(lab_card "a$i" "ra$i" "na$i" "52:54:00:00:0a:0$i")
			$(lab_card "b$i" "rb$i" "nb$i" "52:54:00:00:0b:0$i"))
	done
	lab_qemu router "$LAB/router.tar" 1 768 "" \
		-drive "file=$GUEST,format=raw,if=virtio,readonly=on,file.locking=off" \
		-drive "file=$MODULES,format=raw,if=virtio,readonly=on,file.locking=off" \
		"${cards[@]}"
}

# Also starts a node again, from its disk: what it had written is gone.
lab_node_start() # I
{
	# shellcheck disable=SC2046	# words are meant
	lab_qemu "n$1" "$LAB/n$1.tar" 1 768 mlb.stock \
		-drive "file=$STOCK/root.img,format=raw,if=virtio,readonly=on,file.locking=off" \
		$(lab_card a "na$1" "ra$1" "52:54:00:00:01:0$1") \
		$(lab_card b "nb$1" "rb$1" "52:54:00:00:02:0$1")
}

lab_node_up() # I
{
	local dir=$LAB/n$1

	mkdir "$dir"
	cp -a "$LAB/layer/up/." "$dir/"
	lab_node_files "$1" "$dir"
	tar -C "$dir" -c -f "$LAB/n$1.tar" .
	rm -r "$dir"
	lab_node_start "$1"
}

# Connects to the machine's agent and waits until it is up.
lab_connect() # MACHINE
{
	local name=$1 in out word

	mkfifo "$LAB/$name.in" "$LAB/$name.out"
	exec {in}<> "$LAB/$name.in" {out}<> "$LAB/$name.out"
	socat -t 3600 "UNIX-CONNECT:$LAB/$name.lab,retry=100,interval=0.1" STDIO \
		<&"$in" >&"$out" 2> /dev/null &
	LAB_IN[$name]=$in LAB_OUT[$name]=$out
	if ! read -r -t "$LAB_TIMEOUT" word _ <&"$out" || [ "$word" != up ]; then
		tail -n 30 "$LAB/$name.console" "$LAB/$name.qemu" >&2
		die "machine $name does not come up"
	fi
}

# A machine's power fails.
lab_kill() # MACHINE
{
	touch "$LAB/$1.killed"
	kill -KILL "${LAB_PID[$1]}"
	wait "${LAB_PID[$1]}" 2> /dev/null || :
}

# Prints what the command printed; its status is the command's. A machine that
# was killed has nothing to say.
on() # MACHINE COMMAND
{
	local status output

	[ ! -e "$LAB/$1.killed" ] || return 0
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

lab_up() # KERNEL NODES
{
	local i

	eval "$("$ROOT/scripts/kernel.sh" "$1")"
	STOCK=$("$ROOT/scripts/stock.sh" "$1")
	LAB_KVM=$("$ROOT/scripts/kvm.sh" "$1")
	LAB_NODES=$2
	LAB=$(scratch 1500)
	head -c 256 /dev/urandom > "$LAB/authkey"
	head -c 32 /dev/urandom > "$LAB/key"
	lab_router_up
	lab_install "$RELEASE"
	for ((i = 1; i <= LAB_NODES; i++)); do
		lab_node_up "$i"
	done
	lab_connect router
	for ((i = 1; i <= LAB_NODES; i++)); do
		lab_connect "n$i"
	done
}

lab_down()
{
	local pid

	for pid in "${LAB_PID[@]}"; do
		kill "$pid" 2> /dev/null || :
	done
	rm -rf "${LAB:?}"
}
