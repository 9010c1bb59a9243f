// SPDX-License-Identifier: GPL-2.0
/* Owner tables in step, whatever gets lost on the way. */
#include "sim.h"
#include "tests.h"

/* Events are lost all the time: peers still get most, and lose what is stale. */
void test_lossy(void **state)
{
	struct sim_node *node = &sim.nodes[1], *lossy = &sim.nodes[2];

	(void)state;
	begin_quiet(3);
	for (uint32_t i = 0; i < 50; i++)
		sim_kernel_own(lossy, 2000 + i, true);
	run_for(1000);
	restart(node, true);
	for (unsigned int i = 0; i < 400; i++) {
		/* One goes unheard. */
		if (i == 200) {
			sim_kernel_own(lossy, 2001, false);
			lossy->kernel.n_events = 0;
		}
		cluster_owners_lost(lossy->cluster);
		run_for(15);
	}
	for (uint32_t i = 2; i < 50; i++)
		assert_true(sim_kernel_claims(node, 2000 + i, 2));
	assert_false(sim_kernel_claims(node, 2001, 2));
	run_for(3000);
	check_all();
	check_silence();
	sim_end();
}

/* Messages that get lost on the way, entries or the end, delay but do not hang. */
void test_swallowed(void **state)
{
	static const enum wire_kind kinds[] = { WIRE_OWNERS, WIRE_REPEAT_END };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin_quiet(3);
		sim_kernel_own(&sim.nodes[2], 2001, true);
		run_for(1000);
		restart(&sim.nodes[1], true);
		sim.nodes[2].swallow = kinds[i];
		sim.nodes[2].n_swallow = 2 - (unsigned int)i;
		run_for(60000);
		assert_int_equal(sim.nodes[2].n_swallow, 0);
		check_all();
		check_silence();
		sim_end();
	}
}

/* One that asks all the time does not keep the others from being heard. */
void test_asking(void **state)
{
	struct sim_node *node = &sim.nodes[2];
	unsigned int begins;

	(void)state;
	begin_quiet(3);
	node->kernel.slow = 1000;
	begins = node->begins;
	for (unsigned int i = 0; i < 200; i++) {
		struct wire_message message = {
			.kind = WIRE_REPEAT_WANT,
			.json = json_pack("{s:[[i, I]]}", "nodes", 2,
					  (json_int_t)INT64_MAX),
		};
		uint8_t *data;
		size_t len;

		assert_int_equal(wire_pack(&message, &data, &len), 0);
		sim_engine_say(node, 1, data, len);
		free(data);
		json_decref(message.json);
		run_for(100);
	}
	assert_in_range(node->begins - begins, 2, 5);
	node->kernel.slow = 0;
	run_for(10000);
	check_all();
	sim_end();
}
