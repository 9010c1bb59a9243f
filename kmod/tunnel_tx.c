// SPDX-License-Identifier: GPL-2.0
/*
 * What goes into the tunnel.
 *
 * A packet that is larger than the tunnel's MTU is answered as a router would
 * answer it, so that its sender learns the path's MTU. SYN/ACKs have asked the
 * client for less (synack.c); this is for connections that are older, or when
 * the cluster network's MTU sank. The outer packet must not be fragmented
 * either where that can be told, so that this host learns the MTU between the
 * nodes (mlb_tunnel_err_lookup()).
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_sched.h>
#include <linux/tcp.h>
#include <net/gso.h>
#include <net/icmp.h>
#include <net/inet_ecn.h>
#include <net/ipv6.h>
#include <net/route.h>

#include "encap.h"
#include "net.h"
#include "node.h"
#include "tunnel.h"

/**
 * mlb_tunnel_mtu() - largest client's packet that all nodes can be sent
 * @mn: the namespace
 *
 * Softirqs off, inside rcu_read_lock().
 *
 * Return: bytes of IP packet; U32_MAX when there is no node to send to.
 */
u32 mlb_tunnel_mtu(struct mlb_net *mn)
{
	struct mlb_tunnel *tun = rcu_dereference(mn->tunnel);
	struct mlb_node *node;
	u32 mtu = U32_MAX;
	unsigned long id;

	if (!tun)
		return mtu;
	xa_for_each(&mn->nodes, id, node) {
		struct dst_entry *dst;

		if (node->self || !mlb_node_reachable(node))
			continue;
		dst = mlb_encap_route(mn, tun, node);
		if (!dst)
			continue;
		mtu = min(mtu, mlb_encap_mtu(node, dst));
		dst_release(dst);
	}
	return mtu;
}

/* Whether the packet, or each that it will be cut into, has @mtu bytes at
 * most.
 */
static bool tunnel_fits(const struct sk_buff *skb, unsigned int mtu)
{
	return skb->len <= mtu ||
	       (skb_is_gso(skb) && skb_gso_validate_network_len(skb, mtu));
}

/* Whether what does not fit may go in fragments of the outer packet: IPv4 says
 * so itself; IPv6 has no answer for what every link must carry (RFC 8200 5).
 */
static bool tunnel_may_fragment(const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IPV6))
		return tunnel_fits(skb, IPV6_MIN_MTU);
	return !(ip_hdr(skb)->frag_off & htons(IP_DF));
}

/* Tell the sender how large packets may be. */
static void tunnel_toobig(struct sk_buff *skb, unsigned int mtu)
{
	const struct iphdr *iph = ip_hdr(skb);

	if (skb->protocol == htons(ETH_P_IPV6)) {
		icmpv6_send(skb, ICMPV6_PKT_TOOBIG, 0,
			    max_t(unsigned int, mtu, IPV6_MIN_MTU));
		return;
	}
	/* The packet has not been routed yet, and ICMP answers no other. */
	skb_dst_drop(skb);
	if (!ip_route_input_noref(skb, iph->daddr, iph->saddr, 0, skb->dev))
		icmp_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
			  htonl(mtu));
}

/* One client's packet and all that is known of its way. */
struct tunnel_tx {
	struct mlb_net *mn;
	const struct mlb_tunnel *tun;
	const struct mlb_key *key;
	struct mlb_node *node;
	struct dst_entry *dst;
	const struct mlb_tuple *tuple;
	unsigned int thoff;
	bool fragment;
	__be16 sport;
};

/* Takes @skb and a reference of the route. */
static void tunnel_tx(const struct tunnel_tx *tx, struct sk_buff *skb)
{
	bool ipv6 = skb->protocol == htons(ETH_P_IPV6);
	struct mlb_outer outer = {
		.fragment = tx->fragment,
		.df = ipv6 ? htons(IP_DF) :
			     ip_hdr(skb)->frag_off & htons(IP_DF),
		.tos = INET_ECN_encapsulate(0, ipv6 ?
					    ipv6_get_dsfield(ipv6_hdr(skb)) :
					    ip_hdr(skb)->tos),
		.sport = tx->sport,
	};
	struct mlb_tunhdr *th;

	/* What receiving has attached is no business of sending: a receive
	 * time stamp would be a departure time to fq, and a bridge leaves the
	 * VLAN's tag.
	 */
	skb_scrub_packet(skb, false);
	skb_clear_tstamp(skb);
	__vlan_hwaccel_clear_tag(skb);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, tx->thoff);
	if (unlikely(mlb_encap_prepare(skb, tx->node, tx->dst))) {
		dst_release(tx->dst);
		mlb_count(tx->mn, TUNNEL_TX_MEMORY);
		kfree_skb(skb);
		return;
	}
	if (mlb_node_is_peer(tx->node)) {
		th = __skb_push(skb, sizeof(*th));
		mlb_tunhdr_fill(th, ipv6 ? MLB_TUNTYPE_IPV6 : MLB_TUNTYPE_IPV4,
				tx->tun->self);
		th->mac = mlb_tunhdr_mac_flow(th, tx->node->id, tx->tuple,
					      &tx->key->mac);
	}
	mlb_count(tx->mn, TUNNEL_TX);
	if (unlikely(tx->fragment))
		mlb_count(tx->mn, TUNNEL_TX_FRAGMENTED);
	mlb_encap_xmit(tx->tun, skb, tx->node, tx->dst, &outer);
}

