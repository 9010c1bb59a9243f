// SPDX-License-Identifier: GPL-2.0
/*
 * What comes out of the tunnel. Every byte is hostile until its MAC has been
 * proven, and what is inside a proven packet is still a stranger's.
 */
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/inet_ecn.h>
#include <net/ip_tunnels.h>
#include <net/udp_tunnel.h>

#include <crypto/algapi.h>

#include "alive.h"
#include "answer.h"
#include "device.h"
#include "net.h"
#include "node.h"
#include "packet.h"
#include "probe.h"
#include "resolve.h"
#include "service.h"
#include "tunnel.h"

static bool tunnel_mac_equal(__be64 a, __be64 b)
{
	return !crypto_memneq(&a, &b, sizeof(a));
}

static bool tunnel_ecn_drop(struct sk_buff *skb, const void *outer,
			    bool outer_ipv6)
{
	/* 2: the outer header says CE, the inner one cannot (RFC 6040 4.2) */
	return (outer_ipv6 ? IP6_ECN_decapsulate(outer, skb) :
			     IP_ECN_decapsulate(outer, skb)) > 1;
}

/* Cut @skb to what its inner IP header says; false when that is not there. */
static bool tunnel_trim(struct sk_buff *skb, bool ipv6)
{
	unsigned int hlen = ipv6 ? sizeof(struct ipv6hdr) :
				   sizeof(struct iphdr);
	unsigned int len;

	if (!pskb_may_pull(skb, hlen))
		return false;
	if (ipv6) {
		len = sizeof(struct ipv6hdr) +
		      ntohs(ipv6_hdr(skb)->payload_len);
		/* A GSO packet of over 64 KiB says 0. */
		if (len == sizeof(struct ipv6hdr) && skb_is_gso(skb))
			len = skb->len;
	} else {
		len = ntohs(ip_hdr(skb)->tot_len);
		if (!len && skb_is_gso(skb))
			len = skb->len;
	}
	return len >= hlen && len <= skb->len && !pskb_trim_rcsum(skb, len);
}

/* A client's packet; @skb is taken. */
static void tunnel_rcv_packet(struct mlb_net *mn, struct mlb_tunnel *tun,
			      const struct mlb_key *key,
			      struct mlb_node *sender,
			      const struct mlb_tunhdr *th, struct sk_buff *skb,
			      bool ipv6)
{
	bool outer_ipv6 = skb->protocol == htons(ETH_P_IPV6);
	int outer = skb_network_offset(skb);
	struct mlb_packet pkt;

	if (iptunnel_pull_header(skb, sizeof(struct udphdr) + sizeof(*th),
				 htons(ipv6 ? ETH_P_IPV6 : ETH_P_IP), false)) {
		mlb_count(mn, TUNNEL_RX_SHORT);
		goto drop;
	}
	/* Offset of the outer IP header from skb->data is now further away. */
	outer -= sizeof(struct udphdr) + sizeof(*th);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	if (!tunnel_trim(skb, ipv6)) {
		mlb_count(mn, TUNNEL_RX_SHORT);
		goto drop;
	}
	if (!mlb_packet_parse(mn, skb, ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4,
			      &pkt)) {
		mlb_count(mn, TUNNEL_RX_INNER);
		goto drop;
	}
	if (!tunnel_mac_equal(th->mac, mlb_tunhdr_mac_flow(th, tun->self,
							   &pkt.tuple,
							   &key->mac))) {
		mlb_count(mn, TUNNEL_RX_MAC);
		goto drop;
	}
	mlb_alive_heard(&sender->life);
	if (tunnel_ecn_drop(skb, skb->data + outer, outer_ipv6)) {
		mlb_count(mn, TUNNEL_RX_INNER);
		goto drop;
	}
	mlb_count(mn, TUNNEL_RX);
	skb->dev = tun->dev;
	mlb_device_rx(tun->dev, skb);
	return;
drop:
	kfree_skb(skb);
}

