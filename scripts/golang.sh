#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Make DIR/go the root of trixie's Go toolchain, which runs anywhere.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

dir=$1
say "preparing Go"
apt_unpack trixie "$dir" golang-1.24-go golang-1.24-src
ln -s usr/lib/go-1.24 "$dir/go"
