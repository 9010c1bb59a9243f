/* SPDX-License-Identifier: GPL-2.0 */
/* The difference between what the kernel holds and what it should. */
#ifndef MLBD_RECONCILE_H
#define MLBD_RECONCILE_H

#include "kernel.h"

/**
 * struct reconciled - what became of it
 * @changes: how many things were changed
 * @error: 0, or the first refusal as a negative errno
 * @refused: its text, or ""
 * @pooled: groups and their pools are those of the goal, and nothing is taken from
 *	a node that is to be dead
 */
struct reconciled {
	unsigned int changes;
	int error;
	char refused[256];
	bool pooled;
};

struct reconcile;

/**
 * reconcile_open() - look at what the kernel holds
 * @repair: the differences are somebody else's work: say so in the log
 * @goal: its key is left to the caller
 * @result: what became of it if this fails
 *
 * Return: 0, or the error of @result.
 */
int reconcile_open(struct reconcile **reconcile, struct mlb *mlb,
		   const struct kernel_goal *goal, bool repair,
		   struct reconciled *result);

/**
 * reconcile_run() - change what differs, and nothing else
 * @goal: that of reconcile_open(), or a copy
 * @until: uv_hrtime() after which no further step is done; at least one is
 *
 * A node of which an address or the way to it differs is deleted and added
 * again, for the kernel changes neither; its owner entries go with it. A pool
 * that names it is that of the goal without it in between. This node is deleted
 * only when this host has its new address.
 *
 * Goes on after a refusal; but then a goal that can be given up (@goal->whole)
 * takes nothing away.
 *
 * Return: whether all is done. A step takes as long as one request to the
 * kernel.
 */
bool reconcile_run(struct reconcile *reconcile, const struct kernel_goal *goal,
		   uint64_t until);

/* So far; owned by @reconcile. */
const struct reconciled *reconcile_result(const struct reconcile *reconcile);
void reconcile_close(struct reconcile *reconcile);

#endif /* MLBD_RECONCILE_H */
