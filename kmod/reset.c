// SPDX-License-Identifier: GPL-2.0
/*
 * Segments that this host sends for a service itself: RSTs where its stack must
 * not answer, or would say too little.
 */
#include <linux/random.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <net/tcp.h>

#include "client.h"
#include "net.h"
#include "packet.h"
#include "reset.h"

#define OPTION_MPTCP		30

/* RFC 8684 3.5, and the receiver's key behind it */
#define OPTION_FASTCLOSE	0x70	/* subtype */
#define OPTION_FASTCLOSE_LEN	12
#define OPTION_FASTCLOSE_KEY	4

/* RFC 8684 3.6 */
#define OPTION_TCPRST		0x80	/* subtype; not transient */
#define OPTION_TCPRST_LEN	4
#define TCPRST_MPTCP_ERROR	0x01	/* what the stack says of such tokens */

/* A segment to a client. */
struct reset_tx {
	const struct mlb_tuple *tuple;
	u32 mark;
	int ifindex;		/* where its flow came in, or 0 */
	int vrf;
	struct tcphdr th;
	u8 opt[OPTION_FASTCLOSE_LEN];
	unsigned int optlen;	/* a multiple of 4 */
};

/* As the stack would route it, by the mark and the VRF of what it answers. The
 * service's address need not be this host's.
 */
