// SPDX-License-Identifier: GPL-2.0
/*
 * Runs when the module is loaded, if it was built with MLB_SELFTEST=1: shows
 * that the pure parts give in this kernel what the user-space tests expect,
 * and prints the sizes that users pay for.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include "flow.h"
#include "maglev.h"
#include "net.h"
#include "option.h"
#include "owner.h"
#include "pool.h"
#include "selftest.h"
#include "tunhdr.h"

static bool __init selftest_option(void)
{
	static const u8 join[] = { 2, 4, 5, 180, 30, 12, 0x10, 1, 0xde, 0xad,
				   0xbe, 0xef, 1, 2, 3, 4 };
	struct mlb_mptcp mp;

	mlb_option_parse(join, sizeof(join), true, &mp);
	if (mp.kind != MLB_MPTCP_JOIN || mp.token != 0xdeadbeef)
		return false;
	mlb_option_parse(join, sizeof(join) - 1, true, &mp);
	return mp.kind == MLB_MPTCP_BAD;
}

static bool __init selftest_maglev(void)
{
	static const struct mlb_maglev_node nodes[] = {
		{ 1, 1 }, { 2, 1 }, { 3, 2 },
	};
	struct mlb_maglev_walk walk[ARRAY_SIZE(nodes)];
	u32 size = mlb_maglev_size(ARRAY_SIZE(nodes));
	u32 n[4] = {};
	u16 *slots;

	slots = kvcalloc(size, sizeof(*slots), GFP_KERNEL);
	if (!slots)
		return false;
	mlb_maglev_fill(slots, size, nodes, ARRAY_SIZE(nodes), walk);
	for (u32 i = 0; i < size; i++)
		n[slots[i] & 3]++;
	kvfree(slots);
	return !n[0] && abs((int)(n[3] - 2 * n[1])) <= 2 &&
	       abs((int)(n[3] - 2 * n[2])) <= 2;
}

/* A pool of two nodes, which is as it was before they were suspect, or dead. */
static bool __init selftest_stale(void)
{
	struct mlb_net *mn = kvzalloc(sizeof(*mn), GFP_KERNEL);
	u32 size = mlb_maglev_size(2);
	struct mlb_tuple tuple = {};
	unsigned int n_past = 0;
	struct mlb_pool *pool;
	bool pass = false;
	bool past;

	pool = kvzalloc(struct_size(pool, slots, size), GFP_KERNEL);
	if (mn && pool) {
		pool->size = size;
		for (u32 i = 0; i < size; i++)
			pool->slots[i] = 2 + i % 2;
		set_bit(2, mn->alive.suspects);
		set_bit(3, mn->alive.suspects);
		rcu_read_lock();
		pass = mlb_pool_schedule(mn, pool, &tuple, &past) && !past;
		set_bit(2, mn->alive.dead);
		for (u16 i = 0; i < 16; i++) {
			tuple.sport = htons(i);
			if (mlb_pool_schedule(mn, pool, &tuple, &past) != 3)
				pass = false;
			n_past += past;
		}
		if (!n_past || n_past == 16)
			pass = false;
		set_bit(3, mn->alive.dead);
		if (mlb_pool_schedule(mn, pool, &tuple, &past))
			pass = false;
		rcu_read_unlock();
	}
	kvfree(pool);
	kvfree(mn);
	return pass;
}

static bool __init selftest_tunhdr(void)
{
	static const siphash_key_t key = {{ 1, 2 }};
	struct mlb_tuple tuple = { .sport = htons(1) };
	enum mlb_tuntype type;
	struct mlb_tunhdr th;
	u16 sender;
	__be64 mac;

	mlb_tunhdr_fill(&th, MLB_TUNTYPE_IPV6, 7);
	if (mlb_tunhdr_parse(&th, &type, &sender) ||
	    type != MLB_TUNTYPE_IPV6 || sender != 7)
		return false;
	mac = mlb_tunhdr_mac_flow(&th, 8, &tuple, &key);
	tuple.sport = htons(2);
	return mac != mlb_tunhdr_mac_flow(&th, 8, &tuple, &key);
}

int __init mlb_selftest(void)
{
	static const struct {
		const char *name;
		bool (*run)(void);
	} tests[] = {
		{ "option", selftest_option },
		{ "maglev", selftest_maglev },
		{ "stale", selftest_stale },
		{ "tunhdr", selftest_tunhdr },
	};
	int err = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		bool pass = tests[i].run();

		pr_info("selftest %s: %s\n", tests[i].name,
			pass ? "pass" : "FAIL");
		if (!pass)
			err = -EINVAL;
	}
	pr_info("selftest sizes: owner entry %zu bytes, flow entry %zu bytes\n",
		sizeof(struct mlb_owner), sizeof(struct mlb_flow));
	return err;
}
