// SPDX-License-Identifier: GPL-2.0
/*
 * If this fails, events are shown wrong, or lost without a word. The file
 * under test is included to reach a subscription that has no kernel.
 */
#include "fake.h"

#include "../libmlb/monitor.c"

/* Linked with --wrap=recvmsg: what the kernel says to a reader too slow. */
static bool overflow;
ssize_t __real_recvmsg(int fd, struct msghdr *mh, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *mh, int flags);

ssize_t __wrap_recvmsg(int fd, struct msghdr *mh, int flags)
{
	if (overflow) {
		overflow = false;
		errno = ENOBUFS;
		return -1;
	}
	return __real_recvmsg(fd, mh, flags);
}

struct seen {
	size_t n;
	size_t stop_at;
	struct mlb_event events[8];
	uint16_t nodes[8];
};

static int see(const struct mlb_event *event, void *arg)
{
	struct seen *seen = arg;

	if (seen->n < 8)
		seen->events[seen->n] = *event;
	if (event->type == MLB_EVENT_SERVICE)
		memcpy(seen->nodes, event->service.nodes,
		       event->service.n_nodes * sizeof(uint16_t));
	return ++seen->n == seen->stop_at;
}

static int read_all(struct fake *fake, struct seen *seen)
{
	struct mlb_monitor monitor = { .mlb = fake->mlb };

	return mlb_monitor_read(&monitor, see, seen);
}

static struct nl_msg *owner_msg(uint8_t cmd, size_t n)
{
	struct nl_msg *msg = fake_msg(0, 0, cmd);

	for (size_t i = 0; i < n; i++) {
		struct nlattr *nest = nla_nest_start(msg, MLB_A_OWNER_ENTRY);

		nla_put_u32(msg, MLB_A_OWNER_ENTRY_TOKEN, 0x100 + (uint32_t)i);
		nla_put_u16(msg, MLB_A_OWNER_ENTRY_NODE, 5);
		nla_put_u32(msg, MLB_A_OWNER_ENTRY_CPU, 6);
		nla_put_flag(msg, MLB_A_OWNER_ENTRY_SEEN);
		nla_put_u16(msg, MLB_A_OWNER_ENTRY_RIVAL, 7);
		nla_nest_end(msg, nest);
	}
	return msg;
}

static struct nl_msg *node_msg(void)
{
	struct nl_msg *msg = fake_msg(0, 0, MLB_CMD_NODE_NTF);

	nla_put_u16(msg, MLB_A_NODE_ID, 9);
	nla_put(msg, MLB_A_NODE_ADDR, 16,
		"\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1");
	nla_put_u32(msg, MLB_A_NODE_WEIGHT, 100);
	nla_put_u32(msg, MLB_A_NODE_STATE, MLB_NODE_STATE_MAINTENANCE);
	nla_put_flag(msg, MLB_A_NODE_SELF);
	nla_put_u32(msg, MLB_A_NODE_ENCAP, MLB_ENCAP_MLB);
	return msg;
}

static struct nl_msg *service_msg(void)
{
	struct nl_msg *msg = fake_msg(0, 0, MLB_CMD_SERVICE_NTF);

	nla_put(msg, MLB_A_SERVICE_ADDR, 4, "\xa\1\1\1");
	nla_put_u16(msg, MLB_A_SERVICE_PORT, 80);
	nla_put_u32(msg, MLB_A_SERVICE_SCHEDULER, MLB_SCHEDULER_MAGLEV);
	nla_put_u16(msg, MLB_A_SERVICE_NODE, 2);
	nla_put_u16(msg, MLB_A_SERVICE_NODE, 4095);
	return msg;
}

static struct nl_msg *limit_msg(void)
{
	struct nl_msg *msg = fake_msg(0, 0, MLB_CMD_LIMIT_EVENT);

	nla_put_u32(msg, MLB_A_EVENT_TABLE, MLB_TABLE_FLOW);
	nla_put_u32(msg, MLB_A_EVENT_LIMIT, 1000);
	return msg;
}

