// SPDX-License-Identifier: GPL-2.0
/*
 * The one place that reads IP, TCP and ICMP headers. Nothing is pulled: bytes
 * are copied out where the packet is not linear, so no pointer can go stale.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "net.h"
#include "packet.h"
#include "service.h"

/* Below these TCP does not follow (ip_rt_min_pmtu; RFC 8201 4). */
#define MTU_MIN_IPV4	552
#define MTU_MIN_IPV6	IPV6_MIN_MTU

/* What an IP header says, one form for both families. */
struct ip_fields {
	struct in6_addr saddr;
	struct in6_addr daddr;
	unsigned int thoff;	/* of what follows the headers of IP */
	u8 proto;
	bool fragment;		/* the first of several */
};

static bool parse_ipv4(const struct sk_buff *skb, unsigned int off,
		       struct ip_fields *ip)
{
	const struct iphdr *iph;
	struct iphdr buf;

	iph = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!iph || iph->version != 4 || iph->ihl < 5)
		return false;
	/* Only a first fragment has ports to judge by. */
	if (iph->frag_off & htons(IP_OFFSET))
		return false;

	ipv6_addr_set_v4mapped(iph->saddr, &ip->saddr);
	ipv6_addr_set_v4mapped(iph->daddr, &ip->daddr);
	ip->thoff = off + iph->ihl * 4;
	ip->proto = iph->protocol;
	ip->fragment = ip_is_fragment(iph);
	return true;
}

static bool parse_ipv6(const struct sk_buff *skb, unsigned int off,
		       struct ip_fields *ip)
{
	const struct ipv6hdr *ip6h;
	__be16 frag_off = 0;
	struct ipv6hdr buf;
	int thoff;

	ip6h = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!ip6h || ip6h->version != 6)
		return false;
	/* Never on the wire (RFC 4291 2.5.5.2); here it is how IPv4 is
	 * written.
	 */
	if (ipv6_addr_v4mapped(&ip6h->saddr) ||
	    ipv6_addr_v4mapped(&ip6h->daddr))
		return false;

	ip->saddr = ip6h->saddr;
	ip->daddr = ip6h->daddr;
	ip->proto = ip6h->nexthdr;
	thoff = off + sizeof(buf);
	if (ipv6_ext_hdr(ip->proto)) {
		thoff = ipv6_skip_exthdr(skb, thoff, &ip->proto, &frag_off);
		if (thoff < 0 || frag_off & htons(IP6_OFFSET))
			return false;
	}
	ip->thoff = thoff;
	/* Next to it are bits that nobody heeds (RFC 8200 4.5). */
	ip->fragment = frag_off & htons(IP6_MF);
	return true;
}

static bool parse_ip(const struct sk_buff *skb, unsigned int off, u8 pf,
		     struct ip_fields *ip)
{
	return pf == NFPROTO_IPV4 ? parse_ipv4(skb, off, ip) :
				    parse_ipv6(skb, off, ip);
}

static bool parse_tcp(struct mlb_net *mn, const struct sk_buff *skb,
		      const struct ip_fields *ip, struct mlb_packet *pkt)
{
	const struct tcphdr *th;
	const __be16 *ports;
	struct tcphdr buf;

	ports = skb_header_pointer(skb, ip->thoff, 4, &buf);
	if (!ports)
		return false;
	pkt->tuple.saddr = ip->saddr;
	pkt->tuple.daddr = ip->daddr;
	pkt->tuple.sport = ports[0];
	pkt->tuple.dport = ports[1];
	pkt->svc = mlb_service_find(mn, &pkt->tuple.daddr, pkt->tuple.dport);
	if (!pkt->svc)
		return false;

	if (ip->fragment) {
		mlb_count(mn, BAD_FRAGMENT);
		return false;
	}
	th = skb_header_pointer(skb, ip->thoff, sizeof(buf), &buf);
	if (!th || th->doff < 5 || ip->thoff + th->doff * 4 > skb->len) {
		mlb_count(mn, BAD_HEADER);
		return false;
	}
	pkt->thoff = ip->thoff;
	pkt->optlen = th->doff * 4 - sizeof(*th);
	pkt->seq = th->seq;
	pkt->ack_seq = th->ack_seq;
	pkt->syn = th->syn && !th->ack;
	pkt->ack = th->ack && !th->syn;
	pkt->closing = th->fin || th->rst;
	pkt->icmp = false;
	pkt->mp_known = false;
	return true;
}