/*
 * A chain of whole packets, as GRO makes it for forwarding with rx-gro-list.
 * Behind a tunnel's headers it could not be told from one that has been put
 * together, so it is taken apart. Takes @skb and the route's reference.
 */
static void tunnel_tx_chain(const struct tunnel_tx *tx, struct sk_buff *skb)
{
	struct sk_buff *segs = skb_gso_segment(skb, 0), *next;

	if (IS_ERR_OR_NULL(segs)) {
		dst_release(tx->dst);
		mlb_count(tx->mn, TUNNEL_TX_MEMORY);
		kfree_skb(skb);
		return;
	}
	consume_skb(skb);
	skb_list_walk_safe(segs, skb, next) {
		skb_mark_not_on_list(skb);
		if (next)
			dst_hold(tx->dst);
		tunnel_tx(tx, skb);
	}
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
	struct tunnel_tx tx = {
		.mn = mn,
		.tun = rcu_dereference(mn->tunnel),
		.key = rcu_dereference(mn->key),
		.node = node,
		.tuple = tuple,
		.thoff = thoff,
		.sport = sport,
	};
	unsigned int mtu;

	if (unlikely(!tx.tun || (!tx.key && mlb_node_is_peer(node)))) {
		mlb_count(mn, TUNNEL_TX_KEY);
		goto drop;
	}
	/* Has lost its packets' sizes and cannot be taken apart again. */
	if (unlikely(skb_warn_if_lro(skb))) {
		mlb_count(mn, TUNNEL_TX_TOOBIG);
		goto drop;
	}
	/* What cuts it, or measures the pieces, reads these headers in place. */
	if (skb_is_gso(skb) &&
	    unlikely(!pskb_may_pull(skb, thoff + sizeof(struct tcphdr)))) {
		mlb_count(mn, TUNNEL_TX_MEMORY);
		goto drop;
	}
	tx.dst = mlb_encap_route(mn, tx.tun, node);
	if (unlikely(!tx.dst)) {
		mlb_count(mn, TUNNEL_TX_ROUTE);
		goto drop;
	}

	skb_reset_network_header(skb);
	skb_set_transport_header(skb, thoff);
	mtu = mlb_encap_mtu(node, tx.dst);
	if (unlikely(!tunnel_fits(skb, mtu))) {
		tx.fragment = tunnel_may_fragment(skb);
		if (!tx.fragment) {
			dst_release(tx.dst);
			mlb_count(mn, TUNNEL_TX_TOOBIG);
			tunnel_toobig(skb, mtu);
			goto drop;
		}
	}
	if (skb_shinfo(skb)->gso_type & SKB_GSO_FRAGLIST)
		tunnel_tx_chain(&tx, skb);
	else
		tunnel_tx(&tx, skb);
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
	struct mlb_outer outer = { .fragment = true };
	struct mlb_tunhdr *th;
	struct dst_entry *dst;
	struct sk_buff *skb;
	unsigned int room;

	if (!tun || !key) {
		mlb_count(mn, TUNNEL_TX_KEY);
		return false;
	}
	dst = mlb_encap_route(mn, tun, node);
	if (!dst) {
		mlb_count(mn, TUNNEL_TX_ROUTE);
		return false;
	}
	room = mlb_encap_headroom(node, dst);
	skb = alloc_skb(room + sizeof(*msg), GFP_ATOMIC);
	if (!skb) {
		dst_release(dst);
		mlb_count(mn, TUNNEL_TX_MEMORY);
		return false;
	}
	skb_reserve(skb, room);
	skb_put_data(skb, msg, sizeof(*msg));
	skb_reset_inner_network_header(skb);	/* mlb0 counts from here */
	th = __skb_push(skb, sizeof(*th));
	mlb_tunhdr_fill(th, type, tun->self);
	th->mac = mlb_tunhdr_mac_msg(th, node->id, msg, &key->mac);
	outer.sport = tun->port;
	if (msg->kind == MLB_TUNMSG_ALIVE) {
		/* As routing protocols: not behind what they carry. */
		outer.tos = IPTOS_PREC_INTERNETCONTROL;
		skb->priority = TC_PRIO_CONTROL;
	}
	mlb_encap_xmit(tun, skb, node, dst, &outer);
	return true;
}
