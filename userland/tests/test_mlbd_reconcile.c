// SPDX-License-Identifier: GPL-2.0
/*
 * Any state of the kernel becomes any goal, by the difference alone. The kernel
 * is a model with the module's rules in the place of libmlb.
 */
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

/* A goal that the kernel can have: one self, one family, no address twice. */
struct random_goal {
	struct kernel_goal goal;
	struct mlb_node nodes[NODES];
	struct mlb_service services[SERVICES];
	uint16_t pools[SERVICES][NODES];
	struct mlb_pools all;
	struct mlb_group groups[2];
	struct mlb_group_pool group_pools[SERVICES * 3];
	uint16_t members[SERVICES * 3][NODES];
};

static unsigned int any(unsigned int n)
{
	return (unsigned int)random() % n;
}

static void add_service(struct random_goal *r, uint16_t port)
{
	size_t at = r->goal.n_services++;
	struct mlb_service *s = &r->services[at];

	*s = (struct mlb_service){
		.fields = MLB_F_SERVICE_SCHEDULER | MLB_F_SERVICE_NODES,
		.vip = { .addr.family = AF_INET, .port = port },
		.scheduler = any(2),
		.nodes = r->pools[at],
	};
	if (any(2))
		return;
	for (size_t i = 0; i < r->goal.n_nodes; i++)
		if (any(2))
			r->pools[at][s->n_nodes++] = r->nodes[i].id;
}

static void add_pools(struct random_goal *r)
{
	for (uint16_t g = 1; g <= 2; g++)
		if (any(2))
			r->groups[r->all.n_groups++] = (struct mlb_group){
				.id = g, .prefixes = prefixes, .n_prefixes = 3
			};
	for (size_t i = 0; i < r->goal.n_services; i++) {
		for (uint16_t g = 0; g < 3; g++) {
			size_t at = r->all.n_pools;
			struct mlb_group_pool *p = &r->group_pools[at];

			if (!any(3))
				continue;
			*p = (struct mlb_group_pool){
				.vip = r->services[i].vip,
				.group = g,
				.nodes = r->members[at],
				.wait = any(2),
			};
			for (size_t j = 0; j < r->goal.n_nodes; j++)
				if (any(2))
					r->members[at][p->n_nodes++] =
						r->nodes[j].id;
			r->all.n_pools++;
		}
	}
	r->all.groups = r->groups;
	r->all.pools = r->group_pools;
	r->goal.pools = &r->all;
}

static void make_goal(struct random_goal *r)
{
	sa_family_t family = any(4) ? AF_INET : AF_INET6;
	unsigned int self = 1 + any(NODES), shift = any(NODES);

	memset(r, 0, sizeof(*r));
	r->goal.settings.fields = MLB_F_CONFIG_PORT | MLB_F_CONFIG_MAX_FLOWS;
	r->goal.settings.port = (uint16_t)(6000 + any(2));
	r->goal.settings.max_flows = 1000 + any(2);
	for (uint16_t id = 1; id <= NODES; id++) {
		struct mlb_node *n = &r->nodes[r->goal.n_nodes];

		if (id != self && !any(3))
			continue;
		*n = (struct mlb_node){
			.fields = MLB_F_NODE_ID | MLB_F_NODE_ADDR |
				  MLB_F_NODE_WEIGHT | MLB_F_NODE_STATE |
				  MLB_F_NODE_ENCAP |
				  (id == self ? MLB_F_NODE_SELF : 0),
			.id = id,
			.weight = any(2),
			.state = id == self ? 0 : any(4),
			.encap = id == self || any(3) ? MLB_ENCAP_MLB :
							MLB_ENCAP_IPIP,
		};
		n->addr.family = family;
		n->addr.v4.s_addr = htonl(1 + (id + shift) % NODES);
		r->goal.n_nodes++;
	}
	for (uint16_t port = 1; port <= SERVICES; port++)
		if (any(3))
			add_service(r, port);
	add_pools(r);
	r->goal.nodes = r->nodes;
	r->goal.services = r->services;
}

