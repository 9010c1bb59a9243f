#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Make DIR/root and its disk DIR/root.img: a Debian system as an administrator
# has it, with systemd, compiler, kernel headers, DKMS, corosync and what else
# is in scripts/stock-packages. BUILDROOT and IMAGE are those of
# scripts/kernel-debian.sh.
#
#   stock-root.sh BUILDROOT IMAGE RELEASE DIR
. "$(dirname "$0")/lib.sh"

buildroot=$1 image=$2 release=$3 dir=$4
mapfile -t packages < <(grep -v '^#' "$ROOT/scripts/stock-packages")

say "preparing a stock Debian system with kernel $release"
cp -a "$buildroot" "$dir/root"
# Nothing is started here; later, where it runs, everything is.
printf '#!/bin/sh\nexit 101\n' > "$dir/root/usr/sbin/policy-rc.d"
chmod 755 "$dir/root/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$dir/root/etc/resolv.conf"
"$ROOT/scripts/in-root.sh" "$dir/root" sh -euc '
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq update
	apt-get -qqy --no-install-recommends install "$@"
	apt-get clean
	rm -rf /var/lib/apt/lists/*' sh "${packages[@]}" \
	> "$dir/log" 2>&1 < /dev/null || {
	cat "$dir/log" >&2
	die "the packages cannot be installed"
}
rm "$dir/root/usr/sbin/policy-rc.d"
cp -a "$image/lib/modules/$release" "$dir/root/lib/modules/"
"$ROOT/scripts/disk.sh" "$dir/root" "$dir/root.img"
