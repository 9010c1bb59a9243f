// SPDX-License-Identifier: GPL-2.0
/*
 * The client of mptcp_load. Prints "connected ..." when every connection has
 * been greeted, "ready ..." when the second subflows are up, "flowing" when
 * every connection carries data, and at the end one line of key=value counts.
 */
#include <errno.h>
#include <linux/mptcp.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "load.h"

#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif
#define TCP_STATE_ESTABLISHED 1
#define KEY_STDIN	UINT32_MAX
#define ID_MAX		64

enum client_rx {
	CLIENT_RX_HELLO,
	CLIENT_RX_DATA,
	CLIENT_RX_VERDICT,
	CLIENT_RX_FIN,
	CLIENT_RX_DONE,
};

struct client_conn {
	struct load_conn c;
	enum client_rx rx_state;
	bool sum_queued;
	bool second;
	bool second_at_end;
};

static struct client_conn *conns;
static unsigned int total;
static unsigned int reset, refused, cut, corrupt, other, timeouts, ok;
static unsigned int closed;
static uint64_t half_closed;	/* when the half of all connections was over */
static unsigned int by_id[ID_MAX];

/*
 * Subflows of which this end has seen the handshake through. The count in
 * MPTCP_INFO also holds those whose SYN has only just been sent, so each
 * subflow's own TCP state is asked for.
 */
static unsigned int subflows_up(int fd)
{
	struct {
		struct mptcp_subflow_data d;
		struct tcp_info ti[8];
	} b;
	socklen_t len = sizeof(b);
	unsigned int up = 0;

	memset(&b, 0, sizeof(b));
	b.d.size_subflow_data = sizeof(b.d);
	b.d.size_user = sizeof(b.ti[0]);
	if (getsockopt(fd, SOL_MPTCP, MPTCP_TCPINFO, &b, &len))
		return 0;
	for (unsigned int i = 0; i < b.d.num_subflows && i < 8; i++)
		up += b.ti[i].tcpi_state == TCP_STATE_ESTABLISHED;
	return up;
}

static void client_close(struct client_conn *cc, unsigned int *why)
{
	(*why)++;
	close(cc->c.fd);
	cc->c.open = false;
	if (++closed == (total + 1) / 2)
		half_closed = load_now_ms();
}

static void client_failed(struct client_conn *cc, int err)
{
	switch (err) {
	case ECONNRESET:
	case EPIPE:
		client_close(cc, &reset);
		break;
	case ECONNREFUSED:
		client_close(cc, &refused);
		break;
	default:
		client_close(cc, &other);
	}
}

static int client_open(struct client_conn *cc, const struct load_options *opt,
		       unsigned int i)
{
	struct load_request rq = {
		.magic = LOAD_MAGIC,
		.flags = opt->lift_stdin ? LOAD_LIFT : 0,
		.up = opt->up,
		.down = opt->down,
		.seed = opt->seed + i,
		.rate = opt->rate,
	};
	struct load_conn *c = &cc->c;

	c->fd = load_socket(opt, opt->addr.ss_family);
	if (c->fd < 0)
		return -1;
	if (opt->bind_addr.ss_family &&
	    bind(c->fd, (const struct sockaddr *)&opt->bind_addr,
		 opt->addr_len))
		return -1;
	c->open = true;
	load_stream_init(&c->tx, rq.seed, rq.up, rq.rate);
	load_stream_init(&c->rx, ~rq.seed, rq.down, 0);
	load_queue(c, &rq, sizeof(rq));
	if (connect(c->fd, (const struct sockaddr *)&opt->addr,
		    opt->addr_len) && errno != EINPROGRESS) {
		client_failed(cc, errno);
		return 0;
	}
	c->want_out = true;
	/* With TCP Fast Open the SYN goes with the first data. */
	if (opt->fast_open && load_send(c))
		client_failed(cc, errno);
	return 0;
}

