/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_PROBE_H
#define _MLB_PROBE_H

#include <linux/netlink.h>
#include <linux/spinlock.h>

#include "tunhdr.h"

struct mlb_net;
struct mlb_node;

/**
 * struct mlb_probe - whether a node answers
 * @lock: of what follows; taken in softirq context too
 * @nonce: what its answer must repeat; 0 when none is awaited
 * @sent: ktime_get_ns() of the last probe
 * @rtt: microseconds until its answer came, at least 1; 0 while there is none
 */
struct mlb_probe {
	spinlock_t lock;	/* a leaf, as those in struct mlb_net */
	__be64 nonce;
	u64 sent;
	u32 rtt;
};

void mlb_probe_init(struct mlb_probe *probe);
int mlb_probe_send(struct mlb_net *mn, struct mlb_node *node,
		   struct netlink_ext_ack *extack);
void mlb_probe_answer(struct mlb_net *mn, struct mlb_node *sender,
		      const struct mlb_tunmsg *msg);
u32 mlb_probe_rtt(const struct mlb_node *node);

#endif
