/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_TUNHDR_H
#define _MLB_TUNHDR_H

#include <linux/build_bug.h>
#include <linux/siphash.h>
#include <linux/types.h>

#include "tuple.h"

/*
 * The header between UDP and what the tunnel carries has the shape of Generic
 * UDP Encapsulation version 0 (draft-ietf-intarea-gue) with 12 bytes of
 * private data:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   |0 0|C|  hlen=3 |  proto/ctype  |            flags=0            |
 *   |         sender node           |   version=1   |       0       |
 *   |                       MAC, 64 bits                            |
 *   |                                                               |
 *
 * C=0: an IPv4 (proto 4) or IPv6 (proto 41) packet of a client follows.
 * C=1: ctype 1 is a query, ctype 2 an answer or what nobody asked for; a struct
 * mlb_tunmsg follows.
 *
 * The MAC is SipHash-2-4 under a key derived from the cluster key, over the
 * first 8 bytes, the receiver's node id and, for a client's packet, its tuple;
 * for a message, all of it. It proves that a member of the cluster sent the
 * packet to this node about this flow. It leaves out what segmentation
 * changes from packet to packet, and so the payload, which TCP's checksum
 * guards as it would without the tunnel.
 *
 * Both structures are read in place, where a packet's headers are aligned to
 * four bytes and no more.
 */
struct mlb_tunhdr {
	u8 shape;
	u8 type;
	__be16 flags;
	__be16 sender;
	u8 version;
	u8 zero;
	__be64 mac;
} __packed __aligned(4);

#define MLB_TUNHDR_HLEN		3
#define MLB_TUNHDR_CONTROL	0x20
#define MLB_TUNHDR_VERSION	1

static_assert(sizeof(struct mlb_tunhdr) == 4 + 4 * MLB_TUNHDR_HLEN);

/**
 * enum mlb_tuntype - what a tunnel packet carries
 * @MLB_TUNTYPE_IPV4: an IPv4 packet of a client
 * @MLB_TUNTYPE_IPV6: an IPv6 packet of a client
 * @MLB_TUNTYPE_QUERY: struct mlb_tunmsg: who has this?
 * @MLB_TUNTYPE_ANSWER: struct mlb_tunmsg: whether the sender has it
 */
enum mlb_tuntype {
	MLB_TUNTYPE_IPV4,
	MLB_TUNTYPE_IPV6,
	MLB_TUNTYPE_QUERY,
	MLB_TUNTYPE_ANSWER,
};

/* What a query asks for. */
enum mlb_tunmsg_kind {
	MLB_TUNMSG_TOKEN = 1,
	MLB_TUNMSG_FLOW = 2,
	MLB_TUNMSG_PROBE = 3,	/* nothing: every peer answers it */
	MLB_TUNMSG_ALIVE = 4,	/* no query: the sender lives */
};

/* How sure an answer is. */
enum mlb_tunmsg_hold {
	MLB_TUNMSG_NO,		/* unasked: of a flow that was sent here */
	MLB_TUNMSG_WEAK,	/* a TIME_WAIT socket, or a token only seen */
	MLB_TUNMSG_YES,
};

/* Most milliseconds between two of MLB_TUNMSG_ALIVE, and most multiplier. */
#define MLB_TUNMSG_INTERVAL_MAX		10000
#define MLB_TUNMSG_MULTIPLIER_MAX	255

/**
 * struct mlb_tunmsg - query, and the answer that repeats it
 * @nonce: chosen by the asker at random for each query; an answer without it
 *	is not heard; 0 in what nobody asked for
 * @kind: enum mlb_tunmsg_kind
 * @hold: enum mlb_tunmsg_hold; 0 in a query; of MLB_TUNMSG_ALIVE, whether the
 *	sender hears the receiver: YES or NO
 * @cpu: CPU that took the first subflow; 0 in a query
 * @token: for a token
 * @tuple: for a flow; zero for anything else
 * @seq: sequence number of the packet, when a flow is asked for that a SYN
 *	cookie may have opened; 0 in an answer
 * @interval: of MLB_TUNMSG_ALIVE instead: milliseconds until the next one; 0
 *	when there will be none
 * @ack: its acknowledgment number; likewise
 * @multiplier: of MLB_TUNMSG_ALIVE instead: so many missing ones mean something
 * @node: in an answer, the node without mlb that has it; 0 if the sender has
 * @zero: for later use
 */
struct mlb_tunmsg {
	__be64 nonce;
	u8 kind;
	u8 hold;
	__be16 cpu;
	__be32 token;
	struct mlb_tuple tuple;
	union {
		__be32 seq;
		__be32 interval;
	};
	union {
		__be32 ack;
		__be32 multiplier;
	};
	__be16 node;
	__be16 zero;
} __packed __aligned(4);

static_assert(sizeof(struct mlb_tunmsg) == 64);

/**
 * mlb_tunhdr_fill() - write a header without its MAC
 */
void mlb_tunhdr_fill(struct mlb_tunhdr *th, enum mlb_tuntype type, u16 sender);

/**
 * mlb_tunhdr_parse() - judge the fixed part of a header
 * @th: the header, all of its bytes present
 * @type: what it carries
 * @sender: node id that it claims; 0 is never returned
 *
 * Return: 0, or -EPROTO for a shape, type, version, flag or reserved field
 * that is not known here. The MAC is not looked at.
 */
int mlb_tunhdr_parse(const struct mlb_tunhdr *th, enum mlb_tuntype *type,
		     u16 *sender);

/**
 * mlb_tunhdr_mac_flow() - MAC of a header in front of a client's packet
 */
__be64 mlb_tunhdr_mac_flow(const struct mlb_tunhdr *th, u16 receiver,
			   const struct mlb_tuple *tuple,
			   const siphash_key_t *key);

/**
 * mlb_tunhdr_mac_msg() - MAC of a header in front of a message
 */
__be64 mlb_tunhdr_mac_msg(const struct mlb_tunhdr *th, u16 receiver,
			  const struct mlb_tunmsg *msg,
			  const siphash_key_t *key);

/**
 * mlb_tunmsg_valid() - whether a message from a peer makes sense
 * @msg: the message, authenticated
 * @type: MLB_TUNTYPE_QUERY or MLB_TUNTYPE_ANSWER
 */
bool mlb_tunmsg_valid(const struct mlb_tunmsg *msg, enum mlb_tuntype type);

#endif