static void assert_is_goal(const struct random_goal *r)
{
	size_t nodes = 0, services = 0;

	for (int i = 1; i <= NODES; i++)
		nodes += model.nodes[i].id != 0;
	for (int i = 1; i <= SERVICES; i++)
		services += model.services[i].vip.port != 0;
	assert_int_equal(nodes, r->goal.n_nodes);
	assert_int_equal(services, r->goal.n_services);
	assert_int_equal(model.config.port, r->goal.settings.port);
	assert_int_equal(model.config.max_flows, r->goal.settings.max_flows);
	for (size_t i = 0; i < r->goal.n_nodes; i++) {
		const struct mlb_node *want = &r->nodes[i];
		const struct mlb_node *held = &model.nodes[want->id];

		assert_int_equal(held->weight, want->weight);
		assert_int_equal(held->state, want->state);
		assert_int_equal(held->encap, want->encap);
		assert_int_equal(held->addr.v4.s_addr, want->addr.v4.s_addr);
		assert_int_equal(held->fields & MLB_F_NODE_SELF,
				 want->fields & MLB_F_NODE_SELF);
	}
	for (size_t i = 0; i < r->goal.n_services; i++) {
		const struct mlb_service *want = &r->services[i];
		const struct mlb_service *held =
			&model.services[want->vip.port];

		assert_int_equal(held->scheduler, want->scheduler);
		assert_int_equal(held->n_nodes, want->n_nodes);
		assert_memory_equal(held->nodes, want->nodes,
				    want->n_nodes * sizeof(uint16_t));
	}
}

static void assert_pools(const struct random_goal *r)
{
	size_t n = 0;

	for (int i = 1; i <= SERVICES; i++)
		for (int g = 0; g < 3; g++)
			n += model.pooled[i][g];
	assert_int_equal(n, r->all.n_pools);
	for (size_t i = 0; i < r->all.n_pools; i++) {
		const struct mlb_group_pool *p = &r->group_pools[i];

		assert_true(model.pooled[p->vip.port][p->group]);
		assert_int_equal(model.waits[p->vip.port][p->group], p->wait);
		assert_int_equal(model.n_members[p->vip.port][p->group],
				 p->n_nodes);
		for (size_t j = 0; j < p->n_nodes; j++)
			assert_int_equal(model.members[p->vip.port][p->group]
						      [p->n_nodes - 1 - j],
					 p->nodes[j]);
	}
}

static uint64_t turn_ns; /* what a turn may take; 0: one step */
static unsigned int most_requests; /* in one */

/* As kernel_apply() does it, in turns, and each with a goal made anew. */
static int reconcile(struct mlb *mlb, const struct kernel_goal *goal,
		     bool repair, struct reconciled *result)
{
	struct kernel_goal copy = *goal;
	struct reconcile *r;
	unsigned int before;
	bool done;

	if (reconcile_open(&r, mlb, goal, repair, result))
		return result->error;
	do {
		before = model.requests;
		copy = *goal;
		done = reconcile_run(r, &copy, uv_hrtime() + turn_ns);
		if (model.requests - before > most_requests)
			most_requests = model.requests - before;
		memset(&copy, 0, sizeof(copy));
	} while (!done);
	*result = *reconcile_result(r);
	reconcile_close(r);
	return result->error;
}

static void test_any_to_any(void **state)
{
	static struct random_goal r;
	struct reconciled result;

	(void)state;
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		make_goal(&r);
		turn_ns = any(2) ? 0 : UINT32_MAX;
		model.slow_pools = any(3);
		assert_int_equal(reconcile(NULL, &r.goal, any(2), &result), 0);
		assert_is_goal(&r);
		assert_pools(&r);
		assert_true(result.pooled);
		model.writes = 0;
		assert_int_equal(reconcile(NULL, &r.goal, false, &result), 0);
		assert_int_equal(model.writes, 0);
		assert_int_equal(result.changes, 0);
	}
}

/* One thing differs: one thing is written, and nothing is deleted for it. */
static void test_only_the_difference(void **state)
{
	static struct random_goal r;
	struct reconciled result;

	(void)state;
	srandom(2);
	for (int i = 0; i < 5000; i++) {
		struct mlb_node *node;

		make_goal(&r);
		reconcile(NULL, &r.goal, false, &result);
		node = &r.nodes[any((unsigned int)r.goal.n_nodes)];
		switch (any(4)) {
		case 0:
			node->weight++;
			break;
		case 1:
			node->state = node->state == MLB_NODE_STATE_DRAIN ?
					      MLB_NODE_STATE_ACTIVE :
					      MLB_NODE_STATE_DRAIN;
			break;
		case 2:
			r.goal.settings.port++;
			break;
		case 3:
			if (!r.goal.n_services)
				continue;
			r.services[0].scheduler ^= 1;
			break;
		}
		model.writes = 0;
		model.flushed = 0;
		assert_int_equal(reconcile(NULL, &r.goal, false, &result), 0);
		assert_int_equal(result.changes, 1);
		assert_int_equal(model.writes, 1);
		assert_int_equal(model.flushed, 0);
		assert_is_goal(&r);
	}
}

