// SPDX-License-Identifier: GPL-2.0
/* The data of a transfer, its checksum and its pace; both ends use it. */
#include <errno.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define FNV_BASIS	0xcbf29ce484222325ull
#define FNV_PRIME	0x100000001b3ull

uint64_t load_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int set_md5(int fd, int family, const char *key)
{
	struct tcp_md5sig md5 = {
		.tcpm_addr.ss_family = family,
		.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX,
		.tcpm_keylen = strlen(key),
	};

	if (md5.tcpm_keylen > TCP_MD5SIG_MAXKEYLEN) {
		errno = EINVAL;
		return -1;
	}
	memcpy(md5.tcpm_key, key, md5.tcpm_keylen);
	return setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG_EXT, &md5, sizeof(md5));
}

/* linux/tcp.h, which before 6.7 does not have it. */
#define LOAD_TCP_AO_ADD_KEY	38
#define LOAD_TCP_AO_MAXKEYLEN	80

struct load_tcp_ao_add {
	struct sockaddr_storage addr;
	char alg_name[64];
	int32_t ifindex;
	uint32_t set;
	uint16_t reserved;
	uint8_t prefix;
	uint8_t sndid;
	uint8_t rcvid;
	uint8_t maclen;
	uint8_t keyflags;
	uint8_t keylen;
	uint8_t key[LOAD_TCP_AO_MAXKEYLEN];
} __attribute__((aligned(8)));

static int set_ao(int fd, int family, const char *key)
{
	struct load_tcp_ao_add ao = {
		.addr.ss_family = family,
		.alg_name = "hmac(sha1)",
		.sndid = 100,
		.rcvid = 100,
		.keylen = strlen(key),
	};

	if (ao.keylen > LOAD_TCP_AO_MAXKEYLEN) {
		errno = EINVAL;
		return -1;
	}
	memcpy(ao.key, key, ao.keylen);
	return setsockopt(fd, IPPROTO_TCP, LOAD_TCP_AO_ADD_KEY, &ao,
			  sizeof(ao));
}

int load_socket(const struct load_options *opt, int family)
{
	int one = 1, queue = 256;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			opt->plain_tcp ? IPPROTO_TCP : IPPROTO_MPTCP);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    (opt->stamps &&
	     setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &one, sizeof(one))) ||
	    (opt->fast_open &&
	     setsockopt(fd, IPPROTO_TCP, opt->server ? TCP_FASTOPEN :
						       TCP_FASTOPEN_CONNECT,
			opt->server ? &queue : &one, sizeof(one))) ||
	    (opt->md5_key && set_md5(fd, family, opt->md5_key)) ||
	    (opt->ao_key && set_ao(fd, family, opt->ao_key))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Tells epoll what the connection waits for, when that has changed. */
int load_watch(int epfd, struct load_conn *c, uint32_t key)
{
	struct epoll_event ev = {
		.events = (c->eof ? 0 : EPOLLIN) | (c->want_out ? EPOLLOUT : 0) |
			  EPOLLERR,
		.data.u32 = key,
	};
	int op = c->armed ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (c->armed == ev.events)
		return 0;
	c->armed = ev.events;
	return epoll_ctl(epfd, op, c->fd, &ev);
}

void load_stream_init(struct load_stream *s, uint64_t seed, uint64_t total,
		      uint64_t rate)
{
	*s = (struct load_stream) {
		.seed = seed,
		.total = total,
		.rate = rate,
		.sum = FNV_BASIS,
		.start_ms = load_now_ms(),
	};
}

/* splitmix64 by index, so that a chunk the kernel took in part is made anew. */
static uint64_t stream_word(uint64_t seed, uint64_t index)
{
	uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

void load_stream_fill(const struct load_stream *s, uint8_t *buf, size_t len)
{
	uint64_t off = s->done;

	while (len) {
		uint64_t word = stream_word(s->seed, off / 8);
		unsigned int skip = off % 8;
		size_t n = 8 - skip < len ? 8 - skip : len;

		memcpy(buf, (const uint8_t *)&word + skip, n);
		buf += n;
		off += n;
		len -= n;
	}
}

void load_stream_took(struct load_stream *s, const uint8_t *buf, size_t len)
{
	uint64_t sum = s->sum;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ buf[i]) * FNV_PRIME;
	s->sum = sum;
	s->done += len;
}

/*
 * How many bytes may go now; 0 also at the end. With a limit on the rate what is
 * due in 50 ms goes at once: a packet for each turn of the loop would be more
 * than an emulated machine bears.
 */
size_t load_stream_budget(const struct load_stream *s)
{
	uint64_t n = s->total - s->done;

	if (s->rate) {
		uint64_t due = (load_now_ms() - s->start_ms) * s->rate / 1000;
		uint64_t step = s->rate / 20;

		if (step > LOAD_CHUNK)
			step = LOAD_CHUNK;
		if (step > n)
			step = n;
		if (due <= s->done || due - s->done < step)
			return 0;
		if (due - s->done < n)
			n = due - s->done;
	}
	return n < LOAD_CHUNK ? n : LOAD_CHUNK;
}

/* The queue holds one record; a protocol step never has two under way. */
void load_queue(struct load_conn *c, const void *rec, size_t len)
{
	memcpy(c->out, rec, len);
	c->out_len = len;
	c->out_done = 0;
}

/*
 * Sends what may be sent now. Returns 0, or -1 with errno when the connection
 * is broken. want_out and paced say what it waits for.
 */
int load_send(struct load_conn *c)
{
	uint8_t buf[LOAD_CHUNK];

	c->want_out = false;
	c->paced = false;
	for (;;) {
		const uint8_t *p = buf;
		ssize_t n;
		size_t len;

		if (c->out_done < c->out_len) {
			p = c->out + c->out_done;
			len = c->out_len - c->out_done;
		} else if (c->tx_state == LOAD_TX_DATA) {
			if (c->tx.done == c->tx.total) {
				c->tx_state = LOAD_TX_END;
				return 0;
			}
			len = load_stream_budget(&c->tx);
			if (!len) {
				c->paced = true;
				return 0;
			}
			load_stream_fill(&c->tx, buf, len);
		} else {
			return 0;
		}

		n = send(c->fd, p, len, MSG_NOSIGNAL);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			if (errno == EAGAIN || errno == ENOTCONN) {
				c->want_out = true;
				return 0;
			}
			return -1;
		}
		if (p == buf)
			load_stream_took(&c->tx, buf, n);
		else
			c->out_done += n;
	}
}

/*
 * Collects a control record of @want bytes from the front of what was read.
 * Returns true when c->in holds it whole.
 */
bool load_gather(struct load_conn *c, size_t want, const uint8_t **data,
		 size_t *len)
{
	size_t n = want - c->in_len;

	if (n > *len)
		n = *len;
	memcpy(c->in + c->in_len, *data, n);
	c->in_len += n;
	*data += n;
	*len -= n;
	return c->in_len == want;
}
