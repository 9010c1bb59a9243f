/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_STEER_H
#define _MLB_STEER_H

#include <linux/skbuff.h>
#include <uapi/linux/mlb.h>

#include "tunhdr.h"

struct mlb_net;
struct mlb_node;

/* What netfilter calls a hook's okfn: where the stack goes on. */
typedef int (*mlb_okfn)(struct net *net, struct sock *sk, struct sk_buff *skb);

void mlb_steer_found(struct mlb_net *mn, struct sk_buff *skb,
		     struct mlb_node *node, enum mlb_tunmsg_kind kind,
		     bool claimed);
void mlb_steer_continue(struct mlb_net *mn, struct sk_buff *skb,
			mlb_okfn okfn);

int mlb_steer_hook(struct mlb_net *mn);
void mlb_steer_unhook(struct mlb_net *mn);

#endif
