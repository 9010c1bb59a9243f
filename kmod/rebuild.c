// SPDX-License-Identifier: GPL-2.0
/*
 * Computing pools anew, as a node has changed: one after the other. There can be
 * thousands of them, each takes a millisecond or two, and as long as the
 * configuration is locked nobody else can load owners.
 */
#include <linux/sched/signal.h>
#include <linux/workqueue.h>

#include "net.h"
#include "pools.h"
#include "rebuild.h"
#include "service.h"
#include "walk.h"

/* When there was no memory for a pool, it is tried again after so long. */
#define REBUILD_AGAIN	HZ

struct rebuild {
	struct mlb_net *mn;
	u16 id;
	struct mlb_pool __rcu **stale;
};

typedef int (*pool_fn)(struct rebuild *r, struct mlb_pool __rcu **place);

static int services_each(struct rebuild *r, pool_fn fn)
{
	struct rhashtable_iter iter;
	struct mlb_service *svc;
	int ret = 0;

	rhashtable_walk_enter(&r->mn->services, &iter);
	mlb_walk_start(&iter);
	while (!ret && (svc = rhashtable_walk_next(&iter))) {
		if (IS_ERR(svc) || !svc->n_nodes)
			continue;
		/* Services change under the lock alone: it stays. */
		rhashtable_walk_stop(&iter);
		ret = fn(r, &svc->pool);
		cond_resched();
		mlb_walk_start(&iter);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	return ret;
}

/* Calls @fn for every pool, until it returns something. */
static int pools_each(struct rebuild *r, pool_fn fn)
{
	struct mlb_pools *pools = mlb_dereference(r->mn, r->mn->pools);
	int ret = fn(r, &r->mn->pool);

	for (unsigned int i = 0; !ret && pools && i < pools->n_sets; i++)
		ret = fn(r, &pools->sets[i]);
	return ret ?: services_each(r, fn);
}

/* As its nodes are now; the first of every node is the only one not there. */
static struct mlb_pool *build_anew(struct mlb_net *mn,
				   const struct mlb_pool *old)
{
	struct mlb_pool *pool;

	if (!old)
		return mlb_pool_build(mn, NULL, 0, true);
	pool = mlb_pool_build(mn, mlb_pool_nodes(old), old->n_nodes, old->all);
	if (pool) {
		pool->strict = old->strict;
		pool->wait = old->wait;
	}
	return pool;
}

static int build_place(struct mlb_net *mn, struct mlb_pool __rcu **place)
{
	struct mlb_pool *pool = build_anew(mn, mlb_dereference(mn, *place));

	if (!pool)
		return -ENOMEM;
	mlb_pool_free(rcu_replace_pointer(*place, pool,
					  lockdep_is_held(&mn->lock)));
	return 0;
}

static int mark_one(struct rebuild *r, struct mlb_pool __rcu **place)
{
	struct mlb_pool *pool = mlb_dereference(r->mn, *place);

	if (pool && mlb_pool_has_node(pool, r->id))
		pool->stale = true;
	return 0;
}

static int find_stale(struct rebuild *r, struct mlb_pool __rcu **place)
{
	const struct mlb_pool *pool = mlb_dereference(r->mn, *place);

	if (!pool || !pool->stale)
		return 0;
	r->stale = place;
	return 1;
}

/* Returns 1 when there may be more of them, 0, or -ENOMEM. */
static int rebuild_next(struct mlb_net *mn)
{
	struct rebuild r = { .mn = mn };
	int ret;

	mutex_lock(&mn->lock);
	ret = pools_each(&r, find_stale);
	if (ret)
		ret = build_place(mn, r.stale) ?: 1;
	mutex_unlock(&mn->lock);
	return ret;
}

static void rebuild_queue(struct mlb_net *mn, unsigned long delay)
{
	queue_delayed_work(system_power_efficient_wq, &mn->rebuild, delay);
}

/* One pool at a time, so that others get the lock, and the CPU, in between. */
static void rebuild_work(struct work_struct *work)
{
	struct mlb_net *mn = container_of(to_delayed_work(work),
					  struct mlb_net, rebuild);
	int ret = rebuild_next(mn);

	if (ret)
		rebuild_queue(mn, ret > 0 ? 0 : REBUILD_AGAIN);
}

/**
 * mlb_rebuild() - a node has changed: its pools are to be computed anew
 * @mn: the namespace
 * @id: the node
 *
 * Within a moment; until then they are as they were. Caller must hold
 * &mlb_net.lock.
 */
void mlb_rebuild(struct mlb_net *mn, u16 id)
{
	struct rebuild r = { .mn = mn, .id = id };

	lockdep_assert_held(&mn->lock);

	mlb_pools_drop_draft(mn);
	pools_each(&r, mark_one);
	rebuild_queue(mn, 0);
}

/**
 * mlb_rebuild_wait() - until all pools are as the nodes are
 * @mn: the namespace
 *
 * What there is no memory for now follows later. Process context, without the
 * lock.
 */
void mlb_rebuild_wait(struct mlb_net *mn)
{
	while (rebuild_next(mn) > 0 && !signal_pending(current))
		cond_resched();
}

/**
 * mlb_rebuild_every() - compute the pool of every node now
 * @mn: the namespace
 *
 * Caller must hold &mlb_net.lock.
 *
 * Return: 0, or -ENOMEM when it stays as it was.
 */
int mlb_rebuild_every(struct mlb_net *mn)
{
	lockdep_assert_held(&mn->lock);

	mlb_pools_drop_draft(mn);
	return build_place(mn, &mn->pool);
}

void mlb_rebuild_net_init(struct mlb_net *mn)
{
	INIT_DELAYED_WORK(&mn->rebuild, rebuild_work);
}

/* Nobody changes a node any more. */
void mlb_rebuild_net_exit(struct mlb_net *mn)
{
	cancel_delayed_work_sync(&mn->rebuild);
}
