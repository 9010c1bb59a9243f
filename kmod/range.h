/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_RANGE_H
#define _MLB_RANGE_H

#include <linux/in6.h>
#include <linux/types.h>

/**
 * struct mlb_prefix - clients of a group
 * @addr: their network, IPv4 as ::ffff:a.b.c.d; no bit is set behind @len
 * @group: the group; 0 is none
 * @len: bits that are the same, 96 of which are not told for IPv4
 */
struct mlb_prefix {
	struct in6_addr addr;
	u16 group;
	u8 len;
};

/**
 * struct mlb_range - addresses beside each other that are of one group
 * @first: the first of them; the last is before the next range's first
 * @group: their group, or 0
 */
struct mlb_range {
	struct in6_addr first;
	u16 group;
};

/* ::ffff:0:0/96, which an IPv6 prefix must not reach into. */
#define MLB_PREFIX_IPV4_LEN	96

/* Orders prefixes as mlb_range_build() wants them; 0 for the same network. */
int mlb_prefix_cmp(const void *a, const void *b);

/* Whether no bit is set behind the prefix's length. */
bool mlb_prefix_is_network(const struct mlb_prefix *prefix);

/**
 * mlb_range_build() - flatten prefixes into ranges
 * @ranges: where to write; 2 * @n of them are enough
 * @prefixes: in the order of mlb_prefix_cmp(), each network once
 * @n: how many
 *
 * The longest prefix of an address gives its group. Call it from process
 * context; takes time in the order of @n.
 *
 * Return: how many ranges there are.
 */
unsigned int mlb_range_build(struct mlb_range *ranges,
			     const struct mlb_prefix *prefixes, unsigned int n);

/**
 * mlb_range_find() - the group of an address
 * @ranges: what mlb_range_build() wrote
 * @n: how many
 * @addr: the address, IPv4 as ::ffff:a.b.c.d
 *
 * Return: its group; 0 when it is in none.
 */
u16 mlb_range_find(const struct mlb_range *ranges, unsigned int n,
		   const struct in6_addr *addr);

#endif
