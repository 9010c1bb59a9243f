// SPDX-License-Identifier: GPL-2.0
/*
 * Groups of clients, and the pools that services have for them: which nodes do
 * a service's work for whom. All of it is one object, which a change replaces
 * with one pointer.
 *
 * Pools are large and take milliseconds to fill, while many services and groups
 * share the nodes of a role. So pools of the same nodes are one, and those that
 * a change leaves as they are go on to the new object.
 *
 * Who asks for a change and has little time sends it again and again; meanwhile
 * what is there of it is kept as a draft. There is one draft: of two who do so at
 * once, the one undoes what the other has built.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <net/ipv6.h>

#include "net.h"
#include "pools.h"

/* Each is a pool of its own. */
#define SETS_MAX	1024

/* What who has little time has. Each time it is at least one pool. */
#define PATIENT_MAX	msecs_to_jiffies(4)

static int entry_cmp(const void *a, const void *b)
{
	const struct mlb_group_pool *p = a, *q = b;

	return memcmp(&p->key, &q->key, sizeof(p->key)) ?:
	       p->group - q->group;
}

static const struct mlb_group_pool *
entry_find(const struct mlb_pools *pools, const struct mlb_service_key *key,
	   u16 group)
{
	const struct mlb_group_pool want = { .key = *key, .group = group };
	unsigned int low = 0, high = pools->n_entries;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;
		int cmp = entry_cmp(&pools->entries[mid], &want);

		if (!cmp)
			return READ_ONCE(pools->entries[mid].gone) ? NULL :
			       &pools->entries[mid];
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/**
 * mlb_pools_find() - the pool that a service has for a client
 * @mn: the namespace
 * @svc: the service
 * @saddr: the client
 * @group: set to the group that the client is in, or 0
 *
 * Return: the pool, valid inside rcu_read_lock(); NULL when the service makes
 * no difference for the client.
 */
const struct mlb_pool *mlb_pools_find(struct mlb_net *mn,
				      const struct mlb_service *svc,
				      const struct in6_addr *saddr,
				      u16 *group)
{
	const struct mlb_pools *pools = rcu_dereference(mn->pools);
	const struct mlb_group_pool *entry;

	*group = 0;
	if (!pools)
		return NULL;
	*group = mlb_range_find(pools->ranges, pools->n_ranges, saddr);
	entry = entry_find(pools, &svc->key, *group);
	if (!entry && *group)
		entry = entry_find(pools, &svc->key, 0);
	return entry ? rcu_dereference(pools->sets[entry->set]) : NULL;
}

static void pools_free(struct mlb_pools *pools)
{
	kvfree(pools->prefixes);
	kvfree(pools->ranges);
	kvfree(pools->entries);
	kvfree(pools->sets);
	kfree(pools);
}

static void pools_free_rcu(struct rcu_head *rcu)
{
	pools_free(container_of(rcu, struct mlb_pools, rcu));
}

/**
 * mlb_pools_new() - begin a change
 * @max_prefixes: of all groups
 * @max_entries: of &mlb_pools.entries
 * @patient: it may take several attempts
 *
 * Who changes them appends the prefixes, and calls what is below. Either
 * mlb_pools_publish() or mlb_pools_discard() ends it.
 *
 * Return: groups and pools without any; NULL without memory.
 */
struct mlb_pools *mlb_pools_new(unsigned int max_prefixes,
				unsigned int max_entries, bool patient)
{
	struct mlb_pools *pools = kzalloc(sizeof(*pools), GFP_KERNEL_ACCOUNT);

	if (!pools)
		return NULL;
	pools->patient = patient;
	pools->until = jiffies + PATIENT_MAX;
	max_prefixes++;		/* that of IPv4 */
	pools->prefixes = kvcalloc(max_prefixes, sizeof(*pools->prefixes),
				   GFP_KERNEL_ACCOUNT);
	pools->ranges = kvcalloc(2 * max_prefixes, sizeof(*pools->ranges),
				 GFP_KERNEL_ACCOUNT);
	pools->entries = kvcalloc(max_entries + 1, sizeof(*pools->entries),
				  GFP_KERNEL_ACCOUNT);
	pools->sets = kvcalloc(min_t(unsigned int, max_entries, SETS_MAX) + 1,
			       sizeof(*pools->sets), GFP_KERNEL_ACCOUNT);
	if (pools->prefixes && pools->ranges && pools->entries && pools->sets)
		return pools;
	pools_free(pools);
	return NULL;
}

static struct mlb_pool *pools_set(struct mlb_net *mn,
				  const struct mlb_pools *pools, unsigned int i)
{
	return mlb_dereference(mn, pools->sets[i]);
}

/* The number of the pool with these nodes; n_sets when there is none. */
static unsigned int set_find(struct mlb_net *mn, const struct mlb_pools *pools,
			     const u16 *nodes, unsigned int n, bool wait)
{
	unsigned int i;

	for (i = 0; i < pools->n_sets; i++) {
		const struct mlb_pool *pool = pools_set(mn, pools, i);

		if (pool->n_nodes == n && pool->wait == wait &&
		    !memcmp(mlb_pool_nodes(pool), nodes, n * sizeof(*nodes)))
			break;
	}
	return i;
}

static bool set_is_in(struct mlb_net *mn, const struct mlb_pools *pools,
		      const struct mlb_pool *pool)
{
	for (unsigned int i = 0; pools && i < pools->n_sets; i++)
		if (pools_set(mn, pools, i) == pool)
			return true;
	return false;
}

/* One that there is already, in what is in force or in the draft. */
static struct mlb_pool *pool_there(struct mlb_net *mn,
				   const struct mlb_pools *pools,
				   const u16 *nodes, unsigned int n, bool wait)
{
	unsigned int i = pools ? set_find(mn, pools, nodes, n, wait) : 0;

	return pools && i < pools->n_sets ? pools_set(mn, pools, i) : NULL;
}

/**
 * mlb_pools_add_pool() - in a change, give a service a pool for a group
 * @mn: the namespace
 * @pools: the change
 * @key: the service
 * @group: the group; 0 for clients whose group has none
 * @nodes: ids in ascending order, all of them nodes
 * @n: how many; 0 to refuse connections
 * @wait: drop SYNs where connections would be refused
 *
 * Caller must hold &mlb_net.lock from the first call to the change's end.
 *
 * Return: 0, -ENOSPC when there are too many pools of other nodes each,
 * -EINPROGRESS when it is one for the next attempt, or -ENOMEM.
 */
int mlb_pools_add_pool(struct mlb_net *mn, struct mlb_pools *pools,
		       const struct mlb_service_key *key, u16 group,
		       const u16 *nodes, unsigned int n, bool wait)
{
	unsigned int set = set_find(mn, pools, nodes, n, wait);
	struct mlb_pool *pool;

	if (set == pools->n_sets) {
		if (set == SETS_MAX)
			return -ENOSPC;
		pool = pool_there(mn, mlb_dereference(mn, mn->pools), nodes, n,
				  wait) ?:
		       pool_there(mn, mn->pools_draft, nodes, n, wait);
		if (!pool) {
			if (pools->patient && pools->built &&
			    time_after_eq(jiffies, pools->until))
				return -EINPROGRESS;
			pools->built = true;
			pool = mlb_pool_build(mn, nodes, n, false);
		}
		if (!pool)
			return -ENOMEM;
		pool->strict = true;
		pool->wait = wait;
		RCU_INIT_POINTER(pools->sets[pools->n_sets++], pool);
	}
	pools->entries[pools->n_entries++] = (struct mlb_group_pool) {
		.key = *key, .group = group, .set = set };
	return 0;
}

/**
 * mlb_pools_order_prefixes() - in a change, end the list of prefixes
 * @pools: the change
 *
 * Return: a prefix that is there twice, or NULL.
 */
const struct mlb_prefix *mlb_pools_order_prefixes(struct mlb_pools *pools)
{
	struct mlb_prefix all_ipv4 = { .len = MLB_PREFIX_IPV4_LEN };
	bool had_ipv4 = false;
	unsigned int i;

	ipv6_addr_set_v4mapped(0, &all_ipv4.addr);
	for (i = 0; i < pools->n_prefixes; i++)
		had_ipv4 |= !mlb_prefix_cmp(&pools->prefixes[i], &all_ipv4);
	if (!had_ipv4 && pools->n_prefixes)
		pools->prefixes[pools->n_prefixes++] = all_ipv4;

	sort(pools->prefixes, pools->n_prefixes, sizeof(*pools->prefixes),
	     mlb_prefix_cmp, NULL);
	for (i = 1; i < pools->n_prefixes; i++)
		if (!mlb_prefix_cmp(&pools->prefixes[i - 1],
				    &pools->prefixes[i]))
			return &pools->prefixes[i];
	pools->n_ranges = mlb_range_build(pools->ranges, pools->prefixes,
					  pools->n_prefixes);
	return NULL;
}

/**
 * mlb_pools_order_entries() - in a change, end the list of pools
 * @pools: the change
 *
 * Return: an entry that is there twice, or NULL.
 */
const struct mlb_group_pool *mlb_pools_order_entries(struct mlb_pools *pools)
{
	sort(pools->entries, pools->n_entries, sizeof(*pools->entries),
	     entry_cmp, NULL);
	for (unsigned int i = 1; i < pools->n_entries; i++)
		if (!entry_cmp(&pools->entries[i - 1], &pools->entries[i]))
			return &pools->entries[i];
	return NULL;
}

/* Free the pools of @pools that neither @others nor @more, if any, have. */
static void pools_free_sets(struct mlb_net *mn, struct mlb_pools *pools,
			    const struct mlb_pools *others,
			    const struct mlb_pools *more)
{
	for (unsigned int i = 0; i < pools->n_sets; i++) {
		struct mlb_pool *pool = pools_set(mn, pools, i);

		if (!set_is_in(mn, others, pool) && !set_is_in(mn, more, pool))
			mlb_pool_free(pool);
	}
}

static void draft_replace(struct mlb_net *mn, struct mlb_pools *draft,
			  const struct mlb_pools *keep)
{
	struct mlb_pools *old = mn->pools_draft;

	mn->pools_draft = draft;
	if (!old)
		return;
	pools_free_sets(mn, old, keep, NULL);
	pools_free(old);
}

/* A draft has nothing that is in force, which is replaced without it. */
static void draft_keep(struct mlb_net *mn, struct mlb_pools *pools)
{
	const struct mlb_pools *force = mlb_dereference(mn, mn->pools);
	unsigned int n = 0;

	for (unsigned int i = 0; i < pools->n_sets; i++) {
		struct mlb_pool *pool = pools_set(mn, pools, i);

		if (!set_is_in(mn, force, pool))
			RCU_INIT_POINTER(pools->sets[n++], pool);
	}
	pools->n_sets = n;
	draft_replace(mn, pools, pools);
}

/* Nobody uses what was built for a change: a node is another by now. Caller
 * must hold &mlb_net.lock.
 */
void mlb_pools_drop_draft(struct mlb_net *mn)
{
	draft_replace(mn, NULL, NULL);
}

/**
 * mlb_pools_publish() - end a change with its success
 * @mn: the namespace
 * @pools: the change, in order; taken
 *
 * Caller must hold &mlb_net.lock.
 */
void mlb_pools_publish(struct mlb_net *mn, struct mlb_pools *pools)
{
	struct mlb_pools *old = mlb_dereference(mn, mn->pools);

	lockdep_assert_held(&mn->lock);

	draft_replace(mn, NULL, pools);
	rcu_assign_pointer(mn->pools, pools);
	mn->pools_version++;
	if (!old)
		return;
	pools_free_sets(mn, old, pools, NULL);
	call_rcu(&old->rcu, pools_free_rcu);
}

/**
 * mlb_pools_discard() - end a change with nothing changed
 * @mn: the namespace
 * @pools: the change; freed, or kept for the next attempt
 * @again: there will be one
 *
 * Caller must hold &mlb_net.lock.
 */
void mlb_pools_discard(struct mlb_net *mn, struct mlb_pools *pools, bool again)
{
	if (again) {
		draft_keep(mn, pools);
		return;
	}
	pools_free_sets(mn, pools, mlb_dereference(mn, mn->pools),
			mn->pools_draft);
	pools_free(pools);
}

/* Whether a pool names the node. Caller must hold &mlb_net.lock. */
bool mlb_pools_name_node(struct mlb_net *mn, u16 id)
{
	const struct mlb_pools *pools = mlb_dereference(mn, mn->pools);

	for (unsigned int i = 0; pools && i < pools->n_entries; i++)
		if (!pools->entries[i].gone &&
		    mlb_pool_has_node(pools_set(mn, pools,
						pools->entries[i].set), id))
			return true;
	return false;
}

/* The service goes, and its pools for groups. Caller must hold &mlb_net.lock. */
void mlb_pools_forget(struct mlb_net *mn, const struct mlb_service_key *key)
{
	struct mlb_pools *pools = mlb_dereference(mn, mn->pools);

	for (unsigned int i = 0; pools && i < pools->n_entries; i++) {
		struct mlb_group_pool *entry = &pools->entries[i];

		if (entry->gone || memcmp(&entry->key, key, sizeof(*key)))
			continue;
		WRITE_ONCE(entry->gone, true);
		mn->pools_version++;
	}
}

/* Nobody reads any more. */
void mlb_pools_net_exit(struct mlb_net *mn)
{
	struct mlb_pools *pools = rcu_access_pointer(mn->pools);

	mutex_lock(&mn->lock);
	mlb_pools_drop_draft(mn);
	mutex_unlock(&mn->lock);
	if (!pools)
		return;
	for (unsigned int i = 0; i < pools->n_sets; i++)
		kvfree(rcu_access_pointer(pools->sets[i]));
	pools_free(pools);
}
