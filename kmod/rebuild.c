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

/**
 * struct rebuild - a look at all pools
 * @mn: the namespace
 * @id: the node that has changed
 * @until: the change after which pools may wait
 * @stale: where the pool is that has waited longest, or NULL
 */
struct rebuild {
	struct mlb_net *mn;
	u16 id;
	u64 until;
	struct mlb_pool __rcu **stale;
};

typedef void (*pool_fn)(struct rebuild *r, struct mlb_pool __rcu **place);

static void services_each(struct rebuild *r, pool_fn fn)
{
	struct rhashtable_iter iter;
	struct mlb_service *svc;

	rhashtable_walk_enter(&r->mn->services, &iter);
	mlb_walk_start(&iter);
	while ((svc = rhashtable_walk_next(&iter))) {
		if (IS_ERR(svc) || !svc->n_nodes)
			continue;
		/* Services change under the lock alone: it stays. */
		rhashtable_walk_stop(&iter);
		fn(r, &svc->pool);
		cond_resched();
		mlb_walk_start(&iter);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

static void pools_each(struct rebuild *r, pool_fn fn)
{
	struct mlb_pools *pools = mlb_dereference(r->mn, r->mn->pools);

	fn(r, &r->mn->pool);
	for (unsigned int i = 0; pools && i < pools->n_sets; i++)
		fn(r, &pools->sets[i]);
	services_each(r, fn);
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

static void mark_one(struct rebuild *r, struct mlb_pool __rcu **place)
{
	struct mlb_pool *pool = mlb_dereference(r->mn, *place);

	if (pool && !pool->stale && mlb_pool_has_node(pool, r->id))
		pool->stale = r->mn->n_rebuilds;
}

static void find_stale(struct rebuild *r, struct mlb_pool __rcu **place)
{
	const struct mlb_pool *pool = mlb_dereference(r->mn, *place);

	if (!pool || !pool->stale || pool->stale > r->until)
		return;
	r->until = pool->stale - 1;
	r->stale = place;
}

/*
 * Those that have waited longest come first: else changes that follow each other
 * fast would keep the last ones from ever having their turn.
 *
 * Returns 1 when there may be more of them, 0, or -ENOMEM.
 */
static int rebuild_next(struct mlb_net *mn, u64 until)
{
	struct rebuild r = { .mn = mn, .until = until };
	int ret = 0;

	mutex_lock(&mn->lock);
	pools_each(&r, find_stale);
	if (r.stale)
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
	int ret = rebuild_next(mn, U64_MAX);

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
	mn->n_rebuilds++;
	pools_each(&r, mark_one);
	rebuild_queue(mn, 0);
}

/**
 * mlb_rebuild_wait() - until all pools are as the nodes were when it began
 * @mn: the namespace
 *
 * Whatever others change meanwhile, it computes no pool twice. What there is no
 * memory for now follows later. Process context, without the lock.
 */
void mlb_rebuild_wait(struct mlb_net *mn)
{
	u64 until;

	mutex_lock(&mn->lock);
	until = mn->n_rebuilds;
	mutex_unlock(&mn->lock);
	while (rebuild_next(mn, until) > 0 && !signal_pending(current))
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
