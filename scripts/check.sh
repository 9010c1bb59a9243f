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
	git ls-files -- "$@"
}

check_shell()
{
	local files

	mapfile -t files < <(sources '*.sh' .ci/run)
	shellcheck "${files[@]}"
}

check_netlink()
{
	source_tree
	LINUX_SRC=$SOURCE scripts/ynl-gen.sh --check
}

# Ignored: out of tree there is neither MAINTAINERS nor a place in the kernel's
# Documentation, and generated files follow their generator.
check_style()
{
	local files

	source_tree
	mapfile -t files < <(sources 'kmod/*.[ch]' 'include/*.h' 'userland/*.[ch]' |
		grep -vE '_gen\.[ch]$|uapi/linux/mlb\.h$')
	"$SOURCE/scripts/checkpatch.pl" --root="$SOURCE" --no-tree --strict \
		--terse --no-summary --show-types --file \
		--ignore FILE_PATH_CHANGES,LINUX_VERSION_CODE,PREFER_KERNEL_TYPES,SPLIT_STRING \
		"${files[@]}"
}

check_sparse()
{
	local work log=$ROOT/build/sparse.log

	eval "$(scripts/kernel.sh uml-fast)"
	work=$(mktemp -d)
	cp -r Kbuild kmod include "$work/"
	make -C "$SOURCE" ARCH=um O="$KDIR" M="$work" C=2 CF=-D__CHECK_ENDIAN__ \
		modules > "$log" 2>&1 || {
		cat "$log"
		rm -rf "$work"
		return 1
	}
	rm -rf "$work"
	# Headers of the kernel have findings of their own.
	! grep -E '(^|/)(kmod|include)/[^ ]*\.[ch]:[0-9].*(warning|error):' "$log" |
		grep -v "^$SOURCE/"
}

check_userland()
{
	local compiler

	for compiler in gcc clang; do
		make -C userland clean > /dev/null
		make -C userland CC=$compiler \
			EXTRA_CFLAGS='-Wall -Wextra -Wshadow -Wstrict-prototypes -Werror' ||
			return
	done > build/userland-check.log 2>&1 || {
		cat build/userland-check.log
		return 1
	}
	make -C userland clean > /dev/null
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
