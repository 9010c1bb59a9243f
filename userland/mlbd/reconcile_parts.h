/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of reconcile(). */
#ifndef MLBD_RECONCILE_PARTS_H
#define MLBD_RECONCILE_PARTS_H

#include "libmlb.h"

/* What the kernel has, and what can therefore be named. */
struct reconcile_there {
	bool (*node)(void *arg, uint16_t id);
	bool (*service)(void *arg, const struct mlb_endpoint *vip);
	void *arg;
};

/**
 * reconcile_pools() - replace groups and pools if they differ
 * @changed: whether they did
 *
 * Return: 0, -EINPROGRESS when it is to be called again, or the kernel's
 * refusal.
 */
int reconcile_pools(struct mlb *mlb, const struct mlb_pools *goal,
		    const struct reconcile_there *there, bool *changed);

#endif /* MLBD_RECONCILE_PARTS_H */