/* A refusal is told, and keeps nothing else from being done. */
static void test_refusal(void **state)
{
	static struct random_goal r;
	struct reconciled result;

	(void)state;
	do {
		make_goal(&r);
	} while (r.goal.settings.port == model.config.port);
	model.refuse_config = true;
	assert_int_equal(reconcile(NULL, &r.goal, false, &result),
			 -EADDRINUSE);
	assert_string_equal(result.refused,
			    "settings changed: the port is in use");
	model.refuse_config = false;
	assert_int_equal(reconcile(NULL, &r.goal, false, &result), 0);
	assert_int_equal(result.changes, 1);
	assert_string_equal(result.refused, "");
	assert_is_goal(&r);
}

/*
 * What can be given up takes nothing away before all that may be refused is in:
 * connections would end with it, and it comes back too late.
 */
static void test_given_up(void **state)
{
	static struct random_goal old, r;
	struct reconciled result;
	unsigned int given_up = 0;

	(void)state;
	srandom(3);
	for (int i = 0; i < 5000; i++) {
		make_goal(&old);
		assert_int_equal(reconcile(NULL, &old.goal, false, &result), 0);
		make_goal(&r);
		r.goal.whole = true;
		model.refuse_config = true;
		model.flushed = 0;
		if (reconcile(NULL, &r.goal, false, &result)) {
			assert_int_equal(model.flushed, 0);
			given_up++;
			model.refuse_config = false;
			assert_int_equal(reconcile(NULL, &old.goal, false,
						   &result), 0);
			assert_is_goal(&old);
		}
		model.refuse_config = false;
	}
	assert_true(given_up > 1000);
}

/* This node takes the tunnel with it, so it moves only to where it can be. */
static void test_moves_only_home(void **state)
{
	static struct random_goal r;
	struct reconciled result;
	struct mlb_node *self = r.nodes;

	(void)state;
	make_goal(&r);
	assert_int_equal(reconcile(NULL, &r.goal, false, &result), 0);
	while (!(self->fields & MLB_F_NODE_SELF))
		self++;
	self->addr.v4.s_addr = htonl(99);
	has_addr = false;
	model.flushed = 0;
	assert_int_equal(reconcile(NULL, &r.goal, false, &result),
			 -EADDRNOTAVAIL);
	assert_int_equal(model.flushed, 0);
	assert_non_null(strstr(result.refused,
			       "this host does not have the address"));
	has_addr = true;
	assert_int_equal(reconcile(NULL, &r.goal, false, &result), 0);
	assert_is_goal(&r);
}

/*
 * Who tells that its kernel has been brought to a document tells that it takes
 * nothing from whom that fences; whatever else was refused is of no concern.
 */
static void test_fence(void **state)
{
	static struct random_goal r;
	struct reconciled result;

	(void)state;
	make_goal(&r);
	r.nodes[0].state = MLB_NODE_STATE_ACTIVE;
	assert_int_equal(reconcile(NULL, &r.goal, false, &result), 0);
	r.nodes[0].state = MLB_NODE_STATE_DEAD;
	model.refuse_dead = true;
	assert_int_equal(reconcile(NULL, &r.goal, false, &result), -ENOMEM);
	assert_false(result.pooled);
	model.refuse_dead = false;
	model.refuse_config = true;
	r.goal.settings.port++;
	assert_int_equal(reconcile(NULL, &r.goal, false, &result),
			 -EADDRINUSE);
	assert_true(result.pooled);
	model.refuse_config = false;
}

/* Whatever there is to do, the loop has its turn after each request. */
static void test_turns(void **state)
{
	static struct random_goal r;
	struct reconciled result;
	unsigned int changes = 0;

	(void)state;
	srandom(4);
	turn_ns = 0;
	most_requests = 0;
	for (int i = 0; i < 2000; i++) {
		make_goal(&r);
		model.slow_pools = any(3);
		assert_int_equal(reconcile(NULL, &r.goal, false, &result), 0);
		assert_is_goal(&r);
		assert_pools(&r);
		changes += result.changes;
	}
	assert_true(changes > 10000);
	assert_int_equal(most_requests, 1);
	turn_ns = UINT32_MAX;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_to_any),
		cmocka_unit_test(test_only_the_difference),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_moves_only_home),
		cmocka_unit_test(test_fence),
		cmocka_unit_test(test_turns),
	};

	return cmocka_run_group_tests_name("mlbd_reconcile", tests, NULL,
					   NULL);
}
