// SPDX-License-Identifier: GPL-2.0
/* Builds TCP segments in IPv4 and IPv6 packets, sound ones and others. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raw.h"

#define TCP_HEADER	20
#define UDP_HEADER	8

int raw_addr_parse(const char *text, struct raw_addr *a)
{
	if (inet_pton(AF_INET, text, a->ip) == 1) {
		a->family = AF_INET;
		a->len = 4;
		return 0;
	}
	if (inet_pton(AF_INET6, text, a->ip) == 1) {
		a->family = AF_INET6;
		a->len = 16;
		return 0;
	}
	return -1;
}

/* Returns the number of bytes, or -1. */
int raw_hex_parse(const char *text, uint8_t *buf, size_t max)
{
	size_t len = strlen(text);

	if (len % 2 || len / 2 > max)
		return -1;
	for (size_t i = 0; i < len; i += 2) {
		char pair[3] = { text[i], text[i + 1] };
		char *end;

		buf[i / 2] = strtoul(pair, &end, 16);
		if (end != pair + 2)
			return -1;
	}
	return len / 2;
}

static void put32(uint8_t *p, uint32_t v)
{
	v = htonl(v);
	memcpy(p, &v, sizeof(v));
}

/* Random bytes for keys, nonces and HMACs that nobody knows. */
static void put_random(uint8_t *p, size_t len)
{
	while (len--)
		*p++ = random();
}

/*
 * Adds an option: "hex=BYTES", or an MPTCP one by name (RFC 8684 3.1, 3.2):
 * "capable[=VERSION]" as on a SYN, "keys" as on the third packet,
 * "join=TOKEN" or "join=random" as on a SYN, "join16" and "join24" as on SYN/ACK
 * and ACK; "mss".
 */
int raw_option_add(struct raw_segment *seg, const char *text)
{
	size_t room = sizeof(seg->opt) - seg->opt_len, n = 0;
	const char *val = strchr(text, '=');
	size_t name = val ? (size_t)(val - text) : strlen(text);
	uint8_t *p = seg->opt + seg->opt_len;

#define IS(s) (name == sizeof(s) - 1 && !memcmp(text, s, name))
	if (room < 40)
		return -1;
	if (val)
		val++;
	memset(p, 0, 40);
	if (IS("hex") && val) {
		int len = raw_hex_parse(val, p, room);

		if (len < 0)
			return -1;
		n = len;
	} else if (IS("mss")) {
		memcpy(p, (uint8_t[]){ 2, 4, 5, 0xb4 }, n = 4);
	} else if (IS("capable")) {
		unsigned int version = val ? strtoul(val, NULL, 0) : 1;

		/* Version 0 has the sender's key on the SYN already. */
		n = version ? 4 : 12;
		put_random(p, n);
		p[0] = 30;
		p[1] = n;
		p[2] = version & 0xf;
		p[3] = 0x01;
	} else if (IS("keys")) {
		n = 20;
		put_random(p, n);
		p[0] = 30;
		p[1] = n;
		p[2] = 0x01;
		p[3] = 0x01;
	} else if (IS("join") && val) {
		n = 12;
		put_random(p, n);
		p[0] = 30;
		p[1] = n;
		p[2] = 0x10;
		p[3] = 1;
		if (!strcmp(val, "random"))
			seg->token_at = seg->opt_len + 4;
		else
			put32(p + 4, strtoul(val, NULL, 0));
	} else if (IS("join16") || IS("join24")) {
		n = IS("join16") ? 16 : 24;
		put_random(p, n);
		p[0] = 30;
		p[1] = n;
		p[2] = 0x10;
		p[3] = IS("join16") ? 1 : 0;
	} else {
		return -1;
	}
#undef IS
	seg->opt_len += n;
	return 0;
}

int raw_flags_parse(const char *text, uint8_t *flags)
{
	static const char names[] = "FSRPAUEC";

	*flags = 0;
	for (; *text; text++) {
		const char *p = strchr(names, *text);

		if (!p)
			return -1;
		*flags |= 1u << (p - names);
	}
	return 0;
}

