#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Run a command in a virtual machine and exit with its status.
#
#   vm.sh KERNEL [--cpus N] [--mem MIB] [--timeout S] [--env NAME=VALUE]...
#                [--boot ARGUMENT]... [--with DIR]... [--] COMMAND...
#
# KERNEL is uml-fast, uml-debug, uml-gcov or uml-SERIES (User-Mode Linux on the
# host's files, one CPU) or 6.1, 6.12, 7.3 (QEMU with Debian 12 and that Debian
# kernel). The command sees the project under its usual path, and DIR under its
# own; what it writes is gone afterwards, but what uml-gcov counted of the module,
# if MLB_COVERAGE names a directory: there it has one of its own. --boot adds to
# the kernel's command line. Status 70: the command passed, but the kernel's log
# has faults; 124: timeout; 125: the VM ended without saying how the command did.
. "$(dirname "$0")/lib.sh"

usage()
{
	sed -n '3,14s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

[ $# -ge 1 ] || usage
kernel=$1
shift
cpus=2 mem=1024 limit=600 probe=
boot=() with=()
environment=("ROOT=$ROOT" "CI=${CI:-}")
while [ $# -gt 0 ]; do
	case $1 in
	--cpus)		cpus=$2; shift ;;
	--mem)		mem=$2; shift ;;
	--timeout)	limit=$2; shift ;;
	--env)		environment+=("$2"); shift ;;
	--boot)		boot+=("$2"); shift ;;
	--with)		with+=("$2"); shift ;;
	--probe)	probe=1 ;;
	--)		shift; break ;;
	-*)		usage ;;
	*)		break ;;
	esac
	shift
done
[ $# -gt 0 ] || [ -n "$probe" ] || usage
need_root

eval "$("$ROOT/scripts/kernel.sh" "$kernel")"

job=$(scratch 200)
trap 'rm -rf "$job"' EXIT

module=$ROOT/build/$kernel/mlb.ko
[ ! -e "$module" ] || environment+=("MLB_KO=$module")
environment+=("PATH=$ROOT/userland/mlbctl:$ROOT/userland/mlbd:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
for setting in "${environment[@]}"; do
	printf 'export %s=%q\n' "${setting%%=*}" "${setting#*=}"
done > "$job/env"
printf '%q ' "$@" > "$job/command"

# In a PID namespace of its own, so that nothing of the machine outlives this
# script. Unshare heeds no signal but KILL.
leashed()	# COMMAND...
{
	local status=0

	timeout --foreground --signal=KILL --kill-after=0.1 "$limit" \
		unshare --pid --fork --kill-child=KILL --mount-proc -- "$@" || status=$?
	[ "$status" -ne 124 ] && [ "$status" -ne 137 ] || timed_out=1
}

run_uml()
{
	local console=null,fd:1

	[ ! -t 0 ] || console=fd:0,fd:1
	cp "$BUSYBOX" "$job/busybox"
	TMPDIR=$job leashed "$IMAGE" "mem=${mem}M" "uml_dir=$job/" umid=vm \
		rootfstype=hostfs rootflags=/ ro \
		"init=$ROOT/scripts/vm-init.sh" "mlb_job=$job" \
		con=null "con0=$console" seccomp=auto \
		quiet panic=-1 no_hash_pointers log_buf_len=4M "${boot[@]}"
}

accelerator()
{
	if [ -n "$probe" ]; then
		printf '%s\n' -accel kvm -cpu host
	elif [ "$("$ROOT/scripts/kvm.sh" "$kernel")" = yes ]; then
		printf '%s\n' -accel kvm -cpu host
	else
		# With cmpxchg16b, QEMU 7.2 corrupts SLUB's free lists.
		printf '%s\n' -accel tcg,thread=multi -cpu max,-cx16
	fi
}

# The parts of the project that a test can need, as a tar for the guest.
pack_job()
{
	local part parts=() name

	for part in scripts selftests "build/$kernel/mlb.ko" userland/{mlbctl/mlbctl,mlbd/mlbd}; do
		[ ! -e "$ROOT/$part" ] || parts+=("$part")
	done
	name=${ROOT#/}
	mkdir -p "$job/root/$name" "$job/root/mlb-job"
	(cd "$ROOT" && cp -a --parents "${parts[@]}" "$job/root/$name/")
	for part in "${with[@]}"; do
		cp -a --parents "$part" "$job/root/"
	done
	cp "$job/env" "$job/command" "$BUSYBOX" "$job/root/mlb-job/"
	printf '%s' "$ROOT/scripts/vm-init.sh" > "$job/root/mlb-job/init"
	tar -C "$job/root" -c -f "$job/job.tar" .
	rm -r "$job/root"
}

run_qemu()
{
	local arguments args

	# A machine that gets little of its CPU takes its timer for broken.
	args="console=ttyS0 quiet panic=-1 no_hash_pointers log_buf_len=4M norandmaps no_timer_check ${boot[*]}"
	mapfile -t arguments < <(accelerator)
	if [ -n "$probe" ]; then
		args+=" mlb.probe"
	else
		pack_job
		arguments+=(
			-drive "file=$GUEST,format=raw,if=virtio,readonly=on,file.locking=off"
			-drive "file=$MODULES,format=raw,if=virtio,readonly=on,file.locking=off"
			-drive "file=$job/job.tar,format=raw,if=virtio,readonly=on"
		)
	fi
	TMPDIR=$job leashed qemu-system-x86_64 -M q35 -m "$mem" -smp "$cpus" \
		"${arguments[@]}" -no-reboot -nodefaults -display none \
		-serial stdio -serial "file:$job/status" \
		-kernel "$IMAGE" -initrd "$INITRAMFS" -append "$args" < /dev/null
}

timed_out=
"run_$KIND"

if [ -n "${MLB_COVERAGE:-}" ] && [ -d "$job/gcov" ]; then
	cp -t "$(mktemp -d "$MLB_COVERAGE/XXXXXX")" "$job"/gcov/*
fi
status=$(tr -d '\r\n' 2> /dev/null < "$job/status" || :)
if [ -n "$status" ]; then
	[ "$status" != up ] || status=0
	[ "$status" != 70 ] || say "vm.sh: faults in the log of kernel $kernel"
	exit "$status"
elif [ -n "$timed_out" ]; then
	say "vm.sh: kernel $kernel: no end after $limit s"
	exit 124
else
	say "vm.sh: kernel $kernel: the machine stopped before the command ended"
	exit 125
fi
