// SPDX-License-Identifier: GPL-2.0
/*
 * The tunnel's end on this host: its socket, and what goes in.
 */
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/dst_cache.h>
#include <net/inet_ecn.h>
#include <net/ip6_route.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/udp_tunnel.h>

#include "device.h"
#include "learn.h"
#include "net.h"
#include "node.h"
#include "tunnel.h"

/* Where a tunnel packet goes. */
struct tunnel_route {
	bool ipv6;
	struct dst_entry *dst;		/* a reference */
	struct in6_addr saddr;
};

static bool tunnel_route_ipv4(struct mlb_net *mn, const struct mlb_tunnel *tun,
			      struct mlb_node *node, struct tunnel_route *route)
{
	struct flowi4 fl4 = {
		.flowi4_proto = IPPROTO_UDP,
		.daddr = node->addr.s6_addr32[3],
		.saddr = tun->saddr.s6_addr32[3],
		.fl4_dport = tun->port,
	};
	struct rtable *rt;
	__be32 saddr;

	rt = dst_cache_get_ip4(&node->dst_cache, &saddr);
	if (!rt) {
		rt = ip_route_output_key(mn->net, &fl4);
		if (IS_ERR(rt))
			return false;
		dst_cache_set_ip4(&node->dst_cache, &rt->dst, fl4.saddr);
	}
	route->dst = &rt->dst;
	return true;
}

static bool tunnel_route_ipv6(struct mlb_net *mn, const struct mlb_tunnel *tun,
			      struct mlb_node *node, struct tunnel_route *route)
{
	struct flowi6 fl6 = {
		.flowi6_proto = IPPROTO_UDP,
		.daddr = node->addr,
		.saddr = tun->saddr,
		.fl6_dport = tun->port,
	};
	struct dst_entry *dst;
	struct in6_addr saddr;

	dst = dst_cache_get_ip6(&node->dst_cache, &saddr);
	if (!dst) {
		dst = ip6_dst_lookup_flow(mn->net, tun->sock->sk, &fl6, NULL);
		if (IS_ERR(dst))
			return false;
		dst_cache_set_ip6(&node->dst_cache, dst, &fl6.saddr);
	}
	route->dst = dst;
	return true;
}

/* Softirq context. On success @route has a reference to the route. */
static bool tunnel_route(struct mlb_net *mn, const struct mlb_tunnel *tun,
			 struct mlb_node *node, struct tunnel_route *route)
{
	route->saddr = tun->saddr;
	route->ipv6 = !ipv6_addr_v4mapped(&node->addr);
	return route->ipv6 ? tunnel_route_ipv6(mn, tun, node, route) :
			     tunnel_route_ipv4(mn, tun, node, route);
}

/* Bytes that stand in front of what the tunnel carries. */
static unsigned int tunnel_headroom(const struct tunnel_route *route)
{
	return LL_RESERVED_SPACE(route->dst->dev) + route->dst->header_len +
	       (route->ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)) +
	       sizeof(struct udphdr) + sizeof(struct mlb_tunhdr);
}

/* Takes @skb, with the tunnel header in front, and the route's reference. */
static void tunnel_xmit(const struct mlb_tunnel *tun, struct sk_buff *skb,
			struct mlb_node *node, const struct tunnel_route *route,
			u8 tos, __be16 sport)
{
	struct dst_entry *dst = route->dst;
	struct sock *sk = tun->sock->sk;

	skb->dev = tun->dev;	/* whose transmit counters go up */
	if (route->ipv6)
		udp_tunnel6_xmit_skb(dst, sk, skb, tun->dev, &route->saddr,
				     &node->addr, tos, ip6_dst_hoplimit(dst), 0,
				     sport, tun->port, true, 0);
	else
		udp_tunnel_xmit_skb(dst_rtable(dst), sk, skb,
				    route->saddr.s6_addr32[3],
				    node->addr.s6_addr32[3], tos,
				    ip4_dst_hoplimit(dst), 0, sport, tun->port,
				    false, true, 0);
}

/**
 * mlb_tunnel_send() - send a client's packet to the node that has its flow
 * @mn: the namespace
 * @skb: the packet, skb->data at its IP header; taken
 * @node: the node
 * @tuple: the flow
 * @thoff: offset of the TCP header
 * @sport: UDP source port, see mlb_flow_sport()
 *
 * Softirq context, inside rcu_read_lock().
 */