/* An error that TCP heeds; not a redirect, which is about this host's routes. */
static bool icmp_is_for_tcp(u8 type, u8 pf)
{
	if (pf == NFPROTO_IPV6)
		return type >= ICMPV6_DEST_UNREACH && type <= ICMPV6_PARAMPROB;
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

/*
 * An ICMP error embeds the beginning of a segment that the service sent: of
 * TCP at least the ports (RFC 792, RFC 4443 2.4).
 */
static bool parse_icmp(struct mlb_net *mn, const struct sk_buff *skb, u8 pf,
		       const struct ip_fields *outer, struct mlb_packet *pkt)
{
	struct ip_fields inner;
	const __be16 *ports;
	const u8 *type;
	__be16 buf[2];
	u8 type_buf;

	BUILD_BUG_ON(sizeof(struct icmphdr) != sizeof(struct icmp6hdr));
	type = skb_header_pointer(skb, outer->thoff, 1, &type_buf);
	if (!type || !icmp_is_for_tcp(*type, pf))
		return false;
	if (!parse_ip(skb, outer->thoff + sizeof(struct icmphdr), pf, &inner) ||
	    inner.proto != IPPROTO_TCP ||
	    !ipv6_addr_equal(&inner.saddr, &outer->daddr))
		return false;
	ports = skb_header_pointer(skb, inner.thoff, sizeof(buf), buf);
	if (!ports)
		return false;

	pkt->tuple.saddr = inner.daddr;
	pkt->tuple.daddr = inner.saddr;
	pkt->tuple.sport = ports[1];
	pkt->tuple.dport = ports[0];
	pkt->svc = mlb_service_find(mn, &pkt->tuple.daddr, pkt->tuple.dport);
	if (!pkt->svc)
		return false;
	pkt->thoff = outer->thoff;
	pkt->seq = 0;
	pkt->ack_seq = 0;
	pkt->optlen = 0;
	pkt->syn = false;
	pkt->ack = false;
	pkt->closing = false;
	pkt->icmp = true;
	pkt->mp_known = false;
	return true;
}

/**
 * mlb_packet_parse() - recognise a packet about a flow of a service
 * @mn: the namespace
 * @skb: the packet, skb->data at its IP header and skb->len trimmed to what
 *	the IP header says
 * @pf: NFPROTO_IPV4 or NFPROTO_IPV6
 * @pkt: what was found
 *
 * Call inside rcu_read_lock().
 *
 * Return: false for everything that is neither whole TCP to a service nor an
 * ICMP error about it. TCP to a service that is not whole is counted.
 */
bool mlb_packet_parse(struct mlb_net *mn, const struct sk_buff *skb, u8 pf,
		      struct mlb_packet *pkt)
{
	struct ip_fields ip;

	if (!parse_ip(skb, 0, pf, &ip))
		return false;
	if (ip.proto == IPPROTO_TCP)
		return parse_tcp(mn, skb, &ip, pkt);
	if (ip.proto == (pf == NFPROTO_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6) &&
	    !ip.fragment)
		return parse_icmp(mn, skb, pf, &ip, pkt);
	return false;
}

/**
 * mlb_packet_options() - read the packet's MPTCP option into &mlb_packet.mp
 * @skb: the packet
 * @pkt: what mlb_packet_parse() found
 *
 * Reads it once, and leaves alone what the caller has put there.
 */
void mlb_packet_options(const struct sk_buff *skb, struct mlb_packet *pkt)
{
	u8 buf[MLB_OPTION_SPACE];
	const u8 *opt = NULL;

	if (pkt->mp_known)
		return;
	pkt->mp_known = true;
	if (pkt->optlen)
		opt = skb_header_pointer(skb, pkt->thoff + sizeof(struct tcphdr),
					 pkt->optlen, buf);
	mlb_option_parse(opt, opt ? pkt->optlen : 0, pkt->syn, &pkt->mp);
}

/* The MTU that an ICMP error asks for; UINT_MAX if it asks for none. */
static u32 icmp_mtu(const struct sk_buff *skb, unsigned int off, bool ipv6)
{
	const struct icmphdr *icmph;
	struct icmphdr buf;

	icmph = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!icmph)
		return UINT_MAX;
	if (ipv6)
		return icmph->type == ICMPV6_PKT_TOOBIG ?
		       ntohl(icmph->un.gateway) : UINT_MAX;
	return icmph->type == ICMP_DEST_UNREACH &&
	       icmph->code == ICMP_FRAG_NEEDED ? ntohs(icmph->un.frag.mtu) :
						 UINT_MAX;
}

