// SPDX-License-Identifier: GPL-2.0
/*
 * When one of these fails, nodes get more or fewer connections than their
 * weights say, or connections move that had no reason to.
 */
#include "unit.h"

#include <linux/kernel.h>
#include <linux/siphash.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "maglev.h"

/* Sanitizers slow a fill down tenfold and more. */
#ifndef FILL_LIMIT_MS
#define FILL_LIMIT_MS	500
#endif

#define NODES_MAX	4095
#define HASHES		10000

/* Weights of a pool, for any number of members. */
struct weights {
	const char *name;
	u16 (*weight)(unsigned int member);
};

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

static u16 weight_giant(unsigned int member)
{
	return member ? 1 : 65535;
}

static const struct weights equal = { "equal", weight_equal };
static const struct weights steps = { "1 to 5", weight_steps };
static const struct weights odd = { "odd", weight_odd };
static const struct weights giant = { "giant", weight_giant };

struct pool {
	unsigned int n;
	u64 sum;
	struct mlb_maglev_node nodes[NODES_MAX];
};

static void pool_make(struct pool *pool, unsigned int n,
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

static void pool_remove(struct pool *pool, unsigned int member)
{
	pool->sum -= pool->nodes[member].weight;
	pool->n--;
	memmove(&pool->nodes[member], &pool->nodes[member + 1],
		(pool->n - member) * sizeof(*pool->nodes));
}

static double share(const struct pool *pool, unsigned int member)
{
	return (double)pool->nodes[member].weight / pool->sum;
}

/*
 * Memory of just the right size and full of junk: ASan sees what writes past
 * it, and a slot that is not written shows as no member's.
 */
static void *junk(size_t size)
{
	void *p = malloc(size);

	assert_non_null(p);
	return memset(p, 0xee, size);
}

static u16 *table_of_size(const struct pool *pool, u32 size)
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

static u16 *table(const struct pool *pool)
{
	return table_of_size(pool, mlb_maglev_size(pool->n));
}

static bool is_prime(u32 x)
{
	u32 d;

	for (d = 2; (u64)d * d <= x; d++)
		if (x % d == 0)
			return false;
	return x > 1;
}

static void test_sizes(void **state)
{
	unsigned int n;
	u32 last = 0;

	(void)state;
	for (n = 0; n <= NODES_MAX; n++) {
		u32 size = mlb_maglev_size(n);

		assert_true(size >= 100 * n);
		assert_true(size >= last);
		if (size != last)
			assert_true(is_prime(size));
		last = size;
	}
}

static void test_slot_of_hash(void **state)
{
	static const u32 sizes[] = { 8191, 131071, 524287 };
	unsigned int i;
	u32 hash;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u32 last = 0;

		assert_int_equal(mlb_maglev_slot(0, sizes[i]), 0);
		assert_int_equal(mlb_maglev_slot(UINT32_MAX, sizes[i]),
				 sizes[i] - 1);
		/* In steps below a slot's width none is left out. */
		for (hash = 0; hash < UINT32_MAX - 4096; hash += 4096) {
			u32 slot = mlb_maglev_slot(hash, sizes[i]);

			assert_true(slot == last || slot == last + 1);
			last = slot;
		}
	}
}

/* Slots of each id; fails for a slot that belongs to no member. */
static unsigned int *count_slots(const u16 *slots, u32 size, unsigned int n)
{
	unsigned int *count = calloc(NODES_MAX + 1, sizeof(*count));
	u32 slot;

	assert_non_null(count);
	for (slot = 0; slot < size; slot++) {
		assert_in_range(slots[slot], 1, n);
		count[slots[slot]]++;
	}
	return count;
}

/*
 * Members of the pool share all slots as their weights say, but for rounding:
 * a slot or two, or a per cent.
 */
static void check_shares(unsigned int n, const struct weights *weights)
{
	struct pool pool;
	u32 size = mlb_maglev_size(n);
	double off, worst = 0;
	unsigned int *count;
	unsigned int i;
	u16 *slots;

	pool_make(&pool, n, weights);
	slots = table(&pool);
	count = count_slots(slots, size, n);
	for (i = 0; i < n; i++) {
		double want = share(&pool, i) * size;

		off = fabs(count[i + 1] - want);
		assert_true(off <= fmax(2, want / 100));
		worst = fmax(worst, off);
	}
	print_message("%4u members, weights %-7s %6u slots, worst %.1f slots off\n",
		      n, weights->name, size, worst);
	free(count);
	free(slots);
}

