// SPDX-License-Identifier: GPL-2.0
/*
 * RSTs that this host sends for a service itself, where its stack must not
 * answer, or would say too little.
 */
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <net/tcp.h>

#include "net.h"
#include "packet.h"
#include "reset.h"

/* Where the answer goes: as the stack would send it, by the mark and the VRF of
 * what it answers. The service's address need not be this host's.
 */
static struct dst_entry *reset_route_ipv4(struct net *net,
					  const struct sk_buff *skb,
					  const struct mlb_tuple *t)
{
	struct flowi4 fl4 = {
		.flowi4_oif = l3mdev_master_ifindex_rcu(skb->dev),
		.flowi4_mark = IP4_REPLY_MARK(net, skb->mark),
		.flowi4_proto = IPPROTO_TCP,
		.flowi4_flags = FLOWI_FLAG_ANYSRC,
		.daddr = t->saddr.s6_addr32[3],
		.saddr = t->daddr.s6_addr32[3],
		.fl4_sport = t->dport,
		.fl4_dport = t->sport,
	};
	struct rtable *rt = ip_route_output_key(net, &fl4);

	return IS_ERR(rt) ? NULL : &rt->dst;
}

static struct dst_entry *reset_route_ipv6(struct net *net,
					  const struct sk_buff *skb,
					  const struct mlb_tuple *t)
{
	struct flowi6 fl6 = {
		.flowi6_oif = l3mdev_master_ifindex_rcu(skb->dev),
		.flowi6_mark = IP6_REPLY_MARK(net, skb->mark),
		.flowi6_proto = IPPROTO_TCP,
		.daddr = t->saddr,
		.saddr = t->daddr,
		.fl6_sport = t->dport,
		.fl6_dport = t->sport,
	};
	struct dst_entry *dst;

	if (ipv6_addr_type(&t->saddr) & IPV6_ADDR_LINKLOCAL)
		fl6.flowi6_oif = skb->dev->ifindex;
	dst = ip6_route_output(net, NULL, &fl6);
	if (!dst->error)
		return dst;
	dst_release(dst);
	return NULL;
}

/* RFC 9293 3.10.7.1: what acknowledges gets the sequence number that it waits
 * for, so that its receiver believes the RST (RFC 5961 3); what does not is
 * acknowledged.
 */
static void reset_fill_tcp(struct tcphdr *rst, const struct sk_buff *skb,
			   const struct mlb_packet *pkt,
			   const struct tcphdr *th, unsigned int optlen)
{
	u32 len = skb->len - pkt->thoff - th->doff * 4 + th->syn + th->fin;

	memset(rst, 0, sizeof(*rst));
	rst->source = pkt->tuple.dport;
	rst->dest = pkt->tuple.sport;
	rst->doff = (sizeof(*rst) + optlen) / 4;
	rst->rst = 1;
	if (th->ack) {
		rst->seq = th->ack_seq;
	} else {
		rst->ack = 1;
		rst->ack_seq = htonl(ntohl(th->seq) + len);
	}
}

static void reset_push_ipv4(struct sk_buff *skb, const struct mlb_tuple *t)
{
	struct tcphdr *th = tcp_hdr(skb);
	struct iphdr *iph;

	th->check = tcp_v4_check(skb->len, t->daddr.s6_addr32[3],
				 t->saddr.s6_addr32[3],
				 csum_partial(th, skb->len, 0));
	iph = skb_push(skb, sizeof(*iph));
	skb_reset_network_header(skb);
	*iph = (struct iphdr) {
		.version = 4,
		.ihl = sizeof(*iph) / 4,
		.frag_off = htons(IP_DF),
		.ttl = ip4_dst_hoplimit(skb_dst(skb)),
		.protocol = IPPROTO_TCP,
		.saddr = t->daddr.s6_addr32[3],
		.daddr = t->saddr.s6_addr32[3],
	};
	skb->protocol = htons(ETH_P_IP);
}

static void reset_push_ipv6(struct sk_buff *skb, const struct mlb_tuple *t)
{
	struct tcphdr *th = tcp_hdr(skb);
	unsigned int len = skb->len;
	struct ipv6hdr *ip6h;

	th->check = tcp_v6_check(len, &t->daddr, &t->saddr,
				 csum_partial(th, len, 0));
	ip6h = skb_push(skb, sizeof(*ip6h));
	skb_reset_network_header(skb);
	*ip6h = (struct ipv6hdr) {
		.version = 6,
		.payload_len = htons(len),
		.nexthdr = IPPROTO_TCP,
		.hop_limit = ip6_dst_hoplimit(skb_dst(skb)),
		.saddr = t->daddr,
		.daddr = t->saddr,
	};
	skb->protocol = htons(ETH_P_IPV6);
}

/**
 * mlb_reset_send() - answer a client's segment with a RST
 * @mn: the namespace
 * @skb: the segment, skb->data at its IP header
 * @pkt: what mlb_packet_parse() found; no ICMP error
 * @opt: TCP options that the RST carries
 * @optlen: their length, a multiple of 4
 *
 * A RST gets no answer. Softirq context, inside rcu_read_lock().
 */
void mlb_reset_send(struct mlb_net *mn, const struct sk_buff *skb,
		    const struct mlb_packet *pkt, const u8 *opt,
		    unsigned int optlen)
{
	bool ipv4 = ipv6_addr_v4mapped(&pkt->tuple.daddr);
	const struct tcphdr *th;
	struct dst_entry *dst;
	struct sk_buff *nskb;
	struct tcphdr buf;

	th = skb_header_pointer(skb, pkt->thoff, sizeof(buf), &buf);
	if (!th || th->rst)
		return;
	dst = ipv4 ? reset_route_ipv4(mn->net, skb, &pkt->tuple) :
		     reset_route_ipv6(mn->net, skb, &pkt->tuple);
	if (!dst)
		goto failed;
	nskb = alloc_skb(LL_RESERVED_SPACE(dst->dev) + sizeof(struct ipv6hdr) +
			 sizeof(*th) + optlen, GFP_ATOMIC);
	if (!nskb) {
		dst_release(dst);
		goto failed;
	}
	skb_reserve(nskb, LL_RESERVED_SPACE(dst->dev) + sizeof(struct ipv6hdr));
	skb_dst_set(nskb, dst);
	skb_reset_transport_header(nskb);
	reset_fill_tcp(skb_put(nskb, sizeof(*th)), skb, pkt, th, optlen);
	if (optlen)
		skb_put_data(nskb, opt, optlen);
	nskb->ip_summed = CHECKSUM_NONE;
	nskb->mark = ipv4 ? IP4_REPLY_MARK(mn->net, skb->mark) :
			    IP6_REPLY_MARK(mn->net, skb->mark);
	/* Connection tracking has not seen what this answers. */
	nf_ct_set(nskb, NULL, IP_CT_UNTRACKED);
	mlb_count(mn, RESET_TX);
	if (ipv4) {
		reset_push_ipv4(nskb, &pkt->tuple);
		ip_local_out(mn->net, NULL, nskb);
	} else {
		reset_push_ipv6(nskb, &pkt->tuple);
		ip6_local_out(mn->net, NULL, nskb);
	}
	return;
failed:
	mlb_count(mn, RESET_FAILED);
}
