// SPDX-License-Identifier: GPL-2.0
/*
 * The part of the selftest that needs the owner table: what becomes of claims
 * that meet, and of entries that age. Runs in the namespace of the first
 * process, whose table is empty and told to nobody when the module is loaded.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/ktime.h>
#include <linux/printk.h>

#include "net.h"
#include "owner.h"
#include "selftest.h"

/* Whether a token's entry says so; no entry is of node 0. */
static bool __init owner_is(struct mlb_net *mn, u32 token, u16 node, u16 rival)
{
	struct mlb_owner *owner;
	bool same;

	rcu_read_lock();
	owner = mlb_owner_find(mn, token);
	same = owner ? owner->node == node && owner->rival == rival : !node;
	rcu_read_unlock();
	return same;
}

static int __init owner_put(struct mlb_net *mn, u32 token, u16 node,
			    enum mlb_owner_origin origin)
{
	return mlb_owner_insert(mn, token, node, MLB_OWNER_CPU_UNKNOWN, origin,
				false);
}

static void __init owner_end_local(struct mlb_net *mn, u32 token)
{
	struct mlb_owner *owner;

	rcu_read_lock();
	owner = mlb_owner_find(mn, token);
	rcu_read_unlock();	/* nobody else removes it */
	if (owner && owner->origin == MLB_OWNER_LOCAL)
		mlb_owner_remove_local(mn, owner);
}

/* As if no join had used it for so long. */
static void __init owner_rest(struct mlb_net *mn, u32 token, u32 seconds)
{
	struct mlb_owner *owner;

	rcu_read_lock();
	owner = mlb_owner_find(mn, token);
	if (owner)
		WRITE_ONCE(owner->born, (u32)ktime_get_seconds() - seconds);
	rcu_read_unlock();
	mlb_owner_age(mn);
}

/* A connection of this host, which is node 1, and what others say of it. */
static bool __init owner_local(struct mlb_net *mn)
{
	lockdep_assert_held(&mn->learn.lock);

	if (owner_put(mn, 1, 2, MLB_OWNER_NETLINK) ||
	    owner_put(mn, 1, 1, MLB_OWNER_LOCAL) || !owner_is(mn, 1, 1, 2) ||
	    owner_put(mn, 1, 1, MLB_OWNER_LOCAL) != -EEXIST)
		return false;
	owner_end_local(mn, 1);
	if (!owner_is(mn, 1, 2, 0))
		return false;

	/* Neither a peer's answer nor what was seen is a claim. */
	if (owner_put(mn, 2, 2, MLB_OWNER_CACHED) ||
	    owner_put(mn, 2, 1, MLB_OWNER_LOCAL) || !owner_is(mn, 2, 1, 0) ||
	    owner_put(mn, 2, 3, MLB_OWNER_SEEN) != -EEXIST ||
	    !owner_is(mn, 2, 1, 0))
		return false;
	owner_end_local(mn, 2);
	return owner_is(mn, 2, 0, 0);
}

/* What has been seen gives way to what its owner says, and never the other way
 * round; to that of the same node it is equal.
 */
static bool __init owner_seen(struct mlb_net *mn)
{
	if (owner_put(mn, 3, 2, MLB_OWNER_CACHED) ||
	    owner_put(mn, 3, 2, MLB_OWNER_SEEN) ||
	    owner_put(mn, 3, 4, MLB_OWNER_SEEN) != -EEXIST ||
	    owner_put(mn, 3, 4, MLB_OWNER_CACHED) != -EEXIST ||
	    mlb_owner_announce(mn, 3, 2, 0) || !owner_is(mn, 3, 2, 0) ||
	    mn->owners.n_aging != 1 ||
	    mlb_owner_announce(mn, 3, 4, 0) || !owner_is(mn, 3, 4, 0) ||
	    mn->owners.n_aging)
		return false;
	return !owner_put(mn, 4, 2, MLB_OWNER_NETLINK) &&
	       owner_put(mn, 4, 3, MLB_OWNER_SEEN) == -EEXIST &&
	       owner_is(mn, 4, 2, 0);
}

/* What is used stays; what a peer can be asked for goes sooner. */
static bool __init owner_age(struct mlb_net *mn)
{
	if (owner_put(mn, 5, 2, MLB_OWNER_CACHED) ||
	    owner_put(mn, 6, 2, MLB_OWNER_SEEN))
		return false;
	flush_delayed_work(&mn->owners.tell);
	owner_rest(mn, 5, 119);
	owner_rest(mn, 6, 24 * 3600 - 2);
	if (!owner_is(mn, 5, 2, 0) || !owner_is(mn, 6, 2, 0))
		return false;
	owner_rest(mn, 5, 122);
	owner_rest(mn, 6, 24 * 3600 + 2);
	flush_delayed_work(&mn->owners.tell);
	return owner_is(mn, 5, 0, 0) && owner_is(mn, 6, 0, 0) &&
	       !mn->owners.n_aging && !mn->owners.n_gone;
}

/* Answers give way first, and make room for nothing but themselves. */
static bool __init owner_evict(struct mlb_net *mn)
{
	mn->config.max_owners = 2;
	if (owner_put(mn, 7, 2, MLB_OWNER_SEEN) ||
	    owner_put(mn, 8, 2, MLB_OWNER_CACHED) ||
	    owner_put(mn, 9, 2, MLB_OWNER_SEEN) || !owner_is(mn, 8, 0, 0) ||
	    owner_put(mn, 8, 2, MLB_OWNER_CACHED) != -ENOSPC)
		return false;
	flush_delayed_work(&mn->owners.tell);
	return !owner_put(mn, 10, 2, MLB_OWNER_NETLINK) &&
	       owner_is(mn, 7, 0, 0) && owner_is(mn, 9, 2, 0) &&
	       mn->owners.per_node[2] == 2;
}

/**
 * mlb_selftest_owner() - show that claims to a token meet as they should
 *
 * Return: 0 or -EINVAL.
 */
int __init mlb_selftest_owner(void)
{
	static const struct {
		const char *name;
		bool (*run)(struct mlb_net *mn);
	} tests[] = {
		{ "owner-local", owner_local },
		{ "owner-seen", owner_seen },
		{ "owner-age", owner_age },
		{ "owner-evict", owner_evict },
	};
	struct mlb_net *mn = mlb_net(&init_net);
	u32 max = mn->config.max_owners;
	int err = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		bool pass;

		/* Keeps the withdrawal of tokens without a socket away too. */
		mutex_lock(&mn->learn.lock);
		pass = tests[i].run(mn);
		owner_end_local(mn, 1);
		owner_end_local(mn, 2);
		mutex_unlock(&mn->learn.lock);
		mlb_owner_purge(mn, 0, false);
		flush_delayed_work(&mn->owners.tell);
		mn->config.max_owners = max;
		pass = pass && !mn->owners.count && !mn->owners.per_node[2];
		pr_info("selftest %s: %s\n", tests[i].name,
			pass ? "pass" : "FAIL");
		if (!pass)
			err = -EINVAL;
	}
	return err;
}