/* A query, an answer or what nobody asked for. */
static void tunnel_rcv_msg(struct mlb_net *mn, struct mlb_tunnel *tun,
			   const struct mlb_key *key, struct mlb_node *sender,
			   const struct mlb_tunhdr *th,
			   const struct sk_buff *skb, enum mlb_tuntype type)
{
	const struct mlb_tunmsg *msg;
	struct mlb_tunmsg buf;

	msg = skb_header_pointer(skb, sizeof(struct udphdr) + sizeof(*th),
				 sizeof(buf), &buf);
	if (!msg) {
		mlb_count(mn, TUNNEL_RX_SHORT);
		return;
	}
	if (!tunnel_mac_equal(th->mac, mlb_tunhdr_mac_msg(th, tun->self, msg,
							  &key->mac))) {
		mlb_count(mn, TUNNEL_RX_MAC);
		return;
	}
	mlb_alive_heard(&sender->life);
	if (!mlb_tunmsg_valid(msg, type)) {
		mlb_count(mn, TUNNEL_RX_VERSION);
		return;
	}
	if (type == MLB_TUNTYPE_QUERY)
		mlb_answer_query(mn, sender, msg);
	else if (msg->kind == MLB_TUNMSG_ALIVE)
		mlb_alive_rcv(mn, sender, msg);
	else if (msg->kind == MLB_TUNMSG_PROBE)
		mlb_probe_answer(mn, sender, msg);
	else
		mlb_resolve_answer(mn, sender, msg);
}

/**
 * mlb_tunnel_rcv() - a UDP packet came to the tunnel's port
 * @sk: the tunnel's socket
 * @skb: the packet; taken
 *
 * UDP calls it in softirq context inside rcu_read_lock(), skb->data at the
 * UDP header.
 *
 * Return: 0, the packet is taken.
 */
int mlb_tunnel_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct mlb_net *mn = rcu_dereference_sk_user_data(sk);
	const struct mlb_tunhdr *p;
	const struct mlb_key *key;
	struct mlb_tunnel *tun;
	struct mlb_node *node;
	enum mlb_tuntype type;
	struct mlb_tunhdr th;
	u16 sender;

	if (unlikely(!mn))
		goto drop;
	tun = rcu_dereference(mn->tunnel);
	key = rcu_dereference(mn->key);
	p = skb_header_pointer(skb, sizeof(struct udphdr), sizeof(th), &th);
	if (!p) {
		mlb_count(mn, TUNNEL_RX_SHORT);
		goto drop;
	}
	th = *p;	/* the packet's bytes may move from here on */
	if (mlb_tunhdr_parse(&th, &type, &sender)) {
		mlb_count(mn, TUNNEL_RX_VERSION);
		goto drop;
	}
	if (!tun || !key) {
		mlb_count(mn, TUNNEL_RX_MAC);
		goto drop;
	}
	node = mlb_node_find(mn, sender);
	if (!node || node->self) {
		mlb_count(mn, TUNNEL_RX_SENDER);
		goto drop;
	}
	if (type == MLB_TUNTYPE_IPV4 || type == MLB_TUNTYPE_IPV6) {
		tunnel_rcv_packet(mn, tun, key, node, &th, skb,
				  type == MLB_TUNTYPE_IPV6);
		return 0;
	}
	tunnel_rcv_msg(mn, tun, key, node, &th, skb, type);
	consume_skb(skb);
	return 0;
drop:
	kfree_skb(skb);
	return 0;
}

/**
 * mlb_tunnel_err_lookup() - whether an ICMP error is about a packet of ours
 * @sk: the tunnel's socket
 * @skb: the error, its transport header at the UDP header that it quotes
 *
 * The source port of a client's packet in the tunnel is its flow's, so UDP
 * finds no socket by it and asks here. UDP then has the path's MTU follow what
 * the error says.
 *
 * The MAC is not proven: that would keep no forged error out. UDP over IPv4
 * lowers the MTU of the route for any datagram that an error quotes before it
 * looks for a socket, and ICMP does so for an echo reply. It is for the
 * cluster network to let no errors in from strangers.
 *
 * Return: 0 when this host sent the packet, as far as the quoted part of
 * mlb's header shows.
 */
int mlb_tunnel_err_lookup(struct sock *sk, struct sk_buff *skb)
{
	struct mlb_net *mn = rcu_dereference_sk_user_data(sk);
	const struct mlb_tunhdr *th;
	struct mlb_tunnel *tun;
	struct mlb_tunhdr buf;
	enum mlb_tuntype type;
	u16 sender;

	if (!mn)
		return -ENOENT;
	tun = rcu_dereference(mn->tunnel);
	th = skb_header_pointer(skb, skb_transport_offset(skb) +
				     sizeof(struct udphdr), sizeof(buf), &buf);
	if (!tun || !th || mlb_tunhdr_parse(th, &type, &sender) ||
	    sender != tun->self)
		return -EINVAL;
	return 0;
}
