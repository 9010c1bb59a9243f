// SPDX-License-Identifier: GPL-2.0
/*
 * Roles in whole clusters: who serves whom after this and that went wrong, in
 * every node's kernel. That no two nodes which work together serve the clients
 * of an exclusive role is looked at with each change of a kernel (sim_kernel.c).
 */
#include <errno.h>

#include "roles.h"
#include "tests.h"

void test_takeover(void **state)
{
	uint64_t ms;

	(void)state;
	begin_quiet(4);
	service();
	role(1, "'nodes': [2, 3]", false);
	role(2, "'nodes': [2]", true);
	until(1, "23", 1000);
	until(2, "2", 1000);
	power(&sim.nodes[2], false);
	ms = until(1, "34", 2000);
	print_message("# a role is taken over %llu ms after the ring has changed\n",
		      (unsigned long long)ms);
	/* Who has no holder at all gets the first spare. */
	ms = until(2, "1", 3000);
	print_message("# an exclusive one %llu ms later\n",
		      (unsigned long long)ms);
	back(2);
	until(1, "23", 12000);
	until(2, "2", 12000);
	sim_end();
}

void test_two_at_once(void **state)
{
	(void)state;
	begin_quiet(5);
	service();
	role(1, "'nodes': [4]", false);
	role(2, "'nodes': [5]", true);
	until(1, "4", 1000);
	until(2, "5", 1000);
	sim.nodes[4].powered = true;
	mlbd_kill(&sim.nodes[4]);
	mlbd_kill(&sim.nodes[5]);
	sim.nodes[4].member = false;
	sim.nodes[5].member = false;
	sim_engine_form();
	until(1, "1", 2000);
	until(2, "2", 2000);
	sim_end();
}

/* A ring that takes long to form keeps all from telling how they are. Who told
 * first in the new one is no better than who is preferred.
 */
void test_long_ring(void **state)
{
	(void)state;
	for (unsigned int stands = 4900; stands < 6000; stands += 10) {
		begin_quiet(5);
		service();
		role(1, "'nodes': [5], 'spares': [4, 3]", true);
		until(1, "5", 1000);
		for (unsigned int i = 1; i <= 5; i++)
			sim.nodes[i].send_due = sim.now + 10000;
		run_for(stands);
		power(&sim.nodes[5], false);
		until(1, "4", 3000);
		stays(1, "4", 1500);
		sim_end();
	}
}

/* A ring that fails for longer than a node may say nothing: then nobody says
 * anything, but only the one that is lost is to lose what it does. Its home, which
 * has been well all the while, comes before another spare. What was said meanwhile
 * may come before or after who is there.
 */
void test_long_failure(void **state)
{
	(void)state;
	for (unsigned int stands = 4000; stands < 9000; stands += 50) {
		uint64_t end;

		begin_quiet(5);
		sim.early = stands / 50 % 2;
		service();
		role(1, "'nodes': [4], 'spares': [5, 3], 'failback': 'no'",
		     false);
		until(1, "4", 1000);
		down(4, true);
		until(1, "5", 1000);
		down(4, false);
		run_for(6000);
		for (unsigned int i = 1; i <= 5; i++)
			sim.nodes[i].send_due = sim.now + 10000;
		run_for(stands);
		power(&sim.nodes[5], false);
		for (end = sim.now + 3000; !serve(1, "4"); run_for(1)) {
			assert_true(sim.now < end);
			for (unsigned int i = 1; i <= 4; i++)
				if (pool(&sim.nodes[i], 1) != bits("4") &&
				    pool(&sim.nodes[i], 1) != bits("5"))
					fail_msg("after %u ms of silence node %u has %llx serve",
						 stands, i,
						 (unsigned long long)
							 pool(&sim.nodes[i], 1));
		}
		stays(1, "4", 1500);
		sim_end();
	}
}

/* In every moment of a takeover somebody else dies, too. */
static void dies_during(bool manager)
{
	for (unsigned int delay = 0; delay < 120; delay += 3) {
		begin_quiet(5);
		service();
		role(1, "'nodes': [4]", true);
		role(2, "'nodes': [4], 'spares': [3, 2, 5]", false);
		until(1, "4", 1000);
		until(2, "4", 1000);
		power(&sim.nodes[4], false);
		run_for(delay);
		/* 1 decides; 3 is the spare of the second. */
		power(&sim.nodes[manager ? 1 : 3], false);
		until(2, manager ? "3" : "2", 9000);
		until(1, manager ? "2" : "1", 9000);
		stays(1, manager ? "2" : "1", 500);
		sim_end();
	}
}

void test_manager_dies(void **state)
{
	(void)state;
	dies_during(true);
}

void test_spare_dies(void **state)
{
	(void)state;
	dies_during(false);
}

