// SPDX-License-Identifier: GPL-2.0
/*
 * If this fails, groups of clients, or the nodes for them, are not those that
 * were asked for, or a changed listing is written back.
 */
#include "fake.h"

static const uint16_t two_nodes[] = { 2, 4000 };

static void put_prefix(struct nl_msg *msg, const char *addr, int addr_len,
		       uint8_t len, uint16_t group)
{
	struct nlattr *nest = nla_nest_start(msg, MLB_A_POOLS_PREFIX);

	nla_put(msg, MLB_A_GROUP_PREFIX_ADDR, addr_len, addr);
	nla_put_u8(msg, MLB_A_GROUP_PREFIX_LEN, len);
	nla_put_u16(msg, MLB_A_GROUP_PREFIX_GROUP, group);
	nla_nest_end(msg, nest);
}

static void put_pool(struct nl_msg *msg, uint16_t group, const uint16_t *nodes,
		     size_t n, bool wait)
{
	struct nlattr *nest = nla_nest_start(msg, MLB_A_POOLS_POOL);

	nla_put(msg, MLB_A_GROUP_POOL_ADDR, 4, "\x0a\x09\0\1");
	nla_put_u16(msg, MLB_A_GROUP_POOL_PORT, 443);
	if (group)
		nla_put_u16(msg, MLB_A_GROUP_POOL_GROUP, group);
	for (size_t i = 0; i < n; i++)
		nla_put_u16(msg, MLB_A_GROUP_POOL_NODE, nodes[i]);
	if (wait)
		nla_put_flag(msg, MLB_A_GROUP_POOL_WAIT);
	nla_nest_end(msg, nest);
}

static struct nl_msg *pools_msg(uint32_t seq, uint32_t version)
{
	struct nl_msg *msg = fake_msg(seq, NLM_F_MULTI, MLB_CMD_POOLS_GET);

	nla_put_u32(msg, MLB_A_POOLS_VERSION, version);
	nla_put_u32(msg, MLB_A_POOLS_N_PREFIXES, 3);
	nla_put_u32(msg, MLB_A_POOLS_N_POOLS, 2);
	return msg;
}

