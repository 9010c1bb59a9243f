// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "pool.h"

static u16 weight_equal(unsigned int member)
{
	(void)member;
	return 1;
}

static u16 weight_steps(unsigned int member)
{
	return 100 * (1 + member % 5);
}

static u16 weight_odd(unsigned int member)
{
	return 1000 + member * 7919 % 3001;
}

static u16 weight_mixed(unsigned int member)
{
	return member % 8 ? 10 : 90;
}

static u16 weight_giant(unsigned int member)
{
	return member ? 1 : 65535;
}

const struct weights weights_equal = { "equal", weight_equal };
const struct weights weights_steps = { "1 to 5", weight_steps };
const struct weights weights_odd = { "odd", weight_odd };
const struct weights weights_mixed = { "mixed", weight_mixed };
const struct weights weights_giant = { "giant", weight_giant };

void pool_make(struct pool *pool, unsigned int n,
	       const struct weights *weights)
{
	unsigned int i;

	pool->n = n;
	pool->sum = 0;
	for (i = 0; i < n; i++) {
		pool->nodes[i].id = i + 1;
		pool->nodes[i].weight = weights->weight(i);
		pool->sum += pool->nodes[i].weight;
	}
}

/* xorshift64: any seed but 0 */
static u64 draw(u64 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

void pool_make_random(struct pool *pool, unsigned int n, unsigned int most,
		      u64 seed)
{
	const unsigned int stretch = POOL_MAX / n;
	unsigned int i;

	pool->n = n;
	pool->sum = 0;
	for (i = 0; i < n; i++) {
		pool->nodes[i].id = 1 + i * stretch + draw(&seed) % stretch;
		pool->nodes[i].weight = 1 + draw(&seed) % most;
		pool->sum += pool->nodes[i].weight;
	}
}

void pool_remove(struct pool *pool, unsigned int member)
{
	pool->sum -= pool->nodes[member].weight;
	pool->n--;
	memmove(&pool->nodes[member], &pool->nodes[member + 1],
		(pool->n - member) * sizeof(*pool->nodes));
}

double pool_share(const struct pool *pool, unsigned int member)
{
	return (double)pool->nodes[member].weight / pool->sum;
}

/*
 * Memory of just the right size and full of junk: ASan sees what writes past
 * it, and a slot that is not written shows as no member's.
 */
void *junk(size_t size)
{
	void *p = malloc(size);

	assert_non_null(p);
	return memset(p, 0xee, size);
}

u16 *pool_table_of_size(const struct pool *pool, u32 size)
{
	struct mlb_maglev_walk *walk = junk(pool->n * sizeof(*walk));
	struct mlb_maglev_node *nodes = junk(pool->n * sizeof(*nodes));
	u16 *slots = junk(size * sizeof(*slots));

	memcpy(nodes, pool->nodes, pool->n * sizeof(*nodes));
	mlb_maglev_fill(slots, size, nodes, pool->n, walk);
	free(nodes);
	free(walk);
	return slots;
}

u16 *pool_table(const struct pool *pool)
{
	return pool_table_of_size(pool, mlb_maglev_size(pool->n));
}