uint32_t raw_sum16(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

uint16_t raw_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static size_t build_tcp(const struct raw_segment *seg, uint8_t *p)
{
	size_t opt = (seg->opt_len + 3) / 4 * 4;
	size_t len = TCP_HEADER + opt + seg->payload;
	size_t doff = seg->doff >= 0 ? (size_t)seg->doff : (TCP_HEADER + opt) / 4;
	uint32_t sum;
	uint16_t v;

	memset(p, 0, len);
	v = htons(seg->sport);
	memcpy(p, &v, 2);
	v = htons(seg->dport);
	memcpy(p + 2, &v, 2);
	put32(p + 4, seg->seq);
	put32(p + 8, seg->ack);
	p[12] = doff << 4;
	p[13] = seg->flags;
	p[14] = 0xff;
	p[15] = 0xff;
	memset(p + TCP_HEADER, 1, opt);
	memcpy(p + TCP_HEADER, seg->opt, seg->opt_len);
	if (seg->token_at)
		put_random(p + TCP_HEADER + seg->token_at, 4);
	for (size_t i = 0; i < seg->payload; i++)
		p[TCP_HEADER + opt + i] = i;
	if (seg->cut >= 0 && (size_t)seg->cut < len)
		len = seg->cut;

	sum = raw_sum16(seg->src.ip, seg->src.len, 0);
	sum = raw_sum16(seg->dst.ip, seg->dst.len, sum);
	v = raw_fold(raw_sum16(p, len, sum + IPPROTO_TCP + len));
	if (len >= 18) {
		p[16] = v >> 8;
		p[17] = v;
		if (seg->bad_sum)
			p[17] ^= 0x55;
	}
	return len;
}

static size_t ip_length(const struct raw_addr *src)
{
	return src->family == AF_INET ? 20 : 40;
}

/* The IP header of a packet with @len bytes behind it. */
static void build_ip(const struct raw_addr *src, const struct raw_addr *dst,
		     uint8_t proto, size_t len, uint8_t *buf)
{
	static uint16_t id;	/* not 0, which the kernel would replace */
	size_t ip = ip_length(src);
	uint16_t v;

	/* No two alike, for fragments. */
	id = (id ?: random()) % 65535 + 1;
	memset(buf, 0, ip);
	if (ip == 20) {
		buf[0] = 0x45;
		v = htons(ip + len);
		memcpy(buf + 2, &v, 2);
		memcpy(buf + 4, &id, 2);
		buf[8] = 64;
		buf[9] = proto;
		memcpy(buf + 12, src->ip, 4);
		memcpy(buf + 16, dst->ip, 4);
		v = raw_fold(raw_sum16(buf, ip, 0));
		buf[10] = v >> 8;
		buf[11] = v;
	} else {
		buf[0] = 0x60;
		v = htons(len);
		memcpy(buf + 4, &v, 2);
		buf[6] = proto;
		buf[7] = 64;
		memcpy(buf + 8, src->ip, 16);
		memcpy(buf + 24, dst->ip, 16);
	}
}

size_t raw_build(const struct raw_segment *seg, uint8_t *buf)
{
	size_t len, ip = ip_length(&seg->src);

	if (ip + TCP_HEADER + seg->opt_len + 4 + seg->payload > RAW_MAX)
		return 0;
	len = build_tcp(seg, buf + ip);
	build_ip(&seg->src, &seg->dst, IPPROTO_TCP, len, buf);
	return ip + len;
}

size_t raw_build_udp(const struct raw_addr *src, const struct raw_addr *dst,
		     uint16_t dport, const uint8_t *data, size_t len,
		     uint8_t *buf)
{
	size_t ip = ip_length(src), udp = UDP_HEADER + len;
	uint16_t sport = 32768 + random() % 16384;
	uint8_t *p = buf + ip;
	uint32_t sum;
	uint16_t v;

	if (ip + udp > RAW_MAX)
		return 0;
	memcpy(p, (uint8_t[]){ sport >> 8, sport, dport >> 8, dport, udp >> 8,
			       udp, 0, 0 }, UDP_HEADER);
	memcpy(p + UDP_HEADER, data, len);
	sum = raw_sum16(src->ip, src->len, IPPROTO_UDP + udp);
	sum = raw_sum16(dst->ip, dst->len, sum);
	v = raw_fold(raw_sum16(p, udp, sum)) ?: 0xffff;
	p[6] = v >> 8;
	p[7] = v;
	build_ip(src, dst, IPPROTO_UDP, udp, buf);
	return ip + udp;
}
