// SPDX-License-Identifier: GPL-2.0
/* Any state of the kernel becomes any goal, by the difference alone. */
#include "reconcile_model.h"

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

/* One that comes back elsewhere is deleted first, or is not dead. */
static void test_fence_moved(void **state)
{
	static struct random_goal r;
	struct reconciled result;
	struct mlb_node *node;

	(void)state;
	do {
		make_goal(&r);
		node = &r.nodes[r.goal.n_nodes - 1];
	} while (node->fields & MLB_F_NODE_SELF);
	node->state = MLB_NODE_STATE_ACTIVE;
	assert_int_equal(reconcile(NULL, &r.goal, false, &result), 0);
	assert_true(result.pooled);
	node->encap = node->encap == MLB_ENCAP_MLB ? MLB_ENCAP_IPIP :
						     MLB_ENCAP_MLB;
	node->state = MLB_NODE_STATE_DEAD;
	model.refuse_del = true;
	assert_int_equal(reconcile(NULL, &r.goal, false, &result), -ENOMEM);
	assert_false(result.pooled);
	model.refuse_del = false;
	assert_int_equal(reconcile(NULL, &r.goal, false, &result), 0);
	assert_true(result.pooled);
}

/* Pools that somebody disturbs all the time; who reloads waits for the end. */
static void test_never_computed(void **state)
{
	static struct random_goal r;
	struct reconciled result;
	unsigned int given_up = 0;

	(void)state;
	turn_ns = UINT32_MAX;
	for (int i = 0; i < 20; i++) {
		make_goal(&r);
		model.slow_pools = UINT32_MAX;
		if (!reconcile(NULL, &r.goal, false, &result))
			continue;
		assert_int_equal(result.error, -EBUSY);
		assert_false(result.pooled);
		given_up++;
	}
	assert_true(given_up);
	model.slow_pools = 0;
}

/* The Nth calloc() from now on returns nothing; 0: none. */
static unsigned int calloc_fails;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	return calloc_fails && !--calloc_fails ? NULL : __real_calloc(n, size);
}

/* Memory that is short is an error, and nothing worse. */
static void test_no_memory(void **state)
{
	static struct random_goal r;
	struct reconciled result;
	unsigned int failed = 0;

	(void)state;
	turn_ns = UINT32_MAX;
	make_goal(&r);
	for (unsigned int nth = 1;; nth++) {
		memset(&model, 0, sizeof(model));
		calloc_fails = nth;
		if (!reconcile(NULL, &r.goal, false, &result) && calloc_fails)
			break;
		assert_int_equal(calloc_fails, 0);
		failed += result.error == -ENOMEM;
	}
	calloc_fails = 0;
	assert_true(failed >= 6);
	assert_is_goal(&r);
	assert_pools(&r);
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
		cmocka_unit_test(test_fence_moved),
		cmocka_unit_test(test_never_computed),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("mlbd_reconcile", tests, NULL,
					   NULL);
}
