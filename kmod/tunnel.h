/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_TUNNEL_H
#define _MLB_TUNNEL_H

#include <linux/in6.h>
#include <linux/netlink.h>
#include <linux/skbuff.h>

#include "net.h"
#include "tunhdr.h"

struct mlb_node;

/**
 * struct mlb_tunnel - this host's end of the tunnel
 *
 * Exists while a node is self. Never changes once published; a new port
 * makes a new one.
 *
 * @sock: UDP socket, bound to the self node's address
 * @dev: mlb0
 * @saddr: the self node's address, IPv4 as ::ffff:a.b.c.d
 * @port: UDP port here and on every peer
 * @self: id of the self node
 */
struct mlb_tunnel {
	struct socket *sock;
	struct net_device *dev;
	struct in6_addr saddr;
	__be16 port;
	u16 self;
};

int mlb_tunnel_open(struct mlb_net *mn, u16 self, const struct in6_addr *addr,
		    u16 port, struct netlink_ext_ack *extack);
int mlb_tunnel_move(struct mlb_net *mn, u16 port,
		    struct netlink_ext_ack *extack);
void mlb_tunnel_close(struct mlb_net *mn);

void mlb_tunnel_send(struct mlb_net *mn, struct sk_buff *skb,
		     struct mlb_node *node, const struct mlb_tuple *tuple,
		     unsigned int thoff, __be16 sport);
bool mlb_tunnel_send_msg(struct mlb_net *mn, struct mlb_node *node,
			 enum mlb_tuntype type, const struct mlb_tunmsg *msg);

u32 mlb_tunnel_mtu(struct mlb_net *mn);

int mlb_tunnel_rcv(struct sock *sk, struct sk_buff *skb);
int mlb_tunnel_err_lookup(struct sock *sk, struct sk_buff *skb);

#endif
