// SPDX-License-Identifier: GPL-2.0
/* ICMP errors as a router on the way from a server to its client sends them. */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raw.h"

#define ICMP_HEADER	8
#define EMBEDDED_MAX	1200
#define EXTENSION	8	/* each of the IPv6 extension headers used here */

struct icmp_error {
	struct raw_addr from;
	struct raw_segment seg;	/* the one that it is about */
	unsigned int mtu;
	size_t tcp;		/* bytes of the segment that it has */
	bool extensions;
	bool nested;
};

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static size_t put_ip(uint8_t *p, const struct raw_addr *src,
		     const struct raw_addr *dst, uint8_t proto, size_t len)
{
	if (src->family == AF_INET) {
		memset(p, 0, 20);
		p[0] = 0x45;
		put16(p + 2, 20 + len);
		p[6] = 0x40;	/* DF */
		p[8] = 64;
		p[9] = proto;
		memcpy(p + 12, src->ip, 4);
		memcpy(p + 16, dst->ip, 4);
		put16(p + 10, raw_fold(raw_sum16(p, 20, 0)));
		return 20;
	}
	memset(p, 0, 40);
	p[0] = 0x60;
	put16(p + 4, len);
	p[6] = proto;
	p[7] = 64;
	memcpy(p + 8, src->ip, 16);
	memcpy(p + 24, dst->ip, 16);
	return 40;
}

/* Destination options that hold nothing but padding (RFC 8200 4.6). */
static size_t put_extension(uint8_t *p, uint8_t next)
{
	memset(p, 0, EXTENSION);
	p[0] = next;
	p[2] = 1;	/* PadN */
	p[3] = 4;
	return EXTENSION;
}

/* What the error embeds: the server's packet, as far as it goes. */
static size_t put_embedded(const struct icmp_error *e, uint8_t *p)
{
	uint8_t pkt[RAW_MAX];
	size_t ip = e->seg.src.family == AF_INET ? 20 : 40;
	size_t ext = e->extensions ? 2 * EXTENSION : 0;
	size_t len = raw_build(&e->seg, pkt);
	uint8_t proto = e->nested ? (ip == 20 ? IPPROTO_ICMP : IPPROTO_ICMPV6) :
				    IPPROTO_TCP;
	size_t n;

	n = put_ip(p, &e->seg.src, &e->seg.dst,
		   ext ? IPPROTO_DSTOPTS : proto, ext + len - ip);
	if (ext) {
		n += put_extension(p + n, IPPROTO_DSTOPTS);
		n += put_extension(p + n, proto);
	}
	memcpy(p + n, pkt + ip, e->tcp);
	return n + e->tcp;
}

static size_t build(const struct icmp_error *e, uint8_t *buf)
{
	bool ipv6 = e->from.family == AF_INET6;
	size_t ext = e->extensions ? EXTENSION : 0;
	uint8_t body[ICMP_HEADER + 120 + EMBEDDED_MAX] = { 0 };
	size_t len = ICMP_HEADER + put_embedded(e, body + ICMP_HEADER), n;
	uint32_t sum = 0;

	body[0] = ipv6 ? 2 : 3;	/* Packet Too Big, Destination Unreachable */
	body[1] = ipv6 ? 0 : 4;	/* Fragmentation Needed */
	put16(body + 4, ipv6 ? e->mtu >> 16 : 0);
	put16(body + 6, e->mtu);
	if (ipv6) {
		sum = raw_sum16(e->from.ip, 16, sum);
		sum = raw_sum16(e->seg.src.ip, 16, sum) + len + IPPROTO_ICMPV6;
	}
	put16(body + 2, raw_fold(raw_sum16(body, len, sum)));

	n = put_ip(buf, &e->from, &e->seg.src,
		   ext ? IPPROTO_DSTOPTS : ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
		   ext + len);
	if (ext)
		n += put_extension(buf + n, IPPROTO_ICMPV6);
	memcpy(buf + n, body, len);
	return n + len;
}

int raw_icmp(int argc, char **argv)
{
	struct icmp_error e = {
		.seg = { .flags = 0x10, .doff = -1, .cut = -1, .payload = 1000 },
		.mtu = 1400,
		.tcp = 8,
	};
	unsigned int count = 1;
	uint8_t pkt[RAW_MAX];
	int c;

	while ((c = getopt(argc, argv, "m:t:ein:")) != -1) {
		switch (c) {
		case 'm': e.mtu = strtoul(optarg, NULL, 0); break;
		case 't': e.tcp = strtoul(optarg, NULL, 0); break;
		case 'e': e.extensions = true; break;
		case 'i': e.nested = true; break;
		case 'n': count = strtoul(optarg, NULL, 0); break;
		default: return 2;
		}
	}
	if (argc - optind != 5 || e.tcp > 1000 ||
	    raw_addr_parse(argv[optind], &e.from) ||
	    raw_addr_parse(argv[optind + 1], &e.seg.src) ||
	    raw_addr_parse(argv[optind + 3], &e.seg.dst) ||
	    e.seg.src.family != e.seg.dst.family ||
	    e.from.family != e.seg.src.family ||
	    (e.extensions && e.from.family == AF_INET)) {
		fputs("rawpkt icmp: wrong arguments\n", stderr);
		return 2;
	}
	e.seg.sport = atoi(argv[optind + 2]);
	e.seg.dport = atoi(argv[optind + 4]);
	for (; count--; e.seg.dport++) {
		if (raw_send_ip(&e.seg.src, pkt, build(&e, pkt))) {
			perror("rawpkt icmp: send");
			return 1;
		}
	}
	return 0;
}
