// SPDX-License-Identifier: GPL-2.0
/*
 * When one of these fails, nodes get more or fewer connections than their
 * weights say, or connections move that had no reason to.
 */
#include "unit.h"

#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/siphash.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"

#define HASHES		10000

/* Slots of each id; fails for a slot that belongs to no member. */
static unsigned int *count_slots(const u16 *slots, u32 size, unsigned int n)
{
	unsigned int *count = calloc(POOL_MAX + 1, sizeof(*count));
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
	slots = pool_table(&pool);
	count = count_slots(slots, size, n);
	for (i = 0; i < n; i++) {
		double want = pool_share(&pool, i) * size;

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
		1, 2, 3, 8, 16, 17, 50, 100, 1000, 1310, 1311, POOL_MAX,
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		check_shares(sizes[i], &weights_equal);
		check_shares(sizes[i], &weights_steps);
		check_shares(sizes[i], &weights_odd);
		check_shares(sizes[i], &weights_mixed);
		check_shares(sizes[i], &weights_giant);
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
	unsigned int count[POOL_MAX + 1] = { 0 };
	double worst = 0, off, limit;
	unsigned int i;

	for (i = 0; i < n; i++)
		count[slots[mlb_maglev_slot(hash(i, n), size)]]++;
	for (i = 0; i < pool->n; i++) {
		double p = pool_share(pool, i);
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
	static const struct weights *const kinds[] = {
		&weights_equal, &weights_steps, &weights_odd,
	};
	struct pool pool;
	unsigned int i, k;
	u16 *slots;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (k = 0; k < ARRAY_SIZE(kinds); k++) {
			pool_make(&pool, sizes[i], kinds[k]);
			print_message("weights %s:\n", kinds[k]->name);
			slots = pool_table(&pool);
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
 * between members that stay. The latter are what Maglev promises to be few;
 * returns the most of them.
 */
static double check_removals(const struct pool *pool)
{
	u32 size = mlb_maglev_size(pool->n);
	double moved, part, worst = 0;
	u16 *before, *after;
	struct pool rest;
	unsigned int i;

	before = pool_table(pool);
	for (i = 0; i < pool->n; i++) {
		rest = *pool;
		pool_remove(&rest, i);
		assert_int_equal(mlb_maglev_size(rest.n), size);
		after = pool_table(&rest);
		moved = changed(before, after, size);
		part = pool_share(pool, i);
		assert_true(moved <= part + 0.02);
		worst = fmax(worst, moved - part);
		free(after);
	}
	free(before);
	return worst;
}

static void test_disruption(void **state)
{
	static const unsigned int sizes[] = { 2, 3, 8, 17, 50, 82 };
	static const struct weights *const kinds[] = {
		&weights_equal, &weights_steps, &weights_odd, &weights_mixed,
		&weights_giant,
	};
	struct pool pool;
	unsigned int i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (k = 0; k < ARRAY_SIZE(kinds); k++) {
			pool_make(&pool, sizes[i], kinds[k]);
			print_message("%2u members, weights %-7s up to %.2f %% more than its share\n",
				      sizes[i], kinds[k]->name,
				      100 * check_removals(&pool));
		}
	}
}

/* Members whose permutations happen to step alike get in each other's way. */
static void test_disruption_of_random_pools(void **state)
{
	static const unsigned int sizes[] = { 3, 8, 12, 24, 50 };
	static const unsigned int most[] = { 1, 10, 65535 };
	struct pool pool;
	unsigned int i, k, seed;
	double worst;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		worst = 0;
		for (k = 0; k < ARRAY_SIZE(most); k++) {
			for (seed = 1; seed <= 150 / sizes[i]; seed++) {
				pool_make_random(&pool, sizes[i], most[k],
						 0x9e3779b97f4a7c15ULL * seed);
				worst = fmax(worst, check_removals(&pool));
			}
		}
		print_message("%2u members, random: up to %.2f %% more than its share\n",
			      sizes[i], 100 * worst);
	}
}

/*
 * Who is suspect gets nothing, and those that are left share what was the
 * suspects' by their weights, but for chance.
 */
static void check_past(const struct pool *pool, unsigned int suspects)
{
	unsigned long map[(POOL_MAX + 1) / BITS_PER_LONG + 1] = {};
	u32 size = mlb_maglev_size(pool->n), moved = 0;
	unsigned int got[POOL_MAX + 1] = {}, i;
	u16 *slots = pool_table(pool);
	double left = 0, worst = 0;

	for (i = 0; i < pool->n; i++) {
		if (i < suspects)
			__set_bit(pool->nodes[i].id, map);
		else
			left += pool_share(pool, i);
	}
	for (i = 0; i < 100 * HASHES; i++) {
		u32 hash = hash_sip(i, 0);
		u16 id;

		if (!test_bit(slots[mlb_maglev_slot(hash, size)], map))
			continue;
		id = mlb_maglev_past(slots, size, hash, map);
		assert_int_not_equal(id, 0);
		assert_false(test_bit(id, map));
		got[id]++;
		moved++;
	}
	for (i = suspects; i < pool->n; i++) {
		double want = moved * pool_share(pool, i) / left;
		double off = fabs(got[pool->nodes[i].id] - want);

		assert_true(off <= fmax(0.02 * want, 5 * sqrt(want)));
		worst = fmax(worst, off / want);
	}
	print_message("%2u members, %2u suspect: worst %4.1f %% off\n",
		      pool->n, suspects, 100 * worst);
	free(slots);
}

static void test_past_suspects(void **state)
{
	static const unsigned int sizes[] = { 3, 8, 32 };
	struct pool pool;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		pool_make(&pool, sizes[i], &weights_equal);
		check_past(&pool, 1);
		check_past(&pool, sizes[i] / 2);
		pool_make(&pool, sizes[i], &weights_steps);
		check_past(&pool, 1);
		check_past(&pool, sizes[i] / 2);
	}
}

/* When all are, it says so, and does not look for ever. */
static void test_all_suspect(void **state)
{
	unsigned long map[(POOL_MAX + 1) / BITS_PER_LONG + 1];
	struct pool pool;
	u16 *slots;
	u32 size;

	(void)state;
	memset(map, 0xff, sizeof(map));
	pool_make(&pool, 3, &weights_equal);
	slots = pool_table(&pool);
	size = mlb_maglev_size(3);
	assert_int_equal(mlb_maglev_past(slots, size, 0, map), 0);
	assert_int_equal(mlb_maglev_past(slots, size, UINT32_MAX, map), 0);
	free(slots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares_of_slots),
		cmocka_unit_test(test_spread_of_hashes),
		cmocka_unit_test(test_disruption),
		cmocka_unit_test(test_disruption_of_random_pools),
		cmocka_unit_test(test_past_suspects),
		cmocka_unit_test(test_all_suspect),
	};

	return cmocka_run_group_tests_name("spread", tests, NULL, NULL);
}
