// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "tunhdr.h"

/* Control types, where GUE has an IP protocol number for data. */
#define CTYPE_QUERY	1
#define CTYPE_ANSWER	2

static const struct {
	u8 shape;
	u8 type;
} wire[] = {
	[MLB_TUNTYPE_IPV4]   = { MLB_TUNHDR_HLEN, IPPROTO_IPIP },
	[MLB_TUNTYPE_IPV6]   = { MLB_TUNHDR_HLEN, IPPROTO_IPV6 },
	[MLB_TUNTYPE_QUERY]  = { MLB_TUNHDR_CONTROL | MLB_TUNHDR_HLEN,
				 CTYPE_QUERY },
	[MLB_TUNTYPE_ANSWER] = { MLB_TUNHDR_CONTROL | MLB_TUNHDR_HLEN,
				 CTYPE_ANSWER },
};

void mlb_tunhdr_fill(struct mlb_tunhdr *th, enum mlb_tuntype type, u16 sender)
{
	memset(th, 0, sizeof(*th));
	th->shape = wire[type].shape;
	th->type = wire[type].type;
	th->sender = cpu_to_be16(sender);
	th->version = MLB_TUNHDR_VERSION;
}

int mlb_tunhdr_parse(const struct mlb_tunhdr *th, enum mlb_tuntype *type,
		     u16 *sender)
{
	unsigned int i;

	if (th->flags || th->version != MLB_TUNHDR_VERSION || th->zero ||
	    !th->sender)
		return -EPROTO;

	for (i = 0; i < ARRAY_SIZE(wire); i++) {
		if (th->shape == wire[i].shape && th->type == wire[i].type) {
			*type = i;
			*sender = be16_to_cpu(th->sender);
			return 0;
		}
	}
	return -EPROTO;
}

/*
 * What the MAC covers, in the order of the wire. The reserved bytes fill it to
 * whole words of SipHash; they are zero. The two forms cannot be taken for
 * each other: their lengths differ, and so does the type within.
 */
struct mac_head {
	u8 fixed[offsetof(struct mlb_tunhdr, mac)];
	__be16 receiver;
};

static_assert(sizeof(struct mac_head) == 10);

struct mac_flow {
	struct mac_head head;
	u8 tuple[sizeof(struct mlb_tuple)];
	u8 zero[2];
} __aligned(SIPHASH_ALIGNMENT);

static_assert(sizeof(struct mac_flow) == 48);

struct mac_msg {
	struct mac_head head;
	u8 msg[sizeof(struct mlb_tunmsg)];
	u8 zero[6];
} __aligned(SIPHASH_ALIGNMENT);

static_assert(sizeof(struct mac_msg) == 80);

static void mac_head_fill(struct mac_head *head, const struct mlb_tunhdr *th,
			  u16 receiver)
{
	memcpy(head->fixed, th, sizeof(head->fixed));
	head->receiver = cpu_to_be16(receiver);
}

__be64 mlb_tunhdr_mac_flow(const struct mlb_tunhdr *th, u16 receiver,
			   const struct mlb_tuple *tuple,
			   const siphash_key_t *key)
{
	struct mac_flow in = {};

	mac_head_fill(&in.head, th, receiver);
	memcpy(in.tuple, tuple, sizeof(in.tuple));
	return cpu_to_be64(siphash(&in, sizeof(in), key));
}

__be64 mlb_tunhdr_mac_msg(const struct mlb_tunhdr *th, u16 receiver,
			  const struct mlb_tunmsg *msg,
			  const siphash_key_t *key)
{
	struct mac_msg in = {};

	mac_head_fill(&in.head, th, receiver);
	memcpy(in.msg, msg, sizeof(in.msg));
	return cpu_to_be64(siphash(&in, sizeof(in), key));
}

static bool tuple_is_zero(const struct mlb_tuple *tuple)
{
	return !memchr_inv(tuple, 0, sizeof(*tuple));
}

static bool alive_is_valid(const struct mlb_tunmsg *msg)
{
	u32 multiplier = be32_to_cpu(msg->multiplier);

	return !msg->nonce && !msg->cpu && !msg->token && !msg->node &&
	       tuple_is_zero(&msg->tuple) && msg->hold != MLB_TUNMSG_WEAK &&
	       be32_to_cpu(msg->interval) <= MLB_TUNMSG_INTERVAL_MAX &&
	       multiplier && multiplier <= MLB_TUNMSG_MULTIPLIER_MAX;
}

bool mlb_tunmsg_valid(const struct mlb_tunmsg *msg, enum mlb_tuntype type)
{
	switch (type) {
	case MLB_TUNTYPE_QUERY:
		if (msg->hold || msg->cpu || msg->node ||
		    msg->kind == MLB_TUNMSG_ALIVE)
			return false;
		break;
	case MLB_TUNTYPE_ANSWER:
		if ((msg->hold == MLB_TUNMSG_NO &&
		     msg->kind == MLB_TUNMSG_PROBE) ||
		    msg->hold > MLB_TUNMSG_YES)
			return false;
		if ((msg->seq || msg->ack) && msg->kind != MLB_TUNMSG_ALIVE)
			return false;
		break;
	default:
		return false;
	}

	switch (msg->kind) {
	case MLB_TUNMSG_TOKEN:
		if (!msg->token || !tuple_is_zero(&msg->tuple) || msg->seq ||
		    msg->ack)
			return false;
		break;
	case MLB_TUNMSG_FLOW:
		if (msg->token)
			return false;
		break;
	case MLB_TUNMSG_PROBE:
		if (msg->token || !tuple_is_zero(&msg->tuple) || msg->seq ||
		    msg->ack)
			return false;
		break;
	case MLB_TUNMSG_ALIVE:
		if (!alive_is_valid(msg))
			return false;
		break;
	default:
		return false;
	}
	return !msg->zero;
}
