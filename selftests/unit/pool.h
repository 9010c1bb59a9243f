/* SPDX-License-Identifier: GPL-2.0 */
/* Pools of members with given weights, and their tables. */
#ifndef _UNIT_POOL_H
#define _UNIT_POOL_H

#include "maglev.h"

#define POOL_MAX	4095	/* as many as there can be nodes */

/* Weights of a pool, for any number of members. */
struct weights {
	const char *name;
	u16 (*weight)(unsigned int member);
};

extern const struct weights weights_equal;
extern const struct weights weights_steps;
extern const struct weights weights_odd;
extern const struct weights weights_mixed;
extern const struct weights weights_giant;

struct pool {
	unsigned int n;
	u64 sum;
	struct mlb_maglev_node nodes[POOL_MAX];
};

/* Ids go from 1 to @n. */
void pool_make(struct pool *pool, unsigned int n,
	       const struct weights *weights);

/* Ids and weights as a seed gives them, weights from 1 to @most. */
void pool_make_random(struct pool *pool, unsigned int n, unsigned int most,
		      u64 seed);

void pool_remove(struct pool *pool, unsigned int member);

/* What @member has by its weight, of 1. */
double pool_share(const struct pool *pool, unsigned int member);

/* The caller frees the tables. */
u16 *pool_table(const struct pool *pool);
u16 *pool_table_of_size(const struct pool *pool, u32 size);

/* Memory that the caller frees, full of what no table may contain. */
void *junk(size_t size);

#endif
