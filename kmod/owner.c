// SPDX-License-Identifier: GPL-2.0
/*
 * The owner table: which node holds the connection of a token.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "net.h"
#include "netlink.h"
#include "owner.h"

/* A cached entry that no join has used for so long is forgotten. */
#define OWNER_CACHED_LIFE	(120 * HZ)

/* Each leaves over a small part of what the one before it did. */
#define OWNER_PURGE_WALKS	8

static struct kmem_cache *owner_cache;

const struct rhashtable_params mlb_owner_params = {
	.head_offset = offsetof(struct mlb_owner, hash),
	.key_offset = offsetof(struct mlb_owner, token),
	.key_len = sizeof_field(struct mlb_owner, token),
	.automatic_shrinking = true,
};

struct mlb_owner *mlb_owner_find(struct mlb_net *mn, u32 token)
{
	return rhashtable_lookup(&mn->owners.hash, &token, mlb_owner_params);
}

static void owner_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(owner_cache, container_of(rcu, struct mlb_owner, rcu));
}

static void owner_unlink(struct mlb_net *mn, struct mlb_owner *owner)
{
	lockdep_assert_held(&mn->owners.lock);

	rhashtable_remove_fast(&mn->owners.hash, &owner->hash,
			       mlb_owner_params);
	list_del(&owner->list);
	mn->owners.count--;
	mn->owners.n_cached -= owner->origin == MLB_OWNER_CACHED;
	mn->owners.per_node[owner->node]--;
	call_rcu(&owner->rcu, owner_free_rcu);
}

/* Entries that only a peer's answer made give way to ones that matter. */
static bool owner_make_room(struct mlb_net *mn)
{
	struct mlb_owner *oldest;

	lockdep_assert_held(&mn->owners.lock);

	if (mn->owners.count < READ_ONCE(mn->config.max_owners))
		return true;
	oldest = list_first_entry_or_null(&mn->owners.cached, struct mlb_owner,
					  list);
	if (!oldest)
		return false;
	owner_unlink(mn, oldest);
	return true;
}

/**
 * mlb_owner_insert() - make an entry
 * @mn: the namespace
 * @token: the token
 * @node: its owner
 * @cpu: CPU that took the first subflow, or MLB_OWNER_CPU_UNKNOWN
 * @origin: where this is known from; MLB_OWNER_LOCAL needs &mlb_learn.lock
 * @replace: overwrite an entry of MLB_OWNER_NETLINK
 *
 * An entry of MLB_OWNER_CACHED always gives way, and never takes the place of
 * another; one of MLB_OWNER_LOCAL takes the place of any other node's.
 * Usable in any context but a hard interrupt.
 *
 * Return: 0; -EEXIST when there is an entry that does not give way; -ENOSPC
 * when the table is full; -ENOMEM.
 */
int mlb_owner_insert(struct mlb_net *mn, u32 token, u16 node, u16 cpu,
		     enum mlb_owner_origin origin, bool replace)
{
	struct mlb_owner *owner, *old;
	bool full = false;
	int err;

	owner = kmem_cache_alloc(owner_cache, GFP_ATOMIC);
	if (!owner)
		return -ENOMEM;
	owner->token = token;
	owner->node = node;
	owner->cpu = cpu;
	owner->origin = origin;
	owner->rival = 0;
	owner->born = (u32)jiffies;

	spin_lock_bh(&mn->owners.lock);
	rcu_read_lock();
	old = mlb_owner_find(mn, token);
	rcu_read_unlock();	/* only the lock's holder frees it */
	if (old) {
		if (origin == MLB_OWNER_CACHED ||
		    (origin == MLB_OWNER_LOCAL &&
		     old->origin == MLB_OWNER_LOCAL) ||
		    (origin == MLB_OWNER_NETLINK &&
		     (old->origin == MLB_OWNER_LOCAL ||
		      (old->origin == MLB_OWNER_NETLINK && !replace)))) {
			err = -EEXIST;
			goto out;
		}
		if (origin == MLB_OWNER_LOCAL && old->node != node)
			mlb_count(mn, OWNER_CONFLICT);
		owner_unlink(mn, old);
	} else if (!owner_make_room(mn)) {
		mlb_count(mn, OWNER_FULL);
		full = true;
		err = -ENOSPC;
		goto out;
	}
	err = rhashtable_insert_fast(&mn->owners.hash, &owner->hash,
				     mlb_owner_params);
	if (err)
		goto out;
	if (origin == MLB_OWNER_LOCAL)
		list_add_tail(&owner->list, &mn->owners.local);
	else if (origin == MLB_OWNER_CACHED)
		list_add_tail(&owner->list, &mn->owners.cached);
	else
		INIT_LIST_HEAD(&owner->list);
	mn->owners.count++;
	mn->owners.n_cached += origin == MLB_OWNER_CACHED;
	mn->owners.per_node[node]++;
	owner = NULL;
	if (origin != MLB_OWNER_NETLINK)
		mlb_learn_watch(mn);
out:
	spin_unlock_bh(&mn->owners.lock);
	if (owner)
		kmem_cache_free(owner_cache, owner);
	if (full)
		mlb_netlink_limit(mn, MLB_TABLE_OWNER,
				  READ_ONCE(mn->config.max_owners));
	return err;
}

/**
 * mlb_owner_remove() - remove the entry of a token, unless it is of this host
 * @mn: the namespace
 * @token: the token
 *
 * Return: whether there was one.
 */