static struct dst_entry *reset_route_ipv4(struct net *net,
					  const struct reset_tx *tx)
{
	const struct mlb_tuple *t = tx->tuple;
	struct flowi4 fl4 = {
		.flowi4_oif = tx->vrf,
		.flowi4_mark = tx->mark,
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
					  const struct reset_tx *tx)
{
	const struct mlb_tuple *t = tx->tuple;
	struct flowi6 fl6 = {
		.flowi6_oif = tx->vrf,
		.flowi6_mark = tx->mark,
		.flowi6_proto = IPPROTO_TCP,
		.daddr = t->saddr,
		.saddr = t->daddr,
		.fl6_sport = t->dport,
		.fl6_dport = t->sport,
	};
	struct dst_entry *dst;

	if (ipv6_addr_type(&t->saddr) & IPV6_ADDR_LINKLOCAL)
		fl6.flowi6_oif = tx->ifindex;
	dst = ip6_route_output(net, NULL, &fl6);
	if (!dst->error)
		return dst;
	dst_release(dst);
	return NULL;
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

/* Softirqs off, inside rcu_read_lock(). */
static void reset_xmit(struct mlb_net *mn, struct reset_tx *tx)
{
	unsigned int len = sizeof(tx->th) + tx->optlen, room;
	bool ipv4 = ipv6_addr_v4mapped(&tx->tuple->daddr);
	struct dst_entry *dst;
	struct sk_buff *skb;

	dst = ipv4 ? reset_route_ipv4(mn->net, tx) :
		     reset_route_ipv6(mn->net, tx);
	if (!dst)
		goto failed;
	room = LL_RESERVED_SPACE(dst->dev) + sizeof(struct ipv6hdr);
	skb = alloc_skb(room + len, GFP_ATOMIC);
	if (!skb) {
		dst_release(dst);
		goto failed;
	}
	skb_reserve(skb, room);
	skb_dst_set(skb, dst);
	skb_reset_transport_header(skb);
	tx->th.source = tx->tuple->dport;
	tx->th.dest = tx->tuple->sport;
	tx->th.doff = len / 4;
	skb_put_data(skb, &tx->th, sizeof(tx->th));
	skb_put_data(skb, tx->opt, tx->optlen);
	skb->mark = tx->mark;
	/* Connection tracking has not seen what this answers. */
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
	if (tx->th.rst)
		mlb_count(mn, RESET_TX);
	if (ipv4) {
		reset_push_ipv4(skb, tx->tuple);
		ip_local_out(mn->net, NULL, skb);
	} else {
		reset_push_ipv6(skb, tx->tuple);
		ip6_local_out(mn->net, NULL, skb);
	}
	return;
failed:
	mlb_count(mn, RESET_FAILED);
}

/*
 * RFC 9293 3.10.7.1: what acknowledges gets the sequence number that it waits
 * for, so that its receiver believes the RST (RFC 5961 3); what does not is
 * acknowledged. False for a RST, which gets no answer.
 */
static bool reset_begin(struct mlb_net *mn, struct reset_tx *tx,
			const struct sk_buff *skb, const struct mlb_packet *pkt)
{
	const struct tcphdr *th;
	struct tcphdr buf;
	u32 len;

	th = skb_header_pointer(skb, pkt->thoff, sizeof(buf), &buf);
	if (!th || th->rst)
		return false;
	*tx = (struct reset_tx) {
		.tuple = &pkt->tuple,
		.mark = ipv6_addr_v4mapped(&pkt->tuple.daddr) ?
			IP4_REPLY_MARK(mn->net, skb->mark) :
			IP6_REPLY_MARK(mn->net, skb->mark),
		.ifindex = skb->dev->ifindex,
		.vrf = l3mdev_master_ifindex_rcu(skb->dev),
		.th.rst = 1,
	};
	if (th->ack) {
		tx->th.seq = th->ack_seq;
	} else {
		len = skb->len - pkt->thoff - th->doff * 4;
		tx->th.ack = 1;
		tx->th.ack_seq = htonl(ntohl(th->seq) + len + th->syn +
				       th->fin);
	}
	return true;
}

/**
 * mlb_reset_send() - answer a client's segment with a RST
 * @mn: the namespace
 * @skb: the segment, skb->data at its IP header
 * @pkt: what mlb_packet_parse() found; no ICMP error
 *
 * Like all RSTs here that goes unless the segment is one itself. Softirq
 * context, inside rcu_read_lock().
 */
void mlb_reset_send(struct mlb_net *mn, const struct sk_buff *skb,
		    const struct mlb_packet *pkt)
{
	struct reset_tx tx;

	if (reset_begin(mn, &tx, skb, pkt))
		reset_xmit(mn, &tx);
}

/**
 * mlb_reset_fastclose() - end a client's whole connection
 * @mn: the namespace
 * @skb: a segment of it, skb->data at its IP header
 * @pkt: what mlb_packet_parse() found; no ICMP error
 * @client: of the connection
 *
 * Softirq context, inside rcu_read_lock().
 */
void mlb_reset_fastclose(struct mlb_net *mn, const struct sk_buff *skb,
			 const struct mlb_packet *pkt,
			 struct mlb_client *client)
{
	struct reset_tx tx;

	if (!reset_begin(mn, &tx, skb, pkt))
		return;
	tx.optlen = OPTION_FASTCLOSE_LEN;
	tx.opt[0] = OPTION_MPTCP;
	tx.opt[1] = OPTION_FASTCLOSE_LEN;
	tx.opt[2] = OPTION_FASTCLOSE;
	memcpy(tx.opt + OPTION_FASTCLOSE_KEY, client->key,
	       sizeof(client->key));
	mlb_count(mn, RESET_FASTCLOSE);
	reset_xmit(mn, &tx);
	if (!READ_ONCE(client->told))
		WRITE_ONCE(client->told, true);
}

/**
 * mlb_reset_join() - refuse a join of a connection that is no more
 * @mn: the namespace
 * @skb: a SYN with MP_JOIN, skb->data at its IP header
 * @pkt: what mlb_packet_parse() found
 *
 * Softirq context, inside rcu_read_lock().
 */
void mlb_reset_join(struct mlb_net *mn, const struct sk_buff *skb,
		    const struct mlb_packet *pkt)
{
	struct reset_tx tx;

	if (!reset_begin(mn, &tx, skb, pkt))
		return;
	tx.optlen = OPTION_TCPRST_LEN;
	tx.opt[0] = OPTION_MPTCP;
	tx.opt[1] = OPTION_TCPRST_LEN;
	tx.opt[2] = OPTION_TCPRST;
	tx.opt[3] = TCPRST_MPTCP_ERROR;
	mlb_count(mn, RESET_JOIN);
	reset_xmit(mn, &tx);
}

/**
 * mlb_reset_probe() - make a client send a segment
 * @mn: the namespace
 * @tuple: its flow
 *
 * Its answer says what numbers it would believe. Those sent here are right once
 * in a million times, and do no harm then. Softirqs off, inside
 * rcu_read_lock().
 */
void mlb_reset_probe(struct mlb_net *mn, const struct mlb_tuple *tuple)
{
	struct reset_tx tx = {
		.tuple = tuple,
		.th.ack = 1,
		.th.seq = (__force __be32)get_random_u32(),
		.th.ack_seq = (__force __be32)get_random_u32(),
	};

	reset_xmit(mn, &tx);
}
