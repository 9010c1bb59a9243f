/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_NET_CHECKSUM_H
#define _UNIT_NET_CHECKSUM_H

#include <linux/types.h>

struct sk_buff;

/* RFC 1624, equation 3; of a packet whose checksum is all there. */
static inline void inet_proto_csum_replace2(__sum16 *sum, struct sk_buff *skb,
					    __be16 from, __be16 to,
					    bool pseudohdr)
{
	u32 new = (u16)~*sum + (u16)~from + to;

	(void)skb;
	(void)pseudohdr;
	new = (new & 0xffff) + (new >> 16);
	new = (new & 0xffff) + (new >> 16);
	*sum = (u16)~new;
}

#endif