bool mlb_owner_remove(struct mlb_net *mn, u32 token)
{
	struct mlb_owner *owner;

	spin_lock_bh(&mn->owners.lock);
	rcu_read_lock();
	owner = mlb_owner_find(mn, token);
	rcu_read_unlock();	/* only the lock's holder frees it */
	if (owner && owner->origin == MLB_OWNER_LOCAL)
		owner = NULL;
	if (owner)
		owner_unlink(mn, owner);
	spin_unlock_bh(&mn->owners.lock);
	return owner;
}

/**
 * mlb_owner_remove_local() - remove an entry of this host
 * @mn: the namespace
 * @owner: the entry
 *
 * Caller must hold &mlb_learn.lock.
 */
void mlb_owner_remove_local(struct mlb_net *mn, struct mlb_owner *owner)
{
	lockdep_assert_held(&mn->learn.lock);

	spin_lock_bh(&mn->owners.lock);
	owner_unlink(mn, owner);
	spin_unlock_bh(&mn->owners.lock);
}

/* One walk; returns how many it has removed. */
static unsigned int owner_purge_once(struct mlb_net *mn, u16 node)
{
	struct rhashtable_iter iter;
	struct mlb_owner *owner;
	unsigned int removed = 0;
	unsigned int n = 0;

	rhashtable_walk_enter(&mn->owners.hash, &iter);
	rhashtable_walk_start(&iter);
	while ((owner = rhashtable_walk_next(&iter))) {
		if (IS_ERR(owner))
			continue;	/* resized: the walk starts anew */
		if (owner->origin != MLB_OWNER_LOCAL &&
		    (!node || owner->node == node) &&
		    mlb_owner_remove(mn, owner->token))
			removed++;
		if (++n % 256 == 0) {
			rhashtable_walk_stop(&iter);
			cond_resched();
			rhashtable_walk_start(&iter);
		}
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	mlb_count_add(mn, OWNER_DELETED, removed);
	return removed;
}

/**
 * mlb_owner_purge() - remove the entries of other nodes
 * @mn: the namespace
 * @node: only those of this one, or 0
 *
 * Process context. Entries made meanwhile may stay.
 */
void mlb_owner_purge(struct mlb_net *mn, u16 node)
{
	unsigned int walks = 0;

	/* A walk that rests behind an entry which it removed counts its
	 * place in the bucket and passes over others, so walk until none is
	 * left; but not for ever, as answers may make new ones all the time.
	 */
	while (owner_purge_once(mn, node) && ++walks < OWNER_PURGE_WALKS)
		;
}

/**
 * mlb_owner_used() - keep a cached entry, for a join has just used it
 * @owner: the entry
 *
 * Call inside rcu_read_lock().
 */
void mlb_owner_used(struct mlb_owner *owner)
{
	if (owner->origin == MLB_OWNER_CACHED)
		WRITE_ONCE(owner->born, (u32)jiffies);
}

/**
 * mlb_owner_age() - remove cached entries that are not used any more
 * @mn: the namespace
 *
 * Looks at a bounded number; those in use move to the end of the list.
 */
void mlb_owner_age(struct mlb_net *mn)
{
	struct mlb_owner *owner;
	unsigned int n;

	spin_lock_bh(&mn->owners.lock);
	for (n = 0; n < 1024; n++) {
		owner = list_first_entry_or_null(&mn->owners.cached,
						 struct mlb_owner, list);
		if (!owner)
			break;
		if ((u32)jiffies - READ_ONCE(owner->born) > OWNER_CACHED_LIFE)
			owner_unlink(mn, owner);
		else
			list_move_tail(&owner->list, &mn->owners.cached);
	}
	spin_unlock_bh(&mn->owners.lock);
}

/**
 * mlb_owner_room() - how many entries more the table takes
 * @mn: the namespace
 *
 * Return: how many; others may use them up meanwhile.
 */
u32 mlb_owner_room(struct mlb_net *mn)
{
	u32 max = READ_ONCE(mn->config.max_owners);
	u32 kept;

	spin_lock_bh(&mn->owners.lock);
	kept = mn->owners.count - mn->owners.n_cached;
	spin_unlock_bh(&mn->owners.lock);
	return kept < max ? max - kept : 0;
}

int mlb_owner_net_init(struct mlb_net *mn)
{
	int err;

	spin_lock_init(&mn->owners.lock);
	INIT_LIST_HEAD(&mn->owners.local);
	INIT_LIST_HEAD(&mn->owners.cached);
	mn->owners.per_node = kvcalloc(MLB_NODE_ID_MAX + 1, sizeof(u32),
				       GFP_KERNEL);
	if (!mn->owners.per_node)
		return -ENOMEM;
	err = rhashtable_init(&mn->owners.hash, &mlb_owner_params);
	if (err)
		kvfree(mn->owners.per_node);
	return err;
}

static void owner_free(void *ptr, void *arg)
{
	kmem_cache_free(owner_cache, ptr);
}

void mlb_owner_net_exit(struct mlb_net *mn)
{
	rhashtable_free_and_destroy(&mn->owners.hash, owner_free, NULL);
	kvfree(mn->owners.per_node);
}

int __init mlb_owner_module_init(void)
{
	owner_cache = KMEM_CACHE(mlb_owner, 0);
	return owner_cache ? 0 : -ENOMEM;
}

/* The caller has waited for the last owner_free_rcu(). */
void mlb_owner_module_exit(void)
{
	kmem_cache_destroy(owner_cache);
}
