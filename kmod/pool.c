// SPDX-License-Identifier: GPL-2.0
/*
 * Pools: the nodes that new connections are spread over.
 */
#include <linux/slab.h>

#include "maglev.h"
#include "net.h"
#include "node.h"
#include "pool.h"

/**
 * mlb_pool_has_node() - whether a pool was asked to have a node
 * @pool: the pool
 * @id: the node
 *
 * The node's state and weight are another matter.
 */
bool mlb_pool_has_node(const struct mlb_pool *pool, u16 id)
{
	const u16 *nodes = mlb_pool_nodes(pool);

	for (unsigned int i = 0; i < pool->n_nodes; i++)
		if (nodes[i] == id)
			return true;
	return pool->all;
}

/**
 * mlb_pool_schedule() - node for a new connection by consistent hash
 * @mn: the namespace
 * @pool: the pool
 * @tuple: the connection's flow
 * @past: set when a suspect or dead node would have it but for that
 *
 * Return: a node id, 0 when no node of the pool takes new connections. Call
 * inside rcu_read_lock().
 */
u16 mlb_pool_schedule(struct mlb_net *mn, const struct mlb_pool *pool,
		      const struct mlb_tuple *tuple, bool *past)
{
	const struct mlb_key *key = rcu_dereference(mn->key);
	static const siphash_key_t none;
	u16 id, other;
	bool dead;
	u32 hash;

	*past = false;
	hash = siphash(tuple, sizeof(*tuple), key ? &key->hash : &none);
	id = pool->slots[mlb_maglev_slot(hash, pool->size)];
	if (likely(!test_bit(id, mn->alive.suspects)))
		return id;
	other = mlb_maglev_past(pool->slots, pool->size, hash,
				mn->alive.suspects);
	/* A pool that is not computed anew yet; who is dead gets nothing. */
	dead = test_bit(id, mn->alive.dead);
	if (!other && dead)
		other = mlb_maglev_past(pool->slots, pool->size, hash,
					mn->alive.dead);
	*past = other;
	return other || dead ? other : id;	/* it may only be slow */
}

/* Those that take new connections now, written to @members. */
static unsigned int pool_members(struct mlb_net *mn, const u16 *ids,
				 unsigned int n, bool all,
				 struct mlb_maglev_node *members)
{
	unsigned int n_members = 0;
	struct mlb_node *node;
	unsigned long id;

	for (unsigned int i = 0; i < n; i++) {
		node = mlb_node_find(mn, ids[i]);
		if (node && mlb_node_takes_new(node) && node->weight)
			members[n_members++] = (struct mlb_maglev_node) {
				.id = node->id, .weight = node->weight };
	}
	if (!all)
		return n_members;
	xa_for_each(&mn->nodes, id, node)
		if (mlb_node_takes_new(node) && node->weight)
			members[n_members++] = (struct mlb_maglev_node) {
				.id = node->id, .weight = node->weight };
	return n_members;
}

/**
 * mlb_pool_build() - the pool of some nodes, as their states and weights are
 * @mn: the namespace
 * @ids: the nodes in ascending order
 * @n: how many
 * @all: every node instead; @n is 0
 *
 * Takes milliseconds. Caller must hold &mlb_net.lock.
 *
 * Return: a pool to be freed with mlb_pool_free(), NULL without memory.
 */
struct mlb_pool *mlb_pool_build(struct mlb_net *mn, const u16 *ids,
				unsigned int n, bool all)
{
	struct mlb_maglev_node *members = NULL;
	struct mlb_maglev_walk *walk = NULL;
	unsigned int n_members, max = n;
	struct mlb_pool *pool = NULL;
	struct mlb_node *node;
	unsigned long id;
	u32 size;

	lockdep_assert_held(&mn->lock);

	if (all)
		xa_for_each(&mn->nodes, id, node)
			max++;
	members = kvcalloc(max + 1, sizeof(*members), GFP_KERNEL);
	if (!members)
		return NULL;
	n_members = pool_members(mn, ids, n, all, members);

	/* By all that may be members: a drain is not to change the size. */
	size = mlb_maglev_size(max);
	walk = kvcalloc(n_members + 1, sizeof(*walk), GFP_KERNEL);
	pool = kvzalloc(struct_size(pool, slots, size + n),
			GFP_KERNEL_ACCOUNT);
	if (walk && pool) {
		pool->size = size;
		pool->n_nodes = n;
		pool->all = all;
		memcpy(pool->slots + size, ids, n * sizeof(*ids));
		mlb_maglev_fill(pool->slots, size, members, n_members, walk);
	} else {
		kvfree(pool);
		pool = NULL;
	}
	kvfree(walk);
	kvfree(members);
	return pool;
}

/* Readers may still have it. */
void mlb_pool_free(struct mlb_pool *pool)
{
	if (pool)
		kvfree_rcu(pool, rcu);
}
