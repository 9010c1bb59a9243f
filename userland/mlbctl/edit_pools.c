// SPDX-License-Identifier: GPL-2.0
/* Changes of single groups and pools. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "edit_pools.h"

/* How often another may be quicker. */
#define TRIES 20

struct mlb_group *edit_find_group(struct edit_pools *edit, uint16_t id)
{
	for (size_t i = 0; i < edit->n_groups; i++)
		if (edit->groups[i].id == id)
			return &edit->groups[i];
	return NULL;
}

static bool same_vip(const struct mlb_endpoint *a, const struct mlb_endpoint *b)
{
	if (a->port != b->port || a->addr.family != b->addr.family)
		return false;
	if (a->addr.family == AF_INET)
		return a->addr.v4.s_addr == b->addr.v4.s_addr;
	return IN6_ARE_ADDR_EQUAL(&a->addr.v6, &b->addr.v6);
}

struct mlb_group_pool *edit_find_pool(struct edit_pools *edit,
				      const struct mlb_endpoint *vip,
				      uint16_t group)
{
	for (size_t i = 0; i < edit->n_pools; i++)
		if (edit->pools[i].group == group &&
		    same_vip(&edit->pools[i].vip, vip))
			return &edit->pools[i];
	return NULL;
}

void edit_del_group(struct edit_pools *edit, struct mlb_group *group)
{
	*group = edit->groups[--edit->n_groups];
}

void edit_del_pool(struct edit_pools *edit, struct mlb_group_pool *pool)
{
	*pool = edit->pools[--edit->n_pools];
}

static int try_once(struct mlb *mlb, edit_pools_fn *fn, void *arg)
{
	struct edit_pools edit = {};
	struct mlb_pools *old;
	int ret = mlb_pools_get(mlb, &old);

	if (ret)
		return ret;
	edit.groups = calloc(old->n_groups + 1, sizeof(*edit.groups));
	edit.pools = calloc(old->n_pools + 1, sizeof(*edit.pools));
	ret = -ENOMEM;
	if (!edit.groups || !edit.pools)
		goto out;
	if (old->n_groups)
		memcpy(edit.groups, old->groups,
		       old->n_groups * sizeof(*edit.groups));
	if (old->n_pools)
		memcpy(edit.pools, old->pools,
		       old->n_pools * sizeof(*edit.pools));
	edit.n_groups = old->n_groups;
	edit.n_pools = old->n_pools;

	ret = fn(&edit, arg);
	if (!ret) {
		const struct mlb_pools changed = {
			.fields = MLB_F_POOLS_VERSION,
			.version = old->version,
			.groups = edit.groups,
			.n_groups = edit.n_groups,
			.pools = edit.pools,
			.n_pools = edit.n_pools,
		};

		ret = mlb_pools_set(mlb, &changed);
	}
out:
	free(edit.groups);
	free(edit.pools);
	mlb_pools_free(old);
	return ret;
}

int edit_pools(struct mlb *mlb, edit_pools_fn *fn, void *arg)
{
	int ret, tries = 0;

	do {
		ret = try_once(mlb, fn, arg);
	} while (ret == -EAGAIN && ++tries < TRIES);
	return ret;
}
