// SPDX-License-Identifier: GPL-2.0
/* From file, document and members to what the kernel should hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>
#include <arpa/inet.h>

#include "goal.h"
#include "settings.h"

static struct mlb_addr addr(const char *text)
{
	struct mlb_addr a = { .family = AF_INET };

	assert_int_equal(inet_pton(AF_INET, text, &a.v4), 1);
	return a;
}

static const struct config *config(void)
{
	static struct config c;

	c.self = (struct mlb_node){
		.fields = MLB_F_NODE_ID | MLB_F_NODE_ADDR | MLB_F_NODE_WEIGHT |
			  MLB_F_NODE_STATE | MLB_F_NODE_SELF |
			  MLB_F_NODE_ENCAP,
		.id = 2,
		.addr = addr("10.0.0.2"),
		.weight = 1,
	};
	c.settings.fields = MLB_F_CONFIG_PORT;
	c.settings.port = 6084;
	c.key_len = 16;
	return &c;
}

static void test_file_alone(void **state)
{
	uint16_t pool[] = { 1, 2 };
	struct mlb_node peer = { .fields = MLB_F_NODE_ID | MLB_F_NODE_ADDR,
				 .id = 1 };
	struct mlb_service service = { .vip.port = 80,
				       .nodes = pool,
				       .n_nodes = 2 };
	struct config c = *config();
	struct goal goal;

	(void)state;
	peer.addr = addr("10.0.0.1");
	c.nodes = &peer;
	c.n_nodes = 1;
	c.services = &service;
	c.n_services = 1;
	c.self.weight = 9;
	assert_int_equal(goal_make(&goal, &c, NULL, NULL, 0), 0);
	assert_int_equal(goal.kernel.n_nodes, 2);
	assert_int_equal(goal.kernel.nodes[0].id, 1);
	assert_int_equal(goal.kernel.nodes[1].id, 2);
	assert_int_equal(goal.kernel.nodes[1].weight, 9);
	assert_true(goal.kernel.nodes[1].fields & MLB_F_NODE_SELF);
	assert_int_equal(goal.kernel.n_services, 1);
	assert_int_equal(goal.kernel.services[0].n_nodes, 2);
	assert_ptr_equal(goal.kernel.key, c.key);
	assert_int_equal(goal.kernel.key_len, 16);
	assert_int_equal(goal.left_out, 0);
	goal_free(&goal);
}

static void test_document(void **state)
{
	struct document_node set[] = { { 2, 7, MLB_NODE_STATE_DRAIN },
				       { 3, 5, MLB_NODE_STATE_MAINTENANCE },
				       { 9, 5, MLB_NODE_STATE_ACTIVE } };
	uint16_t some[] = { 3, 4, 9 }, nobody[] = { 9, 10 };
	struct mlb_service services[] = {
		{ .vip.port = 80, .nodes = some, .n_nodes = 3 },
		{ .vip.port = 81, .nodes = nobody, .n_nodes = 2 },
		{ .vip.port = 82 },
	};
	struct document document = {
		.services = services,
		.n_services = 3,
		.nodes = set,
		.n_nodes = 3,
		.settings = { .fields = MLB_F_CONFIG_RESOLVE_TIMEOUT |
					MLB_F_CONFIG_ALIVE_INTERVAL,
			      .resolve_timeout = 33 },
	};
	struct goal_node peers[] = { { 4, addr("10.0.0.4"), false },
				     { 3, addr("10.0.0.3"), true },
				     { 1, addr("10.0.0.1"), true } };
	const struct kernel_goal *k;
	struct goal goal;

	(void)state;
	assert_int_equal(goal_make(&goal, config(), &document, peers, 3), 0);
	k = &goal.kernel;
	assert_int_equal(k->settings.fields,
			 MLB_F_CONFIG_PORT | SETTINGS_OF_CLUSTER);
	assert_int_equal(k->settings.resolve_timeout, 33);
	assert_int_equal(k->settings.alive_interval, 0);
	/* What nobody set is put back where somebody did by hand. */
	assert_int_equal(k->settings.resolve_rate, MLB_DEFAULT_RESOLVE_RATE);
	assert_int_equal(k->settings.alive_multiplier,
			 MLB_DEFAULT_ALIVE_MULTIPLIER);
	assert_int_equal(k->settings.port, 6084);

	assert_int_equal(k->n_nodes, 4);
	for (uint16_t i = 0; i < 4; i++)
		assert_int_equal(k->nodes[i].id, i + 1);
	assert_int_equal(k->nodes[0].state, MLB_NODE_STATE_ACTIVE);
	assert_int_equal(k->nodes[0].weight, 1);
	assert_int_equal(k->nodes[1].state, MLB_NODE_STATE_DRAIN);
	assert_int_equal(k->nodes[1].weight, 7);
	assert_int_equal(k->nodes[2].state, MLB_NODE_STATE_MAINTENANCE);
	assert_int_equal(k->nodes[2].weight, 5);
	assert_int_equal(k->nodes[3].state, MLB_NODE_STATE_DEAD);

	/* The pool of nobody known is not "every node". */
	assert_int_equal(goal.left_out, 1);
	assert_int_equal(k->n_services, 2);
	assert_int_equal(k->services[0].vip.port, 80);
	assert_int_equal(k->services[0].n_nodes, 2);
	assert_int_equal(k->services[0].nodes[0], 3);
	assert_int_equal(k->services[0].nodes[1], 4);
	assert_int_equal(k->services[1].vip.port, 82);
	assert_int_equal(k->services[1].n_nodes, 0);
	goal_free(&goal);
}

