/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_PENDING_H
#define _MLB_PENDING_H

#include <linux/list.h>
#include <linux/skbuff.h>

#include "steer.h"
#include "tunhdr.h"

struct mlb_net;
struct mlb_node;

/* Packets that wait for one answer. */
#define MLB_PENDING_PACKETS	8

struct mlb_resolve_key {
	u32 kind;
	u32 token;
	struct mlb_tuple tuple;	/* zero for a token */
};

enum mlb_pending_state {
	PENDING_FIRST,		/* asked once */
	PENDING_AGAIN,		/* asked again */
	PENDING_LATE,		/* the timer was late; answers get their turn */
	PENDING_NEGATIVE,	/* nobody claims it */
};

/**
 * struct mlb_pending - a question and the packets that wait for its answer
 * @hash: in &mlb_resolve.hash
 * @list: in &mlb_resolve.asking or .negative
 * @key: the question
 * @state: see above
 * @deadline: jiffies when that changes; lists are in this order
 * @asked: jiffies of the first question
 * @nonce: what an answer must repeat
 * @seq: see struct mlb_tunmsg
 * @ack: likewise
 * @queue: the packets; each keeps a reference to its device
 * @okfn: where the local stack goes on with each of them, in their order
 * @weak_node: node that gets them if nobody surely has the flow: one that has a
 *	TIME_WAIT socket for it, or one without mlb that the scheduler names; or 0
 * @weak_self: this host has one
 * @asked_all: all peers were asked, so that silence means something
 * @more: there are more peers to wait for than @waits has room for
 * @n_waits: nodes that were asked and have not answered
 * @max_waits: room for them
 * @waits: their ids
 */
struct mlb_pending {
	struct hlist_node hash;
	struct list_head list;
	struct mlb_resolve_key key;
	enum mlb_pending_state state;
	unsigned long deadline;
	unsigned long asked;
	__be64 nonce;
	__be32 seq;
	__be32 ack;
	struct sk_buff_head queue;
	mlb_okfn okfn[MLB_PENDING_PACKETS];
	u16 weak_node;
	bool weak_self;
	bool asked_all;
	bool more;
	u16 n_waits;
	u16 max_waits;
	u16 waits[] __counted_by(max_waits);
};

void mlb_pending_await(struct mlb_pending *pending,
		       const struct mlb_node *node);
void mlb_pending_await_all(struct mlb_net *mn, struct mlb_pending *pending);
void mlb_pending_answered(struct mlb_pending *pending, u16 id);
bool mlb_pending_all_answered(struct mlb_net *mn,
			      const struct mlb_pending *pending);
bool mlb_pending_misses(struct mlb_net *mn, const struct mlb_pending *pending);

#endif
