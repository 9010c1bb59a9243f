#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Static checks. With names, only those: shell netlink style sparse userland.
# Prints a line for each, the output of those that fail, and counts.
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

check_sparse()
{
	local work=$ROOT/build/check/sparse

	eval "$(scripts/kernel.sh uml-fast)"
	rm -rf "$work"
	mkdir -p "$work"
	cp -r Kbuild kmod include "$work/"
	make -C "$SOURCE" ARCH=um O="$KDIR" M="$work" W=1 C=2 CF=-D__CHECK_ENDIAN__ \
		modules > "$work.log" 2>&1 || {
		cat "$work.log"
		return 1
	}
	# Headers of the kernel have findings of their own.
	! grep -F "$work/" "$work.log" | grep -E 'warning:|error:'
}

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

checks=("$@")
[ $# -gt 0 ] || checks=(shell netlink style sparse userland)
mkdir -p build
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
