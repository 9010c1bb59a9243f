// SPDX-License-Identifier: GPL-2.0
/* Groups of clients and the pools for them, which are replaced as a whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reconcile_parts.h"

struct client {
	uint16_t group;
	const struct mlb_prefix *prefix;
};

/**
 * struct flat - groups and pools in one order
 * @ids: of the nodes of all pools
 */
struct flat {
	struct client *clients;
	size_t n_clients;
	struct mlb_group_pool *pools;
	size_t n_pools;
	uint16_t *ids;
};

static int addr_cmp(const struct mlb_addr *a, const struct mlb_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return a->family == AF_INET ? memcmp(&a->v4, &b->v4, sizeof(a->v4)) :
				      memcmp(&a->v6, &b->v6, sizeof(a->v6));
}

static int client_cmp(const void *a, const void *b)
{
	const struct client *x = a, *y = b;
	int cmp = x->group - y->group;

	if (!cmp)
		cmp = addr_cmp(&x->prefix->addr, &y->prefix->addr);
	return cmp ? cmp : x->prefix->len - y->prefix->len;
}

static int pool_cmp(const void *a, const void *b)
{
	const struct mlb_group_pool *x = a, *y = b;
	int cmp = addr_cmp(&x->vip.addr, &y->vip.addr);

	if (!cmp)
		cmp = x->vip.port - y->vip.port;
	return cmp ? cmp : x->group - y->group;
}

static int id_cmp(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void flat_free(struct flat *flat)
{
	free(flat->clients);
	free(flat->pools);
	free(flat->ids);
}

/* What there is of it is the caller's to free, in any case. */
static int flat_alloc(struct flat *flat, const struct mlb_pools *pools)
{
	size_t clients = 0, ids = 0;

	for (size_t i = 0; i < pools->n_groups; i++)
		clients += pools->groups[i].n_prefixes;
	for (size_t i = 0; i < pools->n_pools; i++)
		ids += pools->pools[i].n_nodes;
	*flat = (struct flat){
		.clients = calloc(clients + 1, sizeof(*flat->clients)),
		.pools = calloc(pools->n_pools + 1, sizeof(*flat->pools)),
		.ids = calloc(ids + 1, sizeof(*flat->ids)),
	};
	return flat->clients && flat->pools && flat->ids ? 0 : -ENOMEM;
}

/* What the kernel cannot have is left out, for a pool that it can have now. */
static int flatten(struct flat *flat, const struct mlb_pools *pools,
		   const struct reconcile_there *there)
{
	uint16_t *ids;

	if (flat_alloc(flat, pools))
		return -ENOMEM;
	for (size_t i = 0; i < pools->n_groups; i++)
		for (size_t j = 0; j < pools->groups[i].n_prefixes; j++)
			flat->clients[flat->n_clients++] = (struct client){
				pools->groups[i].id,
				&pools->groups[i].prefixes[j]
			};
	ids = flat->ids;
	for (size_t i = 0; i < pools->n_pools; i++) {
		const struct mlb_group_pool *from = &pools->pools[i];
		struct mlb_group_pool *to = &flat->pools[flat->n_pools];

		if (there && !there->service(there->arg, &from->vip))
			continue;
		*to = *from;
		to->nodes = ids;
		to->n_nodes = 0;
		for (size_t j = 0; j < from->n_nodes; j++)
			if (!there || there->node(there->arg, from->nodes[j]))
				ids[to->n_nodes++] = from->nodes[j];
		qsort(ids, to->n_nodes, sizeof(*ids), id_cmp);
		ids += to->n_nodes;
		flat->n_pools++;
	}
	qsort(flat->clients, flat->n_clients, sizeof(*flat->clients),
	      client_cmp);
	qsort(flat->pools, flat->n_pools, sizeof(*flat->pools), pool_cmp);
	return 0;
}

static bool same(const struct flat *a, const struct flat *b)
{
	if (a->n_clients != b->n_clients || a->n_pools != b->n_pools)
		return false;
	for (size_t i = 0; i < a->n_clients; i++)
		if (client_cmp(&a->clients[i], &b->clients[i]))
			return false;
	for (size_t i = 0; i < a->n_pools; i++) {
		const struct mlb_group_pool *x = &a->pools[i];
		const struct mlb_group_pool *y = &b->pools[i];

		if (pool_cmp(x, y) || x->wait != y->wait ||
		    x->n_nodes != y->n_nodes ||
		    memcmp(x->nodes, y->nodes, x->n_nodes * sizeof(*x->nodes)))
			return false;
	}
	return true;
}

int reconcile_pools(struct mlb *mlb, const struct mlb_pools *goal,
		    const struct reconcile_there *there, bool *changed)
{
	struct flat want = {}, have = {};
	struct mlb_pools change = *goal, *held;
	int ret = mlb_pools_get(mlb, &held);

	*changed = false;
	if (ret)
		return ret;
	ret = flatten(&want, goal, there);
	if (!ret)
		ret = flatten(&have, held, NULL);
	if (!ret && !same(&want, &have)) {
		change.fields = MLB_F_POOLS_PATIENT;
		change.pools = want.pools;
		change.n_pools = want.n_pools;
		ret = mlb_pools_set(mlb, &change);
		*changed = !ret;
	}
	flat_free(&want);
	flat_free(&have);
	mlb_pools_free(held);
	return ret;
}
