/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_WALK_H
#define _MLB_WALK_H

#include <linux/rhashtable.h>

/**
 * mlb_walk_start() - rhashtable_walk_start() that forgets its place when it has to
 * @iter: the iterator
 *
 * When the table was resized since the walk rested, the walk begins anew. Up
 * to the middle of 2026, kernels left the entry of before in the iterator, which
 * may be freed, and is in another bucket.
 *
 * Return: whether it begins anew.
 */
static inline bool mlb_walk_start(struct rhashtable_iter *iter)
	__acquires(RCU)
{
	if (!rhashtable_walk_start_check(iter))
		return false;
	iter->p = NULL;
	return true;
}

#endif