void mlb_tunnel_send(struct mlb_net *mn, struct sk_buff *skb,
		     struct mlb_node *node, const struct mlb_tuple *tuple,
		     unsigned int thoff, __be16 sport)
{
	bool ipv6 = skb->protocol == htons(ETH_P_IPV6);
	const struct mlb_key *key = rcu_dereference(mn->key);
	struct mlb_tunnel *tun = rcu_dereference(mn->tunnel);
	struct tunnel_route route;
	struct mlb_tunhdr *th;
	u8 tos;

	if (unlikely(!tun || !key)) {
		mlb_count(mn, TUNNEL_TX_KEY);
		goto drop;
	}
	if (unlikely(skb_warn_if_lro(skb)))
		goto drop;
	if (unlikely(!tunnel_route(mn, tun, node, &route))) {
		mlb_count(mn, TUNNEL_TX_ROUTE);
		goto drop;
	}

	/* What receiving has attached is no business of sending: a receive
	 * time stamp would be a departure time to fq.
	 */
	skb_scrub_packet(skb, false);
	skb_clear_tstamp(skb);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, thoff);
	if (unlikely(skb_cow_head(skb, tunnel_headroom(&route)) ||
		     udp_tunnel_handle_offloads(skb, false))) {
		dst_release(route.dst);
		mlb_count(mn, TUNNEL_TX_MEMORY);
		goto drop;
	}
	skb_set_inner_protocol(skb, skb->protocol);
	tos = INET_ECN_encapsulate(0, ipv6 ? ipv6_get_dsfield(ipv6_hdr(skb)) :
					     ip_hdr(skb)->tos);

	th = __skb_push(skb, sizeof(*th));
	mlb_tunhdr_fill(th, ipv6 ? MLB_TUNTYPE_IPV6 : MLB_TUNTYPE_IPV4,
			tun->self);
	th->mac = mlb_tunhdr_mac_flow(th, node->id, tuple, &key->mac);
	mlb_count(mn, TUNNEL_TX);
	tunnel_xmit(tun, skb, node, &route, tos, sport);
	return;
drop:
	kfree_skb(skb);
}

/**
 * mlb_tunnel_send_msg() - send a query or an answer to a node
 * @mn: the namespace
 * @node: the node
 * @type: MLB_TUNTYPE_QUERY or MLB_TUNTYPE_ANSWER
 * @msg: the message
 *
 * Softirq context, inside rcu_read_lock().
 *
 * Return: whether it was sent. A failure is counted.
 */
bool mlb_tunnel_send_msg(struct mlb_net *mn, struct mlb_node *node,
			 enum mlb_tuntype type, const struct mlb_tunmsg *msg)
{
	const struct mlb_key *key = rcu_dereference(mn->key);
	struct mlb_tunnel *tun = rcu_dereference(mn->tunnel);
	struct tunnel_route route;
	struct mlb_tunhdr *th;
	struct sk_buff *skb;

	if (!tun || !key) {
		mlb_count(mn, TUNNEL_TX_KEY);
		return false;
	}
	if (!tunnel_route(mn, tun, node, &route)) {
		mlb_count(mn, TUNNEL_TX_ROUTE);
		return false;
	}
	skb = alloc_skb(tunnel_headroom(&route) + sizeof(*msg), GFP_ATOMIC);
	if (!skb) {
		dst_release(route.dst);
		mlb_count(mn, TUNNEL_TX_MEMORY);
		return false;
	}
	skb_reserve(skb, tunnel_headroom(&route));
	skb_put_data(skb, msg, sizeof(*msg));
	skb_reset_inner_headers(skb);	/* mlb0 counts from here */
	th = __skb_push(skb, sizeof(*th));
	mlb_tunhdr_fill(th, type, tun->self);
	th->mac = mlb_tunhdr_mac_msg(th, node->id, msg, &key->mac);
	skb->protocol = htons(route.ipv6 ? ETH_P_IPV6 : ETH_P_IP);
	tunnel_xmit(tun, skb, node, &route, 0, tun->port);
	return true;
}

