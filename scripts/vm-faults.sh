# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Faults that a kernel reports in its log, for use inside a test VM.

FAULTS='WARNING:|BUG:|Oops|general protection|Unable to handle|Kernel panic'
FAULTS+='|KASAN|UBSAN|ODEBUG|refcount_t|ref_tracker|leaked reference'
FAULTS+='|possible circular|possible recursive|possible irq lock'
FAULTS+='|inconsistent lock state|lock order inversion|bad unlock balance'
FAULTS+='|held lock freed|suspicious RCU usage|RCU-list traversed'
FAULTS+='|scheduling while atomic|sleeping function called'
FAULTS+='|unregister_netdevice: waiting|INFO: task .* blocked'
FAULTS+='|rcu.*(stall|kthread starved)|soft lockup|workqueue lockup'
FAULTS+='|corruption|Poison overwritten|Object already free'
FAULTS+='|Objects remaining|list_(add|del) .*'

# Mark a place in the log.
faults_begin()	# NAME
{
	echo "mlb: begin $1" > /dev/kmsg
}

# The log since the mark.
log_since()	# NAME
{
	dmesg | awk -v mark="mlb: begin $1" '
		index($0, mark) { n = 0; next } { line[n++] = $0 }
		END { for (i = 0; i < n; i++) print line[i] }'
}

# Lines of the log since the mark that report a fault.
faults_since()	# NAME
{
	log_since "$1" | grep -E "$FAULTS"
}

# Unload mlb and print what kmemleak then finds: memory that nothing refers
# to. Kmemleak reports an object that was unreachable in two scans, 5 seconds
# after its allocation at the earliest. Prints nothing without kmemleak.
kernel_leaks()
{
	local file=/sys/kernel/debug/kmemleak

	if [ -d /sys/module/mlb ] && ! rmmod mlb; then
		echo "mlb cannot be unloaded"
	fi
	# TAINT_OOT_MODULE: without a module of ours there is nothing to ask.
	[ -w $file ] && [ $(($(cat /proc/sys/kernel/tainted) & 4096)) -ne 0 ] ||
		return 0
	sleep 6
	echo scan > $file
	echo scan > $file
	cat $file
}