/* The others go on; who is cut off keeps what it has, and gives way when back. */
void test_minority(void **state)
{
	unsigned int applied;

	(void)state;
	begin_quiet(5);
	service();
	role(1, "'nodes': [5]", true);
	role(2, "'nodes': [4, 5], 'failback': 'no'", false);
	until(1, "5", 1000);
	until(2, "45", 1000);
	parts("45");
	until(1, "1", 3000);
	until(2, "23", 3000);
	run_for(1000);
	applied = sim.nodes[5].kernel.applied;
	run_for(20000);
	assert_int_equal(sim.nodes[5].kernel.applied, applied);
	assert_int_equal(pool(&sim.nodes[5], 1), bits("5"));
	refused(&sim.nodes[5],
		"{'op': 'role-move', 'role': 'r1', 'nodes': [5]}", "no quorum");
	parts("");
	until(1, "5", 15000);
	stays(2, "23", 20000);
	/* With nobody in a majority nothing moves at all. */
	for (unsigned int i = 1; i <= 5; i++)
		sim.nodes[i].part = i;
	sim_engine_form();
	run_for(1000);
	for (unsigned int i = 1; i <= 5; i++)
		assert_int_equal(pool(&sim.nodes[i], 1), bits("5"));
	sim_end();
}

void test_flapping(void **state)
{
	(void)state;
	begin_quiet(3);
	service();
	role(1, "'nodes': [2], 'spares': [3]", false);
	role(2, "'nodes': [2], 'spares': [1]", true);
	until(1, "2", 1000);
	until(2, "2", 1000);
	down(2, true);
	until(1, "3", 1000);
	until(2, "1", 500);
	for (int i = 0; i < 20; i++) {
		down(2, i % 2);
		run_for(1500);
		assert_true(serve(1, "3"));
		assert_true(serve(2, "1"));
	}
	down(2, false);
	stays(1, "3", 4900);
	until(1, "2", 500);
	until(2, "2", 500);
	sim_end();
}

/* Its mlbd hangs and its kernel goes on: it is fenced before another has it. */
void test_hangs(void **state)
{
	bool fenced = false;

	(void)state;
	begin_quiet(4);
	service();
	role(1, "'nodes': [3]", true);
	until(1, "3", 1000);
	sim.nodes[3].stopped = sim.now + 30000;
	while (!sim_kernel_serves(&sim.nodes[1], 1)) {
		run_for(1);
		fenced |= sim.nodes[2].kernel.nodes[3].state ==
			  MLB_NODE_STATE_DEAD;
		assert_true(sim.nodes[3].stopped > sim.now);
	}
	assert_true(fenced);
	assert_int_equal(sim.nodes[4].kernel.nodes[3].state,
			 MLB_NODE_STATE_DEAD);
	assert_true(sim_kernel_serves(&sim.nodes[3], 1));
	run_for(sim.nodes[3].stopped - sim.now + 1000);
	assert_int_equal(sim.nodes[4].kernel.nodes[3].state,
			 MLB_NODE_STATE_ACTIVE);
	until(1, "3", 8000);
	sim_end();
}

/* mlbds are started anew, one after the other and at once: nothing moves. */
void test_restart(void **state)
{
	(void)state;
	begin_quiet(4);
	service();
	role(1, "'nodes': [2], 'failback': 'no'", true);
	role(2, "'nodes': [3, 4], 'failback': 'no'", false);
	until(1, "2", 1000);
	until(2, "34", 1000);
	for (unsigned int i = 1; i <= 4; i++) {
		mlbd_kill(&sim.nodes[i]);
		run_for(1500);
		mlbd_start(&sim.nodes[i]);
		stays(1, "2", 3000);
		stays(2, "34", 10);
	}
	for (unsigned int i = 1; i <= 4; i++)
		mlbd_kill(&sim.nodes[i]);
	for (unsigned int i = 1; i <= 4; i++) {
		run_for(1000);
		mlbd_start(&sim.nodes[i]);
	}
	stays(1, "2", 20000);
	stays(2, "34", 10);
	/* A power cut, after which nodes come one by one. */
	for (unsigned int i = 1; i <= 4; i++)
		power(&sim.nodes[i], false);
	for (unsigned int i = 4; i; i--) {
		run_for(1000);
		back(i);
	}
	run_for(15000);
	assert_true(serve(1, "2"));
	assert_true(serve(2, "34"));
	sim_end();
}

