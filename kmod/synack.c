// SPDX-License-Identifier: GPL-2.0
/*
 * The answers to new connections, as they leave this host.
 *
 * A service's SYN/ACK asks the client for segments that fit the tunnel, since
 * a router may hand any packet of the connection to another node. And it
 * offers MPTCP only with a key whose token no other node has: tokens are
 * unique per host, and a join must never find the wrong connection. The stack
 * chose the key before anyone could ask, so the offer is taken out and the
 * connection goes on as plain TCP.
 */
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "learn.h"
#include "net.h"
#include "packet.h"
#include "service.h"
#include "synack.h"
#include "tunnel.h"

#define SYNACK_MTU_PERIOD	HZ

/* RFC 8684 3.1: on a SYN/ACK with the sender's, that is the server's, key. */
#define OPTION_MPTCP		30
#define OPTION_CAPABLE		0x01	/* subtype and version */
#define OPTION_CAPABLE_LEN	12
#define OPTION_CAPABLE_KEY	4
#define OPTION_AO		29	/* RFC 5925 2.2 */

/* Where an option begins, from the TCP header on; 0 for none. */
struct synack_options {
	u8 mss;
	u8 capable;
};

/*
 * Finds the header of a SYN/ACK. Everything that this host sends comes here,
 * so what is no SYN/ACK must go by at the price of a look at its flags.
 */
static bool synack_header(const struct sk_buff *skb, u8 pf,
			  unsigned int *thoff)
{
	const struct tcphdr *th;
	struct tcphdr buf;

	if (pf == NFPROTO_IPV4) {
		const struct iphdr *iph = ip_hdr(skb);

		if (iph->protocol != IPPROTO_TCP || iph->ihl < 5 ||
		    iph->frag_off & htons(IP_OFFSET))
			return false;
		*thoff = iph->ihl * 4;
	} else {
		u8 proto = ipv6_hdr(skb)->nexthdr;

		*thoff = sizeof(struct ipv6hdr);
		if (proto != IPPROTO_TCP) {
			__be16 frag;
			int off;

			if (!ipv6_ext_hdr(proto))
				return false;
			off = ipv6_skip_exthdr(skb, *thoff, &proto, &frag);
			if (off < 0 || proto != IPPROTO_TCP ||
			    frag & htons(IP6_OFFSET))
				return false;
			*thoff = off;
		}
	}
	th = skb_header_pointer(skb, *thoff, sizeof(buf), &buf);
	return th && th->syn && th->ack && th->doff >= 5 &&
	       *thoff + th->doff * 4 <= skb->len;
}

static bool synack_is_service(struct mlb_net *mn, const struct sk_buff *skb,
			      u8 pf, const struct tcphdr *th)
{
	struct in6_addr addr;

	if (pf == NFPROTO_IPV6)
		return mlb_service_find(mn, &ipv6_hdr(skb)->saddr, th->source);
	ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &addr);
	return mlb_service_find(mn, &addr, th->source);
}

/* False when nothing may be changed: TCP-AO's MAC covers the options. */
static bool synack_options(const struct tcphdr *th, struct synack_options *opts)
{
	unsigned int len = th->doff * 4, off, size;
	const u8 *p = (const u8 *)th;

	*opts = (struct synack_options) {};
	for (off = sizeof(*th); off < len && p[off] != TCPOPT_EOL; off += size) {
		size = 1;
		if (p[off] == TCPOPT_NOP)
			continue;
		if (off + 1 == len)
			break;
		size = p[off + 1];
		if (size < 2 || off + size > len)
			break;
		if (p[off] == OPTION_AO)
			return false;
		if (p[off] == TCPOPT_MSS && size == TCPOLEN_MSS)
			opts->mss = off;
		else if (p[off] == OPTION_MPTCP && size == OPTION_CAPABLE_LEN &&
			 p[off + 2] == OPTION_CAPABLE)
			opts->capable = off;
	}
	return true;
}

/* Several CPUs may find it out at the same time; that does no harm. */
static u32 synack_mtu(struct mlb_net *mn)
{
	struct mlb_synack *syn = &mn->synack;
	u32 mtu;

	/* Not time_before(): it may be weeks ago. */
	if (jiffies - READ_ONCE(syn->found) < SYNACK_MTU_PERIOD)
		return READ_ONCE(syn->mtu);
	local_bh_disable();	/* routes are cached per CPU */
	mtu = mlb_tunnel_mtu(mn);
	local_bh_enable();
	WRITE_ONCE(syn->mtu, mtu);
	WRITE_ONCE(syn->found, jiffies);
	return mtu;
}

