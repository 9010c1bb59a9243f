// SPDX-License-Identifier: GPL-2.0
/*
 * The outer headers of what goes to another node: the route, the room that
 * they take, and putting them on. What stands before the client's packet:
 *
 *	encapsulation	outer header, IPv4 or IPv6	over IPv4   over IPv6
 *	mlb		IP, UDP, struct mlb_tunhdr	44 bytes    64 bytes
 *	GUE		IP, UDP, 4 bytes		32	    52
 *	IPIP		IP				20	    40
 *
 * mlb's own is for nodes that run mlb, the others for plain decapsulators.
 * Those have no key, and so no MAC. ICMP errors about what was sent to them
 * find no socket here: the MTU on the way to a plain node must be that of the
 * route to it.
 */
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/dst_cache.h>
#include <net/gue.h>
#include <net/ip6_route.h>
#include <net/ip6_tunnel.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/udp_tunnel.h>

#include "encap.h"
#include "net.h"
#include "node.h"
#include "tunnel.h"

static bool encap_is_ipv6(const struct mlb_node *node)
{
	return !ipv6_addr_v4mapped(&node->addr);
}

static u8 encap_proto(const struct mlb_node *node)
{
	if (node->encap != MLB_ENCAP_IPIP)
		return IPPROTO_UDP;
	return encap_is_ipv6(node) ? IPPROTO_IPV6 : IPPROTO_IPIP;
}

static __be16 encap_dport(const struct mlb_tunnel *tun,
			  const struct mlb_node *node)
{
	return node->encap == MLB_ENCAP_GUE ? node->encap_port : tun->port;
}

static struct dst_entry *encap_route_ipv4(struct mlb_net *mn,
					  const struct mlb_tunnel *tun,
					  struct mlb_node *node)
{
	struct flowi4 fl4 = {
		.flowi4_proto = encap_proto(node),
		.daddr = node->addr.s6_addr32[3],
		.saddr = tun->saddr.s6_addr32[3],
	};
	struct rtable *rt;
	__be32 saddr;

	rt = dst_cache_get_ip4(&node->dst_cache, &saddr);
	if (likely(rt))
		return &rt->dst;
	if (fl4.flowi4_proto == IPPROTO_UDP)
		fl4.fl4_dport = encap_dport(tun, node);
	rt = ip_route_output_key(mn->net, &fl4);
	if (IS_ERR(rt))
		return NULL;
	dst_cache_set_ip4(&node->dst_cache, &rt->dst, fl4.saddr);
	return &rt->dst;
}

static struct dst_entry *encap_route_ipv6(struct mlb_net *mn,
					  const struct mlb_tunnel *tun,
					  struct mlb_node *node)
{
	struct flowi6 fl6 = {
		.flowi6_proto = encap_proto(node),
		.daddr = node->addr,
		.saddr = tun->saddr,
	};
	struct dst_entry *dst;
	struct in6_addr saddr;

	dst = dst_cache_get_ip6(&node->dst_cache, &saddr);
	if (likely(dst))
		return dst;
	if (fl6.flowi6_proto == IPPROTO_UDP)
		fl6.fl6_dport = encap_dport(tun, node);
	dst = ip6_dst_lookup_flow(mn->net, tun->sock->sk, &fl6, NULL);
	if (IS_ERR(dst))
		return NULL;
	dst_cache_set_ip6(&node->dst_cache, dst, &fl6.saddr);
	return dst;
}

/**
 * mlb_encap_route() - the route to a node
 * @mn: the namespace
 * @tun: this host's end of the tunnel
 * @node: the node
 *
 * Softirqs off, inside rcu_read_lock().
 *
 * Return: the route with a reference, or NULL when there is none.
 */
struct dst_entry *mlb_encap_route(struct mlb_net *mn,
				  const struct mlb_tunnel *tun,
				  struct mlb_node *node)
{
	return encap_is_ipv6(node) ? encap_route_ipv6(mn, tun, node) :
				     encap_route_ipv4(mn, tun, node);
}

/* Bytes that stand before what the tunnel carries. */
static unsigned int encap_overhead(const struct mlb_node *node)
{
	unsigned int len = encap_is_ipv6(node) ? sizeof(struct ipv6hdr) :
						 sizeof(struct iphdr);

	switch (node->encap) {
	case MLB_ENCAP_IPIP:
		return len;
	case MLB_ENCAP_GUE:
		return len + sizeof(struct udphdr) + sizeof(struct guehdr);
	default:
		return len + sizeof(struct udphdr) + sizeof(struct mlb_tunhdr);
	}
}

/**
 * mlb_encap_mtu() - largest client's packet that goes to a node in one piece
 * @node: the node
 * @dst: the route to it, whose MTU is the path's as far as it is known
 */
