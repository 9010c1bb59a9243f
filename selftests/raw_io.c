// SPDX-License-Identifier: GPL-2.0
/* Sends crafted packets, waits for what comes back, captures datagrams. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "raw.h"

#ifndef IPV6_HDRINCL
#define IPV6_HDRINCL 36
#endif
#define FRAGMENT_HEADER	8

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* One for each family, kept: a flood would spend its time on opening them. */
static int send_socket(int family)
{
	static int fds[2] = { -1, -1 };
	int *fd = &fds[family == AF_INET6], one = 1, room = 4 << 20;

	if (*fd >= 0)
		return *fd;
	*fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (*fd < 0 ||
	    (family == AF_INET6 && setsockopt(*fd, IPPROTO_IPV6, IPV6_HDRINCL,
					      &one, sizeof(one))))
		return -1;
	setsockopt(*fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	return *fd;
}

static socklen_t fill_sockaddr(struct sockaddr_storage *ss,
			       const struct raw_addr *a, uint16_t port)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = a->family;
	if (a->family == AF_INET) {
		sin->sin_port = htons(port);
		memcpy(&sin->sin_addr, a->ip, sizeof(sin->sin_addr));
		return sizeof(*sin);
	}
	sin6->sin6_port = htons(port);
	memcpy(&sin6->sin6_addr, a->ip, sizeof(sin6->sin6_addr));
	return sizeof(*sin6);
}

int raw_send_ip(const struct raw_addr *dst, const uint8_t *pkt, size_t len)
{
	struct sockaddr_storage ss;
	socklen_t ss_len = fill_sockaddr(&ss, dst, 0);
	int fd = send_socket(dst->family);

	if (fd < 0)
		return -1;
	return sendto(fd, pkt, len, 0, (struct sockaddr *)&ss, ss_len) ==
			       (ssize_t)len ?
		       0 :
		       -1;
}

/* Many small packets in few calls, from so many source ports over and over. A
 * packet for which there is no room is gone, as it would be on the way.
 */
int raw_flood(struct raw_segment *seg, uint64_t count, unsigned int ports,
	      int ms, uint64_t *sent)
{
	uint16_t sport = seg->sport;
	static uint8_t pkts[RAW_BATCH][RAW_SMALL];
	struct mmsghdr msgs[RAW_BATCH] = {};
	struct iovec iov[RAW_BATCH];
	struct sockaddr_storage ss;
	socklen_t ss_len = fill_sockaddr(&ss, &seg->dst, 0);
	int fd = send_socket(seg->dst.family);
	int64_t end = now_ms() + ms;

	if (fd < 0)
		return -1;
	*sent = 0;
	while (*sent < count && (!ms || now_ms() < end)) {
		uint64_t n = count - *sent;
		int done;

		if (n > RAW_BATCH)
			n = RAW_BATCH;
		for (uint64_t i = 0; i < n; i++) {
			seg->sport = sport + (*sent + i) % ports;
			iov[i].iov_base = pkts[i];
			iov[i].iov_len = raw_build(seg, pkts[i]);
			msgs[i].msg_hdr.msg_name = &ss;
			msgs[i].msg_hdr.msg_namelen = ss_len;
			msgs[i].msg_hdr.msg_iov = &iov[i];
			msgs[i].msg_hdr.msg_iovlen = 1;
		}
		for (uint64_t i = 0; i < n; i += done) {
			done = sendmmsg(fd, msgs + i, n - i, 0);
			if (done <= 0 && errno != ENOBUFS && errno != EAGAIN)
				return -1;
			if (done <= 0)
				done = 1;
		}
		*sent += n;
	}
	return 0;
}

/* @n bytes from @off on of what is behind the IP header. */
static int fragment4(const struct raw_addr *dst, const uint8_t *pkt, size_t off,
		     size_t n, bool more)
{
	uint8_t frag[RAW_MAX];
	uint16_t v = htons(off / 8 | (more ? 0x2000 : 0));

	memcpy(frag, pkt, 20);
	memcpy(frag + 6, &v, 2);
	v = htons(20 + n);
	memcpy(frag + 2, &v, 2);
	memset(frag + 10, 0, 2);
	memcpy(frag + 20, pkt + 20 + off, n);
	return raw_send_ip(dst, frag, 20 + n);
}

