/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_POOL_H
#define _MLB_POOL_H

#include <linux/rcupdate.h>
#include <linux/types.h>

struct mlb_net;
struct mlb_tuple;

/**
 * struct mlb_pool - lookup table of the nodes that take new connections
 * @size: slots; see maglev.h
 * @n_nodes: ids that were asked for, behind the slots in ascending order
 * @all: every node was asked for, and none is there by its id
 * @strict: when none of them can take a connection, nobody does
 * @wait: and its client is not told, as others will be there soon
 * @stale: the first change of a node for which it is to be computed anew, or 0
 * @slots: node ids; 0 in all of them when no node takes new connections
 */
struct mlb_pool {
	struct rcu_head rcu;
	u64 stale;
	u32 size;
	u16 n_nodes;
	bool all;
	bool strict;
	bool wait;
	u16 slots[];
};

static inline const u16 *mlb_pool_nodes(const struct mlb_pool *pool)
{
	return pool->slots + pool->size;
}

bool mlb_pool_has_node(const struct mlb_pool *pool, u16 id);
u16 mlb_pool_schedule(struct mlb_net *mn, const struct mlb_pool *pool,
		      const struct mlb_tuple *tuple, bool *past);

struct mlb_pool *mlb_pool_build(struct mlb_net *mn, const u16 *ids,
				unsigned int n, bool all);
void mlb_pool_free(struct mlb_pool *pool);

#endif
