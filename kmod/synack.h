/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_SYNACK_H
#define _MLB_SYNACK_H

#include <linux/netfilter.h>
#include <linux/types.h>

struct mlb_net;

/**
 * struct mlb_synack - watching the SYN/ACKs of services
 * @ops: IPv4, IPv6
 * @found: jiffies when @mtu was found out
 * @mtu: largest packet that fits the tunnel to every node
 */
struct mlb_synack {
	struct nf_hook_ops ops[2];
	unsigned long found;
	u32 mtu;
};

int mlb_synack_hook(struct mlb_net *mn);
void mlb_synack_unhook(struct mlb_net *mn);

#endif
