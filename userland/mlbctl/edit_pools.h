/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Changes of single groups and pools. The kernel replaces all of them at once;
 * so they are read, changed here, and written back on the condition that they
 * are what was read.
 */
#ifndef MLBCTL_EDIT_POOLS_H
#define MLBCTL_EDIT_POOLS_H

#include "libmlb.h"

/**
 * struct edit_pools - groups and pools that can be changed
 * @groups: of all; room for one more
 * @pools: of all; room for one more
 *
 * What they point to is of who read them, or changed them.
 */
struct edit_pools {
	struct mlb_group *groups;
	size_t n_groups;
	struct mlb_group_pool *pools;
	size_t n_pools;
};

/* Changes them; returns 0, an exit status after saying what is wrong, or a
 * negative errno. May be called again, with what is there by then.
 */
typedef int edit_pools_fn(struct edit_pools *edit, void *arg);

/* Return: as a verb's run(). */
int edit_pools(struct mlb *mlb, edit_pools_fn *fn, void *arg);

struct mlb_group *edit_find_group(struct edit_pools *edit, uint16_t id);
struct mlb_group_pool *edit_find_pool(struct edit_pools *edit,
				      const struct mlb_endpoint *vip,
				      uint16_t group);
void edit_del_group(struct edit_pools *edit, struct mlb_group *group);
void edit_del_pool(struct edit_pools *edit, struct mlb_group_pool *pool);

#endif /* MLBCTL_EDIT_POOLS_H */
