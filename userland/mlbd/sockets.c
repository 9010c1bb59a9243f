// SPDX-License-Identifier: GPL-2.0
/* TCP connections of this host, from the kernel's socket monitoring. */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sockets.h"

/* All in which something may come or has to go. */
#define STATES                                                              \
	(1u << TCP_ESTABLISHED | 1u << TCP_SYN_RECV | 1u << TCP_FIN_WAIT1 | \
	 1u << TCP_FIN_WAIT2 | 1u << TCP_CLOSE_WAIT | 1u << TCP_LAST_ACK |  \
	 1u << TCP_CLOSING)

struct counting {
	const struct mlb_endpoint *services;
	size_t n;
	uint64_t count;
};

static int compare(const void *a, const void *b)
{
	const struct mlb_endpoint *x = a, *y = b;

	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	if (x->addr.family != y->addr.family)
		return x->addr.family < y->addr.family ? -1 : 1;
	if (x->addr.family == AF_INET)
		return memcmp(&x->addr.v4, &y->addr.v4, sizeof(x->addr.v4));
	return memcmp(&x->addr.v6, &y->addr.v6, sizeof(x->addr.v6));
}

/* A socket of IPv6 that has IPv4 spoken with it shows mapped addresses. */
static void take_addr(struct mlb_addr *to, uint8_t family, const void *from)
{
	const struct in6_addr *v6 = from;

	memset(to, 0, sizeof(*to));
	to->family = family;
	if (family == AF_INET) {
		memcpy(&to->v4, from, sizeof(to->v4));
	} else if (IN6_IS_ADDR_V4MAPPED(v6)) {
		to->family = AF_INET;
		memcpy(&to->v4, v6->s6_addr + 12, sizeof(to->v4));
	} else {
		memcpy(&to->v6, v6, sizeof(to->v6));
	}
}

static void take_socket(struct counting *c, const struct inet_diag_msg *msg)
{
	struct mlb_endpoint end = { .port = ntohs(msg->id.idiag_sport) };
	struct mlb_endpoint peer = { .port = end.port };

	take_addr(&end.addr, msg->idiag_family, msg->id.idiag_src);
	take_addr(&peer.addr, msg->idiag_family, msg->id.idiag_dst);
	if (compare(&end, &peer) &&
	    bsearch(&end, c->services, c->n, sizeof(end), compare))
		c->count++;
}

static int ask(int fd, uint8_t family)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 req;
	} message = {
		.head = { .nlmsg_len = sizeof(message),
			  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.req = { .sdiag_family = family,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states = STATES },
	};

	return send(fd, &message, sizeof(message), 0) < 0 ? -errno : 0;
}

/* Return: 1 at the end, 0 before it, or a negative errno. */
static int take_messages(struct counting *c, void *data, size_t len)
{
	int left = (int)len;

	for (struct nlmsghdr *h = data; nlmsg_ok(h, left);
	     h = nlmsg_next(h, &left)) {
		/* Both begin with an error; a kernel that cannot load what
		 * knows of TCP tells so at the end of an empty list.
		 */
		if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE)
			return nlmsg_datalen(h) < (int)sizeof(int) ?
				       -EBADMSG :
				       *(const int *)nlmsg_data(h) ?: 1;
		if (h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
			take_socket(c, nlmsg_data(h));
	}
	return 0;
}

static int dump(int fd, uint8_t family, struct counting *c)
{
	static _Thread_local _Alignas(struct nlmsghdr) char buf[65536];
	int ret = ask(fd, family);

	while (!ret) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n < 0 && errno == EINTR)
			continue;
		ret = n < 0 ? -errno : take_messages(c, buf, (size_t)n);
	}
	return ret < 0 ? ret : 0;
}

int sockets_count(struct mlb_endpoint *services, size_t n, uint64_t *count)
{
	struct counting c = { .services = services, .n = n };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int ret;

	*count = 0;
	if (fd < 0)
		return -errno;
	qsort(services, n, sizeof(*services), compare);
	ret = dump(fd, AF_INET, &c);
	if (!ret)
		ret = dump(fd, AF_INET6, &c);
	close(fd);
	*count = c.count;
	return ret;
}
