// SPDX-License-Identifier: GPL-2.0
/* Which nodes a role can name, and that those are not forgotten. */
#include "roles.h"
#include "tests.h"

static json_t *agreed(void)
{
	return cluster_document(sim.nodes[1].cluster);
}

/*
 * A node does all the roles that it is a home of, so there may be more of them
 * than nodes. Not more nodes in a role than there are: its place would be empty
 * for ever, whoever else is well.
 */
void test_more_than_nodes(void **state)
{
	static const char *const wrong[] = {
		"{'op': 'role-add', 'role': 'new', 'nodes': [1, 2, 3, 4]}",
		"{'op': 'role-add', 'role': 'new', 'nodes': [4], 'exclusive': true, 'without-spare': 'refuse'}",
		"{'op': 'role-set', 'role': 'r2', 'nodes': [2, 4]}",
		"{'op': 'role-set', 'role': 'r2', 'spares': [4, 1]}",
		"{'op': 'role-move', 'role': 'r2', 'nodes': [4]}",
		"{'op': 'load', 'document': {'roles': [{'role': 'a', 'nodes': [1, 4]}]}}",
		"{'op': 'load', 'document': {'roles': [{'role': 'a', 'nodes': [1], 'spares': [4]}]}}",
		"{'op': 'load', 'document': {'roles': [{'role': 'a', 'nodes': [1], 'moved': [4]}]}}",
	};
	struct sim_node *node;
	json_t *before, *after;

	(void)state;
	begin_quiet(3);
	node = &sim.nodes[1];
	service();
	for (unsigned int n = 1; n <= 8; n++)
		role(n, n == 8 ? "'nodes': [3], 'spares': [2]" :
		     n % 2     ? "'nodes': [1], 'without-spare': 'refuse'" :
				 "'nodes': [2, 1]",
		     n > 4);
	for (unsigned int n = 1; n <= 8; n++)
		until(n, n == 8	? "3" : n % 2 ? "1" : n > 4 ? "2" : "12", 1000);
	power(&sim.nodes[3], false);
	until(8, "2", 3000);
	run_for(1000);
	before = agreed();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		refused(node, wrong[i], "node 4 has never been in the cluster: start it first");
	refused(node, "{'op': 'node-forget', 'node': 3}",
		"role r8 names node 3, which is gone: give the role other nodes first");
	after = agreed();
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
	/* Whose mlbd is younger than the loss of a node, for good. */
	sim.listed = bits("12");
	restart(node, true);
	run_for(5000);
	change(node, "{'op': 'role-set', 'role': 'r8', 'nodes': [3, 1]}");
	until(8, "1", 1000);
	change(node, "{'op': 'role-set', 'role': 'r8', 'nodes': [1]}");
	refused(node, "{'op': 'role-set', 'role': 'r8', 'nodes': [3]}",
		"node 3 has never been in the cluster");
	change(&sim.nodes[2], "{'op': 'node-forget', 'node': 3}");
	/* What is set for one that is here can go. */
	change(node, "{'op': 'node-set', 'node': 2, 'weight': 2}");
	change(node, "{'op': 'node-forget', 'node': 2}");
	sim_end();
}

/*
 * What was saved is loaded in a cluster that has not seen all its nodes yet;
 * corosync knows which they are.
 */
void test_not_there_yet(void **state)
{
	struct sim_node *node;

	(void)state;
	sim_begin(3, 1);
	back(1);
	back(2);
	run_for(5000);
	node = &sim.nodes[1];
	refused(node,
		"{'op': 'load', 'document': {'roles': [{'role': 'r1', 'nodes': [4]}]}}",
		"node 4 has never been in the cluster: start it first");
	change(node,
	       "{'op': 'load', 'document': {'services': [{'vip': '203.0.113.80:80'}], 'groups': [{'group': 'g1', 'prefixes': ['10.1.0.0/16']}], 'roles': [{'role': 'r1', 'groups': ['g1'], 'nodes': [3], 'spares': [2]}]}}");
	until(1, "2", 8000);
	refused(node, "{'op': 'node-forget', 'node': 3}",
		"role r1 names node 3, which is gone: give the role other nodes first");
	back(3);
	until(1, "3", 12000);
	sim_end();
}

static void expect_kernels(unsigned int id, bool present)
{
	for (unsigned int i = 1; i <= 3; i++)
		assert_int_equal(sim.nodes[i].kernel.present[id], present);
}

/*
 * Node 4 is forgotten in the moment in which it gets a role; both are agreed
 * on, for who asked for the one did not know of the other.
 */
void test_forgotten_and_named(void **state)
{
	static const char forget[] = "{'op': 'node-forget', 'node': 4}";

	(void)state;
	for (unsigned int late = 1; late <= 2; late++) {
		begin_quiet(4);
		service();
		role(2, "'nodes': [3]", false);
		power(&sim.nodes[4], false);
		run_for(3000);
		expect_kernels(4, true);
		sim.nodes[1].made = 0;
		propose(&sim.nodes[1],
			"{'op': 'role-set', 'role': 'r2', 'nodes': [4]}");
		propose(&sim.nodes[2], forget);
		sim.nodes[late].send_due = sim.now + 50;
		run_for(3000);
		assert_int_equal(sim.nodes[1].made, 1);
		assert_int_equal(sim.nodes[2].made, 1);
		/* Who has a role is not forgotten; who was, gets one. */
		expect_kernels(4, late == 2);
		for (unsigned int i = 1; i <= 3; i++)
			refused(&sim.nodes[i], forget,
				"role r2 names node 4, which is gone: give the role other nodes first");
		change(&sim.nodes[1],
		       "{'op': 'role-set', 'role': 'r2', 'nodes': [3, 4]}");
		back(4);
		until(2, "34", 12000);
		power(&sim.nodes[4], false);
		run_for(3000);
		change(&sim.nodes[1],
		       "{'op': 'role-set', 'role': 'r2', 'nodes': [3]}");
		change(&sim.nodes[2], forget);
		run_for(1000);
		expect_kernels(4, false);
		sim_end();
	}
}