static void synack_clamp(struct mlb_net *mn, struct sk_buff *skb, u8 pf,
			 struct tcphdr *th, unsigned int off)
{
	u32 headers = sizeof(*th) + (pf == NFPROTO_IPV6 ?
				     sizeof(struct ipv6hdr) :
				     sizeof(struct iphdr));
	u32 mss = max_t(u32, synack_mtu(mn), headers + TCP_MIN_MSS) - headers;
	u8 *value = (u8 *)th + off + 2;

	if (get_unaligned_be16(value) <= mss)
		return;
	mlb_packet_write(skb, th, off + 2, (u8[]){ mss >> 8, mss }, 2);
	mlb_count(mn, MSS_CLAMPED);
}

/* Whether the owner table has anything but what this host owns. */
static bool synack_others_own(struct mlb_net *mn)
{
	struct mlb_tunnel *tun = rcu_dereference(mn->tunnel);

	return tun && READ_ONCE(mn->owners.count) !=
		      READ_ONCE(mn->owners.per_node[tun->self]);
}

static void synack_collide(struct mlb_net *mn, struct sk_buff *skb,
			   struct tcphdr *th, unsigned int off)
{
	static const u8 nops[OPTION_CAPABLE_LEN] = {
		[0 ... OPTION_CAPABLE_LEN - 1] = TCPOPT_NOP,
	};
	const u8 *key = (u8 *)th + off + OPTION_CAPABLE_KEY;
	struct mlb_owner *owner;

	if (!synack_others_own(mn))
		return;
	owner = mlb_owner_find(mn, mlb_token_of_key(key));
	if (likely(!owner || owner->origin == MLB_OWNER_LOCAL))
		return;
	mlb_packet_write(skb, th, off, nops, sizeof(nops));
	mlb_count(mn, OWNER_COLLISION);
}

static unsigned int synack_hook(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct synack_options opts;
	struct mlb_net *mn = priv;
	struct tcphdr *th, buf;
	unsigned int thoff;

	if (!synack_header(skb, state->pf, &thoff) ||
	    state->out->flags & IFF_LOOPBACK)
		return NF_ACCEPT;
	th = skb_header_pointer(skb, thoff, sizeof(buf), &buf);
	if (!synack_is_service(mn, skb, state->pf, th) ||
	    skb_ensure_writable(skb, thoff + th->doff * 4))
		return NF_ACCEPT;
	th = (struct tcphdr *)(skb->data + thoff);
	if (!synack_options(th, &opts))
		return NF_ACCEPT;
	if (opts.mss)
		synack_clamp(mn, skb, state->pf, th, opts.mss);
	if (opts.capable)
		synack_collide(mn, skb, th, opts.capable);
	return NF_ACCEPT;
}

/* Behind whatever else on this host sets an MSS. */
static const struct nf_hook_ops synack_ops[] = {
	{
		.hook = synack_hook,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP_PRI_LAST,
	}, {
		.hook = synack_hook,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP6_PRI_LAST,
	},
};

/**
 * mlb_synack_hook() - begin to watch a namespace's SYN/ACKs
 * @mn: the namespace
 *
 * Called when its first service comes. Process context.
 *
 * Return: 0 or a negative errno.
 */
int mlb_synack_hook(struct mlb_net *mn)
{
	struct nf_hook_ops *ops = mn->synack.ops;

	BUILD_BUG_ON(sizeof(mn->synack.ops) != sizeof(synack_ops));
	memcpy(ops, synack_ops, sizeof(synack_ops));
	for (unsigned int i = 0; i < ARRAY_SIZE(synack_ops); i++)
		ops[i].priv = mn;
	mn->synack.found = jiffies - SYNACK_MTU_PERIOD;
	return nf_register_net_hooks(mn->net, ops, ARRAY_SIZE(synack_ops));
}

/**
 * mlb_synack_unhook() - watch no more
 * @mn: the namespace
 *
 * Called when the last service has gone. Packets may be in the hook until the
 * end of the present RCU grace period.
 */
void mlb_synack_unhook(struct mlb_net *mn)
{
	nf_unregister_net_hooks(mn->net, mn->synack.ops,
				ARRAY_SIZE(synack_ops));
}
