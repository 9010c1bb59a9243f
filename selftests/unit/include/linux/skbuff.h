/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A packet of two pieces: what is linear, and the rest. Each is in memory of
 * just its size, so that ASan sees whoever takes one for the other.
 */
#ifndef _UNIT_LINUX_SKBUFF_H
#define _UNIT_LINUX_SKBUFF_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>
#include <linux/types.h>

struct sk_buff {
	unsigned char *data;		/* the linear part */
	unsigned int len;		/* of both parts */
	unsigned int data_len;		/* of the rest */
	const unsigned char *rest;
	bool no_memory;			/* for who wants to write */
};

static inline int skb_copy_bits(const struct sk_buff *skb, int offset,
				void *to, int len)
{
	int linear = skb->len - skb->data_len;
	unsigned char *p = to;

	if (offset > (int)skb->len - len)
		return -EFAULT;
	for (; len; len--, offset++)
		*p++ = offset < linear ? skb->data[offset] :
					 skb->rest[offset - linear];
	return 0;
}

static inline void *skb_header_pointer(const struct sk_buff *skb, int offset,
				       int len, void *buffer)
{
	if ((int)(skb->len - skb->data_len) - offset >= len)
		return skb->data + offset;
	return skb_copy_bits(skb, offset, buffer, len) ? NULL : buffer;
}

/* What pointed into the linear part before points to nothing after. */
static inline int skb_ensure_writable(struct sk_buff *skb, unsigned int len)
{
	unsigned int linear = skb->len - skb->data_len;
	unsigned char *data;

	if (skb->no_memory || len > skb->len)
		return -ENOMEM;
	if (len < linear)
		len = linear;
	data = malloc(len);
	if (!data)
		return -ENOMEM;
	skb_copy_bits(skb, 0, data, len);
	free(skb->data);
	skb->data = data;
	skb->rest += len - linear;
	skb->data_len -= len - linear;
	return 0;
}

#endif
