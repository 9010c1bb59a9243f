// SPDX-License-Identifier: GPL-2.0
/*
 * The server of mptcp_load: prints "listening", serves until SIGTERM, then
 * prints what it did.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "load.h"

#define SERVER_MAX	4096
#define KEY_LISTEN	UINT32_MAX
#define KEY_SIGNAL	(UINT32_MAX - 1)

enum server_rx {
	SERVER_RX_REQUEST,
	SERVER_RX_DATA,
	SERVER_RX_SUM,
	SERVER_RX_END,
};

struct server_conn {
	struct load_conn c;
	enum server_rx rx_state;
	bool verdict_sent;
	bool up_ok;
	bool lift;
};

static struct server_conn conns[SERVER_MAX];
static unsigned long accepted, served, corrupt, broken;
static uint32_t used;	/* no slot at or above is open */

static void server_close(struct server_conn *s, bool good)
{
	if (!good)
		broken++;
	close(s->c.fd);
	s->c.open = false;
}

/* Returns -1 when the client does not speak the protocol. */
static int server_input(struct server_conn *s, const struct load_options *opt,
			const uint8_t *data, size_t len)
{
	struct load_conn *c = &s->c;

	if (s->rx_state == SERVER_RX_REQUEST) {
		struct load_request rq;
		struct load_hello hello = { LOAD_MAGIC, opt->id };

		if (!load_gather(c, sizeof(rq), &data, &len))
			return 0;
		memcpy(&rq, c->in, sizeof(rq));
		c->in_len = 0;
		if (rq.magic != LOAD_MAGIC)
			return -1;
		load_stream_init(&c->rx, rq.seed, rq.up, 0);
		load_stream_init(&c->tx, ~rq.seed, rq.down, rq.rate);
		load_queue(c, &hello, sizeof(hello));
		s->lift = rq.flags & LOAD_LIFT;
		s->rx_state = SERVER_RX_DATA;
	}
	if (len && c->tx_state == LOAD_TX_OFF) {
		c->tx.start_ms = load_now_ms();
		c->tx_state = LOAD_TX_DATA;
	}
	if (s->rx_state == SERVER_RX_DATA) {
		uint64_t left = c->rx.total - c->rx.done;
		size_t n = left < len ? left : len;

		load_stream_took(&c->rx, data, n);
		data += n;
		len -= n;
		if (c->rx.done == c->rx.total)
			s->rx_state = SERVER_RX_SUM;
	}
	if (s->rx_state == SERVER_RX_SUM && len) {
		uint64_t sum;

		if (!load_gather(c, sizeof(sum), &data, &len))
			return 0;
		memcpy(&sum, c->in, sizeof(sum));
		s->up_ok = sum == c->rx.sum;
		if (!s->up_ok)
			corrupt++;
		if (s->lift)
			c->tx.rate = 0;
		s->rx_state = SERVER_RX_END;
	}
	return len ? -1 : 0;
}

/* Sends and, once both ways are through, says the verdict and closes. */
static void server_output(struct server_conn *s)
{
	struct load_conn *c = &s->c;

	if (load_send(c)) {
		server_close(s, false);
		return;
	}
	if (c->tx_state == LOAD_TX_END && s->rx_state == SERVER_RX_END &&
	    !s->verdict_sent) {
		struct load_verdict v = { c->tx.sum, s->up_ok };

		load_queue(c, &v, sizeof(v));
		s->verdict_sent = true;
		if (load_send(c)) {
			server_close(s, false);
			return;
		}
	}
	if (s->verdict_sent && c->out_done == c->out_len) {
		served++;
		server_close(s, true);
	}
}

static void server_event(struct server_conn *s, const struct load_options *opt)
{
	uint8_t buf[4 * LOAD_CHUNK];
	ssize_t n = recv(s->c.fd, buf, sizeof(buf), 0);

	if (n > 0) {
		if (server_input(s, opt, buf, n)) {
			server_close(s, false);
			return;
		}
	} else if (n == 0) {
		/* A client that said all may shut down its way. */
		if (s->rx_state != SERVER_RX_END) {
			server_close(s, false);
			return;
		}
		s->c.eof = true;
	} else if (errno != EAGAIN && errno != EINTR) {
		server_close(s, false);
		return;
	}
	server_output(s);
}

static void server_accept(int epfd, int lfd)
{
	for (;;) {
		int fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		unsigned int i;

		if (fd < 0)
			return;
		for (i = 0; i < SERVER_MAX && conns[i].c.open; i++)
			;
		if (i == SERVER_MAX) {
			broken++;
			close(fd);
			continue;
		}
		memset(&conns[i], 0, sizeof(conns[i]));
		conns[i].c.fd = fd;
		conns[i].c.open = true;
		accepted++;
		if (i >= used)
			used = i + 1;
		if (load_watch(epfd, &conns[i].c, i))
			server_close(&conns[i], false);
	}
}

/* Goes on with what the pace held back; true when some still waits for it. */
static bool server_tick(int epfd)
{
	bool paced = false;

	for (uint32_t i = 0; i < used; i++) {
		struct load_conn *c = &conns[i].c;

		if (!c->open)
			continue;
		if (c->paced)
			server_output(&conns[i]);
		if (c->open && load_watch(epfd, c, i))
			server_close(&conns[i], false);
		paced |= c->open && c->paced;
	}
	return paced;
}

static int server_fd(int epfd, int fd, uint32_t key)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = key };

	return epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev);
}

int load_server(const struct load_options *opt)
{
	struct epoll_event evs[64];
	int epfd = epoll_create1(EPOLL_CLOEXEC);
	int lfd = load_socket(opt, opt->addr.ss_family);
	bool stop = false;
	sigset_t term;
	int sfd;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigaddset(&term, SIGINT);
	sigprocmask(SIG_BLOCK, &term, NULL);
	sfd = signalfd(-1, &term, SFD_CLOEXEC);

	if (epfd < 0 || lfd < 0 || sfd < 0 ||
	    bind(lfd, (const struct sockaddr *)&opt->addr, opt->addr_len) ||
	    listen(lfd, SERVER_MAX) || server_fd(epfd, lfd, KEY_LISTEN) ||
	    server_fd(epfd, sfd, KEY_SIGNAL)) {
		perror("mptcp_load: server");
		return 1;
	}
	puts("listening");
	fflush(stdout);

	while (!stop) {
		int n = epoll_wait(epfd, evs, 64, server_tick(epfd) ? 5 : -1);

		for (int i = 0; i < n; i++) {
			uint32_t key = evs[i].data.u32;

			if (key == KEY_LISTEN)
				server_accept(epfd, lfd);
			else if (key == KEY_SIGNAL)
				stop = true;
			else if (conns[key].c.open)
				server_event(&conns[key], opt);
		}
	}
	printf("accepted=%lu served=%lu corrupt=%lu broken=%lu\n", accepted,
	       served, corrupt, broken);
	return corrupt ? 1 : 0;
}