static void client_output(struct client_conn *cc,
			  const struct load_options *opt)
{
	struct load_conn *c = &cc->c;

	if (load_send(c)) {
		client_failed(cc, errno);
		return;
	}
	if (c->tx_state == LOAD_TX_END && !cc->sum_queued) {
		cc->sum_queued = true;
		load_queue(c, &c->tx.sum, sizeof(c->tx.sum));
		if (load_send(c)) {
			client_failed(cc, errno);
			return;
		}
		if (opt->half_close && shutdown(c->fd, SHUT_WR))
			client_failed(cc, errno);
	}
}

static void client_verdict(struct client_conn *cc)
{
	struct load_verdict v;

	memcpy(&v, cc->c.in, sizeof(v));
	if (v.sum != cc->c.rx.sum || !v.up_ok) {
		client_close(cc, &corrupt);
		return;
	}
	cc->second_at_end = subflows_up(cc->c.fd) > 1;
	cc->rx_state = CLIENT_RX_FIN;
}

static void client_input(struct client_conn *cc, const uint8_t *data,
			 size_t len)
{
	struct load_conn *c = &cc->c;

	if (cc->rx_state == CLIENT_RX_HELLO) {
		struct load_hello h;

		if (!load_gather(c, sizeof(h), &data, &len))
			return;
		memcpy(&h, c->in, sizeof(h));
		c->in_len = 0;
		if (h.magic != LOAD_MAGIC) {
			client_close(cc, &corrupt);
			return;
		}
		by_id[h.id % ID_MAX]++;
		cc->rx_state = CLIENT_RX_DATA;
	}
	if (cc->rx_state == CLIENT_RX_DATA) {
		uint64_t left = c->rx.total - c->rx.done;
		size_t n = left < len ? left : len;

		load_stream_took(&c->rx, data, n);
		data += n;
		len -= n;
		if (c->rx.done == c->rx.total)
			cc->rx_state = CLIENT_RX_VERDICT;
	}
	if (cc->rx_state == CLIENT_RX_VERDICT && len &&
	    load_gather(c, sizeof(struct load_verdict), &data, &len))
		client_verdict(cc);
	if (c->open && len)
		client_close(cc, &corrupt);
}

static void client_event(struct client_conn *cc,
			 const struct load_options *opt)
{
	uint8_t buf[4 * LOAD_CHUNK];
	ssize_t n = recv(cc->c.fd, buf, sizeof(buf), 0);

	if (n > 0) {
		client_input(cc, buf, n);
	} else if (n == 0) {
		if (cc->rx_state == CLIENT_RX_FIN) {
			cc->rx_state = CLIENT_RX_DONE;
			client_close(cc, &ok);
		} else {
			client_close(cc, &cut);
		}
	} else if (errno == ENOTCONN ? cc->rx_state != CLIENT_RX_HELLO :
				       errno != EAGAIN && errno != EINTR) {
		/* Not connected any more, once its last path is long gone. */
		client_failed(cc, errno);
	}
	if (cc->c.open)
		client_output(cc, opt);
}

static unsigned int greeted(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < total; i++)
		n += conns[i].rx_state > CLIENT_RX_HELLO;
	return n;
}

/* Connections that have data both under way and still to come, or are over. */
static unsigned int flowing(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < total; i++)
		n += !conns[i].c.open ||
		     (conns[i].c.rx.done && conns[i].c.tx.done);
	return n;
}

static unsigned int seconds(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < total; i++) {
		struct client_conn *cc = &conns[i];

		if (cc->c.open && !cc->second)
			cc->second = subflows_up(cc->c.fd) > 1;
		n += cc->second;
	}
	return n;
}

static unsigned int still_open(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < total; i++)
		n += conns[i].c.open;
	return n;
}

static void transfer_begin(const struct load_options *opt)
{
	for (unsigned int i = 0; i < total; i++) {
		struct load_conn *c = &conns[i].c;

		if (!c->open)
			continue;
		c->tx.start_ms = load_now_ms();
		c->tx_state = LOAD_TX_DATA;
		client_output(&conns[i], opt);
	}
}

static void lift_rate(void)
{
	for (unsigned int i = 0; i < total; i++)
		conns[i].c.tx.rate = 0;
}

