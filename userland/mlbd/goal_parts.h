/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of the goal. */
#ifndef MLBD_GOAL_PARTS_H
#define MLBD_GOAL_PARTS_H

#include "goal.h"

/* Whether the kernel is to have a node. */
bool goal_knows(const struct goal *goal, uint16_t id);

/* Groups and pools, once nodes and services are known; 0 or -ENOMEM. */
int goal_pools(struct goal *goal, const struct document *document);

#endif /* MLBD_GOAL_PARTS_H */
