// SPDX-License-Identifier: GPL-2.0
/* What the kernel says of this host's connections, and what it cannot say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sockets.h"

/* Answers, one for each family, made by the kernel's side of a pair. */
static char answers[2][4096];
static size_t lens[2];
static unsigned int asked;
static int pair[2];

int __wrap_socket(int domain, int type, int protocol);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);

int __wrap_socket(int domain, int type, int protocol)
{
	assert_int_equal(domain, AF_NETLINK);
	assert_int_equal(protocol, NETLINK_SOCK_DIAG);
	assert_true(type & SOCK_CLOEXEC);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	return pair[0];
}

/* Those that were to be destroyed, by their cookie, and what was said to it. */
static uint32_t destroyed[8];
static size_t n_destroyed;
static int destroy_errors[8];
static atomic_bool stop;

static void take_destroy(const struct nlmsghdr *head,
			 const struct inet_diag_req_v2 *req)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr err;
	} answer = {
		.head = { .nlmsg_len = sizeof(answer),
			  .nlmsg_type = NLMSG_ERROR },
		.err = { .error = destroy_errors[n_destroyed], .msg = *head },
	};

	assert_int_equal(asked, 2);
	assert_true(head->nlmsg_flags & NLM_F_ACK);
	assert_int_equal(req->sdiag_protocol, IPPROTO_TCP);
	assert_int_equal(req->sdiag_family, req->id.idiag_cookie[1]);
	destroyed[n_destroyed++] = req->id.idiag_cookie[0];
	if (n_destroyed == 2 && req->id.idiag_cookie[0] == 99)
		stop = true;
	assert_int_equal(write(pair[1], &answer, sizeof(answer)),
			 sizeof(answer));
}

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags)
{
	const struct nlmsghdr *head = data;
	const struct inet_diag_req_v2 *req = nlmsg_data(head);

	(void)flags;
	assert_int_equal(fd, pair[0]);
	if (head->nlmsg_type == SOCK_DESTROY) {
		take_destroy(head, req);
		return (ssize_t)len;
	}
	assert_true(asked < 2);
	assert_int_equal(req->sdiag_family, asked ? AF_INET6 : AF_INET);
	assert_int_equal(write(pair[1], answers[asked], lens[asked]),
			 lens[asked]);
	asked++;
	return (ssize_t)len;
}

static void *put(unsigned int to, uint16_t type, size_t len)
{
	struct nlmsghdr *head = (void *)(answers[to] + lens[to]);

	*head = (struct nlmsghdr){ .nlmsg_len = NLMSG_LENGTH(len),
				   .nlmsg_type = type };
	lens[to] += NLMSG_ALIGN(head->nlmsg_len);
	memset(NLMSG_DATA(head), 0, len);
	return NLMSG_DATA(head);
}

static uint32_t cookie;

static void put_socket(unsigned int to, const char *from, const char *at,
		       uint16_t port)
{
	struct inet_diag_msg *msg =
		put(to, SOCK_DIAG_BY_FAMILY, sizeof(struct inet_diag_msg));

	msg->idiag_family = to ? AF_INET6 : AF_INET;
	msg->id.idiag_sport = htons(port);
	msg->id.idiag_cookie[0] = cookie++;
	msg->id.idiag_cookie[1] = msg->idiag_family;
	assert_int_equal(inet_pton(msg->idiag_family, at, msg->id.idiag_src), 1);
	assert_int_equal(inet_pton(msg->idiag_family, from, msg->id.idiag_dst),
			 1);
}

/* One that is FIN_WAIT2 in name only. */
static void put_remains(unsigned int to, const char *from, const char *at)
{
	struct inet_diag_msg *msg = (void *)(answers[to] + lens[to] +
					     NLMSG_HDRLEN);

	put_socket(to, from, at, 443);
	msg->idiag_state = TCP_FIN_WAIT2;
	msg->idiag_timer = 3;
}

static void put_done(unsigned int to, int error)
{
	*(int *)put(to, NLMSG_DONE, sizeof(int)) = error;
}

static void begin(void)
{
	lens[0] = 0;
	lens[1] = 0;
	asked = 0;
	cookie = 1;
	n_destroyed = 0;
	memset(destroy_errors, 0, sizeof(destroy_errors));
	stop = false;
}

static struct mlb_endpoint *two_services(void)
{
	static struct mlb_endpoint services[2];

	memset(services, 0, sizeof(services));
	services[0].port = 443;
	services[0].addr.family = AF_INET6;
	inet_pton(AF_INET6, "2001:db8::1", &services[0].addr.v6);
	services[1].port = 443;
	services[1].addr.family = AF_INET;
	inet_pton(AF_INET, "10.9.0.1", &services[1].addr.v4);
	return services;
}

