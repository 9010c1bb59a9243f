// SPDX-License-Identifier: GPL-2.0
/* From file, document and members to what the kernel should hold. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "goal_parts.h"
#include "settings.h"

static int compare_nodes(const void *a, const void *b)
{
	const struct mlb_node *x = a, *y = b;

	return x->id - y->id;
}

/* What roles say of nodes, by id: who holds any, who is to be kept from one. */
struct held {
	bool holds[MLB_NODE_ID_MAX + 1];
	bool fenced[MLB_NODE_ID_MAX + 1];
};

bool goal_knows(const struct goal *goal, uint16_t id)
{
	size_t low = 0, high = goal->kernel.n_nodes;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (goal->nodes[mid].id == id)
			return true;
		if (goal->nodes[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static void mark(bool *marks, const struct document_ids *ids)
{
	for (size_t i = 0; i < ids->n; i++)
		marks[ids->id[i]] = true;
}

static void look_at_roles(struct held *held, const struct document *document)
{
	memset(held, 0, sizeof(*held));
	for (size_t i = 0; document && i < document->n_roles; i++) {
		mark(held->holds, &document->roles[i].assigned.nodes);
		mark(held->fenced, &document->roles[i].assigned.fenced);
	}
}

/*
 * Weight and state as the cluster has set them. Who is drained or put into
 * maintenance goes on until its roles are others': a moment, in which its
 * clients would be refused.
 */
static void as_set(struct mlb_node *node, const struct document *document,
		   const struct held *held)
{
	const struct document_node *set =
		document ? document_node(document, node->id) : NULL;

	node->weight = set ? set->weight : 1;
	node->state = set ? set->state : MLB_NODE_STATE_ACTIVE;
	if (held->holds[node->id])
		node->state = MLB_NODE_STATE_ACTIVE;
}

static void add_peer(struct goal *goal, const struct goal_node *peer,
		     const struct document *document, const struct held *held)
{
	struct mlb_node *node = &goal->nodes[goal->kernel.n_nodes++];

	*node = (struct mlb_node){
		.fields = MLB_F_NODE_ID | MLB_F_NODE_ADDR | MLB_F_NODE_WEIGHT |
			  MLB_F_NODE_STATE | MLB_F_NODE_ENCAP,
		.id = peer->id,
		.addr = peer->addr,
		.encap = MLB_ENCAP_MLB,
	};
	as_set(node, document, held);
	if (!peer->alive || held->fenced[peer->id])
		node->state = MLB_NODE_STATE_DEAD;
}

/*
 * The kernel has no node that it knows nothing of in a pool, and an empty pool
 * is every node, which is not what was meant: such a service waits.
 */
static void add_service(struct goal *goal, const struct mlb_service *from,
			uint16_t **ids)
{
	struct mlb_service *to = &goal->services[goal->kernel.n_services];
	uint16_t *mine = *ids;
	size_t n = 0;

	for (size_t i = 0; i < from->n_nodes; i++)
		if (goal_knows(goal, from->nodes[i]))
			mine[n++] = from->nodes[i];
	if (from->n_nodes && !n) {
		goal->left_out++;
		return;
	}
	*to = *from;
	to->fields = MLB_F_SERVICE_SCHEDULER | MLB_F_SERVICE_NODES;
	to->nodes = mine;
	to->n_nodes = n;
	*ids += n;
	goal->kernel.n_services++;
}

/*
 * What the document sets is not in the file, so neither hides the other. What
 * it does not set is as it was before anybody set it, on every node.
 */
static void merge_settings(struct mlb_config *to, const struct mlb_config *from)
{
	const struct arg *setting;

	for_each_setting(setting, SETTINGS_OF_CLUSTER) {
		bool set = from->fields & setting->field;

		setting_put(to, setting,
			    setting_get(set ? from : &cluster_defaults,
					setting));
	}
}

static size_t pool_sizes(const struct mlb_service *services, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += services[i].n_nodes;
	return sum;
}

int goal_make(struct goal *goal, const struct config *config,
	      const struct document *document, const struct goal_node *peers,
	      size_t n_peers)
{
	const struct mlb_service *services = document ? document->services :
							config->services;
	size_t n_services = document ? document->n_services :
				       config->n_services;
	size_t n_ids = pool_sizes(services, n_services);
	struct kernel_goal *kernel = &goal->kernel;
	struct held held;
	uint16_t *ids;

	look_at_roles(&held, document);
	memset(goal, 0, sizeof(*goal));
	goal->nodes =
		calloc(1 + config->n_nodes + n_peers, sizeof(*goal->nodes));
	goal->services = calloc(n_services + 1, sizeof(*goal->services));
	goal->ids = calloc(n_ids + 1, sizeof(*goal->ids));
	if (!goal->nodes || !goal->services || !goal->ids) {
		goal_free(goal);
		return -ENOMEM;
	}

	kernel->settings = config->settings;
	kernel->key = config->key;
	kernel->key_len = config->key_len;
	if (document)
		merge_settings(&kernel->settings, &document->settings);

	goal->nodes[kernel->n_nodes++] = config->self;
	if (document)
		as_set(&goal->nodes[0], document, &held);
	for (size_t i = 0; i < config->n_nodes; i++)
		goal->nodes[kernel->n_nodes++] = config->nodes[i];
	for (size_t i = 0; i < n_peers; i++)
		add_peer(goal, &peers[i], document, &held);
	qsort(goal->nodes, kernel->n_nodes, sizeof(*goal->nodes),
	      compare_nodes);

	ids = goal->ids;
	for (size_t i = 0; i < n_services; i++)
		add_service(goal, &services[i], &ids);
	kernel->nodes = goal->nodes;
	kernel->services = goal->services;
	if (!document || !goal_pools(goal, document))
		return 0;
	goal_free(goal);
	return -ENOMEM;
}

void goal_free(struct goal *goal)
{
	free(goal->nodes);
	free(goal->services);
	free(goal->ids);
	free(goal->groups);
	free(goal->group_pools);
	free(goal->role_ids);
	memset(goal, 0, sizeof(*goal));
}