static struct socket *tunnel_socket(struct mlb_net *mn,
				    const struct in6_addr *addr, u16 port,
				    struct netlink_ext_ack *extack)
{
	struct udp_tunnel_sock_cfg sock_cfg = {
		.sk_user_data = mn,
		.encap_type = 1,
		.encap_rcv = mlb_tunnel_rcv,
	};
	struct udp_port_cfg port_cfg = {
		.local_udp_port = htons(port),
		.use_udp6_rx_checksums = false,
		.use_udp6_tx_checksums = false,
		.ipv6_v6only = true,
	};
	struct socket *sock;
	int err;

	if (ipv6_addr_v4mapped(addr)) {
		port_cfg.family = AF_INET;
		port_cfg.local_ip.s_addr = addr->s6_addr32[3];
	} else {
		port_cfg.family = AF_INET6;
		port_cfg.local_ip6 = *addr;
	}
	err = udp_sock_create(mn->net, &port_cfg, &sock);
	if (err == -EADDRNOTAVAIL)
		NL_SET_ERR_MSG(extack, "the self node's address is not an address of this host");
	else if (err == -EADDRINUSE)
		NL_SET_ERR_MSG(extack, "the tunnel's UDP port is in use on this host");
	else if (err)
		NL_SET_ERR_MSG(extack, "cannot open the tunnel's UDP socket");
	if (err)
		return ERR_PTR(err);
	setup_udp_tunnel_sock(mn->net, sock->sk, &sock_cfg);
	return sock;
}

/**
 * mlb_tunnel_open() - become a node
 * @mn: the namespace
 * @self: id of the self node
 * @addr: its address
 * @port: UDP port
 * @extack: why not
 *
 * Caller must hold &mlb_net.lock; there is no tunnel yet.
 *
 * Return: 0 or a negative errno.
 */
int mlb_tunnel_open(struct mlb_net *mn, u16 self, const struct in6_addr *addr,
		    u16 port, struct netlink_ext_ack *extack)
{
	struct mlb_tunnel *tun;
	int err;

	lockdep_assert_held(&mn->lock);

	tun = kzalloc(sizeof(*tun), GFP_KERNEL);
	if (!tun)
		return -ENOMEM;
	tun->saddr = *addr;
	tun->port = htons(port);
	tun->self = self;
	tun->dev = mlb_device_create(mn->net, extack);
	if (IS_ERR(tun->dev)) {
		err = PTR_ERR(tun->dev);
		goto err_free;
	}
	tun->sock = tunnel_socket(mn, addr, port, extack);
	if (IS_ERR(tun->sock)) {
		err = PTR_ERR(tun->sock);
		goto err_device;
	}
	rcu_assign_pointer(mn->tunnel, tun);
	return 0;

err_device:
	mlb_device_destroy(tun->dev);
err_free:
	kfree(tun);
	return err;
}

/**
 * mlb_tunnel_move() - change the UDP port
 * @mn: the namespace
 * @port: the new one
 * @extack: why not
 *
 * Caller must hold &mlb_net.lock. Without a tunnel there is nothing to do.
 *
 * Return: 0, or a negative errno when the tunnel stays as it was.
 */
int mlb_tunnel_move(struct mlb_net *mn, u16 port,
		    struct netlink_ext_ack *extack)
{
	struct mlb_tunnel *old = mlb_dereference(mn, mn->tunnel);
	struct mlb_tunnel *tun;

	if (!old || old->port == htons(port))
		return 0;
	tun = kmemdup(old, sizeof(*old), GFP_KERNEL);
	if (!tun)
		return -ENOMEM;
	tun->port = htons(port);
	tun->sock = tunnel_socket(mn, &tun->saddr, port, extack);
	if (IS_ERR(tun->sock)) {
		int err = PTR_ERR(tun->sock);

		kfree(tun);
		return err;
	}
	rcu_assign_pointer(mn->tunnel, tun);
	synchronize_net();
	udp_tunnel_sock_release(old->sock->sk);
	kfree(old);
	return 0;
}

/**
 * mlb_tunnel_close() - be a node no more
 * @mn: the namespace
 *
 * Withdraws what this host owns. Caller must hold &mlb_net.lock, or have the
 * namespace for itself.
 */
void mlb_tunnel_close(struct mlb_net *mn)
{
	struct mlb_tunnel *tun = rcu_replace_pointer(mn->tunnel, NULL,
						     lockdep_is_held(&mn->lock));

	if (!tun)
		return;
	synchronize_net();
	udp_tunnel_sock_release(tun->sock->sk);
	mlb_device_destroy(tun->dev);
	kfree(tun);
	mlb_learn_forget(mn);
}
