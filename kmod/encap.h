/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_ENCAP_H
#define _MLB_ENCAP_H

#include <linux/skbuff.h>
#include <net/dst.h>

struct mlb_net;
struct mlb_node;
struct mlb_tunnel;

/**
 * struct mlb_outer - what of the outer headers differs from packet to packet
 * @tos: TOS or traffic class
 * @fragment: the packet may go in fragments; else the path's MTU holds
 * @df: IPv4's DF, if not @fragment
 * @sport: entropy for routers on the way: UDP source port, or flow label
 */
struct mlb_outer {
	u8 tos;
	bool fragment;
	__be16 df;
	__be16 sport;
};

struct dst_entry *mlb_encap_route(struct mlb_net *mn,
				  const struct mlb_tunnel *tun,
				  struct mlb_node *node);
unsigned int mlb_encap_mtu(const struct mlb_node *node,
			   const struct dst_entry *dst);
unsigned int mlb_encap_headroom(const struct mlb_node *node,
				const struct dst_entry *dst);
int mlb_encap_prepare(struct sk_buff *skb, const struct mlb_node *node,
		      const struct dst_entry *dst);
void mlb_encap_xmit(const struct mlb_tunnel *tun, struct sk_buff *skb,
		    const struct mlb_node *node, struct dst_entry *dst,
		    const struct mlb_outer *outer);

#endif