static struct nl_msg *config_msg(void)
{
	struct nl_msg *msg = fake_msg(0, 0, MLB_CMD_CONFIG_NTF);

	nla_put_u32(msg, MLB_A_CONFIG_RESOLVE_TIMEOUT, 20);
	nla_put_u16(msg, MLB_A_CONFIG_PORT, 6084);
	nla_put(msg, MLB_A_CONFIG_KEY_ID, 8, "12345678");
	return msg;
}

/* A message of many tokens is as many events. */
static void owners(void **state)
{
	struct fake *fake = *state;
	struct seen seen = {};

	fake_send(fake, owner_msg(MLB_CMD_OWNER_ADD_NTF, 3));
	fake_send(fake, owner_msg(MLB_CMD_OWNER_DEL_NTF, 1));
	assert_int_equal(read_all(fake, &seen), 0);
	assert_int_equal(seen.n, 4);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(seen.events[i].type, MLB_EVENT_OWNER_ADD);
		assert_int_equal(seen.events[i].owner.token, 0x100 + i);
		assert_int_equal(seen.events[i].owner.node, 5);
		assert_int_equal(seen.events[i].owner.cpu, 6);
		assert_int_equal(seen.events[i].owner.rival, 7);
		assert_true(seen.events[i].owner.seen);
	}
	assert_int_equal(seen.events[3].type, MLB_EVENT_OWNER_DEL);
}

static void objects(void **state)
{
	struct fake *fake = *state;
	struct seen seen = {};
	const struct mlb_event *e = seen.events;

	fake_send(fake, node_msg());
	fake_send(fake, service_msg());
	fake_send(fake, limit_msg());
	fake_send(fake, config_msg());
	assert_int_equal(read_all(fake, &seen), 0);
	assert_int_equal(seen.n, 4);

	assert_int_equal(e[0].type, MLB_EVENT_NODE);
	assert_int_equal(e[0].node.id, 9);
	assert_int_equal(e[0].node.fields,
			 MLB_F_NODE_ID | MLB_F_NODE_ADDR | MLB_F_NODE_WEIGHT |
				 MLB_F_NODE_STATE | MLB_F_NODE_SELF |
				 MLB_F_NODE_ENCAP);
	assert_int_equal(e[0].node.addr.family, AF_INET6);
	assert_int_equal(e[0].node.weight, 100);
	assert_int_equal(e[0].node.state, MLB_NODE_STATE_MAINTENANCE);

	assert_int_equal(e[1].type, MLB_EVENT_SERVICE);
	assert_int_equal(e[1].service.vip.port, 80);
	assert_int_equal(e[1].service.scheduler, MLB_SCHEDULER_MAGLEV);
	assert_int_equal(e[1].service.n_nodes, 2);
	assert_int_equal(seen.nodes[1], 4095);

	assert_int_equal(e[2].type, MLB_EVENT_LIMIT);
	assert_int_equal(e[2].limit.table, MLB_TABLE_FLOW);
	assert_int_equal(e[2].limit.limit, 1000);

	assert_int_equal(e[3].type, MLB_EVENT_CONFIG);
	assert_int_equal(e[3].config.fields, MLB_F_CONFIG_RESOLVE_TIMEOUT |
						     MLB_F_CONFIG_PORT |
						     MLB_F_CONFIG_KEY_ID);
	assert_memory_equal(e[3].config.key_id, "12345678", 8);
}

static void lost(void **state)
{
	struct fake *fake = *state;
	struct seen seen = {};

	overflow = true;
	fake_send(fake, node_msg());
	assert_int_equal(read_all(fake, &seen), 0);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.events[0].type, MLB_EVENT_LOST);
	assert_int_equal(seen.events[1].type, MLB_EVENT_NODE);
}

