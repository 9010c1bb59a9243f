// SPDX-License-Identifier: GPL-2.0
/* Looks at every checksum of tunnelled packets as they come from a device. */
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

int raw_verify(const char *dev, uint16_t port, unsigned int count, int ms)
{
	static struct {
		struct virtio_net_hdr vh;
		struct ethhdr eth;
		uint8_t ip[65536];
	} b;
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(dev),
	};
	struct pollfd pfd = { .events = POLLIN };
	int one = 1, room = 8 << 20;
	struct verdict v = {};
	const size_t head = offsetof(typeof(b), ip);

	pfd.fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	if (pfd.fd < 0 ||
	    setsockopt(pfd.fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) ||
	    setsockopt(pfd.fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    bind(pfd.fd, (struct sockaddr *)&ll, sizeof(ll)))
		return -1;
	puts("verifying");
	fflush(stdout);
	while (v.good + v.bad + v.partial + v.gso < count) {
		ssize_t n = poll(&pfd, 1, ms);

		if (n <= 0)
			break;
		n = recv(pfd.fd, &b, sizeof(b), 0);
		if (n > (ssize_t)head)
			judge(&b.vh, b.ip, n - head, port, &v);
	}
	close(pfd.fd);
	printf("good=%u bad=%u partial=%u gso=%u\n", v.good, v.bad, v.partial,
	       v.gso);
	return 0;
}
