// SPDX-License-Identifier: GPL-2.0
/* Who may go on as the one that holds a role: an address on a link moves by it. */
#include "sim.h"
#include "tests.h"

static int answer(unsigned int node)
{
	struct cluster_hold hold;

	cluster_holds(sim.nodes[node].cluster, "r1", &hold);
	if (hold.answer == CLUSTER_HOLDS)
		assert_true(hold.epoch);
	return hold.answer;
}

/* Runs on, while at most one of them holds it. */
static void watch(unsigned int n, uint64_t ms)
{
	for (uint64_t end = sim.now + ms; sim.now < end; run_for(1)) {
		unsigned int holders = 0;

		for (unsigned int i = 1; i <= n; i++)
			holders += answer(i) == CLUSTER_HOLDS;
		if (holders > 1)
			fail_msg("%u nodes hold the role", holders);
	}
}

static bool still_there;

static bool let_go(void *arg)
{
	return arg != &sim.nodes[3] || !still_there;
}

static void changed(void *arg)
{
	(void)arg;
}

static void move(unsigned int to)
{
	assert_int_equal(
		cluster_propose(sim.nodes[1].cluster,
				json_pack("{s:s, s:s, s:[i]}", "op",
					  "role-move", "role", "r1", "nodes",
					  to),
				on_result, &sim.nodes[1]),
		0);
}

static void begin_held(void)
{
	begin_quiet(3);
	assert_int_equal(
		cluster_propose(sim.nodes[1].cluster,
				json_pack("{s:s, s:s, s:[i], s:b, s:s}", "op",
					  "role-add", "role", "r1", "nodes", 3,
					  "exclusive", true, "failback", "no"),
				on_result, &sim.nodes[1]),
		0);
	watch(3, 3000);
	assert_int_equal(answer(3), CLUSTER_HOLDS);
	assert_int_equal(answer(1), CLUSTER_HOLDS_NOT);
}

/* Who was cut off has another document than those who went on. */
void test_hold_heal(void **state)
{
	(void)state;
	begin_held();
	sim.nodes[3].part = 1;
	sim_engine_form();
	run_for(1000);
	assert_int_equal(answer(3), CLUSTER_HOLDS_NOT);
	watch(3, 10000);
	assert_int_equal(answer(1), CLUSTER_HOLDS);
	sim.nodes[3].part = 0;
	sim_engine_form();
	for (int i = 0; i < 10000; i++) {
		watch(3, 1);
		assert_int_not_equal(answer(3), CLUSTER_HOLDS);
	}
	assert_int_equal(answer(1), CLUSTER_HOLDS);
	assert_int_equal(answer(3), CLUSTER_HOLDS_NOT);
	/* Nobody knows in a cluster without quorum. */
	for (unsigned int i = 1; i <= 3; i++)
		sim.nodes[i].part = i;
	sim_engine_form();
	run_for(1000);
	assert_int_equal(answer(1), CLUSTER_HOLDS_NOT);
	sim_end();
}

/* An address that has not left its interface yet is still held. */
void test_hold_let_go(void **state)
{
	static const struct cluster_watch follower = { .changed = changed,
						       .let_go = let_go };

	(void)state;
	begin_held();
	for (unsigned int i = 1; i <= 3; i++)
		cluster_watch(sim.nodes[i].cluster, &follower, &sim.nodes[i]);
	still_there = true;
	move(1);
	watch(3, 1000);
	assert_int_equal(answer(3), CLUSTER_HOLDS_NOT);
	assert_int_equal(answer(1), CLUSTER_HOLDS_NOT);
	still_there = false;
	sim.running = 3;
	cluster_poke(sim.nodes[3].cluster);
	watch(3, 500);
	assert_int_equal(answer(1), CLUSTER_HOLDS);

	/* It is not waited for without end. */
	move(3);
	watch(3, 3000);
	assert_int_equal(answer(3), CLUSTER_HOLDS);
	still_there = true;
	move(2);
	watch(3, 1500);
	assert_int_equal(answer(2), CLUSTER_HOLDS_NOT);
	watch(3, 5000);
	assert_int_equal(answer(2), CLUSTER_HOLDS);
	still_there = false;
	sim_end();
}