unsigned int mlb_encap_mtu(const struct mlb_node *node,
			   const struct dst_entry *dst)
{
	unsigned int mtu = dst_mtu(dst), overhead = encap_overhead(node);

	return mtu > overhead ? mtu - overhead : 0;
}

/**
 * mlb_encap_headroom() - room that all headers to come need
 * @node: the node
 * @dst: the route to it
 */
unsigned int mlb_encap_headroom(const struct mlb_node *node,
				const struct dst_entry *dst)
{
	return LL_RESERVED_SPACE(dst->dev) + dst->header_len +
	       encap_overhead(node);
}

/**
 * mlb_encap_prepare() - make a client's packet ready for outer headers
 * @skb: the packet, with MAC, network and transport header set
 * @node: the node that it goes to
 * @dst: the route to it
 *
 * Sees to it that the headers have room, and that segmentation finds its way
 * behind them.
 *
 * Return: 0 or a negative errno.
 */
int mlb_encap_prepare(struct sk_buff *skb, const struct mlb_node *node,
		      const struct dst_entry *dst)
{
	int err = skb_cow_head(skb, mlb_encap_headroom(node, dst));

	if (err)
		return err;
	if (node->encap != MLB_ENCAP_IPIP) {
		skb_set_inner_protocol(skb, skb->protocol);
		return udp_tunnel_handle_offloads(skb, false);
	}
	skb_set_inner_ipproto(skb, skb->protocol == htons(ETH_P_IPV6) ?
				   IPPROTO_IPV6 : IPPROTO_IPIP);
	return iptunnel_handle_offloads(skb, encap_is_ipv6(node) ?
					     SKB_GSO_IPXIP6 : SKB_GSO_IPXIP4);
}

static void encap_push_gue(struct sk_buff *skb, u8 proto)
{
	struct guehdr *gue = __skb_push(skb, sizeof(*gue));

	memset(gue, 0, sizeof(*gue));
	gue->proto_ctype = proto;
}

static void encap_xmit_ipip6(const struct mlb_tunnel *tun, struct sk_buff *skb,
			     const struct mlb_node *node, struct dst_entry *dst,
			     const struct mlb_outer *outer, u8 proto)
{
	struct ipv6hdr *ip6h = __skb_push(skb, sizeof(*ip6h));

	skb_reset_network_header(skb);
	ip6_flow_hdr(ip6h, outer->tos, htonl(ntohs(outer->sport)));
	ip6h->hop_limit = ip6_dst_hoplimit(dst);
	ip6h->nexthdr = proto;
	ip6h->saddr = tun->saddr;
	ip6h->daddr = node->addr;
	skb_dst_set(skb, dst);
	ip6tunnel_xmit(tun->sock->sk, skb, tun->dev, 0);
}

/**
 * mlb_encap_xmit() - put the outer headers on and send
 * @tun: this host's end of the tunnel
 * @skb: the packet, behind mlb's own header if the node wants that; taken
 * @node: the node that it goes to
 * @dst: the route to it; the reference is taken
 * @outer: the rest of the headers
 *
 * Softirqs off, inside rcu_read_lock().
 */
void mlb_encap_xmit(const struct mlb_tunnel *tun, struct sk_buff *skb,
		    const struct mlb_node *node, struct dst_entry *dst,
		    const struct mlb_outer *outer)
{
	u8 inner = skb->protocol == htons(ETH_P_IPV6) ? IPPROTO_IPV6 :
							IPPROTO_IPIP;
	struct sock *sk = tun->sock->sk;

	skb->dev = tun->dev;	/* whose transmit counters go up */
	if (node->encap == MLB_ENCAP_GUE)
		encap_push_gue(skb, inner);
	if (encap_is_ipv6(node)) {
		skb->ignore_df = outer->fragment;
		if (node->encap == MLB_ENCAP_IPIP)
			encap_xmit_ipip6(tun, skb, node, dst, outer, inner);
		else
			udp_tunnel6_xmit_skb(dst, sk, skb, tun->dev,
					     &tun->saddr, &node->addr,
					     outer->tos, ip6_dst_hoplimit(dst),
					     0, outer->sport,
					     encap_dport(tun, node), true, 0);
	} else {
		__be32 saddr = tun->saddr.s6_addr32[3];
		__be32 daddr = node->addr.s6_addr32[3];
		u8 ttl = ip4_dst_hoplimit(dst);
		__be16 df = outer->fragment ? 0 : outer->df;

		if (node->encap == MLB_ENCAP_IPIP)
			iptunnel_xmit(sk, dst_rtable(dst), skb, saddr, daddr,
				      inner, outer->tos, ttl, df, false, 0);
		else
			udp_tunnel_xmit_skb(dst_rtable(dst), sk, skb, saddr,
					    daddr, outer->tos, ttl, df,
					    outer->sport,
					    encap_dport(tun, node), false,
					    true, 0);
	}
}
