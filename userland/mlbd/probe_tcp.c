// SPDX-License-Identifier: GPL-2.0
/* A connection to the service, and what is asked over it. */
#include <errno.h>
#include <linux/mptcp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe_parts.h"
#include "text.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif

/* The begin of an answer; a status line is shorter up to where it matters. */
#define ANSWER_MAX 64
#define REQUEST_MAX (2 * CONFIG_TEXT_MAX + 128)

/**
 * struct attempt - one connection
 * @probe: NULL once nobody waits for it any more
 * @asked: connected, and the request is on its way
 * @sent: bytes of it that are
 */
struct attempt {
	struct probe *probe;
	uv_poll_t poll;
	int fd;
	bool asked;
	char request[REQUEST_MAX];
	size_t request_len;
	size_t sent;
	char answer[ANSWER_MAX];
	size_t answer_len;
};

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void attempt_end(struct attempt *attempt)
{
	attempt->probe = NULL;
	uv_poll_stop(&attempt->poll);
	close(attempt->fd);
	uv_close((uv_handle_t *)&attempt->poll, on_closed);
}

const char *attempt_waits(const struct attempt *attempt)
{
	return attempt->asked ? "connected, but no HTTP answer" :
				"no connection";
}

static socklen_t sockaddr_of(const struct mlb_endpoint *end, in_port_t port,
			     struct sockaddr_storage *to)
{
	memset(to, 0, sizeof(*to));
	if (end->addr.family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)to;

		in->sin_family = AF_INET;
		in->sin_addr = end->addr.v4;
		in->sin_port = htons(port);
		return sizeof(*in);
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;

		in6->sin6_family = AF_INET6;
		in6->sin6_addr = end->addr.v6;
		in6->sin6_port = htons(port);
		return sizeof(*in6);
	}
}

/*
 * The server's SYN/ACK had no MP_CAPABLE, or was not heeded, when the socket
 * has become a TCP one: then it says so, or does not know of the question.
 */
static bool is_mptcp(int fd)
{
	struct mptcp_info info = {};
	socklen_t len = sizeof(info);

	return !getsockopt(fd, SOL_MPTCP, MPTCP_INFO, &info, &len) &&
	       !(info.mptcpi_flags & MPTCP_INFO_FLAG_FALLBACK);
}

static void send_request(struct attempt *a);

static void take_status(struct attempt *a, int status, bool end)
{
	const struct check_question *q = &a->probe->question;
	char text[PROBE_TEXT_MAX];

	if (status < 0 || (!status && (end || a->answer_len == ANSWER_MAX)))
		probe_result(a->probe, end && !a->answer_len ?
					       "hung up without an answer" :
					       "the answer is not HTTP/1");
	else if (!status)
		return;
	else if (status >= q->status_min && status <= q->status_max)
		probe_result(a->probe, NULL);
	else {
		snprintf(text, sizeof(text), "HTTP status %d", status);
		probe_result(a->probe, text);
	}
}

static void read_answer(struct attempt *a)
{
	ssize_t n = recv(a->fd, a->answer + a->answer_len,
			 ANSWER_MAX - a->answer_len, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		probe_result(a->probe, strerror(errno));
		return;
	}
	a->answer_len += (size_t)n;
	take_status(a, http_status(a->answer, a->answer_len), !n);
}

static void on_answer(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	read_answer(poll->data);
}

static void on_room(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	send_request(poll->data);
}

static void send_request(struct attempt *a)
{
	ssize_t n = send(a->fd, a->request + a->sent, a->request_len - a->sent,
			 MSG_NOSIGNAL);
	int ret;

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		probe_result(a->probe, strerror(errno));
		return;
	}
	a->sent += n > 0 ? (size_t)n : 0;
	ret = a->sent < a->request_len ?
		      uv_poll_start(&a->poll, UV_WRITABLE, on_room) :
		      uv_poll_start(&a->poll, UV_READABLE, on_answer);
	if (ret)
		probe_result(a->probe, uv_strerror(ret));
}

static void connected(struct attempt *a)
{
	struct check_question *q = &a->probe->question;

	if (q->type == CHECK_MPTCP && !is_mptcp(a->fd)) {
		probe_result(a->probe,
			     "it answers as plain TCP, not as Multipath TCP");
	} else if (q->type == CHECK_HTTP) {
		a->asked = true;
		a->request_len =
			(size_t)http_request(q, a->request, sizeof(a->request));
		send_request(a);
	} else {
		probe_result(a->probe, NULL);
	}
}

static void on_connected(uv_poll_t *poll, int status, int events)
{
	struct attempt *a = poll->data;
	struct sockaddr_storage peer;
	socklen_t len = sizeof(int), peer_len = sizeof(peer);
	int error = 0;

	(void)events;
	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	if (!error && getpeername(a->fd, (struct sockaddr *)&peer, &peer_len))
		error = errno;
	if (!error && status < 0)
		error = -status;
	if (error)
		probe_result(a->probe, strerror(error));
	else
		connected(a);
}

static void failed(struct probe *p, const char *what, int error)
{
	char text[PROBE_TEXT_MAX], addr[ADDR_TEXT];

	if (error == EADDRNOTAVAIL && p->question.own)
		snprintf(text, sizeof(text), "%s is no address of this host",
			 addr_text(&p->question.target.addr, addr));
	else
		snprintf(text, sizeof(text), "%s%s", what, strerror(error));
	probe_result(p, text);
}

/*
 * From the service's own address when that is where to: with an address that
 * this host has lost, another host's server would be looked at.
 */
static int begin_connect(const struct check_question *q, int fd)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int one = 1;

	if (q->own) {
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
			   sizeof(one));
		len = sockaddr_of(&q->target, 0, &addr);
		if (bind(fd, (struct sockaddr *)&addr, len))
			return errno;
	}
	len = sockaddr_of(&q->target, q->target.port, &addr);
	if (connect(fd, (struct sockaddr *)&addr, len) && errno != EINPROGRESS)
		return errno;
	return 0;
}

void attempt_begin(struct probe *probe)
{
	const struct check_question *q = &probe->question;
	struct attempt *a;
	int fd = socket(q->target.addr.family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			q->type == CHECK_MPTCP ? IPPROTO_MPTCP : IPPROTO_TCP);
	int error;

	if (fd < 0) {
		failed(probe,
		       q->type == CHECK_MPTCP ?
			       "no Multipath TCP socket on this host: " :
			       "socket: ",
		       errno);
		return;
	}
	error = begin_connect(q, fd);
	a = error ? NULL : calloc(1, sizeof(*a));
	if (!error && (!a || uv_poll_init(probe->loop, &a->poll, fd)))
		error = ENOMEM;
	if (error) {
		free(a);
		close(fd);
		failed(probe, "", error);
		return;
	}
	a->probe = probe;
	a->fd = fd;
	a->poll.data = a;
	probe->attempt = a;
	uv_poll_start(&a->poll, UV_WRITABLE, on_connected);
}
