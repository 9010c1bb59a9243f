/* SPDX-License-Identifier: GPL-2.0 */
/* rawpkt: packets that no well-behaved stack sends. */
#ifndef RAW_H
#define RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#define RAW_MAX		9216
#define RAW_OPTIONS	40
#define RAW_BATCH	64
#define RAW_SMALL	512	/* the largest of a flood */

struct raw_addr {
	int family;
	size_t len;
	uint8_t ip[16];
};

/* A TCP segment; what differs from a sound one is said by the last members. */
struct raw_segment {
	struct raw_addr src, dst;
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;
	uint8_t opt[256];
	size_t opt_len;
	size_t token_at;	/* of a token that each packet has anew, or 0 */
	size_t payload;
	int doff;		/* -1: what the options need */
	int cut;		/* -1: whole; else bytes of TCP that are sent */
	bool bad_sum;
};

int raw_addr_parse(const char *text, struct raw_addr *a);
int raw_hex_parse(const char *text, uint8_t *buf, size_t max);
int raw_option_add(struct raw_segment *seg, const char *text);
int raw_flags_parse(const char *text, uint8_t *flags);

/* The Internet checksum (RFC 1071) in two steps. */
uint32_t raw_sum16(const uint8_t *p, size_t len, uint32_t sum);
uint16_t raw_fold(uint32_t sum);

/* "rawpkt icmp", see raw_icmp.c. Returns an exit status. */
int raw_icmp(int argc, char **argv);

/* Returns the length of the IP packet in @buf, which has RAW_MAX bytes. */
size_t raw_build(const struct raw_segment *seg, uint8_t *buf);
/* The same for a UDP datagram, from a port of its own. */
size_t raw_build_udp(const struct raw_addr *src, const struct raw_addr *dst,
		     uint16_t dport, const uint8_t *data, size_t len,
		     uint8_t *buf);

int raw_send_ip(const struct raw_addr *dst, const uint8_t *pkt, size_t len);
/*
 * Sends segments, each from the next source port, until there were @count or,
 * unless @ms is 0, that time is over.
 */
int raw_flood(struct raw_segment *seg, uint64_t count, unsigned int ports,
	      int ms, uint64_t *sent);
enum raw_fragments {
	RAW_FRAGMENTS_WHOLE,
	RAW_FRAGMENTS_OVERLAP,	/* the second has the last of the first again */
	RAW_FRAGMENTS_FIRST,	/* and no other */
};

int raw_send_fragments(const struct raw_addr *dst, const uint8_t *pkt,
		       size_t len, size_t first, enum raw_fragments kind);
int raw_send_paged(const char *dev, const char *mac, const uint8_t *pkt,
		   size_t len, size_t linear, int family);

/* A socket that sees what comes back for the segment; open it before sending. */
int raw_reply_open(const struct raw_segment *seg);
/* "rst", "synack", "ack", "other" or "none" after @ms. */
const char *raw_reply_wait(int fd, const struct raw_segment *seg, int ms);

/* @src may be NULL. Returns a descriptor. */
int raw_udp_connect(const struct raw_addr *src, const struct raw_addr *dst,
		    uint16_t port);
/* Whether the host, on a port where nothing listens, says so within @ms. */
int raw_reach(const struct raw_addr *src, const struct raw_addr *dst, int ms);

int raw_capture(const char *dev, uint16_t port, size_t min_len,
		const char *file, int ms);

/*
 * Judges @count tunnel packets to @port as they come from @dev, or those that
 * come until none has for @ms, and prints how many had good checksums, bad
 * ones, ones that are still to be filled in, or are yet to be segmented.
 */
int raw_verify(const char *dev, uint16_t port, unsigned int count, int ms);

/*
 * Prints a line for each of the next @count SYN/ACKs from @port that come from
 * @dev: its checksum, good, bad or partial, and its options, kind:value.
 */
int raw_synack(const char *dev, uint16_t port, unsigned int count, int ms);

#endif
