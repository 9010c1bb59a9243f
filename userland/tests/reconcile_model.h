/* SPDX-License-Identifier: GPL-2.0 */
/* A kernel with the module's rules, in the place of libmlb. */
#ifndef TESTS_RECONCILE_MODEL_H
#define TESTS_RECONCILE_MODEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local_addr.h"
#include "log.h"
#include "reconcile.h"

#define NODES 6
#define SERVICES 4

/* Slots by id and by port; id or port 0: empty. */
static struct {
	struct mlb_node nodes[NODES + 1];
	struct mlb_service services[SERVICES + 1];
	uint16_t pools[SERVICES + 1][NODES];
	struct mlb_config config;
	unsigned int writes;
	unsigned int requests; /* and those for pools that were put off */
	unsigned int slow_pools;
	int flushed; /* nodes and services deleted */
	bool refuse_config;
	bool refuse_dead;
	bool refuse_del;
	/* Groups are as their ids; a pool is of a port and a group. */
	uint64_t groups;
	bool pooled[SERVICES + 1][3];
	bool waits[SERVICES + 1][3];
	uint16_t members[SERVICES + 1][3][NODES];
	size_t n_members[SERVICES + 1][3];
} model;

static struct mlb_error last;

static bool has_addr = true;

bool local_addr(const struct mlb_addr *addr)
{
	(void)addr;
	return has_addr;
}

const struct mlb_error *mlb_last_error(const struct mlb *mlb)
{
	(void)mlb;
	return &last;
}

static int refuse(int code, const char *text)
{
	last.code = -code;
	snprintf(last.text, sizeof(last.text), "%s", text);
	return code;
}

