/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_TUPLE_H
#define _MLB_TUPLE_H

#include <linux/build_bug.h>
#include <linux/in6.h>
#include <linux/types.h>

/**
 * struct mlb_tuple - one TCP flow as its client sends it
 * @saddr: client address; IPv4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2)
 * @daddr: virtual address, written likewise
 * @sport: client port
 * @dport: service port
 *
 * Both families share one form, so that there is one table and one hash. It
 * has no padding and may be hashed and compared as bytes.
 */
struct mlb_tuple {
	struct in6_addr saddr;
	struct in6_addr daddr;
	__be16 sport;
	__be16 dport;
};

static_assert(sizeof(struct mlb_tuple) == 36);

#endif
