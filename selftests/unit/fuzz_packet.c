// SPDX-License-Identifier: GPL-2.0
/*
 * A packet from anywhere, in one piece or two, judged twice: by the module's
 * parser, and by one that has all of it in one array and knows neither of its
 * structures nor of the kernel's helpers. Nothing may be read beyond it.
 */
#include <stdint.h>
#include <stdio.h>

#include "packet_unit.h"

/* Before the packet. */
struct input {
	u8 ipv6 : 1;
	u8 no_memory : 1;
	u8 linear;	/* bytes of the first piece; 255: all */
};

struct ip {
	u8 saddr[16];
	u8 daddr[16];
	size_t end;
	u8 proto;
	bool fragment;
};

/* What steering shall hear. */
struct verdict {
	bool good;
	struct mlb_packet pkt;
	unsigned int counts[MLB_CNT_MAX];
};

static void check(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static unsigned int be16(const u8 *p)
{
	return p[0] * 256U + p[1];
}

static bool judge_ipv4(const u8 *p, size_t len, size_t at, struct ip *ip)
{
	static const u8 mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255 };
	const u8 *h = p + at;

	if (at + 20 > len || h[0] / 16 != 4 || h[0] % 16 < 5)
		return false;
	if (be16(h + 6) % 8192)
		return false;
	memcpy(ip->saddr, mapped, 12);
	memcpy(ip->daddr, mapped, 12);
	memcpy(ip->saddr + 12, h + 12, 4);
	memcpy(ip->daddr + 12, h + 16, 4);
	ip->fragment = h[6] & 0x20;
	ip->proto = h[9];
	ip->end = at + h[0] % 16 * 4;
	return true;
}

static bool mapped_ipv4(const u8 *addr)
{
	for (int i = 0; i < 10; i++)
		if (addr[i])
			return false;
	return addr[10] == 255 && addr[11] == 255;
}

static bool judge_ipv6(const u8 *p, size_t len, size_t at, struct ip *ip)
{
	const u8 *h = p + at;

	if (at + 40 > len || h[0] / 16 != 6 || mapped_ipv4(h + 8) ||
	    mapped_ipv4(h + 24))
		return false;
	memcpy(ip->saddr, h + 8, 16);
	memcpy(ip->daddr, h + 24, 16);
	ip->fragment = false;
	ip->proto = h[6];
	at += 40;
	for (;;) {
		switch (ip->proto) {
		case 0:		/* hop by hop */
		case 43:	/* routing */
		case 60:	/* destination */
			if (at + 2 > len)
				return false;
			ip->proto = p[at];
			at += 8 + p[at + 1] * 8;
			break;
		case 44:	/* fragment */
			if (at + 4 > len || be16(p + at + 2) / 8)
				return false;
			ip->fragment = p[at + 3] & 1;
			ip->proto = p[at];
			at += 8;
			break;
		case 51:	/* authentication */
			if (at + 2 > len)
				return false;
			ip->proto = p[at];
			at += 8 + p[at + 1] * 4;
			break;
		case 59:	/* nothing */
			return false;
		default:
			ip->end = at;
			return true;
		}
	}
}

static bool judge_ip(const u8 *p, size_t len, size_t at, bool ipv6,
		     struct ip *ip)
{
	return ipv6 ? judge_ipv6(p, len, at, ip) : judge_ipv4(p, len, at, ip);
}

static bool served(const u8 *port)
{
	return be16(port) == UNIT_PORT || be16(port) == UNIT_PORT_TOO;
}

static void judge_tuple(struct mlb_tuple *tuple, const u8 *saddr,
			const u8 *daddr, const u8 *sport, const u8 *dport)
{
	memcpy(&tuple->saddr, saddr, 16);
	memcpy(&tuple->daddr, daddr, 16);
	memcpy(&tuple->sport, sport, 2);
	memcpy(&tuple->dport, dport, 2);
}

static void judge_tcp(const u8 *p, size_t len, const struct ip *ip,
		      struct verdict *want)
{
	struct mlb_packet *pkt = &want->pkt;
	const u8 *th = p + ip->end;
	unsigned int flags, size;

	if (ip->end + 4 > len || !served(th + 2))
		return;
	if (ip->fragment) {
		want->counts[MLB_CNT_BAD_FRAGMENT]++;
		return;
	}
	size = ip->end + 20 <= len ? th[12] / 16 * 4 : 0;
	if (size < 20 || ip->end + size > len) {
		want->counts[MLB_CNT_BAD_HEADER]++;
		return;
	}
	want->good = true;
	judge_tuple(&pkt->tuple, ip->saddr, ip->daddr, th, th + 2);
	flags = th[13] & 0x17;
	pkt->syn = (flags & 0x12) == 0x02;
	pkt->ack = (flags & 0x12) == 0x10;
	pkt->closing = flags & 0x05;
	memcpy(&pkt->seq, th + 4, 4);
	memcpy(&pkt->ack_seq, th + 8, 4);
	pkt->thoff = ip->end;
	pkt->optlen = size - 20;
	mlb_option_parse(th + 20, pkt->optlen, pkt->syn, &pkt->mp);
	if (pkt->syn && pkt->mp.kind == MLB_MPTCP_BAD)
		want->counts[MLB_CNT_BAD_OPTION]++;
	if (pkt->syn && pkt->mp.kind == MLB_MPTCP_VERSION)
		want->counts[MLB_CNT_BAD_VERSION]++;
}