/* Groups by number, and who holds a role; a node goes on while it holds one. */
static void test_roles(void **state)
{
	struct mlb_service services[] = {
		{ .vip = { { .family = AF_INET }, 80 } },
		{ .vip = { { .family = AF_INET }, 81 } },
	};
	struct mlb_prefix prefix = { .addr.family = AF_INET, .len = 8 };
	struct document_group groups[] = { { "a", &prefix, 1 },
					   { "b", &prefix, 1 } };
	char names[][DOCUMENT_NAME] = { "b" };
	struct document_role roles[] = {
		{ .name = "some",
		  .services = &services[1].vip,
		  .n_services = 1,
		  .groups = { names, 1 },
		  .assigned.nodes = { { 2, 3, 9 }, 3 } },
		{ .name = "rest",
		  .exclusive = true,
		  .assigned.leaving = { { 3 }, 1 },
		  .assigned.fenced = { { 3 }, 1 } },
	};
	struct document_node set[] = { { .id = 2,
					 .weight = 1,
					 .state = MLB_NODE_STATE_DRAIN } };
	struct document document = { .services = services,
				     .n_services = 2,
				     .nodes = set,
				     .n_nodes = 1,
				     .groups = groups,
				     .n_groups = 2,
				     .roles = roles,
				     .n_roles = 2 };
	struct goal_node peers[] = { { 3, addr("10.0.0.3"), true } };
	const struct mlb_pools *pools;
	struct goal goal;

	(void)state;
	assert_int_equal(goal_make(&goal, config(), &document, peers, 1), 0);
	pools = goal.kernel.pools;
	assert_int_equal(pools->n_groups, 2);
	assert_int_equal(pools->groups[1].id, 2);
	assert_int_equal(pools->n_pools, 3);
	assert_int_equal(pools->pools[0].vip.port, 81);
	assert_int_equal(pools->pools[0].group, 2);
	assert_int_equal(pools->pools[0].n_nodes, 2); /* 9 is not known */
	assert_int_equal(pools->pools[1].group, 0);
	assert_int_equal(pools->pools[1].n_nodes, 0);
	assert_int_equal(pools->pools[2].vip.port, 81);
	/* As long as it is not decided that nobody does it. */
	assert_true(pools->pools[0].wait);
	assert_true(pools->pools[1].wait);
	assert_int_equal(goal.kernel.nodes[0].state, MLB_NODE_STATE_ACTIVE);
	assert_int_equal(goal.kernel.nodes[1].state, MLB_NODE_STATE_DEAD);
	goal_free(&goal);

	roles[0].assigned.nodes.n = 0;
	roles[0].assigned.epoch = 7;
	roles[1].assigned.fenced.n = 0;
	assert_int_equal(goal_make(&goal, config(), &document, peers, 1), 0);
	assert_int_equal(goal.kernel.pools->pools[0].n_nodes, 0);
	assert_false(goal.kernel.pools->pools[0].wait);
	assert_true(goal.kernel.pools->pools[1].wait);
	assert_int_equal(goal.kernel.nodes[0].state, MLB_NODE_STATE_DRAIN);
	assert_int_equal(goal.kernel.nodes[1].state, MLB_NODE_STATE_ACTIVE);
	goal_free(&goal);
	assert_int_equal(goal_make(&goal, config(), NULL, NULL, 0), 0);
	assert_null(goal.kernel.pools);
	goal_free(&goal);
}

/* Worked out on mlbd's loop before a role can move. */
static void test_large(void **state)
{
	static struct mlb_service services[1024];
	static struct mlb_endpoint vips[1024];
	static struct document_role roles[256];
	struct document document = { .services = services,
				     .n_services = 1024,
				     .roles = roles,
				     .n_roles = 256 };
	struct goal goal;
	clock_t began;

	(void)state;
	for (int i = 0; i < 1024; i++) {
		vips[i].addr = addr("203.0.113.80");
		vips[i].port = (uint16_t)(i + 1);
		services[i].vip = vips[i];
	}
	for (int i = 0; i < 256; i++) {
		roles[i].services = &vips[4 * i];
		roles[i].n_services = 4;
		roles[i].assigned.nodes = (struct document_ids){ { 2 }, 1 };
	}
	began = clock();
	assert_int_equal(goal_make(&goal, config(), &document, NULL, 0), 0);
	began = clock() - began;
	print_message("# 256 roles of 1024 services: %ld us\n",
		      (long)(began * 1000000 / CLOCKS_PER_SEC));
	assert_int_equal(goal.kernel.pools->n_pools, 1024);
	assert_true(began < CLOCKS_PER_SEC / 4);
	goal_free(&goal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_alone),
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests_name("mlbd_goal", tests, NULL, NULL);
}
