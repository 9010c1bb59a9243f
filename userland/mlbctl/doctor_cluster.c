// SPDX-License-Identifier: GPL-2.0
/* mlbctl doctor: key, nodes and tables as the module has them. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "print.h"

static void check_key(struct doctor *doctor)
{
	char text[2 * MLB_KEY_ID_LEN + 1] = "";

	if (!(doctor->config.fields & MLB_F_CONFIG_KEY_ID)) {
		doctor_say(
			doctor, DOCTOR_WRONG, "key",
			"mlbctl key set FILE, with the same file on each node",
			"no cluster key is set: nothing passes the tunnel");
		return;
	}
	for (size_t i = 0; i < MLB_KEY_ID_LEN; i++)
		snprintf(text + 2 * i, 3, "%02x", doctor->config.key_id[i]);
	doctor_say(doctor, DOCTOR_OK, "key", NULL,
		   "set, fingerprint %s; each node must show the same", text);
}

static int collect(const struct mlb_node *node, void *arg)
{
	struct doctor *doctor = arg;
	struct mlb_node *nodes = reallocarray(
		doctor->nodes, doctor->n_nodes + 1, sizeof(*nodes));

	if (!nodes)
		return -ENOMEM;
	doctor->nodes = nodes;
	nodes[doctor->n_nodes++] = *node;
	return 0;
}

static void check_self(struct doctor *doctor)
{
	const struct mlb_node *self = NULL;
	char text[ADDR_TEXT];

	for (size_t i = 0; i < doctor->n_nodes; i++)
		if (doctor->nodes[i].fields & MLB_F_NODE_SELF)
			self = &doctor->nodes[i];
	doctor->self = self;
	if (!self) {
		doctor_say(
			doctor, DOCTOR_WRONG, "self",
			"mlbctl node add ID addr ADDR self",
			"no node is this host: it takes no part in the cluster");
		return;
	}
	addr_text(&self->addr, text);
	if (!doctor_addr_is_local(&self->addr))
		doctor_say(
			doctor, DOCTOR_WRONG, "self",
			"give the address to a device again, or delete the node and add it with the right one",
			"node %u has address %s, which this host has no more",
			self->id, text);
	else if (self->state != MLB_NODE_STATE_ACTIVE)
		doctor_say(doctor, DOCTOR_NOTE, "self",
			   "mlbctl node set ID state active",
			   "node %u, %s: in state %s", self->id, text,
			   word_of(node_state_words, self->state));
	else
		doctor_say(doctor, DOCTOR_OK, "self", NULL, "node %u, %s",
			   self->id, text);
	if (doctor->n_nodes < 2)
		doctor_say(doctor, DOCTOR_NOTE, "nodes",
			   "mlbctl node add ID addr ADDR, for each other node",
			   "there is no other node");
}

void doctor_cluster(struct doctor *doctor)
{
	int ret = mlb_config_get(doctor->mlb, &doctor->config);

	if (!ret)
		ret = mlb_node_each(doctor->mlb, collect, doctor);
	if (ret) {
		doctor_say(doctor, DOCTOR_WRONG, "netlink", NULL, "%s",
			   mlb_last_error(doctor->mlb)->text);
		return;
	}
	check_key(doctor);
	check_self(doctor);
}

void doctor_tables(struct doctor *doctor)
{
	struct mlb_stats stats;
	uint64_t full, evicted;

	if (mlb_stats_get(doctor->mlb, &stats))
		return;
	full = stats.value[MLB_A_STATS_OWNER_FULL];
	evicted = stats.value[MLB_A_STATS_FLOW_EVICTED];
	if (full)
		doctor_say(doctor, DOCTOR_NOTE, "tables",
			   "mlbctl set max-owners N",
			   "%" PRIu64
			   " owner entries found no room under max-owners %u",
			   full, doctor->config.max_owners);
	if (evicted)
		doctor_say(doctor, DOCTOR_NOTE, "tables",
			   "mlbctl set max-flows N",
			   "%" PRIu64
			   " flow entries had to go under max-flows %u",
			   evicted, doctor->config.max_flows);
	if (!full && !evicted)
		doctor_say(doctor, DOCTOR_OK, "tables", NULL,
			   "%u of %u owners, %u of %u flows",
			   doctor->config.owners, doctor->config.max_owners,
			   doctor->config.flows, doctor->config.max_flows);
}
