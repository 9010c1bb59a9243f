#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Install the Debian packages of scripts/packages that are missing. Without root
# it only names them: what is called for may need none of them.
. "$(dirname "$0")/lib.sh"

missing=()
while read -r package; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null)" = installed ] ||
		missing+=("$package")
done < <(grep -v '^#' "$ROOT/scripts/packages")

[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ]; then
	say "not root; missing Debian packages: ${missing[*]}"
	exit 0
fi
say "installing Debian packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt-get -q update &&
       apt-get -qy --no-install-recommends install "${missing[@]}"; } \
     > "$log" 2>&1 < /dev/null; then
	cat "$log" >&2
	die "cannot install packages"
fi
# These are for the virtual machines; the host's own stay off.
for service in corosync bird; do
	if [[ " ${missing[*]} " =~ " $service"2?' ' ]] && [ -d /run/systemd/system ]; then
		systemctl disable --now "$service" >> "$log" 2>&1 < /dev/null ||
			die "cannot stop $service, which was installed just now"
	fi
done