/* They come by address, and are given by group. */
static void listed(void **state)
{
	struct fake *fake = *state;
	struct mlb_pools *pools;
	struct nl_msg *msg = pools_msg(1, 17);

	put_prefix(msg, "\x0a\0\0\0", 4, 8, 9);
	put_prefix(msg, "\x0a\1\0\0", 4, 16, 3);
	fake_send(fake, msg);
	msg = pools_msg(1, 17);
	put_prefix(msg, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0", 16, 32, 9);
	put_pool(msg, 0, NULL, 0, false);
	put_pool(msg, 9, two_nodes, 2, true);
	fake_send(fake, msg);
	fake_send_done(fake, 1, 0, NULL);

	assert_int_equal(mlb_pools_get(fake->mlb, &pools), 0);
	assert_int_equal(pools->fields, MLB_F_POOLS_VERSION);
	assert_int_equal(pools->version, 17);
	assert_int_equal(pools->n_groups, 2);
	assert_int_equal(pools->groups[0].id, 3);
	assert_int_equal(pools->groups[0].n_prefixes, 1);
	assert_int_equal(pools->groups[0].prefixes[0].len, 16);
	assert_int_equal(pools->groups[1].id, 9);
	assert_int_equal(pools->groups[1].n_prefixes, 2);
	assert_int_equal(pools->groups[1].prefixes[1].addr.family, AF_INET6);
	assert_int_equal(pools->n_pools, 2);
	assert_int_equal(pools->pools[0].group, 0);
	assert_int_equal(pools->pools[0].n_nodes, 0);
	assert_false(pools->pools[0].wait);
	assert_true(pools->pools[1].wait);
	assert_int_equal(pools->pools[1].vip.port, 443);
	assert_int_equal(pools->pools[1].n_nodes, 2);
	assert_int_equal(pools->pools[1].nodes[1], 4000);
	mlb_pools_free(pools);
}

static void nothing_listed(void **state)
{
	struct fake *fake = *state;
	struct mlb_pools *pools;

	fake_send(fake, pools_msg(1, 0));
	fake_send_done(fake, 1, 0, NULL);
	assert_int_equal(mlb_pools_get(fake->mlb, &pools), 0);
	assert_int_equal(pools->n_groups, 0);
	assert_int_equal(pools->n_pools, 0);
	mlb_pools_free(pools);

	fake_send_done(fake, 2, -EPERM, "no");
	assert_int_equal(mlb_pools_get(fake->mlb, &pools), -EPERM);
	assert_null(pools);
}

static void half_a_message(void **state)
{
	struct fake *fake = *state;
	struct nl_msg *msg = pools_msg(1, 1);
	struct mlb_pools *pools;

	put_prefix(msg, "\x0a\0\0\0\0", 5, 8, 9);
	fake_send(fake, msg);
	fake_send_done(fake, 1, 0, NULL);
	assert_int_equal(mlb_pools_get(fake->mlb, &pools), -EBADMSG);
	assert_null(pools);
}

/* What is asked for is all in one message, with the version. */
static void set(void **state)
{
	static const struct mlb_prefix prefixes[] = {
		{ .addr = { .family = AF_INET }, .len = 0 },
		{ .addr = { .family = AF_INET6 }, .len = 128 },
	};
	const struct mlb_group groups[] = {
		{ .id = 5, .prefixes = prefixes, .n_prefixes = 2 },
	};
	const struct mlb_group_pool entries[] = {
		{ .vip = { .addr = { .family = AF_INET }, .port = 80 },
		  .group = 5,
		  .nodes = two_nodes,
		  .n_nodes = 2,
		  .wait = true },
	};
	const struct mlb_pools pools = {
		.fields = MLB_F_POOLS_VERSION | MLB_F_POOLS_PATIENT,
		.version = 8,
		.groups = groups,
		.n_groups = 1,
		.pools = entries,
		.n_pools = 1,
	};
	struct nlattr *tb[MLB_A_POOLS_MAX + 1], *attr;
	struct fake *fake = *state;
	struct nlmsghdr *nlh;
	unsigned int n = 0;
	int rem;

	fake_send_ack(fake, 1, -EAGAIN);
	assert_int_equal(mlb_pools_set(fake->mlb, &pools), -EAGAIN);
	nlh = fake_request(fake);
	assert_int_equal(genlmsg_hdr(nlh)->cmd, MLB_CMD_POOLS_SET);
	assert_int_equal(mlb_parse(nlh, tb, MLB_A_POOLS_MAX), 0);
	assert_int_equal(nla_get_u32(tb[MLB_A_POOLS_VERSION]), 8);
	assert_non_null(tb[MLB_A_POOLS_PATIENT]);
	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem)
		n += nla_type(attr) == MLB_A_POOLS_PREFIX;
	assert_int_equal(n, 2);
	n = 0;
	nla_for_each_nested(attr, tb[MLB_A_POOLS_POOL], rem)
		n += nla_type(attr) == MLB_A_GROUP_POOL_NODE;
	assert_int_equal(n, 2);
	n = 0;
	nla_for_each_nested(attr, tb[MLB_A_POOLS_POOL], rem)
		n += nla_type(attr) == MLB_A_GROUP_POOL_WAIT;
	assert_int_equal(n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(listed, fake_setup,
						fake_teardown),
		cmocka_unit_test_setup_teardown(nothing_listed, fake_setup,
						fake_teardown),
		cmocka_unit_test_setup_teardown(half_a_message, fake_setup,
						fake_teardown),
		cmocka_unit_test_setup_teardown(set, fake_setup, fake_teardown),
	};

	return cmocka_run_group_tests_name("pools", tests, NULL, NULL);
}