/* Returns how many lines came; no more are waited for at the end of input. */
static unsigned int read_lines(int epfd)
{
	unsigned int lines = 0;
	char buf[64];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

	if (n <= 0)
		epoll_ctl(epfd, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
	while (n > 0)
		lines += buf[--n] == '\n';
	return lines;
}

/* One round of events and of what the pace held back. */
static int client_poll(int epfd, const struct load_options *opt,
		       unsigned int *lines)
{
	struct epoll_event evs[64];
	int n;

	for (unsigned int i = 0; i < total; i++) {
		struct load_conn *c = &conns[i].c;

		if (c->open && c->paced)
			client_output(&conns[i], opt);
		if (c->open && load_watch(epfd, c, i))
			return -1;
	}
	n = epoll_wait(epfd, evs, 64, 5);
	if (n < 0 && errno != EINTR)
		return -1;
	for (int i = 0; i < n; i++) {
		uint32_t key = evs[i].data.u32;

		if (key == KEY_STDIN) {
			*lines += read_lines(epfd);
		} else if (conns[key].c.open) {
			client_event(&conns[key], opt);
		}
	}
	return 0;
}

/* @flow: when data began to flow, or 0 */
static void report(uint64_t begin, uint64_t flow)
{
	unsigned int second = 0, at_end = 0;
	uint64_t up = 0, down = 0;

	for (unsigned int i = 0; i < total; i++) {
		second += conns[i].second;
		at_end += conns[i].second_at_end;
		up += conns[i].c.tx.done;
		down += conns[i].c.rx.done;
	}
	printf("connections=%u connected=%u second=%u second_at_end=%u ok=%u "
	       "corrupt=%u reset=%u refused=%u cut=%u other=%u timeout=%u "
	       "up=%llu down=%llu ms=%llu data_ms=%llu half_ms=%llu by_id=",
	       total, greeted(), second,
	       at_end, ok, corrupt, reset, refused, cut, other, timeouts,
	       (unsigned long long)up, (unsigned long long)down,
	       (unsigned long long)(load_now_ms() - begin),
	       (unsigned long long)(flow ? load_now_ms() - flow : 0),
	       (unsigned long long)(flow && half_closed > flow ?
				    half_closed - flow : 0));
	for (unsigned int i = 0, n = 0; i < ID_MAX; i++)
		if (by_id[i])
			printf("%s%u:%u", n++ ? "," : "", i, by_id[i]);
	putchar('\n');
}

int load_client(const struct load_options *opt)
{
	enum { CONNECT, SECOND, WAIT, START, FLOW } phase = CONNECT;
	uint64_t begin = load_now_ms(), since = 0, flow = 0;
	int epfd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = KEY_STDIN };
	unsigned int lines = 0;

	total = opt->connections;
	conns = calloc(total, sizeof(*conns));
	if (epfd < 0 || !conns)
		goto fail;
	for (unsigned int i = 0; i < total; i++)
		if (client_open(&conns[i], opt, i))
			goto fail;
	if ((opt->wait_stdin || opt->lift_stdin) &&
	    epoll_ctl(epfd, EPOLL_CTL_ADD, STDIN_FILENO, &ev))
		goto fail;

	while (still_open()) {
		uint64_t now = load_now_ms();

		if (now - begin > opt->total_ms) {
			timeouts = still_open();
			break;
		}
		switch (phase) {
		case CONNECT:
			if (greeted() < still_open())
				break;
			printf("connected %u\n", greeted());
			since = now;
			phase = SECOND;
			break;
		case SECOND:
			if (opt->second_ms && seconds() < still_open() &&
			    now - since < opt->second_ms)
				break;
			printf("ready %u ms=%llu\n", seconds(),
			       (unsigned long long)(now - since));
			phase = WAIT;
			break;
		case WAIT:
			if (opt->wait_stdin && !lines)
				break;
			transfer_begin(opt);
			flow = now;
			phase = START;
			break;
		case START:
			if (flowing() < total)
				break;
			puts("flowing");
			phase = FLOW;
			break;
		case FLOW:
			if (opt->lift_stdin && lines > opt->wait_stdin)
				lift_rate();
			break;
		}
		fflush(stdout);
		if (client_poll(epfd, opt, &lines))
			goto fail;
	}
	report(begin, flow);
	return ok == total ? 0 : 1;
fail:
	perror("mptcp_load: client");
	return 2;
}
