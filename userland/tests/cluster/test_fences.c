// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes of which nobody can tell what they do: what they hold goes to others
 * all the same, once their peers' kernels take nothing from them any more.
 */
#include "roles.h"
#include "tests.h"

static enum mlb_node_state state_of(unsigned int id)
{
	return sim.nodes[1].kernel.nodes[id].state;
}

/* Its mlbd has died and its kernel goes on; and it comes back. */
void test_mlbd_gone(void **state)
{
	uint64_t ms;

	(void)state;
	begin_quiet(5);
	service();
	role(1, "'nodes': [3]", true);
	until(1, "3", 1000);
	mlbd_kill(&sim.nodes[3]);
	stays(1, "3", 4000);
	assert_int_equal(state_of(3), MLB_NODE_STATE_ACTIVE);
	ms = until(1, "1", 9000);
	print_message(
		"# an mlbd has died: an exclusive role goes to another after %llu ms\n",
		(unsigned long long)ms + 4000);
	assert_int_equal(state_of(3), MLB_NODE_STATE_DEAD);
	assert_true(sim_kernel_serves(&sim.nodes[3], 1));
	/* That it is fenced for ever does not keep the role where it is. */
	change(&sim.nodes[2],
	       "{'op': 'role-move', 'role': 'r1', 'nodes': [5]}");
	until(1, "5", 1000);
	change(&sim.nodes[2], "{'op': 'role-move', 'role': 'r1', 'nodes': []}");
	stays(1, "5", 10000);
	assert_int_equal(state_of(3), MLB_NODE_STATE_DEAD);
	mlbd_start(&sim.nodes[3]);
	until(1, "3", 12000);
	assert_int_equal(state_of(3), MLB_NODE_STATE_ACTIVE);
	sim_end();
}

/* A spare without an mlbd is none, from the moment when that is known. */
void test_spare_gone(void **state)
{
	(void)state;
	begin_quiet(5);
	service();
	role(1, "'nodes': [2], 'spares': [4, 3]", false);
	until(1, "2", 1000);
	mlbd_kill(&sim.nodes[4]);
	run_for(1000);
	refused(&sim.nodes[1],
		"{'op': 'role-move', 'role': 'r1', 'nodes': [4]}",
		"node 4 is without its mlbd");
	power(&sim.nodes[2], false);
	for (unsigned int i = 0; i < 3000 && !serve(1, "3"); i++) {
		assert_int_not_equal(pool(&sim.nodes[1], 1), bits("4"));
		run_for(1);
	}
	assert_true(serve(1, "3"));
	sim_end();
}

/* An mlbd that comes and goes and never tells how its node is. */
void test_crashes(void **state)
{
	struct sim_node *node;

	(void)state;
	begin_quiet(4);
	node = &sim.nodes[3];
	service();
	role(1, "'nodes': [3]", false);
	until(1, "3", 1000);
	node->swallow = WIRE_REPORT;
	node->n_swallow = UINT32_MAX;
	for (unsigned int i = 0; i < 8; i++) {
		mlbd_kill(node);
		run_for(500);
		mlbd_start(node);
		run_for(500);
	}
	until(1, "1", 1);
	node->n_swallow = 0;
	until(1, "3", 15000);
	sim_end();
}

/* A holder that hangs, and its role is deleted and made again. */
void test_made_anew(void **state)
{
	(void)state;
	begin_quiet(4);
	service();
	role(1, "'nodes': [3]", true);
	until(1, "3", 1000);
	sim.nodes[3].stopped = sim.now + 20000;
	propose(&sim.nodes[1], "{'op': 'role-del', 'role': 'r1'}");
	run_for(1000);
	propose(&sim.nodes[2],
		"{'op': 'role-add', 'role': 'r1', 'groups': ['g1'], 'exclusive': true, 'nodes': [2]}");
	run_for(1000);
	until(1, "2", 9000);
	assert_true(sim_kernel_serves(&sim.nodes[3], 1));
	assert_int_equal(state_of(3), MLB_NODE_STATE_DEAD);
	run_for(sim.nodes[3].stopped - sim.now + 1000);
	assert_int_equal(state_of(3), MLB_NODE_STATE_ACTIVE);
	stays(1, "2", 1000);
	sim_end();
}
