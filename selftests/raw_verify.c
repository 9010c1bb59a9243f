// SPDX-License-Identifier: GPL-2.0
/* Looks at tunnelled packets, or at SYN/ACKs, as they come from a device. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "raw.h"

#define UDP_HEADER	8
#define GUE_HLEN	0x1f	/* words behind the first */
#define GUE_CONTROL	0x20

struct verdict {
	unsigned int good, bad, partial, gso;
};

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

/* Of a TCP segment or UDP datagram in an IP packet; 0 when it is right. */
static uint16_t l4_sum(const uint8_t *ip, size_t len, size_t hlen, uint8_t proto)
{
	size_t addrs = ip[0] >> 4 == 4 ? 8 : 32;
	uint32_t sum;

	sum = raw_sum16(ip + (addrs == 8 ? 12 : 8), addrs, proto + len - hlen);
	return raw_fold(raw_sum16(ip + hlen, len - hlen, sum));
}

/* Length of the IP header, and in @len of the packet; 0 when it is not sound
 * or does not carry @proto.
 */
static size_t ip_header(const uint8_t *p, size_t *len, uint8_t proto)
{
	size_t hlen, total;

	if (*len < 20)
		return 0;
	if (p[0] >> 4 == 4) {
		hlen = (p[0] & 0xf) * 4;
		total = get16(p + 2);
		if (p[9] != proto || hlen < 20 || hlen > total || total > *len ||
		    get16(p + 6) & 0x3fff || raw_fold(raw_sum16(p, hlen, 0)))
			return 0;
	} else {
		hlen = 40;
		if (*len < hlen || p[6] != proto)
			return 0;
		total = hlen + get16(p + 4);
		if (total > *len)
			return 0;
	}
	*len = total;
	return hlen;
}

/* A whole packet, outer IP header first, to UDP port @port. */
static void judge(const struct virtio_net_hdr *vh, const uint8_t *p, size_t len,
		  uint16_t port, struct verdict *v)
{
	size_t hlen, inner;

	if (vh->gso_type) {
		v->gso++;
		return;
	}
	/* Anything else than a datagram, or a part of one, is not ours. */
	hlen = ip_header(p, &len, IPPROTO_UDP);
	if (!hlen || len < hlen + UDP_HEADER + 4 || get16(p + hlen + 2) != port)
		return;
	if (get16(p + hlen + 4) != len - hlen ||
	    (get16(p + hlen + 6) && l4_sum(p, len, hlen, IPPROTO_UDP))) {
		v->bad++;
		return;
	}
	p += hlen + UDP_HEADER;
	len -= hlen + UDP_HEADER;
	inner = 4 + (p[0] & GUE_HLEN) * 4;
	if (p[0] & GUE_CONTROL || len < inner)
		return;
	p += inner;
	len -= inner;
	hlen = ip_header(p, &len, IPPROTO_TCP);
	if (!hlen)
		v->bad++;
	else if (vh->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		v->partial++;
	else if (l4_sum(p, len, hlen, IPPROTO_TCP))
		v->bad++;
	else
		v->good++;
}

static struct {
	struct virtio_net_hdr vh;
	struct ethhdr eth;
	uint8_t ip[65536];
} frame;

static int watch_open(const char *dev)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(dev),
	};
	int one = 1, room = 8 << 20;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	if (fd < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    bind(fd, (struct sockaddr *)&ll, sizeof(ll)))
		return -1;
	puts("verifying");
	fflush(stdout);
	return fd;
}

/* The length of the next frame's IP packet; -1 when none comes for @ms. */
static ssize_t watch_next(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	const ssize_t head = offsetof(typeof(frame), ip);
	ssize_t n;

	if (poll(&pfd, 1, ms) <= 0)
		return -1;
	n = recv(fd, &frame, sizeof(frame), 0);
	return n > head ? n - head : 0;
}

int raw_verify(const char *dev, uint16_t port, unsigned int count, int ms)
{
	struct verdict v = {};
	int fd = watch_open(dev);
	ssize_t n;

	if (fd < 0)
		return -1;
	while (v.good + v.bad + v.partial + v.gso < count &&
	       (n = watch_next(fd, ms)) >= 0)
		judge(&frame.vh, frame.ip, n, port, &v);
	close(fd);
	printf("good=%u bad=%u partial=%u gso=%u\n", v.good, v.bad, v.partial,
	       v.gso);
	return 0;
}

/* Each option as kind:value; what is behind the last sound one as "rest". */
static void print_options(const uint8_t *p, size_t len)
{
	size_t off = 0, size;

	for (; off < len && p[off]; off += size) {
		size = 1;
		if (p[off] != 1) {
			if (off + 1 == len || p[off + 1] < 2 ||
			    off + p[off + 1] > len)
				break;
			size = p[off + 1];
		}
		printf(" %u%s", p[off], size > 2 ? ":" : "");
		for (size_t i = 2; i < size; i++)
			printf("%02x", p[off + i]);
	}
	if (off < len)
		printf(" rest:");
	for (; off < len; off++)
		printf("%02x", p[off]);
	putchar('\n');
}

int raw_synack(const char *dev, uint16_t port, unsigned int count, int ms)
{
	int fd = watch_open(dev);
	ssize_t n;

	if (fd < 0)
		return -1;
	while (count && (n = watch_next(fd, ms)) >= 0) {
		size_t len = n, hlen = ip_header(frame.ip, &len, IPPROTO_TCP);
		const uint8_t *th = frame.ip + hlen;
		size_t doff = (th[12] >> 4) * 4;

		if (!hlen || len < hlen + 20 || get16(th) != port ||
		    (th[13] & 0x12) != 0x12 || doff < 20 || hlen + doff > len)
			continue;
		if (frame.vh.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
			fputs("partial", stdout);
		else
			fputs(l4_sum(frame.ip, len, hlen, IPPROTO_TCP) ?
			      "bad" : "good", stdout);
		print_options(th + 20, doff - 20);
		fflush(stdout);
		count--;
	}
	close(fd);
	return 0;
}
