/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_POOLS_H
#define _MLB_POOLS_H

#include "pool.h"
#include "range.h"
#include "service.h"

/**
 * struct mlb_group_pool - what a service has for a group of clients
 * @key: the service
 * @group: the group; 0 for clients whose group has no pool of the service
 * @set: the pool's number in &mlb_pools.sets
 * @gone: the service was deleted
 */
struct mlb_group_pool {
	struct mlb_service_key key;
	u16 group;
	u16 set;
	bool gone;
};

/**
 * struct mlb_pools - groups of clients, and services' pools for them
 *
 * Published whole, and replaced whole: a packet sees either the groups and
 * pools before a change or those after it. Then only what &mlb_group_pool.gone
 * and @sets point to changes.
 *
 * @patient: while it is made: it is not to take long
 * @built: and a pool was built for it
 * @until: jiffies when that has taken long
 * @n_prefixes: of @prefixes
 * @n_ranges: of @ranges
 * @n_entries: of @entries
 * @n_sets: of @sets
 * @prefixes: all groups', ordered; one of group 0 keeps IPv6 off IPv4
 * @ranges: the same for readers
 * @entries: ordered by service and group
 * @sets: pools, each of other nodes than the others or with another
 *	&mlb_pool.wait
 */
struct mlb_pools {
	struct rcu_head rcu;
	bool patient;
	bool built;
	unsigned long until;
	unsigned int n_prefixes;
	unsigned int n_ranges;
	unsigned int n_entries;
	unsigned int n_sets;
	struct mlb_prefix *prefixes;
	struct mlb_range *ranges;
	struct mlb_group_pool *entries;
	struct mlb_pool __rcu **sets;
};

const struct mlb_pool *mlb_pools_find(struct mlb_net *mn,
				      const struct mlb_service *svc,
				      const struct in6_addr *saddr,
				      u16 *group);

struct mlb_pools *mlb_pools_new(unsigned int max_prefixes,
				unsigned int max_entries, bool patient);
int mlb_pools_add_pool(struct mlb_net *mn, struct mlb_pools *pools,
		       const struct mlb_service_key *key, u16 group,
		       const u16 *nodes, unsigned int n, bool wait);
const struct mlb_prefix *mlb_pools_order_prefixes(struct mlb_pools *pools);
const struct mlb_group_pool *mlb_pools_order_entries(struct mlb_pools *pools);
void mlb_pools_publish(struct mlb_net *mn, struct mlb_pools *pools);
void mlb_pools_discard(struct mlb_net *mn, struct mlb_pools *pools, bool again);
void mlb_pools_drop_draft(struct mlb_net *mn);

bool mlb_pools_name_node(struct mlb_net *mn, u16 id);
void mlb_pools_forget(struct mlb_net *mn, const struct mlb_service_key *key);

void mlb_pools_net_exit(struct mlb_net *mn);

#endif
