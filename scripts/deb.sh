#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Build the Debian packages into build/deb, from a copy of the sources that
# git knows, and have lintian look at them.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

scripts/deps.sh
version=$(dpkg-parsechangelog -S Version)
for file in Kbuild userland/Makefile; do
	grep -qE "VERSION[[:space:]]*:= ${version//./[.]}$" "$file" ||
		die "$file and debian/changelog differ in the version"
done

work=$(scratch 100)
trap 'rm -rf "$work"' EXIT
mkdir "$work/mlb" "$work/home"
git -c safe.directory="$ROOT" ls-files -z --cached --others --exclude-standard |
	xargs -0 cp --parents --no-dereference -t "$work/mlb"
(cd "$work/mlb" && HOME=$work/home dpkg-buildpackage -b -us -uc "-j$(nproc)") \
	> "$work/log" 2>&1 < /dev/null || {
	cat "$work/log" >&2
	die "the packages do not build"
}

rm -rf build/deb
mkdir -p build/deb
cp "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo build/deb/
lintian --allow-root --fail-on error --suppress-tags bad-distribution-in-changes-file \
	build/deb/*.changes || die "lintian objects"
ls build/deb/*.deb
