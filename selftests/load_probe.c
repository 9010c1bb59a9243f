// SPDX-License-Identifier: GPL-2.0
/*
 * The probe of mptcp_load: opens connections one after the other, and says of
 * each when it began, when a server greeted it, and which. So others can tell
 * from when on new connections were served again, and by whom; and also how long
 * some work took before it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#define PROBES_MAX	65536
#define KEY_SIGNAL	UINT32_MAX

/* About half a millisecond's work. */
#define WORK	2000000

struct probe {
	struct load_conn c;
	uint64_t begin_us;
	uint64_t work_us;
};

static struct probe probes[PROBES_MAX];

/* As the shell's EPOCHREALTIME. */
static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* How long the same work takes tells what share of its CPU the machine gets. */
static uint64_t work(void)
{
	volatile uint64_t sum = 0;
	uint64_t begin = now_us();

	for (unsigned int i = 0; i < WORK; i++)
		sum += i;
	return now_us() - begin;
}

static void probe_end(struct probe *p, const char *what)
{
	printf("%llu %llu %s %llu\n", (unsigned long long)p->begin_us,
	       (unsigned long long)now_us(), what,
	       (unsigned long long)p->work_us);
	close(p->c.fd);
	p->c.open = false;
}

static void probe_failed(struct probe *p, int err)
{
	probe_end(p, err == ECONNREFUSED ? "refused" :
		     err == ECONNRESET || err == EPIPE ? "reset" : "failed");
}

/* Returns -1 when no connection can be tried at all. */
static int probe_begin(int epfd, uint32_t i, const struct load_options *opt,
		       unsigned int port)
{
	struct load_request rq = { .magic = LOAD_MAGIC };
	struct sockaddr_storage from = opt->bind_addr;
	struct probe *p = &probes[i];

	memset(p, 0, sizeof(*p));
	p->work_us = work();
	p->begin_us = now_us();
	p->c.fd = load_socket(opt, opt->addr.ss_family);
	if (p->c.fd < 0)
		return -1;
	/* At the same place for both families. */
	((struct sockaddr_in *)&from)->sin_port = htons(port);
	if (from.ss_family &&
	    bind(p->c.fd, (const struct sockaddr *)&from, opt->addr_len))
		return -1;
	p->c.open = true;
	load_queue(&p->c, &rq, sizeof(rq));
	if (connect(p->c.fd, (const struct sockaddr *)&opt->addr,
		    opt->addr_len) && errno != EINPROGRESS) {
		probe_failed(p, errno);
		return 0;
	}
	p->c.want_out = true;
	return load_watch(epfd, &p->c, i);
}

static void probe_event(struct probe *p)
{
	struct load_conn *c = &p->c;
	struct load_hello hello;
	char id[16];
	ssize_t n;

	if (load_send(c)) {
		probe_failed(p, errno);
		return;
	}
	n = recv(c->fd, &hello, sizeof(hello), 0);
	if (n == sizeof(hello) && hello.magic == LOAD_MAGIC) {
		snprintf(id, sizeof(id), "%u", hello.id);
		probe_end(p, id);
	} else if (n >= 0) {
		probe_end(p, "cut");
	} else if (errno != EAGAIN && errno != EINTR && errno != ENOTCONN) {
		probe_failed(p, errno);
	}
}

static int signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int load_probe(const struct load_options *opt, char **ports)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = KEY_SIGNAL };
	int epfd = epoll_create1(EPOLL_CLOEXEC), sig = signals();
	uint64_t next = load_now_ms();
	uint32_t used = 0, turn = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (epfd < 0 || sig < 0 || epoll_ctl(epfd, EPOLL_CTL_ADD, sig, &ev))
		goto fail;
	for (;;) {
		uint64_t now = load_now_ms();
		struct epoll_event evs[64];
		int n;

		if (now >= next) {
			unsigned int port = 0;

			if (ports[turn])
				port = strtoul(ports[turn++], NULL, 10);
			if (!ports[turn])
				turn = 0;
			if (used == PROBES_MAX ||
			    probe_begin(epfd, used, opt, port))
				goto fail;
			used++;
			next = now + opt->gap_ms;
		}
		n = epoll_wait(epfd, evs, 64, next > now ? next - now : 0);
		if (n < 0 && errno != EINTR)
			goto fail;
		for (int i = 0; i < n; i++) {
			struct probe *p;

			if (evs[i].data.u32 == KEY_SIGNAL)
				goto done;
			p = &probes[evs[i].data.u32];
			if (p->c.open)
				probe_event(p);
			if (p->c.open && load_watch(epfd, &p->c, p - probes))
				goto fail;
		}
	}
done:
	for (uint32_t i = 0; i < used; i++)
		if (probes[i].c.open)
			probe_end(&probes[i], "none");
	return 0;
fail:
	perror("mptcp_load: probe");
	return 2;
}
