# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Packages of any Debian suite through an apt state of our own in the cache:
# the machine's sources, lists and package database stay as they are. The
# mirror is the one that the machine itself uses.

# The URI of the machine's entry for its release ("") or "-security".
apt_mirror()	# SUFFIX
{
	local codename

	codename=$(. /etc/os-release && printf %s "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016	# $(...) is apt's format
	apt-get indextargets --no-release-info \
		--format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
		awk -v want="$codename$1" '$1 == want { print $2; exit }'
}

# Sources of a suite, as lines of sources.list.
apt_sources()	# SUITE
{
	local suite=$1 main security

	main=${MLB_MIRROR:-$(apt_mirror '')}
	[ -n "$main" ] ||
		die "no Debian mirror in apt's sources; set MLB_MIRROR to one"
	security=$(apt_mirror -security)
	printf 'deb %s %s main\n' "$main" "$suite"
	if [ "$suite" = bookworm ] && [ -n "$security" ]; then
		printf 'deb %s %s-security main\n' "$security" "$suite"
	elif [ "$suite" != forky ]; then	# not released: no backports
		printf 'deb %s %s-backports main\n' "$main" "$suite"
	fi
}

# Run an apt tool on the private state of a suite.
apt_private()	# SUITE TOOL ARGUMENT...
{
	local state=$CACHE/apt-$1 tool=$2

	shift 2
	"$tool" -qq -o Dir::Etc::SourceList="$state/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null \
		-o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::State="$state" -o Dir::State::Lists="$state/lists" \
		-o Dir::State::Status="$state/status" -o Dir::Cache="$state/cache" \
		-o APT::Sandbox::User=root -o Acquire::Retries=3 "$@"
}

# Make the lists of a suite no older than a day. Without a network an old list
# will do: what it names may be in the cache already.
apt_refresh()	# SUITE
{
	local state=$CACHE/apt-$1 lock

	mkdir -p "$CACHE/lock" "$state/lists/partial" "$state/cache/archives/partial"
	exec {lock}> "$CACHE/lock/apt-$1"
	flock "$lock"
	if [ -z "$(find "$state/fresh" -mtime -1 2> /dev/null)" ]; then
		touch "$state/status"
		apt_sources "$1" > "$state/sources.list"
		if apt_private "$1" apt-get update >&2; then
			touch "$state/fresh"
		elif [ ! -e "$state/fresh" ]; then
			die "cannot read the package lists of $1"
		else
			say "using old package lists of $1"
		fi
	fi
	exec {lock}>&-
}

# Version that a suite offers of a package.
apt_version()	# SUITE PACKAGE
{
	apt_private "$1" apt-cache policy "$2" |
		awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# Unpack packages into a directory.
apt_unpack()	# SUITE DIR PACKAGE...
{
	local suite=$1 dir=$2 debs deb

	shift 2
	debs=$(mktemp -d "$CACHE/tmp.XXXXXX")
	(cd "$debs" && apt_private "$suite" apt-get download "$@") >&2 ||
		die "cannot download $*"
	for deb in "$debs"/*.deb; do
		dpkg-deb -x "$deb" "$dir"
	done
	rm -rf "$debs"
}