static int fragment6(const struct raw_addr *dst, const uint8_t *pkt, size_t off,
		     size_t n, bool more, uint32_t id)
{
	uint8_t frag[RAW_MAX + FRAGMENT_HEADER];
	uint16_t v = htons(off | more);

	memcpy(frag, pkt, 40);
	frag[40] = frag[6];
	frag[6] = IPPROTO_FRAGMENT;
	frag[41] = 0;
	memcpy(frag + 42, &v, 2);
	memcpy(frag + 44, &id, 4);
	v = htons(FRAGMENT_HEADER + n);
	memcpy(frag + 4, &v, 2);
	memcpy(frag + 48, pkt + 40 + off, n);
	return raw_send_ip(dst, frag, 48 + n);
}

/*
 * Two fragments, the first with @first bytes (a multiple of 8) of what is
 * behind the IP header, or one "atomic" fragment when that is all of it.
 */
int raw_send_fragments(const struct raw_addr *dst, const uint8_t *pkt,
		       size_t len, size_t first, enum raw_fragments kind)
{
	bool ipv4 = dst->family == AF_INET;
	size_t left = len - (ipv4 ? 20 : 40), off = 0;
	uint32_t id = random();

	if (first % 8 || !first) {
		errno = EINVAL;
		return -1;
	}
	while (left) {
		size_t n = off || first >= left ? left : first;
		bool more = n < left;

		if (ipv4 ? fragment4(dst, pkt, off, n, more) :
			   fragment6(dst, pkt, off, n, more, id))
			return -1;
		off += n;
		left -= n;
		if (kind == RAW_FRAGMENTS_FIRST)
			break;
		if (kind == RAW_FRAGMENTS_OVERLAP && left) {
			off -= 8;
			left += 8;
		}
	}
	return 0;
}

/*
 * Sends a packet of which only the first @linear bytes of IP are in the skb's
 * head and the rest in pages, so that headers may lie across the border. The
 * kernel does that for more than a page of data.
 */
int raw_send_paged(const char *dev, const char *mac, const uint8_t *pkt,
		   size_t len, size_t linear, int family)
{
	struct virtio_net_hdr vh = { .hdr_len = ETH_HLEN + linear };
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_ifindex = if_nametoindex(dev),
		.sll_halen = ETH_ALEN,
	};
	struct ethhdr eth = {
		.h_source = { 0x02, 0, 0, 0, 0, 0x01 },	/* bridges drop 0 */
		.h_proto = htons(family == AF_INET ? ETH_P_IP : ETH_P_IPV6),
	};
	struct iovec iov[] = {
		{ &vh, sizeof(vh) },
		{ &eth, sizeof(eth) },
		{ (void *)pkt, len },
	};
	struct msghdr msg = {
		.msg_name = &ll, .msg_namelen = sizeof(ll),
		.msg_iov = iov, .msg_iovlen = 3,
	};
	int fd, one = 1, err = 0;

	if (sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &eth.h_dest[0],
		   &eth.h_dest[1], &eth.h_dest[2], &eth.h_dest[3],
		   &eth.h_dest[4], &eth.h_dest[5]) != ETH_ALEN) {
		errno = EINVAL;
		return -1;
	}
	memcpy(ll.sll_addr, eth.h_dest, ETH_ALEN);
	ll.sll_protocol = eth.h_proto;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) ||
	    sendmsg(fd, &msg, 0) < 0)
		err = -1;
	close(fd);
	return err;
}

int raw_reply_open(const struct raw_segment *seg)
{
	return socket(seg->src.family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP);
}

