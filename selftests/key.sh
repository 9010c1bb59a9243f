#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, the cluster key leaks or a bad one is taken.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

key_id() { ctl 1 -j set | jq -c '.["key-id"]'; }

refused() # DESCRIPTION FILE
{
	local before

	before=$(key_id)
	ctl 1 key set "$2" > "$TMP/out" 2> "$TMP/err"
	check_range "refused: $1" $? 1 2
	check_eq "says why: $1" "$([ -s "$TMP/err" ] && echo yes)" yes
	check_eq "keeps the key: $1" "$(key_id)" "$before"
}

taken() # BYTES
{
	local file

	file=$(key_file "good$1" "$(head -c "$1" /dev/zero | tr '\0' k)")
	ctl 1 key set "$file" > "$TMP/out" 2>&1
	check_eq "a key of $1 bytes is taken" "$?:$(cat "$TMP/out")" 0:
}

test_begin
cluster_up 1
mlb_load
check_eq "no key at first" "$(key_id)" null
refused "15 bytes" "$(key_file short 0123456789abcde)"
refused "65 bytes" "$(key_file long "$(head -c 65 /dev/zero | tr '\0' k)")"
refused "an empty file" "$(key_file empty "")"
refused "no such file" "$TMP/nothing"
refused "a directory" "$TMP"
file=$(key_file modes "0123456789abcdef")
for mode in 0640 0604 0620 0602 0644 0777; do
	chmod $mode "$file"
	refused "mode $mode" "$file"
done
mkfifo -m 600 "$TMP/fifo"
refused "a FIFO that nobody writes" "$TMP/fifo"
for n in 16 17 63 64; do
	taken $n
done
check_eq "fingerprints differ between keys" "$(
	for n in 16 64; do
		ctl 1 key set "$TMP/good$n"
		key_id
	done | sort -u | wc -l)" 2
ctl 1 key set "$TMP/good16"
id=$(key_id)
ctl 1 key set "$TMP/good64"
ctl 1 key set "$TMP/good16"
check_eq "the same key has the same fingerprint" "$(key_id)" "$id"
check_eq "no listing shows the key" \
	"$({ ctl 1 set; ctl 1 -j set; } | grep -c kkkkkkkk)" 0
tap_done
