/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_DECIDE_H
#define _MLB_DECIDE_H

#include <linux/types.h>
#include <uapi/linux/mlb.h>

#include "packet.h"

struct mlb_client;
struct mlb_flow;
struct mlb_net;
struct mlb_node;
struct mlb_owner;
struct net_device;
struct sock;

/**
 * struct mlb_decision - where a packet goes, and why
 * @verdict: enum mlb_verdict
 * @rule: enum mlb_rule
 * @reason: enum mlb_reason
 * @node: for MLB_VERDICT_REMOTE where to; for MLB_VERDICT_ASK who most likely
 *	has it, or NULL; valid inside rcu_read_lock()
 * @flow: entry that gave @node, with MLB_REASON_FLOW_ENTRY
 * @stale: entry that holds no longer, or NULL
 * @dead: with MLB_REASON_OWNER_DEAD, whom to tell; NULL for a join
 * @owner: entry that the decision rests on, or NULL
 * @sk: socket that has the flow, with a reference, or NULL; for
 *	MLB_VERDICT_ASK one in TIME_WAIT
 * @peers: for MLB_VERDICT_ASK, how many there are to ask
 * @group: of the client, where a pool was looked for
 */
struct mlb_decision {
	u8 verdict;
	u8 rule;
	u8 reason;
	struct mlb_node *node;
	struct mlb_flow *flow;
	struct mlb_flow *stale;
	struct mlb_owner *owner;
	struct mlb_client *dead;
	struct sock *sk;
	unsigned int peers;
	u16 group;
};

void mlb_decide(struct mlb_net *mn, const struct sk_buff *skb,
		struct mlb_packet *pkt, const struct net_device *dev,
		struct mlb_decision *d);

#endif