static const char *reply_name(const struct raw_segment *seg,
			      const uint8_t *pkt, size_t len)
{
	struct { uint16_t sport, dport; } want = {
		htons(seg->dport), htons(seg->sport)
	};

	/* Raw IPv6 sockets give the packet without its IP header. */
	if (seg->src.family == AF_INET) {
		size_t ip = (pkt[0] & 0xf) * 4;

		if (len < ip || memcmp(pkt + 12, seg->dst.ip, 4))
			return NULL;
		pkt += ip;
		len -= ip;
	}
	if (len < 20 || memcmp(pkt, &want, 4))
		return NULL;
	if (pkt[13] & 0x04)
		return "rst";
	if ((pkt[13] & 0x12) == 0x12)
		return "synack";
	return pkt[13] & 0x10 ? "ack" : "other";
}

const char *raw_reply_wait(int fd, const struct raw_segment *seg, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int64_t end = now_ms() + ms;

	for (;;) {
		uint8_t buf[RAW_MAX];
		int64_t left = end - now_ms();
		const char *name;
		ssize_t n;

		if (left <= 0 || poll(&pfd, 1, left) <= 0)
			return "none";
		n = recv(fd, buf, sizeof(buf), 0);
		name = n > 0 ? reply_name(seg, buf, n) : NULL;
		if (name)
			return name;
	}
}

/* Writes the payload of the next UDP datagram to @port that is @min_len long. */
int raw_capture(const char *dev, uint16_t port, size_t min_len,
		const char *file, int ms)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(dev),
	};
	struct pollfd pfd = { .events = POLLIN };
	int64_t end = now_ms() + ms;

	pfd.fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));
	if (pfd.fd < 0 || bind(pfd.fd, (struct sockaddr *)&ll, sizeof(ll)))
		return -1;
	puts("capturing");
	fflush(stdout);
	for (;;) {
		uint8_t b[RAW_MAX];
		int64_t left = end - now_ms();
		ssize_t n;
		size_t ip;
		uint16_t dport;
		int out;

		if (left <= 0 || poll(&pfd, 1, left) <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		n = recv(pfd.fd, b, sizeof(b), 0);
		if (n < 28)
			continue;
		ip = b[0] >> 4 == 4 ? (b[0] & 0xf) * 4 : 40;
		if ((b[0] >> 4 == 4 ? b[9] : b[6]) != IPPROTO_UDP ||
		    (size_t)n < ip + 8 + min_len)
			continue;
		memcpy(&dport, b + ip + 2, 2);
		if (ntohs(dport) != port)
			continue;
		out = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (out < 0 ||
		    write(out, b + ip + 8, n - ip - 8) != (ssize_t)(n - ip - 8))
			return -1;
		close(out);
		close(pfd.fd);
		return 0;
	}
}

int raw_udp_connect(const struct raw_addr *src, const struct raw_addr *dst,
		    uint16_t port)
{
	int fd = socket(dst->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;
	socklen_t len;

	if (fd < 0)
		return -1;
	if (src) {
		len = fill_sockaddr(&ss, src, 0);
		if (bind(fd, (struct sockaddr *)&ss, len))
			goto fail;
	}
	len = fill_sockaddr(&ss, dst, port);
	if (connect(fd, (struct sockaddr *)&ss, len))
		goto fail;
	return fd;
fail:
	close(fd);
	return -1;
}

int raw_reach(const struct raw_addr *src, const struct raw_addr *dst, int ms)
{
	int fd = raw_udp_connect(src, dst, 9 /* discard, RFC 863 */);
	int64_t end = now_ms() + ms;
	int err = ETIMEDOUT;

	if (fd < 0)
		return -1;
	/* The host may be slow to answer, and limits how often it does. */
	while (err != ECONNREFUSED && now_ms() < end) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		socklen_t len = sizeof(err);

		if (send(fd, "", 1, 0) < 0) {
			err = errno;
			usleep(20000);
		} else if (poll(&pfd, 1, 200) > 0) {
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
		}
	}
	close(fd);
	errno = err;
	return err == ECONNREFUSED ? 0 : -1;
}
