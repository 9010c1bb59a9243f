/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_RESOLVE_H
#define _MLB_RESOLVE_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "rate.h"
#include "tunhdr.h"

struct mlb_net;
struct mlb_node;

#define MLB_RESOLVE_BITS	10

/**
 * struct mlb_resolve - packets that wait until a peer says whose they are
 * @lock: taken for anything here
 * @hash: struct mlb_pending by key
 * @asking: those that wait for an answer, in the order of their deadlines
 * @negative: those that nobody claimed, in the order of their expiry
 * @n_pending: entries in both lists
 * @n_parked: packets of all entries
 * @parked_bytes: their memory
 * @timer: fires at the first deadline of both lists
 * @queries: rate of queries to all peers
 * @hinted: rate of queries to one
 * @icmp: rate of queries for ICMP errors
 */
struct mlb_resolve {
	spinlock_t lock;	/* see struct mlb_net */
	struct hlist_head hash[1 << MLB_RESOLVE_BITS];
	struct list_head asking;
	struct list_head negative;
	u32 n_pending;
	u32 n_parked;
	u32 parked_bytes;
	struct timer_list timer;
	struct mlb_rate queries;
	struct mlb_rate hinted;
	struct mlb_rate icmp;
};

/**
 * struct mlb_question - what is asked of the peers
 * @kind: enum mlb_tunmsg_kind
 * @token: for a token
 * @tuple: flow of the packet; asked for when @kind says so
 * @seq: of an ACK that may answer a SYN cookie; else 0
 * @ack: likewise
 * @peers: how many peers there are, see mlb_peers_count(); not 0
 * @hint: node that most likely has it and is asked first, or 0
 * @fallback: node without mlb that gets the packet if nobody has it, or 0
 * @weak_self: this host has a TIME_WAIT socket for it
 * @icmp: the packet is an ICMP error
 */
struct mlb_question {
	enum mlb_tunmsg_kind kind;
	u32 token;
	struct mlb_tuple tuple;
	__be32 seq;
	__be32 ack;
	unsigned int peers;
	u16 hint;
	u16 fallback;
	bool weak_self;
	bool icmp;
};

unsigned int mlb_resolve_packet(struct mlb_net *mn, struct sk_buff *skb,
				const struct nf_hook_state *state,
				const struct mlb_question *question);
void mlb_resolve_answer(struct mlb_net *mn, struct mlb_node *sender,
			const struct mlb_tunmsg *msg);

void mlb_resolve_net_init(struct mlb_net *mn);
void mlb_resolve_net_exit(struct mlb_net *mn);

#endif