/**
 * mlb_packet_count_bad() - count what is odd about a packet and yet steered
 * @mn: the namespace
 * @skb: the packet
 * @pkt: what mlb_packet_parse() found; its options are read
 *
 * For the node that first sees it.
 */
void mlb_packet_count_bad(struct mlb_net *mn, const struct sk_buff *skb,
			  const struct mlb_packet *pkt)
{
	bool ipv6 = !ipv6_addr_v4mapped(&pkt->tuple.daddr);

	if (pkt->icmp) {
		if (icmp_mtu(skb, pkt->thoff, ipv6) <
		    (ipv6 ? MTU_MIN_IPV6 : MTU_MIN_IPV4))
			mlb_count(mn, BAD_ICMP_MTU);
	} else if (pkt->syn && pkt->mp_known) {
		if (pkt->mp.kind == MLB_MPTCP_BAD)
			mlb_count(mn, BAD_OPTION);
		else if (pkt->mp.kind == MLB_MPTCP_VERSION)
			mlb_count(mn, BAD_VERSION);
	}
}

/**
 * mlb_packet_write() - overwrite bytes of a TCP header
 * @skb: the packet
 * @th: its TCP header, writable
 * @off: where in the header, behind the checksum
 * @bytes: what to write
 * @len: how many
 *
 * The checksum follows, wherever the bytes lie in its words.
 */
void mlb_packet_write(struct sk_buff *skb, struct tcphdr *th, unsigned int off,
		      const u8 *bytes, unsigned int len)
{
	u8 *p = (u8 *)th;

	for (; len--; off++, bytes++) {
		unsigned int shift = off % 2 ? 0 : 8;

		inet_proto_csum_replace2(&th->check, skb,
					 htons(p[off] << shift),
					 htons(*bytes << shift), false);
		p[off] = *bytes;
	}
}

/**
 * mlb_packet_clear_token() - make a SYN with MP_JOIN join nothing
 * @skb: the packet
 * @pkt: what mlb_packet_parse() found, the option MLB_MPTCP_JOIN
 *
 * No connection has token 0, so the stack refuses it with an RST and the
 * reason that RFC 8684 3.6 gives.
 *
 * Return: false when there is no memory.
 */
bool mlb_packet_clear_token(struct sk_buff *skb, const struct mlb_packet *pkt)
{
	unsigned int off = sizeof(struct tcphdr) + pkt->mp.token_at;
	static const u8 none[sizeof(u32)];

	if (skb_ensure_writable(skb, pkt->thoff + off + sizeof(none)))
		return false;
	mlb_packet_write(skb, (struct tcphdr *)(skb->data + pkt->thoff), off,
			 none, sizeof(none));
	return true;
}
