// SPDX-License-Identifier: GPL-2.0
/* From groups and roles to the kernel's groups and pools. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "document_parts.h"
#include "goal_parts.h"

/* The kernel knows groups by number: their place among all. */
static uint16_t group_id(const struct document *document, const char *name)
{
	bool found;
	size_t at = document_find_group(document, name, &found);

	return found ? (uint16_t)(at + 1) : 0;
}

static size_t pools_of(const struct kernel_goal *kernel,
		       const struct document_role *role)
{
	size_t n = role->n_services ? role->n_services : kernel->n_services;

	return n * (role->groups.n ? role->groups.n : 1);
}

static int alloc_pools(struct goal *goal, const struct document *document)
{
	size_t pools = 0;

	for (size_t i = 0; i < document->n_roles; i++)
		pools += pools_of(&goal->kernel, &document->roles[i]);
	goal->groups = calloc(document->n_groups + 1, sizeof(*goal->groups));
	goal->group_pools = calloc(pools + 1, sizeof(*goal->group_pools));
	goal->role_ids = calloc(document->n_roles * DOCUMENT_IDS_MAX + 1,
				sizeof(*goal->role_ids));
	return goal->groups && goal->group_pools && goal->role_ids ? 0 :
								     -ENOMEM;
}

/* Clients are refused only by what has been decided: nobody is to serve them. */
static bool is_refused(const struct document_assigned *assigned)
{
	return assigned->epoch && !assigned->nodes.n && !assigned->leaving.n;
}

static void add_pool(struct goal *goal, const struct mlb_endpoint *vip,
		     uint16_t group, const uint16_t *nodes, size_t n, bool wait)
{
	goal->group_pools[goal->pools.n_pools++] =
		(struct mlb_group_pool){ .vip = *vip,
					 .group = group,
					 .nodes = nodes,
					 .n_nodes = n,
					 .wait = wait };
}

/*
 * Of one that nobody holds for a moment, or whose holder is dead and will be
 * replaced by who is left, clients wait.
 */
static void add_role(struct goal *goal, const struct document *document,
		     const struct document_index *index,
		     const struct document_role *role, uint16_t *nodes)
{
	const struct document_ids *holders = &role->assigned.nodes;
	bool wait = !is_refused(&role->assigned);
	uint16_t groups[DOCUMENT_GROUPS_MAX];
	struct document_served served;
	size_t n = 0;

	document_index_role(index, role, &served);
	for (size_t i = 0; i < role->groups.n; i++)
		groups[i] = group_id(document, role->groups.name[i]);

	for (size_t i = 0; i < holders->n; i++)
		if (goal_knows(goal, holders->id[i]))
			nodes[n++] = holders->id[i];
	for (size_t i = 0; i < goal->kernel.n_services; i++) {
		const struct mlb_endpoint *vip = &goal->services[i].vip;

		if (!document_served(&served, i))
			continue;
		if (!role->groups.n)
			add_pool(goal, vip, 0, nodes, n, wait);
		for (size_t j = 0; j < role->groups.n; j++)
			add_pool(goal, vip, groups[j], nodes, n, wait);
	}
}

int goal_pools(struct goal *goal, const struct document *document)
{
	struct document_index index;

	document_index(&index, goal->services, goal->kernel.n_services);
	if (alloc_pools(goal, document))
		return -ENOMEM;
	for (size_t i = 0; i < document->n_groups; i++)
		goal->groups[i] = (struct mlb_group){
			.id = (uint16_t)(i + 1),
			.prefixes = document->groups[i].prefixes,
			.n_prefixes = document->groups[i].n_prefixes,
		};
	goal->pools.groups = goal->groups;
	goal->pools.n_groups = document->n_groups;
	goal->pools.pools = goal->group_pools;
	for (size_t i = 0; i < document->n_roles; i++)
		add_role(goal, document, &index, &document->roles[i],
			 goal->role_ids + i * DOCUMENT_IDS_MAX);
	goal->kernel.pools = &goal->pools;
	return 0;
}
