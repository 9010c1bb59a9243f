/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_MAGLEV_H
#define _MLB_MAGLEV_H

#include <linux/types.h>

/**
 * struct mlb_maglev_node - one member of a pool
 * @id: node id; the permutation depends on it alone, so every node of the
 *	cluster computes the same table
 * @weight: share of the table; a member of weight 0 gets no slot
 */
struct mlb_maglev_node {
	u16 id;
	u16 weight;
};

/* Working memory for one member while a table is filled. */
struct mlb_maglev_walk {
	u32 next;
	u32 skip;
	u32 credit;
	u16 id;
	u16 weight;
};

/**
 * mlb_maglev_size() - slots of the table for a pool
 * @n: members of the pool
 *
 * Return: a prime, with at least 100 slots for each of as many members as
 * there can be nodes. Pools of up to 1310 members have the same.
 */
u32 mlb_maglev_size(unsigned int n);

/**
 * mlb_maglev_fill() - fill a lookup table
 * @slots: the table; every slot gets the id of a member, or 0 in all of them
 *	when no member has a weight
 * @size: what mlb_maglev_size() gave
 * @nodes: the pool in ascending order of id
 * @n: its members
 * @walk: working memory, @n of them
 *
 * Shares are the weights' but for rounding to whole slots: a member whose
 * weight is worth less than half a slot gets none. Every host computes the
 * same table.
 *
 * Takes time in the order of @size times log(@n), a few milliseconds; call it
 * from process context.
 */
void mlb_maglev_fill(u16 *slots, u32 size, const struct mlb_maglev_node *nodes,
		     unsigned int n, struct mlb_maglev_walk *walk);

/**
 * mlb_maglev_past() - the member for a hash whose own one is suspect
 * @slots: the table
 * @size: its slots
 * @hash: the hash
 * @suspects: bitmap of ids
 *
 * Draws other slots by the hash until one's member is not suspect. So it is the
 * same on every node that suspects the same, no other hash moves, all come back
 * when the suspicion is over, and those that are left share the suspect's part
 * by their weights. (Slots beside each other are no draws: permutations that
 * step alike put the same two members there again and again.)
 *
 * Return: its id; 0 when all seem to be suspect.
 */
u16 mlb_maglev_past(const u16 *slots, u32 size, u32 hash,
		    const unsigned long *suspects);

/* Slot of a hash: multiplication takes the place of a division. */
static inline u32 mlb_maglev_slot(u32 hash, u32 size)
{
	return ((u64)hash * size) >> 32;
}

#endif
