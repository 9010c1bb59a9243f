#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Generate the netlink uapi header, policies, counter names and syzkaller's
# descriptions from include/netlink/mlb.yaml. With --check, only say whether what is checked in
# is current. Needs a kernel source tree of 6.12 in LINUX_SRC for the YNL
# generator; its files are never copied into the project.
set -euo pipefail
cd "$(dirname "$0")/.."

check=
[ "${1:-}" = --check ] && check=1
: "${LINUX_SRC:?set LINUX_SRC to a linux-6.12 source tree}"

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/Documentation/netlink/specs" "$root/out"
touch "$root/MAINTAINERS"	# without it the generator never returns
cp "$LINUX_SRC"/Documentation/netlink/*.yaml "$root/Documentation/netlink/"
cp include/netlink/mlb.yaml "$root/Documentation/netlink/specs/"

ynl() {	# MODE KIND OUTPUT
	(cd "$root" && timeout 60 python3 "$LINUX_SRC/tools/net/ynl/ynl-gen-c.py" \
		--mode "$1" "--$2" --spec Documentation/netlink/specs/mlb.yaml \
		-o "out/$3")
	sed -i 's,Documentation/netlink/specs/mlb.yaml,include/netlink/mlb.yaml,' \
		"$root/out/$3"
}

ynl uapi header mlb.h
ynl kernel header netlink_gen.h
ynl kernel source netlink_gen.c
# The family is in netlink.c, which names the groups itself.
sed -i '/^static const struct genl_multicast_group/,/^};/d' \
	"$root/out/netlink_gen.c"
python3 scripts/gen-counters.py include/netlink/mlb.yaml kernel > "$root/out/stats_gen.h"
python3 scripts/gen-counters.py include/netlink/mlb.yaml user > "$root/out/counters_gen.h"
python3 scripts/gen-words.py include/netlink/mlb.yaml > "$root/out/words_gen.c"
python3 scripts/gen-syzlang.py include/netlink/mlb.yaml > "$root/out/mlb.syz.txt"

status=0
install_one() {	# GENERATED PLACE
	if cmp -s "$root/out/$1" "$2"; then
		return
	elif [ -n "$check" ]; then
		echo "$2 is not current: run scripts/ynl-gen.sh" >&2
		status=1
	else
		mkdir -p "$(dirname "$2")"
		cp "$root/out/$1" "$2"
		echo "updated $2"
	fi
}
install_one mlb.h include/uapi/linux/mlb.h
install_one netlink_gen.h kmod/netlink_gen.h
install_one netlink_gen.c kmod/netlink_gen.c
install_one stats_gen.h kmod/stats_gen.h
install_one counters_gen.h userland/mlbctl/counters_gen.h
install_one words_gen.c userland/mlbctl/words_gen.c
install_one mlb.syz.txt include/netlink/mlb.syz.txt
exit $status
