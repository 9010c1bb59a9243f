/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kernel made of a socket pair: the library's end is a handle, the other end
 * is fed with answers and read for requests. Answers can be written before the
 * request is sent, as the numbers of a handle's requests are 1, 2, 3...
 */
#ifndef TESTS_FAKE_H
#define TESTS_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../libmlb/internal.h"

#define FAKE_FAMILY 0x1b

struct fake {
	struct mlb *mlb;
	int fd;
};

static inline int fake_setup(void **state)
{
	struct fake *fake = calloc(1, sizeof(*fake));
	int fds[2];

	/* Waiting for an answer that nobody sends fails instead of hanging. */
	alarm(60);
	assert_non_null(fake);
	fake->mlb = calloc(1, sizeof(*fake->mlb));
	assert_non_null(fake->mlb);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	fake->mlb->fd = fds[0];
	fake->mlb->family = FAKE_FAMILY;
	fake->fd = fds[1];
	*state = fake;
	return 0;
}

static inline int fake_teardown(void **state)
{
	struct fake *fake = *state;

	close(fake->mlb->fd);
	close(fake->fd);
	mlb_close(fake->mlb);
	free(fake);
	return 0;
}

/* A message of the family, to be filled with attributes. */
static inline struct nl_msg *fake_msg(uint32_t seq, int flags, uint8_t cmd)
{
	struct nl_msg *msg = nlmsg_alloc_size(8192);

	assert_non_null(msg);
	assert_non_null(genlmsg_put(msg, 0, seq, FAKE_FAMILY, 0, flags, cmd,
				    MLB_FAMILY_VERSION));
	return msg;
}

static inline void fake_send(struct fake *fake, struct nl_msg *msg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);

	assert_int_equal(send(fake->fd, nlh, nlh->nlmsg_len, 0),
			 nlh->nlmsg_len);
	nlmsg_free(msg);
}

/* An acknowledgement of a request whose header is all that is quoted. */
static inline struct nl_msg *fake_ack(uint32_t seq, int code, int flags)
{
	struct nlmsgerr err = { .error = code };
	struct nl_msg *msg = nlmsg_alloc_size(4096);

	assert_non_null(msg);
	err.msg.nlmsg_len = 4000;
	err.msg.nlmsg_seq = seq;
	assert_non_null(
		nlmsg_put(msg, 0, seq, NLMSG_ERROR, 0, NLM_F_CAPPED | flags));
	assert_int_equal(nlmsg_append(msg, &err, sizeof(err), NLMSG_ALIGNTO),
			 0);
	return msg;
}

static inline void fake_send_ack(struct fake *fake, uint32_t seq, int code)
{
	fake_send(fake, fake_ack(seq, code, 0));
}

static inline void fake_send_done(struct fake *fake, uint32_t seq, int code,
				  const char *text)
{
	struct nl_msg *msg = nlmsg_alloc_size(1024);

	assert_non_null(msg);
	assert_non_null(nlmsg_put(msg, 0, seq, NLMSG_DONE, 0,
				  NLM_F_MULTI | (text ? NLM_F_ACK_TLVS : 0)));
	assert_int_equal(nlmsg_append(msg, &code, sizeof(code), NLMSG_ALIGNTO),
			 0);
	if (text)
		assert_int_equal(nla_put_string(msg, NLMSGERR_ATTR_MSG, text),
				 0);
	fake_send(fake, msg);
}

/* The next request that the library sent, into a buffer of 128 KiB. */
static inline struct nlmsghdr *fake_request(struct fake *fake)
{
	static _Alignas(struct nlmsghdr) char buf[128 * 1024];
	ssize_t n = recv(fake->fd, buf, sizeof(buf), MSG_DONTWAIT);
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;

	assert_true(n >= (ssize_t)(NLMSG_HDRLEN + GENL_HDRLEN));
	assert_int_equal(n, nlh->nlmsg_len);
	assert_int_equal(nlh->nlmsg_type, FAKE_FAMILY);
	assert_true(nlh->nlmsg_flags & NLM_F_REQUEST);
	return nlh;
}

#endif /* TESTS_FAKE_H */
