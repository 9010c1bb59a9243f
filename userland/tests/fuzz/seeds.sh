#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, the fuzzer has to guess an operation on the document, or one of
# its keys, which it does not in its time.
cd "$(dirname "$0")" || exit 1

ops=../../mlbd/document_change.c
mapfile -t words < <(
	{
		sed -n '/^#define ROLE_KEYS/,/[^\\]$/p' "$ops"
		sed -n '/operations\[\] = {/,/^	};/p' "$ops"
	} | grep -o '"[a-z-]*"' | sort -u
)
missing=0
[ ${#words[@]} -gt 20 ] || missing=1
for word in "${words[@]}"; do
	if ! grep -qF -- "\"\\${word%\"}\\\"\"" wire.dict; then
		echo "# $word is not in wire.dict"
		missing=1
	fi
	if ! grep -qaF -- "$word" wire.corpus/body-*; then
		echo "# $word is in no seed"
		missing=1
	fi
done
[ "$missing" = 0 ] || printf 'not '
echo "ok 1 - the fuzzer knows all ${#words[@]} words of the document's operations"
exit "$missing"