/* The test looks at what was changed and not at what was said of it. */
void log_message(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

int mlb_config_get(struct mlb *mlb, struct mlb_config *config)
{
	(void)mlb;
	*config = model.config;
	return 0;
}

int mlb_config_set(struct mlb *mlb, const struct mlb_config *config)
{
	(void)mlb;
	if (model.refuse_config)
		return refuse(-EADDRINUSE, "the port is in use");
	assert_true(config->fields);
	if (config->fields & MLB_F_CONFIG_PORT)
		model.config.port = config->port;
	if (config->fields & MLB_F_CONFIG_MAX_FLOWS)
		model.config.max_flows = config->max_flows;
	assert_false(config->fields &
		     ~(MLB_F_CONFIG_PORT | MLB_F_CONFIG_MAX_FLOWS));
	model.writes++;
	model.requests++;
	return 0;
}

int mlb_node_each(struct mlb *mlb, mlb_node_fn *fn, void *arg)
{
	(void)mlb;
	for (int i = 1; i <= NODES; i++)
		if (model.nodes[i].id)
			assert_int_equal(fn(&model.nodes[i], arg), 0);
	return 0;
}

int mlb_node_add(struct mlb *mlb, const struct mlb_node *node)
{
	(void)mlb;
	assert_in_range(node->id, 1, NODES);
	assert_true(node->fields & MLB_F_NODE_LATER);
	if (model.nodes[node->id].id)
		return refuse(-EEXIST, "the node exists already");
	for (int i = 1; i <= NODES; i++) {
		const struct mlb_node *other = &model.nodes[i];

		if (!other->id)
			continue;
		if (other->addr.family != node->addr.family)
			return refuse(-EAFNOSUPPORT, "all IPv4 or all IPv6");
		if (other->addr.v4.s_addr == node->addr.v4.s_addr)
			return refuse(-EADDRINUSE, "another node has this");
		if (other->fields & node->fields & MLB_F_NODE_SELF)
			return refuse(-EEXIST, "another node is self");
	}
	model.nodes[node->id] = *node;
	model.writes++;
	model.requests++;
	return 0;
}

int mlb_node_set(struct mlb *mlb, const struct mlb_node *node)
{
	struct mlb_node *held = &model.nodes[node->id];

	(void)mlb;
	assert_true(held->id);
	/* Whoever changes many has no time for pools. */
	assert_true(node->fields & MLB_F_NODE_LATER);
	assert_false(node->fields & ~(MLB_F_NODE_ID | MLB_F_NODE_WEIGHT |
				      MLB_F_NODE_STATE | MLB_F_NODE_LATER));
	if (model.refuse_dead && node->fields & MLB_F_NODE_STATE &&
	    node->state == MLB_NODE_STATE_DEAD)
		return refuse(-ENOMEM, "out of memory");
	if (node->fields & MLB_F_NODE_WEIGHT)
		held->weight = node->weight;
	if (node->fields & MLB_F_NODE_STATE)
		held->state = node->state;
	model.writes++;
	model.requests++;
	return 0;
}

int mlb_node_del(struct mlb *mlb, uint16_t id)
{
	(void)mlb;
	assert_true(model.nodes[id].id);
	if (model.refuse_del)
		return refuse(-ENOMEM, "out of memory");
	for (int i = 1; i <= SERVICES; i++)
		for (size_t j = 0; model.services[i].vip.port &&
				   j < model.services[i].n_nodes;
		     j++)
			if (model.pools[i][j] == id)
				return refuse(-EBUSY, "a service names it");
	for (int i = 1; i <= SERVICES; i++)
		for (int g = 0; g < 3; g++)
			for (size_t j = 0; model.pooled[i][g] &&
					   j < model.n_members[i][g];
			     j++)
				if (model.members[i][g][j] == id)
					return refuse(-EBUSY,
						      "a pool names it");
	memset(&model.nodes[id], 0, sizeof(model.nodes[id]));
	model.writes++;
	model.requests++;
	model.flushed++;
	return 0;
}

int mlb_service_each(struct mlb *mlb, mlb_service_fn *fn, void *arg)
{
	(void)mlb;
	for (int i = 1; i <= SERVICES; i++)
		if (model.services[i].vip.port)
			assert_int_equal(fn(&model.services[i], arg), 0);
	return 0;
}

static int put_service(const struct mlb_service *service, bool add)
{
	struct mlb_service *held = &model.services[service->vip.port];

	assert_in_range(service->vip.port, 1, SERVICES);
	if (!held->vip.port != add)
		return refuse(add ? -EEXIST : -ENOENT, "is there, or not");
	for (size_t i = 0; i < service->n_nodes; i++)
		if (!model.nodes[service->nodes[i]].id)
			return refuse(-ENOENT, "the pool names nobody");
	held->vip = service->vip;
	if (service->fields & MLB_F_SERVICE_SCHEDULER)
		held->scheduler = service->scheduler;
	if (service->fields & MLB_F_SERVICE_NODES) {
		memcpy(model.pools[service->vip.port], service->nodes,
		       service->n_nodes * sizeof(uint16_t));
		held->nodes = model.pools[service->vip.port];
		held->n_nodes = service->n_nodes;
	}
	model.writes++;
	model.requests++;
	return 0;
}

int mlb_service_add(struct mlb *mlb, const struct mlb_service *service)
{
	(void)mlb;
	return put_service(service, true);
}

int mlb_service_set(struct mlb *mlb, const struct mlb_service *service)
{
	(void)mlb;
	assert_true(service->fields);
	return put_service(service, false);
}

int mlb_service_del(struct mlb *mlb, const struct mlb_endpoint *vip)
{
	(void)mlb;
	assert_true(model.services[vip->port].vip.port);
	memset(&model.services[vip->port], 0, sizeof(struct mlb_service));
	memset(model.pooled[vip->port], 0, sizeof(model.pooled[0]));
	model.writes++;
	model.requests++;
	model.flushed++;
	return 0;
}

static const struct mlb_prefix prefixes[] = {
	{ .addr.family = AF_INET, .len = 8 },
	{ .addr.family = AF_INET, .len = 16 },
	{ .addr.family = AF_INET6, .len = 64 },
};

/* The kernel's order of prefixes and nodes is its own. */
int mlb_pools_get(struct mlb *mlb, struct mlb_pools **pools)
{
	static struct mlb_prefix backwards[3];
	static struct mlb_group groups[2];
	static struct mlb_group_pool all[SERVICES * 3];
	static struct mlb_pools held;

	(void)mlb;
	held = (struct mlb_pools){ .groups = groups, .pools = all };
	for (size_t i = 0; i < 3; i++)
		backwards[i] = prefixes[2 - i];
	for (uint16_t g = 1; g <= 2; g++)
		if (model.groups & 1u << g)
			groups[held.n_groups++] = (struct mlb_group){
				.id = g, .prefixes = backwards, .n_prefixes = 3
			};
	for (uint16_t port = 1; port <= SERVICES; port++)
		for (uint16_t g = 0; g < 3; g++)
			if (model.pooled[port][g])
				all[held.n_pools++] = (struct mlb_group_pool){
					.vip = model.services[port].vip,
					.group = g,
					.nodes = model.members[port][g],
					.n_nodes = model.n_members[port][g],
					.wait = model.waits[port][g],
				};
	*pools = &held;
	return 0;
}

void mlb_pools_free(struct mlb_pools *pools)
{
	(void)pools;
}

int mlb_pools_set(struct mlb *mlb, const struct mlb_pools *pools)
{
	(void)mlb;
	assert_int_equal(pools->fields, MLB_F_POOLS_PATIENT);
	if (model.slow_pools) {
		model.slow_pools--;
		model.requests++;
		return refuse(-EINPROGRESS, "send it again");
	}
	for (size_t i = 0; i < pools->n_pools; i++) {
		const struct mlb_group_pool *p = &pools->pools[i];

		if (!model.services[p->vip.port].vip.port)
			return refuse(-ENOENT, "no such service");
		for (size_t j = 0; j < p->n_nodes; j++)
			if (!model.nodes[p->nodes[j]].id)
				return refuse(-ENOENT, "no such node");
	}
	model.groups = 0;
	memset(model.pooled, 0, sizeof(model.pooled));
	for (size_t i = 0; i < pools->n_groups; i++)
		model.groups |= 1u << pools->groups[i].id;
	for (size_t i = 0; i < pools->n_pools; i++) {
		const struct mlb_group_pool *p = &pools->pools[i];

		model.pooled[p->vip.port][p->group] = true;
		model.waits[p->vip.port][p->group] = p->wait;
		model.n_members[p->vip.port][p->group] = p->n_nodes;
		for (size_t j = 0; j < p->n_nodes; j++)
			model.members[p->vip.port][p->group][j] =
				p->nodes[p->n_nodes - 1 - j];
	}
	model.writes++;
	model.requests++;
	return 0;
}

#endif /* TESTS_RECONCILE_MODEL_H */
