/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_NET_IPV6_H
#define _UNIT_NET_IPV6_H

#include <string.h>

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>

#define IPV6_MIN_MTU	1280
#define IP6_MF		0x0001
#define IP6_OFFSET	0xFFF8

static inline void ipv6_addr_set_v4mapped(__be32 addr, struct in6_addr *to)
{
	memset(to, 0, sizeof(*to));
	to->s6_addr[10] = 0xff;
	to->s6_addr[11] = 0xff;
	memcpy(to->s6_addr + 12, &addr, sizeof(addr));
}

static inline bool ipv6_addr_v4mapped(const struct in6_addr *addr)
{
	static const u8 mapped[12] = { [10] = 0xff, 0xff };

	return !memcmp(addr, mapped, sizeof(mapped));
}

static inline bool ipv6_addr_equal(const struct in6_addr *a,
				   const struct in6_addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static inline bool ipv6_ext_hdr(u8 nexthdr)
{
	return nexthdr == IPPROTO_HOPOPTS || nexthdr == IPPROTO_ROUTING ||
	       nexthdr == IPPROTO_FRAGMENT || nexthdr == IPPROTO_AH ||
	       nexthdr == IPPROTO_NONE || nexthdr == IPPROTO_DSTOPTS;
}

/*
 * As the kernel's: what it tells of fragments is the last such header's, and
 * it stops at one that is not the first of its packet.
 */
static inline int ipv6_skip_exthdr(const struct sk_buff *skb, int start,
				   u8 *nexthdr, __be16 *frag_off)
{
	*frag_off = 0;
	while (ipv6_ext_hdr(*nexthdr)) {
		u8 buf[4], len;
		const u8 *p;

		if (*nexthdr == IPPROTO_NONE)
			return -1;
		p = skb_header_pointer(skb, start, 2, buf);
		if (!p)
			return -1;
		len = p[1];
		if (*nexthdr == IPPROTO_FRAGMENT) {
			p = skb_header_pointer(skb, start, 4, buf);
			if (!p)
				return -1;
			memcpy(frag_off, p + 2, sizeof(*frag_off));
			if (*frag_off & htons(IP6_OFFSET))
				break;
			start += 8;
		} else {
			start += *nexthdr == IPPROTO_AH ? (len + 2) * 4 :
							  (len + 1) * 8;
		}
		*nexthdr = p[0];
	}
	return start;
}

#endif
