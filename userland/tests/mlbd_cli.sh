#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, mlbd starts with a configuration that is bad, or the one that
# people copy is. Needs no module; runs MLBD.
set -u

MLBD=${MLBD:?}
HERE=$(dirname "$(readlink -f "$0")")
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
n=0
failed=0

says() # STATUS WORDS ARGUMENT...
{
	local want=$1 words=$2 status

	shift 2
	timeout 20 "$MLBD" "$@" > "$TMP/out" 2>&1 < /dev/null
	status=$?
	if [ "$status" = "$want" ] &&
	   { [ -z "$words" ] || grep -qF -- "$words" "$TMP/out"; }; then
		echo "ok $((++n)) mlbd: $*"
	else
		echo "not ok $((++n)) mlbd: $*: status $status, want $want: $words"
		sed 's/^/# /' "$TMP/out"
		failed=1
	fi
}

(umask 077 && head -c 32 /dev/zero > "$TMP/key")
example() # ENGINE
{
	sed "s#^key-file.*#key-file = $TMP/key#; s#^engine.*#engine = $1#" \
		"$HERE/../mlbd/mlb.conf"
}

says 0 Usage -h
says 0 "mlbd 0" -V
says 2 Usage -x
says 2 Usage -f
says 2 Usage word
says 2 "/nonexistent: No such file" -t -f /nonexistent
example corosync > "$TMP/conf"
says 0 "" -t -f "$TMP/conf"
example none | sed '/^#\[node 2\]/,$s/^#//' > "$TMP/conf"
grep -q '^vip' "$TMP/conf" || failed=1
says 0 "" -t -f "$TMP/conf"
echo "nonsense = 1" >> "$TMP/conf"
says 2 "$TMP/conf:$(wc -l < "$TMP/conf"): [service web] has no key" -f "$TMP/conf"
example corosync > "$TMP/conf"
chmod 644 "$TMP/key"
says 2 "can be read by others" -t -f "$TMP/conf"
echo "1..$n"
exit $failed
