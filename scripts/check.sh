#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Static checks. With names, only those: shell netlink style sparse clang
# coccinelle userland tidy. Prints a line for each, the output of those that fail,
# and counts. (Of smatch neither Debian 12 nor 13 has a package.)
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

SOURCE=
source_tree()
{
	[ -n "$SOURCE" ] || eval "$(scripts/kernel.sh source)"
}

sources()	# PATTERN...
{
	git -c safe.directory="$ROOT" ls-files -- "$@"
}

check_shell()
{
	local files

	mapfile -t files < <(sources '*.sh' .ci/run)
	[ ${#files[@]} -gt 0 ] && shellcheck "${files[@]}"
}

check_netlink()
{
	source_tree
	LINUX_SRC=$SOURCE scripts/ynl-gen.sh --check
}

# Generated files have the look that their generators give them, TRACE_EVENT
# its own, and what stands in for older kernels tests their versions.
check_style()
{
	local files

	source_tree
	mapfile -t files < <(sources 'kmod/*.[ch]' 'include/*.h' |
		grep -vE '_gen\.[ch]$|uapi/linux/mlb\.h$|/trace\.h$|/compat/')
	[ ${#files[@]} -gt 0 ] || return
	"$SOURCE/scripts/checkpatch.pl" --root="$SOURCE" --no-tree --strict \
		--terse --no-summary --show-types --file "${files[@]}"
}

# Whether the module compiles for a kernel without a word about its own files.
# Headers of the kernel have findings of their own.
module_compiles()	# KERNEL NAME MAKE_ARGUMENT...
{
	local work=$ROOT/build/check/$2 SOURCE KDIR

	eval "$(scripts/kernel.sh "$1")"
	rm -rf "$work"
	mkdir -p "$work"
	cp -r Kbuild kmod include "$work/"
	make -C "$SOURCE" ARCH=um O="$KDIR" M="$work" W=1 KCFLAGS=-DMLB_SELFTEST \
		"${@:3}" modules > "$work.log" 2>&1 || {
		cat "$work.log"
		return 1
	}
	# Since 6.13 a module's files are named from its own directory.
	! grep -E '(^|/)(kmod|include/(uapi/)?linux/mlb)[^ ]*:.*(warning|error):' \
		"$work.log" | grep -vF "$SOURCE/"
}

# For 6.12: the newest source asks for a newer sparse than Debian 12 has, and
# goes on without.
check_sparse()
{
	module_compiles uml-debug sparse C=2 CF=-D__CHECK_ENDIAN__ || return
	grep -q 'CHECK .*kmod/main.c' build/check/sparse.log || {
		echo "sparse did not run"
		return 1
	}
}

# As above, with another compiler.
check_clang()
{
	module_compiles clang clang CC=clang KBUILD_MODPOST_WARN=1
}

# Semantic patches of the kernel's own, from the newest source. Those in SKIPPED
# are of things that the module has nothing of.
check_coccinelle()
(
	local SOURCE KDIR file options n=0 skipped='^(hid/|api/(platform|pm_|simple_open|stream_open|vma_|d_find|check_bq|resource_|device_attr)|free/(clk_|devm_|iounmap|put_device)|iterators/(device_node|for_each_child)|misc/(of_table|irqf_|add_namespace)|null/badzero)'

	eval "$(scripts/kernel.sh uml-fast)"
	cd "$SOURCE/scripts/coccinelle" || exit
	for file in */*.cocci */*/*.cocci; do
		if [[ $file =~ $skipped ]] || ! grep -q '^virtual report' "$file"; then
			continue
		fi
		options=$(sed -n 's#^// *Options: *##p' "$file")
		# shellcheck disable=SC2086 # several options
		spatch -D report --very-quiet --no-show-diff --cocci-file "$file" \
			$options --dir "$ROOT/kmod" --patch "$ROOT" < /dev/null \
			2> "$ROOT/build/check/coccinelle.log" || {
			echo "$file:"
			cat "$ROOT/build/check/coccinelle.log"
			exit 1
		}
		n=$((n + 1))
	done > "$ROOT/build/check/coccinelle.found"
	if [ $n -eq 0 ] || [ -s "$ROOT/build/check/coccinelle.found" ]; then
		echo "$n semantic patches"
		cat "$ROOT/build/check/coccinelle.found"
		exit 1
	fi
)

check_userland()
{
	local work=$ROOT/build/check/userland compiler

	for compiler in gcc clang; do
		rm -rf "$work"
		mkdir -p "$work"
		# Not what other builds leave there just now.
		sources include userland | tar -c -T - | tar -x -C "$work"
		if ! make -C "$work/userland" CC=$compiler > "$work.log" 2>&1; then
			cat "$work.log"
			return 1
		fi
	done
}

# What .clang-tidy at the top names.
check_tidy()
{
	make -s -C userland tidy "JOBS=$jobs"
}

# Who shares a machine by slots has one CPU.
jobs=1
[ -n "${MLB_SLOTS:-}" ] || jobs=$(nproc)
scripts/deps.sh
checks=("$@")
[ $# -gt 0 ] ||
	checks=(shell netlink style sparse clang coccinelle userland tidy)
mkdir -p build/check
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for check in "${checks[@]}"; do
	if "check_$check" > "$log" 2>&1; then
		verdict=pass passed=$((passed + 1))
	else
		verdict=FAIL failed=$((failed + 1))
	fi
	printf '%-9s %-28s %s\n' check "$check" $verdict
	[ $verdict = pass ] || sed 's/^/    | /' "$log"
done
echo "check: $passed passed, $failed failed"
[ $failed -eq 0 ]
