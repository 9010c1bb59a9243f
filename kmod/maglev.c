// SPDX-License-Identifier: GPL-2.0
/*
 * Maglev hashing (Eisenbud et al., NSDI 2016, 3.4): every member has its own
 * permutation of the slots, and members take turns in claiming the first free
 * slot of theirs. A member that leaves frees its slots and moves few others.
 */
#include <linux/bitops.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "maglev.h"

/*
 * Steps of the turn-taking that one slot may cost on average. More of them
 * follow the weights of a very uneven pool in finer steps.
 */
#define STEPS_PER_SLOT	4

/*
 * How often to draw again for a member that is not suspect. When all but one of
 * 32 are, fewer draws are enough in 999 of 1000 cases.
 */
#define PAST_MAX	256

/*
 * A hundred slots a member keep shares within a per cent (Maglev, 5.3). Small
 * pools get no smaller table: with 8191 slots the departure of one of a dozen
 * members can move over 2 % of the slots between the others, most of all when
 * two of their permutations happen to step alike. With 131071 it is 0.5 %, and
 * little over 1 % in the worst pools. And since a change of size moves nearly
 * every slot, no cluster of a usual size ever sees one.
 */
u32 mlb_maglev_size(unsigned int n)
{
	return n <= 1310 ? 131071 : 524287;
}

/* A bijection of 64 bits in which each bit of the input moves all others. */
static u64 mix(u64 x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/* The size is prime, so every skip makes a permutation. */
static void walk_start(struct mlb_maglev_walk *walk,
		       const struct mlb_maglev_node *node, u32 size)
{
	u64 seed = mix(node->id);

	walk->next = mlb_maglev_slot(seed >> 32, size);
	walk->skip = 1 + mlb_maglev_slot((u32)seed, size - 1);
	walk->id = node->id;
	walk->weight = node->weight;
}

static void walk_claim(struct mlb_maglev_walk *walk, u16 *slots, u32 size)
{
	u32 slot = walk->next;
	bool taken;

	do {
		taken = slots[slot];
		if (!taken)
			slots[slot] = walk->id;
		slot += walk->skip;
		if (slot >= size)
			slot -= size;
	} while (taken);
	walk->next = slot;
}

/*
 * Credit that one slot costs. As much as the greatest weight lets each member
 * claim at most one slot a round; then rounds may be many more than slots in
 * a pool where few members have nearly all weight, so the price is bounded by
 * the mean weight. A power of two, because it must rarely change when a
 * member goes: the order of turns changes with it, and moves slots.
 */
static u32 slot_price(u32 sum, u32 max, unsigned int live)
{
	return roundup_pow_of_two(min(max, sum / live * STEPS_PER_SLOT));
}

void mlb_maglev_fill(u16 *slots, u32 size, const struct mlb_maglev_node *nodes,
		     unsigned int n, struct mlb_maglev_walk *walk)
{
	struct mlb_maglev_walk *w;
	unsigned int live = 0, i;
	u32 sum = 0, max = 0;
	u32 left = size;
	u32 price;

	memset(slots, 0, size * sizeof(*slots));

	for (i = 0; i < n; i++) {
		if (!nodes[i].weight)
			continue;
		walk_start(&walk[live++], &nodes[i], size);
		sum += nodes[i].weight;
		max = max_t(u32, max, nodes[i].weight);
	}
	if (!live)
		return;

	price = slot_price(sum, max, live);
	/* Half a slot's credit in hand rounds shares to the nearest. */
	for (i = 0; i < live; i++)
		walk[i].credit = price / 2;

	for (;;) {
		for (w = walk; w < walk + live; w++) {
			w->credit += w->weight;
			while (w->credit >= price) {
				w->credit -= price;
				walk_claim(w, slots, size);
				if (!--left)
					return;
			}
		}
	}
}

u16 mlb_maglev_past(const u16 *slots, u32 size, u32 hash,
		    const unsigned long *suspects)
{
	u64 draw = hash;

	for (unsigned int i = 0; i < PAST_MAX; i++) {
		u16 id;

		draw = mix(draw);
		id = slots[mlb_maglev_slot(draw, size)];
		if (!test_bit(id, suspects))
			return id;
	}
	return 0;
}
