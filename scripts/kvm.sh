#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Print "yes" when KERNEL boots under KVM here, else "no". A device node that
# opens proves nothing: nested or restricted KVM may hang or kill the guest.
# The answer holds until the machine is booted anew.
. "$(dirname "$0")/lib.sh"

probe()	# KERNEL DIR
{
	local answer=no

	if [ -w /dev/kvm ] &&
	   "$ROOT/scripts/vm.sh" "$1" --probe --timeout 15 > /dev/null 2>&1; then
		answer=yes
	fi
	say "kernel $1: $([ $answer = yes ] && echo KVM || echo "no usable KVM, emulating")"
	echo $answer > "$2/answer"
}

boot=$(cat /proc/sys/kernel/random/boot_id)
entry=$(cached "kvm-$1-$(digest "$boot")" probe "$1")
cat "$entry/answer"
