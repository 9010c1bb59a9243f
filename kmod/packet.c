// SPDX-License-Identifier: GPL-2.0
/*
 * The one place that reads IP and TCP headers. Nothing is changed or pulled:
 * bytes are copied out where the packet is not linear, so no pointer can go
 * stale.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "net.h"
#include "packet.h"
#include "service.h"

static bool packet_parse_ipv4(const struct sk_buff *skb,
			      struct mlb_packet *pkt, bool *fragment)
{
	const struct iphdr *iph;
	struct iphdr buf;

	iph = skb_header_pointer(skb, 0, sizeof(buf), &buf);
	if (!iph || iph->protocol != IPPROTO_TCP)
		return false;
	if (iph->version != 4 || iph->ihl < 5)
		return false;
	/* Only a first fragment has ports to judge by. */
	if (iph->frag_off & htons(IP_OFFSET))
		return false;

	*fragment = ip_is_fragment(iph);
	ipv6_addr_set_v4mapped(iph->saddr, &pkt->tuple.saddr);
	ipv6_addr_set_v4mapped(iph->daddr, &pkt->tuple.daddr);
	pkt->thoff = iph->ihl * 4;
	return true;
}

static bool packet_parse_ipv6(const struct sk_buff *skb,
			      struct mlb_packet *pkt, bool *fragment)
{
	const struct ipv6hdr *ip6h;
	struct ipv6hdr buf;

	ip6h = skb_header_pointer(skb, 0, sizeof(buf), &buf);
	if (!ip6h || ip6h->version != 6)
		return false;

	*fragment = false;
	pkt->thoff = sizeof(buf);
	if (ip6h->nexthdr != IPPROTO_TCP) {
		unsigned short frag_off = 0;
		unsigned int off = 0;
		int flags = 0;

		if (!ipv6_ext_hdr(ip6h->nexthdr))
			return false;
		if (ipv6_find_hdr(skb, &off, IPPROTO_TCP, &frag_off,
				  &flags) != IPPROTO_TCP || frag_off)
			return false;
		*fragment = flags & IP6_FH_F_FRAG;
		pkt->thoff = off;
	}
	/* Never on the wire (RFC 4291 2.5.5.2); here it is how IPv4 is
	 * written.
	 */
	if (ipv6_addr_v4mapped(&ip6h->saddr) ||
	    ipv6_addr_v4mapped(&ip6h->daddr))
		return false;
	pkt->tuple.saddr = ip6h->saddr;
	pkt->tuple.daddr = ip6h->daddr;
	return true;
}

/**
 * mlb_packet_parse() - recognise a packet that is for a service
 * @mn: the namespace
 * @skb: the packet, skb->data at its IP header and skb->len trimmed to what
 *	the IP header says
 * @pf: NFPROTO_IPV4 or NFPROTO_IPV6
 * @pkt: what was found
 *
 * Call inside rcu_read_lock().
 *
 * Return: false for everything that is not whole TCP to a service. What is to
 * a service and yet not whole is counted.
 */
bool mlb_packet_parse(struct mlb_net *mn, const struct sk_buff *skb, u8 pf,
		      struct mlb_packet *pkt)
{
	const struct tcphdr *th;
	const __be16 *ports;
	struct tcphdr buf;
	bool fragment;

	if (pf == NFPROTO_IPV4 ? !packet_parse_ipv4(skb, pkt, &fragment) :
				 !packet_parse_ipv6(skb, pkt, &fragment))
		return false;

	ports = skb_header_pointer(skb, pkt->thoff, 4, &buf);
	if (!ports)
		return false;
	pkt->tuple.sport = ports[0];
	pkt->tuple.dport = ports[1];
	pkt->svc = mlb_service_find(mn, &pkt->tuple.daddr, pkt->tuple.dport);
	if (!pkt->svc)
		return false;

	if (fragment) {
		mlb_count(mn, BAD_FRAGMENT);
		return false;
	}
	th = skb_header_pointer(skb, pkt->thoff, sizeof(buf), &buf);
	if (!th || th->doff < 5 || pkt->thoff + th->doff * 4 > skb->len) {
		mlb_count(mn, BAD_HEADER);
		return false;
	}
	pkt->optlen = th->doff * 4 - sizeof(*th);
	pkt->syn = th->syn && !th->ack;
	pkt->ack = th->ack && !th->syn;
	pkt->closing = th->fin || th->rst;
	return true;
}

/**
 * mlb_packet_options() - what the packet's MPTCP option says
 * @skb: the packet
 * @pkt: what mlb_packet_parse() found
 * @mp: the outcome
 */
void mlb_packet_options(const struct sk_buff *skb,
			const struct mlb_packet *pkt, struct mlb_mptcp *mp)
{
	u8 buf[MLB_OPTION_SPACE];
	const u8 *opt = NULL;

	if (pkt->optlen)
		opt = skb_header_pointer(skb, pkt->thoff + sizeof(struct tcphdr),
					 pkt->optlen, buf);
	mlb_option_parse(opt, opt ? pkt->optlen : 0, pkt->syn, mp);
}
