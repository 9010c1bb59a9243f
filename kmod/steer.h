/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_STEER_H
#define _MLB_STEER_H

#include <linux/skbuff.h>
#include <uapi/linux/mlb.h>

#include "tunhdr.h"

struct mlb_net;
struct mlb_node;
struct sock;

struct sock *mlb_steer_socket(struct mlb_net *mn, const struct mlb_tuple *t,
			      const struct net_device *dev);
bool mlb_steer_socket_is_past(const struct sock *sk);
void mlb_steer_found(struct mlb_net *mn, struct sk_buff *skb,
		     struct mlb_node *node, enum mlb_tunmsg_kind kind);
void mlb_steer_continue(struct mlb_net *mn, struct sk_buff *skb,
			int (*okfn)(struct net *net, struct sock *sk,
				    struct sk_buff *skb));

int mlb_steer_hook(struct mlb_net *mn);
void mlb_steer_unhook(struct mlb_net *mn);

#endif
