// SPDX-License-Identifier: GPL-2.0
/* Once it is quiet: what each node has against what it should have. */
#include "sim.h"

bool same_ring(const struct sim_node *a, const struct sim_node *b)
{
	return a->ring_nodes & UINT64_C(1) << b->id;
}

static void check_documents(const struct sim_node *a, const struct sim_node *b)
{
	json_t *x = cluster_document(a->cluster);
	json_t *y = cluster_document(b->cluster);

	if (!json_equal(x, y))
		fail_msg("seed %u: nodes %u and %u have two documents:\n%s\n%s",
			 sim.seed, a->id, b->id, json_dumps(x, 0),
			 json_dumps(y, 0));
	json_decref(x);
	json_decref(y);
}

/* The kernel can have a service if it knows a node of its pool. */
static size_t possible(const struct sim_kernel *k, const json_t *services)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(services); i++) {
		const json_t *pool = json_object_get(
			json_array_get(services, i), "nodes");
		bool known = !json_array_size(pool);

		for (size_t j = 0; j < json_array_size(pool); j++)
			known |= k->present[json_integer_value(
				json_array_get(pool, j))];
		n += known;
	}
	return n;
}

/* What the document and the view say is what the kernel has. */
static void check_kernel(const struct sim_node *node)
{
	const struct sim_kernel *k = &node->kernel;
	json_t *document = cluster_document(node->cluster);
	json_t *services = json_object_get(document, "services");
	size_t n = 0;

	for (const char *c = k->services; c && *c; c++)
		n += *c == ';';
	if (n != possible(k, services))
		fail_msg("seed %u: node %u has %zu services of %zu", sim.seed,
			 node->id, n, possible(k, services));
	json_decref(document);
	for (unsigned int i = 1; i <= sim.n; i++) {
		bool here = node->ring_nodes & UINT64_C(1) << i;

		if (here && (!k->present[i] ||
			     k->nodes[i].state == MLB_NODE_STATE_DEAD))
			fail_msg("seed %u: node %u does not use node %u",
				 sim.seed, node->id, i);
		if (!here && k->present[i] &&
		    k->nodes[i].state != MLB_NODE_STATE_DEAD)
			fail_msg("seed %u: node %u uses node %u, which is gone",
				 sim.seed, node->id, i);
	}
}

static void check_pair(const struct sim_node *node, const struct sim_node *of)
{
	const struct sim_kernel *k = &node->kernel;

	if (node == of)
		return;
	if (same_ring(node, of)) {
		if (node->ring_quorate)
			check_documents(node, of);
		if (k->present[of->id] &&
		    k->nodes[of->id].state != MLB_NODE_STATE_DEAD)
			sim_kernel_check(node, of);
	} else if (node->ring_quorate) {
		for (size_t i = 0; i < k->n_claims; i++)
			if (k->claims[i].node == of->id)
				fail_msg("seed %u: node %u has tokens of node %u, which is gone",
					 sim.seed, node->id, of->id);
	}
}

void check_all(void)
{
	for (unsigned int i = 1; i <= sim.n; i++) {
		if (sim.nodes[i].ring_quorate)
			check_kernel(&sim.nodes[i]);
		for (unsigned int j = 1; j <= sim.n; j++)
			check_pair(&sim.nodes[i], &sim.nodes[j]);
	}
}