void test_by_hand(void **state)
{
	struct sim_node *node;

	(void)state;
	begin_quiet(4);
	node = &sim.nodes[3];
	service();
	role(1, "'nodes': [2]", true);
	until(1, "2", 1000);
	change(node, "{'op': 'role-move', 'role': 'r1', 'nodes': [3]}");
	until(1, "3", 500);
	stays(1, "3", 20000);
	change(node, "{'op': 'role-move', 'role': 'r1', 'nodes': []}");
	until(1, "2", 500);
	change(node, "{'op': 'node-set', 'node': 2, 'state': 'drain'}");
	until(1, "1", 500);
	run_for(100);
	assert_int_equal(node->kernel.nodes[2].state, MLB_NODE_STATE_DRAIN);

	refused(node, "{'op': 'role-move', 'role': 'r1', 'nodes': [2]}",
		"node 2 is in drain");
	refused(node, "{'op': 'role-move', 'role': 'r1', 'nodes': [7]}",
		"node 7 has never been in the cluster");
	refused(node, "{'op': 'role-add', 'role': 'new', 'nodes': [1, 7]}",
		"node 7 has never been in the cluster");
	refused(node,
		"{'op': 'role-set', 'role': 'r1', 'spares': [7]}",
		"node 7 has never been in the cluster");
	power(&sim.nodes[4], false);
	run_for(1000);
	refused(node, "{'op': 'role-move', 'role': 'r1', 'nodes': [4]}",
		"node 4 is lost");
	refused(node,
		"{'op': 'assign', 'by': 1, 'base': 9, 'roles': [{'role': 'r1', 'nodes': [4], 'leaving': [], 'fenced': [], 'spread': false, 'reason': ''}]}",
		"finds out who holds a role");
	until(1, "1", 1);
	sim_end();
}

static json_int_t errors(const char *name)
{
	json_t *status = cluster_status(sim.nodes[1].cluster);
	json_int_t n = json_integer_value(
		json_object_get(json_object_get(status, "errors"), name));

	json_decref(status);
	return n;
}

/* What is not of a member, or no report, changes nothing. */
void test_reports(void **state)
{
	static const char bad[] =
		"{'ring': 1, 'applied': {'ring': 1, 'version': 1, 'hash': '0000000000000000'}, 'able': true, 'load': 0, 'connections': 0, 'uses': [1, 3], 'down': ['203.0.113.80:80']}";

	(void)state;
	begin_quiet(3);
	service();
	role(1, "'nodes': [2]", false);
	until(1, "2", 1000);
	power(&sim.nodes[3], false);
	run_for(1000);
	say(&sim.nodes[1], 3, WIRE_REPORT, bad);
	say(&sim.nodes[1], 9, WIRE_REPORT, bad);
	run_for(100);
	assert_int_equal(errors("stranger"), 2);
	say(&sim.nodes[1], 2, WIRE_REPORT, "{}");
	say(&sim.nodes[1], 2, WIRE_REPORT,
	    "{'ring': -1, 'applied': {'ring': 1, 'version': 1, 'hash': '0000000000000000'}, 'able': true, 'load': 0, 'connections': 0, 'uses': [1, 3], 'down': []}");
	say(&sim.nodes[1], 2, WIRE_REPORT,
	    "{'ring': 1, 'applied': {'ring': 1, 'version': 1, 'hash': '0000000000000000'}, 'able': true, 'load': 0, 'connections': 0, 'uses': [1, 3], 'down': ['nowhere']}");
	run_for(100);
	assert_int_equal(errors("bad-body"), 3);
	stays(1, "2", 3000);
	/* And a good one is heeded at once. */
	say(&sim.nodes[1], 2, WIRE_REPORT, bad);
	until(1, "1", 300);
	sim_end();
}

/* One that does not know roles is no part of a cluster that has some. */
void test_older(void **state)
{
	static const char hello[] =
		"{'protocol': [1, 1], 'addr': '10.0.0.2', 'port': 6084, 'key-id': null, 'ready': true, 'stamp': {'ring': 0, 'version': 0, 'hash': '0000000000000000'}, 'version': 'old'}";
	struct sim_node *node;

	(void)state;
	begin_quiet(3);
	node = &sim.nodes[1];
	sim.nodes[2].stopped = sim.now + 4000;
	say(node, 2, WIRE_HELLO, hello);
	run_for(100);
	refused(node,
		"{'op': 'group-add', 'group': 'g1', 'prefixes': ['10.1.0.0/16']}",
		"speaks protocol 1");
	run_for(10000);
	mlbd_kill(&sim.nodes[2]);
	mlbd_start(&sim.nodes[2]);
	run_for(5000);
	service();
	role(1, "'nodes': [2]", false);
	until(1, "2", 1000);
	sim_end();
}

#define R1                                                              \
	"{'op': 'role-add', 'role': 'r1', 'groups': ['g1'], 'exclusive': " \
	"true, 'nodes': [1]}"

/* Anything at any time; and when all is well again, all roles are at home. */
static unsigned int moves;

