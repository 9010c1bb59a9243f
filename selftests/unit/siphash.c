// SPDX-License-Identifier: GPL-2.0
/*
 * SipHash-2-4 as its paper states it (Aumasson and Bernstein, 2012, 2), a byte
 * at a time. It stands in for the kernel's, and test_tunhdr.c proves it with
 * published vectors before it trusts it.
 */
#include <linux/siphash.h>

struct state {
	u64 v0, v1, v2, v3;
};

static u64 rotate(u64 x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

static void rounds(struct state *s, unsigned int n)
{
	while (n--) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 = rotate(s->v0, 32);

		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 = rotate(s->v2, 32);
	}
}

static void compress(struct state *s, u64 word)
{
	s->v3 ^= word;
	rounds(s, 2);
	s->v0 ^= word;
}

u64 siphash(const void *data, size_t len, const siphash_key_t *key)
{
	struct state s = {
		key->key[0] ^ 0x736f6d6570736575ULL,	/* "somepseu" */
		key->key[1] ^ 0x646f72616e646f6dULL,	/* "dorandom" */
		key->key[0] ^ 0x6c7967656e657261ULL,	/* "lygenera" */
		key->key[1] ^ 0x7465646279746573ULL,	/* "tedbytes" */
	};
	const u8 *p = data;
	u64 word = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		word |= (u64)p[i] << (i % 8 * 8);
		if (i % 8 == 7) {
			compress(&s, word);
			word = 0;
		}
	}
	compress(&s, word | (u64)len << 56);

	s.v2 ^= 0xff;
	rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