static void test_shares_of_slots(void **state)
{
	static const unsigned int sizes[] = {
		1, 2, 3, 8, 16, 17, 50, 100, 1000, 1310, 1311, NODES_MAX,
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		check_shares(sizes[i], &equal);
		check_shares(sizes[i], &steps);
		check_shares(sizes[i], &odd);
		check_shares(sizes[i], &giant);
	}
}

static u32 hash_even(unsigned int i, unsigned int n)
{
	return ((u64)i << 32) / n;
}

static u32 hash_sip(unsigned int i, unsigned int n)
{
	static const siphash_key_t key = { { 0x6d6c62, 0x74657374 } };

	(void)n;
	return siphash(&i, sizeof(i), &key);
}

/*
 * What a member gets of @n hashes. With few hashes for each member chance
 * decides, as it does for a table that is right: then the tolerance is @sigmas
 * standard deviations of a draw.
 */
static void check_spread(const struct pool *pool, const u16 *slots,
			 u32 (*hash)(unsigned int i, unsigned int n),
			 unsigned int n, double sigmas, const char *what)
{
	u32 size = mlb_maglev_size(pool->n);
	unsigned int count[NODES_MAX + 1] = { 0 };
	double worst = 0, off, limit;
	unsigned int i;

	for (i = 0; i < n; i++)
		count[slots[mlb_maglev_slot(hash(i, n), size)]]++;
	for (i = 0; i < pool->n; i++) {
		double p = share(pool, i);
		double want = n * p;

		off = fabs(count[pool->nodes[i].id] - want);
		limit = fmax(0.05 * want, sigmas * sqrt(want * (1 - p)));
		assert_true(off <= limit);
		worst = fmax(worst, off / want);
	}
	print_message("%3u members, %7u hashes, %-26s worst %4.1f %% off\n",
		      pool->n, n, what, 100 * worst);
}

static void test_spread_of_hashes(void **state)
{
	static const unsigned int sizes[] = { 3, 8, 50 };
	static const struct weights *const kinds[] = { &equal, &steps, &odd };
	struct pool pool;
	unsigned int i, k;
	u16 *slots;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (k = 0; k < ARRAY_SIZE(kinds); k++) {
			pool_make(&pool, sizes[i], kinds[k]);
			print_message("weights %s:\n", kinds[k]->name);
			slots = table(&pool);
			/* Up to 8 members 10,000 hashes leave little to chance. */
			check_spread(&pool, slots, hash_even, HASHES,
				     sizes[i] > 8 ? 4 : 0, "even");
			check_spread(&pool, slots, hash_even,
				     sizes[i] * HASHES, 0,
				     "even, 10,000 a member");
			check_spread(&pool, slots, hash_sip, HASHES, 4,
				     "siphash");
			check_spread(&pool, slots, hash_sip,
				     sizes[i] * HASHES, 4,
				     "siphash, 10,000 a member");
			free(slots);
		}
	}
}

static double changed(const u16 *a, const u16 *b, u32 size)
{
	unsigned int n = 0;
	u32 slot;

	for (slot = 0; slot < size; slot++)
		n += a[slot] != b[slot];
	return (double)n / size;
}

/*
 * All slots that change when one member goes: its own, and those that move
 * between members that stay. The latter are what Maglev promises to be few.
 */
static void check_removal(unsigned int n, const struct weights *weights)
{
	u32 size = mlb_maglev_size(n);
	double moved, part, worst = 0, worst_part = 0;
	struct pool pool, rest;
	u16 *before, *after;
	unsigned int i;

	pool_make(&pool, n, weights);
	before = table(&pool);
	for (i = 0; i < n; i++) {
		rest = pool;
		pool_remove(&rest, i);
		after = table_of_size(&rest, size);
		moved = changed(before, after, size);
		part = share(&pool, i);
		assert_true(moved <= part + 0.02);
		if (moved - part >= worst) {
			worst = moved - part;
			worst_part = part;
		}
		free(after);
	}
	print_message("%3u members, weights %-7s worst removal moves %5.2f %% and %.2f %% more\n",
		      n, weights->name, 100 * worst_part, 100 * worst);
	free(before);
}