static void misfortune(void)
{
	unsigned int id = 1 + sim_random(sim.n);
	struct sim_node *node = &sim.nodes[id];
	char text[160];

	switch (sim_random(42)) {
	case 0 ... 1:
		for (unsigned int i = 1; i <= sim.n; i++)
			sim.nodes[i].part = sim_random(2);
		sim_engine_form();
		break;
	case 2 ... 6:
		parts("");
		break;
	case 7:
		power(node, false);
		break;
	case 8:
		mlbd_kill(node);
		break;
	case 9 ... 14:
		back(id);
		break;
	case 15:
		if (node->powered && node->member)
			sim_engine_lose(node);
		break;
	case 16 ... 18:
		if (node->powered && !node->member) {
			node->member = true;
			sim_engine_form();
		}
		break;
	case 19 ... 20:
		node->stopped = sim.now + sim_random(15000);
		break;
	case 21 ... 26:
		if (node->cluster && node->stopped <= sim.now)
			down(id, sim_chance(40));
		break;
	case 27 ... 29:
		snprintf(text, sizeof(text),
			 "{'op': 'role-move', 'role': 'r%u', 'nodes': [%u]}",
			 1 + sim_random(4), id);
		if (node->cluster && node->stopped <= sim.now)
			propose(node, sim_chance(50) ?
					      text :
					      "{'op': 'role-move', 'role': 'r2', 'nodes': []}");
		break;
	case 30:
		snprintf(text, sizeof(text),
			 "{'op': 'node-set', 'node': %u, 'state': '%s'}", id,
			 sim_chance(60) ? "active" : "drain");
		if (node->cluster && node->stopped <= sim.now)
			propose(node, text);
		break;
	case 31:
		/* It is made anew, whoever has not heard. */
		if (!node->cluster || node->stopped > sim.now)
			break;
		propose(node, "{'op': 'role-del', 'role': 'r1'}");
		propose(node, R1);
		break;
	default:
		break;
	}
}

static void all_well(void)
{
	static const char *const home[] = {
		"{'op': 'role-move', 'role': 'r1', 'nodes': []}",
		"{'op': 'role-move', 'role': 'r2', 'nodes': []}",
		"{'op': 'role-move', 'role': 'r3', 'nodes': []}",
		"{'op': 'role-move', 'role': 'r4', 'nodes': []}",
	};
	char text[80];

	sim.chaos = false;
	for (unsigned int i = 1; i <= sim.n; i++) {
		sim.nodes[i].part = 0;
		sim.nodes[i].stopped = 0;
		power(&sim.nodes[i], true);
		sim.nodes[i].member = true;
		mlbd_start(&sim.nodes[i]);
		down(i, false);
	}
	sim_engine_form();
	run_for(100000);
	for (unsigned int i = 1; i <= sim.n; i++) {
		snprintf(text, sizeof(text),
			 "{'op': 'node-set', 'node': %u, 'state': 'active'}",
			 i);
		change(&sim.nodes[1], text);
	}
	propose(&sim.nodes[2], R1);
	for (size_t i = 0; i < 4; i++)
		propose(&sim.nodes[2], home[i]);
	run_for(60000);
}

static unsigned int epoch_sum(void)
{
	json_t *document = cluster_document(sim.nodes[1].cluster);
	json_int_t version = json_integer_value(
		json_object_get(json_object_get(document, "stamp"), "version"));

	json_decref(document);
	return (unsigned int)version;
}

static void random_run(unsigned int seed)
{
	sim_begin(3 + seed % 4, seed);
	for (unsigned int i = 1; i <= sim.n; i++) {
		power(&sim.nodes[i], true);
		mlbd_start(&sim.nodes[i]);
	}
	run_for(12000);
	service();
	role(1, "'nodes': [1]", true);
	role(2, "'nodes': [2, 3]", false);
	role(3, "'nodes': [3, 1], 'without-spare': 'refuse'", true);
	role(4, "'nodes': [1], 'failback': 'no'", true);
	sim.chaos = true;
	for (int i = 0; i < 400; i++) {
		misfortune();
		run_for(sim_random(sim_chance(20) ? 6000 : 200));
	}
	all_well();
	check_all();
	until(1, "1", 1);
	until(2, "23", 1);
	until(3, "3", 1);
	until(4, "1", 1);
	moves += epoch_sum();
	sim_end();
}

void test_roles_random(void **state)
{
	const char *one = getenv("CLUSTER_SEED"), *many = getenv("CLUSTER_SEEDS");
	unsigned int seeds = many ? (unsigned int)atoi(many) : 15;

	(void)state;
	if (one) {
		random_run((unsigned int)atoi(one));
		return;
	}
	for (unsigned int seed = 1; seed <= seeds; seed++)
		random_run(seed);
	print_message("# %u runs, %u changes\n", seeds, moves);
	assert_true(moves > 30 * seeds);
}
