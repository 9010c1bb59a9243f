// SPDX-License-Identifier: GPL-2.0
/*
 * Longest prefix match, prepared for readers: prefixes that lie within each
 * other become ranges that do not, and a binary search finds the one that has
 * an address. Changes build a new table; they are rare, and packets are not.
 */
#include <linux/string.h>

#include "range.h"

#define ADDR_BITS	128

static int addr_cmp(const struct in6_addr *a, const struct in6_addr *b)
{
	return memcmp(a, b, sizeof(*a));
}

int mlb_prefix_cmp(const void *a, const void *b)
{
	const struct mlb_prefix *p = a, *q = b;

	return addr_cmp(&p->addr, &q->addr) ?: p->len - q->len;
}

/* Bits of the byte that stand behind a prefix of so many bits. */
static u8 host_bits(unsigned int byte, unsigned int len)
{
	if (len >= 8 * byte + 8)
		return 0;
	return len <= 8 * byte ? 0xff : 0xff >> (len - 8 * byte);
}

bool mlb_prefix_is_network(const struct mlb_prefix *prefix)
{
	for (unsigned int i = 0; i < sizeof(prefix->addr); i++)
		if (prefix->addr.s6_addr[i] & host_bits(i, prefix->len))
			return false;
	return true;
}

static struct in6_addr prefix_last(const struct mlb_prefix *prefix)
{
	struct in6_addr last = prefix->addr;

	for (unsigned int i = 0; i < sizeof(last); i++)
		last.s6_addr[i] |= host_bits(i, prefix->len);
	return last;
}

/* False when there is no address behind it. */
static bool addr_next(struct in6_addr *addr)
{
	for (unsigned int i = sizeof(*addr); i--;)
		if (++addr->s6_addr[i])
			return true;
	return false;
}

/* Ranges so far, and the prefixes, each within the one before it, that have
 * begun and not ended.
 */
struct range_build {
	struct mlb_range *ranges;
	unsigned int n;
	const struct mlb_prefix *open[ADDR_BITS + 1];
	unsigned int depth;
};

/* A later word about the same address counts. */
static void range_emit(struct range_build *b, const struct in6_addr *first,
		       u16 group)
{
	u16 before;

	if (b->n && !addr_cmp(&b->ranges[b->n - 1].first, first))
		b->n--;
	before = b->n ? b->ranges[b->n - 1].group : 0;
	if (group != before)
		b->ranges[b->n++] = (struct mlb_range) {
			.first = *first, .group = group };
}

/* The innermost prefix ends: what is behind it is of the one around it. */
static void range_close(struct range_build *b)
{
	struct in6_addr next = prefix_last(b->open[--b->depth]);

	if (addr_next(&next))
		range_emit(b, &next, b->depth ?
			   b->open[b->depth - 1]->group : 0);
}

unsigned int mlb_range_build(struct mlb_range *ranges,
			     const struct mlb_prefix *prefixes, unsigned int n)
{
	struct range_build b = { .ranges = ranges };

	for (; n--; prefixes++) {
		while (b.depth) {
			struct in6_addr last = prefix_last(b.open[b.depth - 1]);

			if (addr_cmp(&last, &prefixes->addr) >= 0)
				break;
			range_close(&b);
		}
		range_emit(&b, &prefixes->addr, prefixes->group);
		b.open[b.depth++] = prefixes;
	}
	while (b.depth)
		range_close(&b);
	return b.n;
}

u16 mlb_range_find(const struct mlb_range *ranges, unsigned int n,
		   const struct in6_addr *addr)
{
	unsigned int low = 0;

	/* Those before @low begin at the address or before it. */
	while (low < n) {
		unsigned int mid = low + (n - low) / 2;

		if (addr_cmp(&ranges[mid].first, addr) <= 0)
			low = mid + 1;
		else
			n = mid;
	}
	return low ? ranges[low - 1].group : 0;
}
