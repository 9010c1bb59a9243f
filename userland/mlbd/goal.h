/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel should hold, from the file, the document and the members.
 * Nothing else is looked at: the same in gives the same out.
 */
#ifndef MLBD_GOAL_H
#define MLBD_GOAL_H

#include "config.h"
#include "document.h"
#include "kernel.h"

/**
 * struct goal_node - a peer that is or was a member
 * @addr: its tunnel address
 * @alive: false: dead
 */
struct goal_node {
	uint16_t id;
	struct mlb_addr addr;
	bool alive;
};

/**
 * struct goal - a goal and what it points to
 * @kernel: for kernel_apply()
 * @left_out: services of which no node of the pool is known yet, and which the
 *	kernel therefore cannot have
 */
struct goal {
	struct kernel_goal kernel;
	size_t left_out;

	struct mlb_node *nodes;
	struct mlb_service *services;
	uint16_t *ids;
	struct mlb_pools pools;
	struct mlb_group *groups;
	struct mlb_group_pool *group_pools;
	uint16_t *role_ids;
};

/**
 * goal_make() - work it out
 * @goal: to be given to goal_free(), and to stay where it is; refers to @config
 *	and @document until then
 * @document, @peers: engine corosync; NULL and none otherwise
 *
 * Nodes come out in ascending order, pools without nodes that are not known.
 *
 * Return: 0 or -ENOMEM.
 */
int goal_make(struct goal *goal, const struct config *config,
	      const struct document *document, const struct goal_node *peers,
	      size_t n_peers);
void goal_free(struct goal *goal);

#endif /* MLBD_GOAL_H */
