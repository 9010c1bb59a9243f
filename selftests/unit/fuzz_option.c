// SPDX-License-Identifier: GPL-2.0
/*
 * Option bytes from anywhere, judged twice: by the module's parser, and by
 * one made the other way round, which first makes a list of the options and
 * then reads the rules of RFC 8684 off it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "option.h"

struct item {
	const u8 *bytes;
	unsigned int len;
};

/* The MPTCP options before the end of the list, or -1 for a malformed list. */
static int list_mptcp(const u8 *opt, size_t len, struct item *items)
{
	size_t at = 0;
	int n = 0;

	while (at < len && opt[at] != 0) {
		if (opt[at] == 1) {
			at++;
			continue;
		}
		if (at + 1 >= len || opt[at + 1] < 2 ||
		    at + opt[at + 1] > len)
			return -1;
		if (opt[at] == 30) {
			if (opt[at + 1] == 2)
				return -1;
			items[n].bytes = opt + at;
			items[n++].len = opt[at + 1];
		}
		at += opt[at + 1];
	}
	return n;
}

static enum mlb_mptcp_kind judge_capable(const struct item *item, bool syn)
{
	unsigned int version = item->bytes[2] % 16;
	bool usable = item->len >= 4 && item->bytes[3] % 32 == 1 &&
		      item->bytes[3] / 64 % 2 == 0;

	if (syn) {
		switch (item->len) {
		case 4:
			if (version == 0)
				return MLB_MPTCP_VERSION;
			return usable ? MLB_MPTCP_CAPABLE : MLB_MPTCP_NONE;
		case 12:
			return version == 1 ? MLB_MPTCP_BAD :
					      MLB_MPTCP_VERSION;
		default:
			return version > 1 ? MLB_MPTCP_VERSION : MLB_MPTCP_BAD;
		}
	}
	if (version != 1)
		return MLB_MPTCP_NONE;
	if (item->len != 20 && item->len != 22 && item->len != 24)
		return MLB_MPTCP_BAD;
	return usable ? MLB_MPTCP_KEYS : MLB_MPTCP_NONE;
}

static void judge(const u8 *opt, size_t len, bool syn, struct mlb_mptcp *mp)
{
	struct item items[MLB_OPTION_SPACE / 2 + 1];
	const struct item *one = NULL;
	int i, n = list_mptcp(opt, len, items);

	mp->kind = MLB_MPTCP_BAD;
	if (n < 0)
		return;
	for (i = 0; i < n; i++) {
		if (items[i].bytes[2] / 16 > 1)
			continue;
		if (one)
			return;
		one = &items[i];
	}

	if (!one) {
		mp->kind = MLB_MPTCP_NONE;
	} else if (one->bytes[2] / 16 == 0) {
		mp->kind = judge_capable(one, syn);
		if (mp->kind == MLB_MPTCP_KEYS) {
			memcpy(mp->key, one->bytes + 4, 8);
			memcpy(mp->peer_key, one->bytes + 4 + 8, 8);
		}
	} else if (!syn) {
		mp->kind = MLB_MPTCP_NONE;
	} else if (one->len == 12) {
		mp->kind = MLB_MPTCP_JOIN;
		mp->token = one->bytes[4] * 0x1000000U +
			    one->bytes[5] * 0x10000U +
			    one->bytes[6] * 0x100U + one->bytes[7];
	}
}

static void check(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "the parsers differ in %s\n", what);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mlb_mptcp got, want;
	bool syn;
	u8 *opt;

	if (!size || size > 1 + MLB_OPTION_SPACE)
		return 0;
	syn = data[0] & 1;
	size--;

	/* Of just this size, so that ASan sees a read past the end. */
	opt = malloc(size);
	if (!opt && size)
		return 0;
	if (size)
		memcpy(opt, data + 1, size);

	memset(&got, 0xff, sizeof(got));
	mlb_option_parse(opt, size, syn, &got);
	judge(opt, size, syn, &want);

	check(got.kind == want.kind, "kind");
	if (want.kind == MLB_MPTCP_JOIN)
		check(got.token == want.token, "token");
	if (want.kind == MLB_MPTCP_KEYS)
		check(!memcmp(got.peer_key, want.peer_key, 8) &&
		      !memcmp(got.key, want.key, 8), "key");
	free(opt);
	return 0;
}