static int count(uint64_t *n)
{
	int ret = sockets_count(two_services(), 2, n);

	close(pair[1]);
	return ret;
}

static void test_count(void **state)
{
	uint64_t n;

	(void)state;
	begin();
	put_socket(0, "192.0.2.1", "10.9.0.1", 443);
	put_socket(0, "192.0.2.1", "10.9.0.1", 80);
	put_socket(0, "192.0.2.1", "10.9.0.2", 443);
	/* A check of this host's. */
	put_socket(0, "10.9.0.1", "10.9.0.1", 443);
	put_remains(0, "192.0.2.3", "10.9.0.1");
	put_done(0, 0);
	put_socket(1, "2001:db8:2::1", "2001:db8::1", 443);
	put_socket(1, "::ffff:192.0.2.1", "::ffff:10.9.0.1", 443);
	put_socket(1, "2001:db8::1", "2001:db8::1", 443);
	put_remains(1, "2001:db8:2::3", "2001:db8::1");
	put_done(1, 0);
	assert_int_equal(count(&n), 0);
	assert_int_equal(n, 3);
}

/* A host whose kernel may load no modules, and has none for TCP: not empty. */
static void test_cannot(void **state)
{
	uint64_t n;

	(void)state;
	begin();
	put_done(0, -ENOENT);
	assert_int_equal(count(&n), -ENOENT);
	begin();
	put_done(0, 0);
	put_done(1, -ENOMEM);
	assert_int_equal(count(&n), -ENOMEM);
	begin();
	((struct nlmsgerr *)put(0, NLMSG_ERROR, sizeof(struct nlmsgerr)))
		->error = -EPERM;
	assert_int_equal(count(&n), -EPERM);
	begin();
	put(0, NLMSG_DONE, 0);
	assert_int_equal(count(&n), -EBADMSG);
}

static int end_all(struct sockets_ended *ended)
{
	int ret = sockets_end(two_services(), 2, &stop, ended);

	close(pair[1]);
	return ret;
}

static void put_some(void)
{
	put_socket(0, "192.0.2.1", "10.9.0.1", 443);
	put_socket(0, "192.0.2.1", "10.9.0.1", 80);
	put_socket(0, "10.9.0.1", "10.9.0.1", 443);
	put_socket(0, "192.0.2.2", "10.9.0.1", 443);
	put_done(0, 0);
	put_socket(1, "2001:db8:2::1", "2001:db8::1", 443);
	put_socket(1, "2001:db8:2::1", "2001:db8::2", 443);
	put_socket(1, "::ffff:192.0.2.1", "::ffff:10.9.0.1", 443);
	put_remains(1, "2001:db8:2::3", "2001:db8::1");
	put_done(1, 0);
}

/* Those of services, by family and cookie, and no other. */
static void test_end(void **state)
{
	static const uint32_t want[] = { 1, 4, 5, 7 };
	struct sockets_ended ended;

	(void)state;
	begin();
	put_some();
	destroy_errors[1] = -ENOENT;
	assert_int_equal(end_all(&ended), 0);
	assert_int_equal(n_destroyed, 4);
	assert_memory_equal(destroyed, want, sizeof(want));
	assert_int_equal(ended.ended, 3);
	assert_int_equal(ended.left, 0);
}

static void test_cannot_end(void **state)
{
	struct sockets_ended ended;

	(void)state;
	begin();
	put_some();
	destroy_errors[0] = -EOPNOTSUPP;
	assert_int_equal(end_all(&ended), -EOPNOTSUPP);
	assert_int_equal(n_destroyed, 1);
	assert_int_equal(ended.ended, 0);
	assert_int_equal(ended.left, 4);
	/* Nothing that may be half of it. */
	begin();
	put_socket(0, "192.0.2.1", "10.9.0.1", 443);
	put_done(0, 0);
	put_done(1, -ENOMEM);
	assert_int_equal(end_all(&ended), -ENOMEM);
	assert_int_equal(n_destroyed, 0);
}

static void test_stop(void **state)
{
	struct sockets_ended ended;

	(void)state;
	begin();
	cookie = 98;
	put_socket(0, "192.0.2.1", "10.9.0.1", 443);
	put_socket(0, "192.0.2.2", "10.9.0.1", 443);
	put_socket(0, "192.0.2.3", "10.9.0.1", 443);
	put_done(0, 0);
	put_done(1, 0);
	assert_int_equal(end_all(&ended), 0);
	assert_int_equal(n_destroyed, 2);
	assert_int_equal(ended.ended, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_cannot),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_cannot_end),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests_name("mlbd sockets", tests, NULL, NULL);
}
