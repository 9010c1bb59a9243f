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

/**
 * reconcile() - change what differs, and nothing else
 * @repair: the differences are somebody else's work: say so in the log
 * @goal: its key is left to the caller
 *
 * A node of which an address or the way to it differs is deleted and added
 * again, for the kernel changes neither; its owner entries go with it. A pool
 * that names it is that of the goal without it in between. This node is deleted
 * only when this host has its new address.
 *
 * Goes on after a refusal; but then a goal that can be given up (@goal->whole)
 * takes nothing away.
 *
 * Return: as @result->error.
 */
int reconcile(struct mlb *mlb, const struct kernel_goal *goal, bool repair,
	      struct reconciled *result);

#endif /* MLBD_RECONCILE_H */