static void send_unload(struct fake *fake, uint8_t cmd, uint16_t family)
{
	struct nl_msg *msg = nlmsg_alloc_size(256);

	genlmsg_put(msg, 0, 0, GENL_ID_CTRL, 0, 0, cmd, 2);
	nla_put_u16(msg, CTRL_ATTR_FAMILY_ID, family);
	fake_send(fake, msg);
}

/* Only the end of this family counts. */
static void unloaded(void **state)
{
	struct fake *fake = *state;
	struct seen seen = {};

	send_unload(fake, CTRL_CMD_NEWFAMILY, FAKE_FAMILY);
	send_unload(fake, CTRL_CMD_DELFAMILY, FAKE_FAMILY + 1);
	send_unload(fake, CTRL_CMD_DELFAMILY, FAKE_FAMILY);
	assert_int_equal(read_all(fake, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.events[0].type, MLB_EVENT_UNLOADED);
}

static void stopped(void **state)
{
	struct fake *fake = *state;
	struct seen seen = { .stop_at = 2 };

	fake_send(fake, owner_msg(MLB_CMD_OWNER_ADD_NTF, 3));
	assert_int_equal(read_all(fake, &seen), 1);
	assert_int_equal(seen.n, 2);
}

static void malformed(void **state)
{
	struct fake *fake = *state;
	struct seen seen = {};
	struct nl_msg *msg;

	msg = fake_msg(0, 0, MLB_CMD_NODE_NTF);
	nla_put_u16(msg, MLB_A_NODE_ID, 9);
	nla_put(msg, MLB_A_NODE_ADDR, 5, "\1\2\3\4\5");
	fake_send(fake, msg);
	assert_int_equal(read_all(fake, &seen), -EBADMSG);

	msg = fake_msg(0, 0, MLB_CMD_OWNER_ADD_NTF);
	nla_put_u32(msg, MLB_A_OWNER_ENTRY, 1);
	fake_send(fake, msg);
	assert_int_equal(read_all(fake, &seen), -EBADMSG);
	assert_int_equal(seen.n, 0);

	/* A command of a newer kernel is none of our business. */
	fake_send(fake, fake_msg(0, 0, 250));
	assert_int_equal(read_all(fake, &seen), 0);
}

/*
 * Bytes and lengths changed at random: whatever comes out, nothing is read
 * beyond the message. ASan sees it, as each message has an allocation that is
 * just as long.
 */
static void mutated(void **state)
{
	struct nl_msg *(*const make[])(void) = { node_msg, service_msg,
						 limit_msg, config_msg };
	struct seen seen = {};
	struct sink sink = { .fn = see, .arg = &seen };

	(void)state;
	srandom(1);
	for (int i = 0; i < 200000; i++) {
		size_t kind = (size_t)random() % (MLB_ARRAY_SIZE(make) + 1);
		struct nl_msg *msg =
			kind < MLB_ARRAY_SIZE(make) ?
				make[kind]() :
				owner_msg(MLB_CMD_OWNER_ADD_NTF, 2);
		size_t len = nlmsg_hdr(msg)->nlmsg_len;
		unsigned char *copy = malloc(len);
		int rem = (int)len;

		assert_non_null(copy);
		memcpy(copy, nlmsg_hdr(msg), len);
		nlmsg_free(msg);
		for (long n = random() % 4; n >= 0; n--)
			copy[(size_t)random() % len] = (unsigned char)random();
		for (struct nlmsghdr *nlh = (struct nlmsghdr *)copy;
		     nlmsg_ok(nlh, rem); nlh = nlmsg_next(nlh, &rem))
			dispatch(nlh, FAKE_FAMILY, &sink);
		free(copy);
	}
	assert_true(seen.n > 1000);
}

#define FAKE_TEST(f) \
	cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST(owners),	   FAKE_TEST(objects),
		FAKE_TEST(lost),	   FAKE_TEST(unloaded),
		FAKE_TEST(stopped),	   FAKE_TEST(malformed),
		cmocka_unit_test(mutated),
	};

	return cmocka_run_group_tests_name("monitor", tests, NULL, NULL);
}
