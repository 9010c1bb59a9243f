#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Run a command in a root file system, with mounts that it alone sees. With -l
# what it writes goes into the directory LAYER, and ROOT stays as it is.
#
#   in-root.sh [-l LAYER] ROOT COMMAND...
. "$(dirname "$0")/lib.sh"

layer=
if [ "$1" = -l ]; then
	layer=$2
	shift 2
	mkdir -p "$layer/up" "$layer/work" "$layer/root"
fi
# shellcheck disable=SC2016	# expanded by the inner shell
exec unshare --mount --propagation private sh -euc '
	root=$1 layer=$2
	shift 2
	if [ -n "$layer" ]; then
		mount -t overlay -o "lowerdir=$root,upperdir=$layer/up,workdir=$layer/work" \
			root "$layer/root"
		root=$layer/root
	fi
	mount -t proc proc "$root/proc"
	mount -t tmpfs tmp "$root/tmp"
	mount --bind /dev "$root/dev"
	exec chroot "$root" "$@"' sh "$1" "$layer" "${@:2}"
