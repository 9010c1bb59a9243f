# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What a node of the lab (scripts/lab.sh) has on its disk: the packages, and what
# an administrator configures.

# A loss is known after 2.2 times this, in ms: emulated machines are slow.
LAB_TOKEN=${LAB_TOKEN:-4000}

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
			seqno_unchanged_const: 1
			crypto_cipher: aes256
			crypto_hash: sha256
			interface {
				linknumber: 0
				knet_ping_interval: $((LAB_TOKEN / 4))
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

# Its disk, which appears whole or not at all.
lab_node_tar() # I
{
	local dir=$LAB/n$1

	rm -rf "$dir"
	mkdir "$dir"
	cp -a "$LAB/layer/up/." "$dir/"
	lab_node_files "$1" "$dir"
	tar -C "$dir" -c -f "$dir.tar.new" .
	mv "$dir.tar.new" "$dir.tar"
	rm -r "$dir"
}
