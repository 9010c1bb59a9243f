// SPDX-License-Identifier: GPL-2.0
/*
 * If this fails, a listing is shown with entries missing or repeated and
 * nobody is told.
 */
#include <pthread.h>

#include "fake.h"

struct seen {
	size_t n;
	uint16_t last;
	bool in_order;
	size_t stop_at;
};

static int see_node(const struct mlb_node *node, void *arg)
{
	struct seen *seen = arg;

	if (node->id != seen->last + 1)
		seen->in_order = false;
	seen->last = node->id;
	return ++seen->n == seen->stop_at ? 42 : 0;
}

static struct seen seen_none(void)
{
	return (struct seen){ .in_order = true };
}

static void send_node(struct fake *fake, uint32_t seq, int flags, uint16_t id)
{
	struct nl_msg *msg =
		fake_msg(seq, NLM_F_MULTI | flags, MLB_CMD_NODE_GET);

	nla_put_u16(msg, MLB_A_NODE_ID, id);
	nla_put(msg, MLB_A_NODE_ADDR, 4, "\x0a\0\0\1");
	fake_send(fake, msg);
}

static void undisturbed(void **state)
{
	struct fake *fake = *state;
	struct seen seen = seen_none();

	send_node(fake, 1, 0, 1);
	send_node(fake, 0, 0, 9); /* an answer to nobody */
	send_node(fake, 1, 0, 2);
	fake_send_done(fake, 1, 0, NULL);
	assert_int_equal(mlb_node_each(fake->mlb, see_node, &seen), 0);
	assert_int_equal(seen.n, 2);
	assert_true(seen.in_order);
	assert_int_equal(fake_request(fake)->nlmsg_flags & NLM_F_DUMP,
			 NLM_F_DUMP);
}

/* The first listing is thrown away whole, the second is shown. */
static void disturbed_once(void **state)
{
	struct fake *fake = *state;
	struct seen seen = seen_none();

	send_node(fake, 1, 0, 1);
	send_node(fake, 1, NLM_F_DUMP_INTR, 5);
	fake_send_done(fake, 1, 0, NULL);
	send_node(fake, 2, 0, 1);
	send_node(fake, 2, 0, 2);
	fake_send_done(fake, 2, 0, NULL);
	assert_int_equal(mlb_node_each(fake->mlb, see_node, &seen), 0);
	assert_int_equal(seen.n, 2);
	assert_true(seen.in_order);
}

static void disturbed_always(void **state)
{
	struct fake *fake = *state;
	struct seen seen = seen_none();

	for (uint32_t seq = 1; seq <= MLB_DUMP_TRIES; seq++) {
		send_node(fake, seq, NLM_F_DUMP_INTR, 1);
		fake_send_done(fake, seq, 0, NULL);
	}
	assert_int_equal(mlb_node_each(fake->mlb, see_node, &seen), -EAGAIN);
	assert_int_equal(seen.n, 1);
	assert_non_null(strstr(mlb_last_error(fake->mlb)->text, "changed"));
	for (int i = 0; i < MLB_DUMP_TRIES; i++)
		fake_request(fake);
}

/* The kernel can fail at the end of a listing as well as before it. */
static void fails(void **state)
{
	struct fake *fake = *state;
	struct seen seen = seen_none();

	send_node(fake, 1, 0, 1);
	fake_send_done(fake, 1, -ENOBUFS, "an entry is too large");
	assert_int_equal(mlb_node_each(fake->mlb, see_node, &seen), -ENOBUFS);
	assert_string_equal(mlb_last_error(fake->mlb)->text,
			    "an entry is too large");
	assert_int_equal(seen.n, 0);

	fake_send_ack(fake, 2, -EOPNOTSUPP);
	assert_int_equal(mlb_node_each(fake->mlb, see_node, &seen),
			 -EOPNOTSUPP);
	assert_int_equal(seen.n, 0);
}

/* What comes after the stop is read all the same: the handle goes on. */
static void stopped(void **state)
{
	struct fake *fake = *state;
	struct seen seen = seen_none();

	seen.stop_at = 1;
	send_node(fake, 1, 0, 1);
	send_node(fake, 1, 0, 2);
	fake_send_done(fake, 1, 0, NULL);
	assert_int_equal(mlb_node_each(fake->mlb, see_node, &seen), 42);
	assert_int_equal(seen.n, 1);
	fake_send_ack(fake, 2, 0);
	assert_int_equal(mlb_node_del(fake->mlb, 1), 0);
}

/* Larger than the stage, so handed on while it arrives. */
#define BIG_MESSAGES 20000
#define BIG_ENTRIES 4

struct big {
	struct fake *fake;
	int last_flags;
};

static void *send_big(void *arg)
{
	const struct big *big = arg;

	for (uint32_t i = 0; i < BIG_MESSAGES; i++) {
		bool last = i == BIG_MESSAGES - 1;
		struct nl_msg *msg =
			fake_msg(1, NLM_F_MULTI | (last ? big->last_flags : 0),
				 MLB_CMD_OWNER_GET);

		for (uint32_t j = 0; j < BIG_ENTRIES; j++) {
			struct nlattr *nest =
				nla_nest_start(msg, MLB_A_OWNER_ENTRY);

			nla_put_u32(msg, MLB_A_OWNER_ENTRY_TOKEN,
				    i * BIG_ENTRIES + j);
			nla_put_u16(msg, MLB_A_OWNER_ENTRY_NODE, 1);
			nla_put_u32(msg, MLB_A_OWNER_ENTRY_CPU, 0);
			nla_nest_end(msg, nest);
		}
		fake_send(big->fake, msg);
	}
	fake_send_done(big->fake, 1, 0, NULL);
	return NULL;
}

static int see_owner(const struct mlb_owner *owner, void *arg)
{
	uint32_t *next = arg;

	return owner->token == (*next)++ ? 0 : 42;
}

static void big(struct fake *fake, int last_flags, int want)
{
	struct big big = { fake, last_flags };
	pthread_t thread;
	uint32_t next = 0;

	assert_true((size_t)BIG_MESSAGES * BIG_ENTRIES * 28 > MLB_STAGE_SIZE);
	assert_int_equal(pthread_create(&thread, NULL, send_big, &big), 0);
	assert_int_equal(mlb_owner_each(fake->mlb, 0, see_owner, &next), want);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(next, BIG_MESSAGES * BIG_ENTRIES);
}

static void large(void **state)
{
	big(*state, 0, 0);
}

static void large_disturbed(void **state)
{
	big(*state, NLM_F_DUMP_INTR, -EAGAIN);
}

#define FAKE_TEST(f) \
	cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST(undisturbed),	     FAKE_TEST(disturbed_once),
		FAKE_TEST(disturbed_always), FAKE_TEST(fails),
		FAKE_TEST(stopped),	     FAKE_TEST(large),
		FAKE_TEST(large_disturbed),
	};

	return cmocka_run_group_tests_name("dump", tests, NULL, NULL);
}
