#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Install, upgrade and remove mlb-dkms on stock Debian systems with KERNEL
# (default: all), as apt does: DKMS builds the module with that system's
# compiler and headers. Says of each what passed.
#
#   deb-test.sh [KERNEL...]
. "$(dirname "$0")/lib.sh"

[ $# -gt 0 ] || set -- "${KERNELS_QEMU[@]}"
need_root
deb=$(echo "$ROOT"/build/deb/mlb-dkms_*_all.deb)
[ -e "$deb" ] || die "no packages: run make deb"
work=$(scratch 300)
trap 'rm -rf "$work"' EXIT

# In the stock system: DKMS looks after the kernels whose headers are there.
# shellcheck disable=SC2016	# expanded by the inner shell
steps='
release=$1 module=/lib/modules/$1/updates/dkms/mlb.ko
version=$(dpkg-deb -f /srv/mlb-dkms.deb Version)
export DEBIAN_FRONTEND=noninteractive
dpkg -i /srv/mlb-dkms.deb
dkms install "mlb/$version" -k "$release"
echo "== installed: $(dkms status mlb)"
modinfo -k "$release" -F vermagic mlb
case $(modinfo -k "$release" -F filename mlb) in
$module*) ;;
*) echo "the module is not where DKMS puts it"; exit 1 ;;
esac
dpkg -i /srv/mlb-dkms.deb
dkms install "mlb/$version" -k "$release"
echo "== upgraded: $(dkms status mlb)"
modinfo -k "$release" mlb > /dev/null
dpkg --purge mlb-dkms
if modinfo -k "$release" mlb 2> /dev/null; then
	echo "the module is still there"
	exit 1
fi
left=$(find /usr/src /var/lib/dkms /lib/modules /etc -name "*mlb*")
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
echo "== removed"
'

passed=0 failed=0
for kernel; do
	begin=$SECONDS
	stock=$("$ROOT/scripts/stock.sh" "$kernel")
	release=$("$ROOT/scripts/kernel.sh" "$kernel" | sed -n 's/^RELEASE=//p')
	mkdir -p "$work/$kernel/up/srv"
	cp "$deb" "$work/$kernel/up/srv/mlb-dkms.deb"
	if "$ROOT/scripts/in-root.sh" -l "$work/$kernel" "$stock/root" \
	   sh -euc "$steps" sh "$release" > "$work/$kernel.log" 2>&1 < /dev/null; then
		verdict=pass passed=$((passed + 1))
	else
		verdict=FAIL failed=$((failed + 1))
	fi
	printf '%-9s %-28s %-4s %6s s\n' deb "dkms $release" $verdict $((SECONDS - begin))
	[ $verdict = pass ] || sed 's/^/    | /' "$work/$kernel.log"
	rm -rf "${work:?}/$kernel"
done
echo "deb: $passed passed, $failed failed"
[ $failed -eq 0 ]
