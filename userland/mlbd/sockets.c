// SPDX-License-Identifier: GPL-2.0
/* TCP connections of this host, by the kernel's socket monitoring. */
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

/*
 * So the kernel marks what it keeps of a socket that its application has closed:
 * for tcp_fin_timeout its state is FIN_WAIT2. Data that comes then is answered by
 * a reset; that it is destroyed nobody hears.
 */
#define TIMER_TIME_WAIT 3

/* What names a socket to the kernel. */
struct found {
	uint8_t family;
	struct inet_diag_sockid id;
};

/**
 * struct look - at all sockets
 * @count: sockets of the services
 * @keep: they are put in @found
 */
struct look {
	const struct mlb_endpoint *services;
	size_t n;
	uint64_t count;
	bool keep;
	struct found *found;
	size_t n_found;
	size_t room;
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

static int keep_socket(struct look *l, const struct inet_diag_msg *msg)
{
	if (l->n_found == l->room) {
		size_t room = l->room ? 2 * l->room : 256;
		struct found *found =
			reallocarray(l->found, room, sizeof(*found));

		if (!found)
			return -ENOMEM;
		l->found = found;
		l->room = room;
	}
	l->found[l->n_found++] =
		(struct found){ .family = msg->idiag_family, .id = msg->id };
	return 0;
}

static int take_socket(struct look *l, const struct inet_diag_msg *msg)
{
	struct mlb_endpoint end = { .port = ntohs(msg->id.idiag_sport) };
	struct mlb_endpoint peer = { .port = end.port };

	if (msg->idiag_timer == TIMER_TIME_WAIT)
		return 0;
	take_addr(&end.addr, msg->idiag_family, msg->id.idiag_src);
	take_addr(&peer.addr, msg->idiag_family, msg->id.idiag_dst);
	if (!compare(&end, &peer) ||
	    !bsearch(&end, l->services, l->n, sizeof(end), compare))
		return 0;
	l->count++;
	return l->keep ? keep_socket(l, msg) : 0;
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
static int take_messages(struct look *l, void *data, size_t len)
{
	int left = (int)len;
	int ret = 0;

	for (struct nlmsghdr *h = data; !ret && nlmsg_ok(h, left);
	     h = nlmsg_next(h, &left)) {
		/* Both begin with an error; a kernel that cannot load what
		 * knows of TCP tells so at the end of an empty list.
		 */
		if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE)
			return nlmsg_datalen(h) < (int)sizeof(int) ?
				       -EBADMSG :
				       *(const int *)nlmsg_data(h) ?: 1;
		if (h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
			ret = take_socket(l, nlmsg_data(h));
	}
	return ret;
}

static int dump(int fd, uint8_t family, struct look *l)
{
	static _Thread_local _Alignas(struct nlmsghdr) char buf[65536];
	int ret = ask(fd, family);

	while (!ret) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n < 0 && errno == EINTR)
			continue;
		ret = n < 0 ? -errno : take_messages(l, buf, (size_t)n);
	}
	return ret < 0 ? ret : 0;
}

static int look_at_all(int fd, struct mlb_endpoint *services, struct look *l)
{
	int ret;

	qsort(services, l->n, sizeof(*services), compare);
	ret = dump(fd, AF_INET, l);
	return ret ? ret : dump(fd, AF_INET6, l);
}

static int open_diag(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	return fd < 0 ? -errno : fd;
}

int sockets_count(struct mlb_endpoint *services, size_t n, uint64_t *count)
{
	struct look l = { .services = services, .n = n };
	int fd = open_diag();
	int ret;

	*count = 0;
	if (fd < 0)
		return fd;
	ret = look_at_all(fd, services, &l);
	close(fd);
	*count = l.count;
	return ret;
}

/* Return: what the kernel says, 0 or a negative errno. */
static int read_ack(int fd)
{
	_Alignas(struct nlmsghdr) char buf[4096];
	const struct nlmsghdr *h = (const struct nlmsghdr *)buf;
	ssize_t n;

	do {
		n = recv(fd, buf, sizeof(buf), 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (!nlmsg_ok(h, (int)n) || h->nlmsg_type != NLMSG_ERROR ||
	    nlmsg_datalen(h) < (int)sizeof(int))
		return -EBADMSG;
	return *(const int *)nlmsg_data(h);
}

static int destroy(int fd, const struct found *found)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 req;
	} message = {
		.head = { .nlmsg_len = sizeof(message),
			  .nlmsg_type = SOCK_DESTROY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.req = { .sdiag_family = found->family,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states = STATES,
			 .id = found->id },
	};

	if (send(fd, &message, sizeof(message), 0) < 0)
		return -errno;
	return read_ack(fd);
}

/* All are found before the first goes: they move up in the kernel's lists. */
int sockets_end(struct mlb_endpoint *services, size_t n,
		const atomic_bool *stop, struct sockets_ended *ended)
{
	struct look l = { .services = services, .n = n, .keep = true };
	int fd = open_diag();
	int ret;

	*ended = (struct sockets_ended){};
	if (fd < 0)
		return fd;
	ret = look_at_all(fd, services, &l);
	for (size_t i = 0; !ret && i < l.n_found && !*stop; i++) {
		ret = destroy(fd, &l.found[i]);
		if (!ret)
			ended->ended++;
		else if (ret == -ENOENT) /* it was quicker */
			ret = 0;
		else
			ended->left = l.n_found - i;
	}
	close(fd);
	free(l.found);
	return ret;
}