static void test_disruption(void **state)
{
	static const unsigned int sizes[] = { 2, 3, 8, 12, 16, 17, 50, 64 };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		check_removal(sizes[i], &equal);
		check_removal(sizes[i], &steps);
		check_removal(sizes[i], &odd);
		check_removal(sizes[i], &giant);
	}
}

/* A member without weight is as one that is not there. */
static void test_weight_zero(void **state)
{
	struct pool pool, rest;
	u16 *slots, *want;
	u32 size;
	unsigned int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		pool_make(&pool, 8, &steps);
		rest = pool;
		pool_remove(&rest, i);
		pool.nodes[i].weight = 0;
		size = mlb_maglev_size(8);
		slots = table(&pool);
		want = table_of_size(&rest, size);
		assert_memory_equal(slots, want, size * sizeof(*slots));
		free(slots);
		free(want);
	}
}

static void check_all(const struct pool *pool, u16 id)
{
	u32 size = mlb_maglev_size(pool->n), slot;
	u16 *slots = table(pool);

	for (slot = 0; slot < size; slot++)
		assert_int_equal(slots[slot], id);
	free(slots);
}

static void test_nobody(void **state)
{
	struct pool pool;
	unsigned int i;

	(void)state;
	pool_make(&pool, 0, &equal);
	check_all(&pool, 0);
	pool_make(&pool, NODES_MAX, &equal);
	for (i = 0; i < NODES_MAX; i++)
		pool.nodes[i].weight = 0;
	check_all(&pool, 0);
}

static void test_single(void **state)
{
	static const u16 weights[] = { 1, 2, 3, 100, 65535 };
	struct pool pool = { .n = 1 };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(weights); i++) {
		pool.nodes[0].id = 4095;
		pool.nodes[0].weight = weights[i];
		check_all(&pool, 4095);
	}

	/* The only one with a weight among many without. */
	pool_make(&pool, NODES_MAX, &equal);
	for (i = 0; i < NODES_MAX; i++)
		pool.nodes[i].weight = i == 1000 ? 7 : 0;
	check_all(&pool, 1001);
}

/*
 * Nodes of two releases must agree on the table. The figure was computed by a
 * second implementation, in another language, of what maglev.c describes.
 */
static void test_table_stays(void **state)
{
	struct pool pool;
	u64 fnv = 0xcbf29ce484222325ULL;
	u32 size = mlb_maglev_size(5), slot;
	u16 *slots;

	(void)state;
	pool_make(&pool, 5, &steps);
	slots = table(&pool);
	for (slot = 0; slot < size; slot++)
		fnv = (fnv ^ slots[slot]) * 0x100000001b3ULL;
	assert_true(fnv == 0x1ee4cc366785483dULL);
	free(slots);
}

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* The best of some runs: what other work on the machine costs is no fault. */
static double fill_ms(unsigned int n, const struct weights *weights)
{
	u32 size = mlb_maglev_size(n);
	struct mlb_maglev_walk *walk = junk(n * sizeof(*walk));
	u16 *slots = junk(size * sizeof(*slots));
	double best = INFINITY, start;
	struct pool pool;
	unsigned int i;

	pool_make(&pool, n, weights);
	for (i = 0; i < 7; i++) {
		start = cpu_ms();
		mlb_maglev_fill(slots, size, pool.nodes, n, walk);
		best = fmin(best, cpu_ms() - start);
	}
	print_message("%4u members, weights %-7s %6u slots in %.2f ms\n", n,
		      weights->name, size, best);
	free(slots);
	free(walk);
	return best;
}

static void test_fill_time(void **state)
{
	static const struct weights *const kinds[] = {
		&equal, &steps, &odd, &giant,
	};
	unsigned int k;

	(void)state;
	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		assert_true(fill_ms(1000, kinds[k]) < FILL_LIMIT_MS);
		/* Four times the slots and members: no worse than in proportion. */
		assert_true(fill_ms(NODES_MAX, kinds[k]) < 10 * FILL_LIMIT_MS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_slot_of_hash),
		cmocka_unit_test(test_shares_of_slots),
		cmocka_unit_test(test_spread_of_hashes),
		cmocka_unit_test(test_disruption),
		cmocka_unit_test(test_weight_zero),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_table_stays),
		cmocka_unit_test(test_fill_time),
	};

	return cmocka_run_group_tests_name("maglev", tests, NULL, NULL);
}