static void judge_icmp(const u8 *p, size_t len, bool ipv6, const struct ip *ip,
		       struct verdict *want)
{
	const u8 *icmp = p + ip->end, *ports;
	struct ip inner;

	if (ip->end >= len)
		return;
	if (ipv6 ? icmp[0] < 1 || icmp[0] > 4 :
		   icmp[0] != 3 && icmp[0] != 11 && icmp[0] != 12)
		return;
	if (!judge_ip(p, len, ip->end + 8, ipv6, &inner) || inner.proto != 6 ||
	    memcmp(inner.saddr, ip->daddr, 16) || inner.end + 4 > len)
		return;
	ports = p + inner.end;
	if (!served(ports))
		return;
	want->good = true;
	want->pkt.icmp = true;
	want->pkt.thoff = ip->end;
	judge_tuple(&want->pkt.tuple, inner.daddr, inner.saddr, ports + 2,
		    ports);
	if (ipv6 ? icmp[0] == 2 && !icmp[4] && !icmp[5] && be16(icmp + 6) < 1280 :
		   icmp[0] == 3 && icmp[1] == 4 && be16(icmp + 6) < 552)
		want->counts[MLB_CNT_BAD_ICMP_MTU]++;
}

static void judge(const u8 *p, size_t len, bool ipv6, struct verdict *want)
{
	struct ip ip;

	memset(want, 0, sizeof(*want));
	if (!judge_ip(p, len, 0, ipv6, &ip))
		return;
	if (ip.proto == 6)
		judge_tcp(p, len, &ip, want);
	else if (ip.proto == (ipv6 ? 58 : 1) && !ip.fragment)
		judge_icmp(p, len, ipv6, &ip, want);
}

static void check_same(const struct mlb_packet *got,
		       const struct mlb_packet *want)
{
	check(!memcmp(&got->tuple, &want->tuple, sizeof(got->tuple)),
	      "the flow is that");
	check(got->svc->port == got->tuple.dport, "and the service");
	check(got->thoff == want->thoff, "the header is there");
	check(got->icmp == want->icmp, "it is ICMP or TCP");
	check(got->seq == want->seq && got->ack_seq == want->ack_seq,
	      "the sequence numbers are those");
	check(got->optlen == want->optlen, "the options have that length");
	check(got->syn == want->syn && got->ack == want->ack &&
	      got->closing == want->closing, "the flags are those");
	check(!got->mp_known, "options are read when they are asked for");
}

/* In one's complement, where 0 and 0xffff are one. */
static unsigned int sum(const u8 *p, size_t len)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : p[i] * 256U;
	return sum % 0xffff;
}

/* Its token is 0 then, and its checksum as right as before. */
static void check_clear(struct sk_buff *skb, const struct mlb_packet *pkt,
			const u8 *was)
{
	size_t at = pkt->thoff + 20 + pkt->mp.token_at;
	u8 *is = malloc(skb->len);

	if (!mlb_packet_clear_token(skb, pkt)) {
		check(skb->no_memory, "there is memory");
		free(is);
		return;
	}
	check(!skb->no_memory, "there is none");
	skb_copy_bits(skb, 0, is, skb->len);
	check(sum(is + pkt->thoff, skb->len - pkt->thoff) ==
	      sum(was + pkt->thoff, skb->len - pkt->thoff),
	      "the checksum follows");
	for (size_t i = 0; i < skb->len; i++) {
		if (i >= at && i < at + 4)
			check(!is[i], "the token is gone");
		else if (i - pkt->thoff != 16 && i - pkt->thoff != 17)
			check(is[i] == was[i], "the rest stays");
	}
	free(is);
}

static void look(struct sk_buff *skb, const u8 *data, bool ipv6)
{
	struct mlb_net mn = UNIT_NET;
	struct mlb_packet pkt;
	struct verdict want;
	bool good;

	judge(data, skb->len, ipv6, &want);
	memset(&pkt, 0xff, sizeof(pkt));
	good = mlb_packet_parse(&mn, skb, ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4,
				&pkt);
	check(good == want.good, "it is about a service");
	if (good) {
		check_same(&pkt, &want.pkt);
		if (!pkt.icmp) {
			mlb_packet_options(skb, &pkt);
			check(pkt.mp_known, "the options are read");
			check(pkt.mp.kind == want.pkt.mp.kind,
			      "they say the same");
		}
		mlb_packet_count_bad(&mn, skb, &pkt);
	}
	check(!memcmp(mn.counts, want.counts, sizeof(mn.counts)),
	      "what is odd is counted");
	if (good && !pkt.icmp && pkt.mp.kind == MLB_MPTCP_JOIN)
		check_clear(skb, &pkt, data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sk_buff skb = {};
	struct input in;
	u8 *linear, *rest;
	size_t n;

	if (size < sizeof(in))
		return 0;
	memcpy(&in, data, sizeof(in));
	data += sizeof(in);
	size -= sizeof(in);
	n = in.linear == 255 || in.linear > size ? size : in.linear;

	linear = malloc(n);
	rest = malloc(size - n);
	memcpy(linear, data, n);
	memcpy(rest, data + n, size - n);
	skb.data = linear;
	skb.rest = rest;
	skb.len = size;
	skb.data_len = size - n;
	skb.no_memory = in.no_memory;
	look(&skb, data, in.ipv6);
	free(skb.data);
	free(rest);
	return 0;
}
