// SPDX-License-Identifier: GPL-2.0
/* Who takes part: peers that do not fit, cannot be listed or are gone for good. */
#include "sim.h"
#include "tests.h"

static void say_hello(struct sim_node *to, uint16_t sender, json_t *json,
		      uint8_t version)
{
	struct wire_message message = { .kind = WIRE_HELLO, .json = json };
	uint8_t *data;
	size_t len;

	assert_int_equal(wire_pack(&message, &data, &len), 0);
	data[3] = version;
	sim_engine_say(to, sender, data, len);
	free(data);
	json_decref(json);
}

/* Of a node in the first one's status. */
static char *fault_text(unsigned int id)
{
	json_t *status = cluster_status(sim.nodes[1].cluster);
	json_t *node = json_array_get(json_object_get(status, "nodes"), id - 1);
	const char *fault = json_string_value(json_object_get(node, "fault"));
	char *text = strdup(fault ? fault : "");

	json_decref(status);
	return text;
}

static void expect_fault_of(unsigned int id, const char *part)
{
	char *text = fault_text(id);

	if (*part ? !strstr(text, part) : *text)
		fail_msg("fault \"%s\" instead of \"%s\"", text, part);
	free(text);
}

static void expect_fault(const char *part)
{
	expect_fault_of(2, part);
}

/* One that was upgraded too far is refused, says why, and is still in use. */
void test_newer(void **state)
{
	struct sim_node *node;

	(void)state;
	begin_quiet(3);
	node = &sim.nodes[1];
	expect_fault("");
	say_hello(node, 2,
		  json_pack("{s:[i, i], s:s}", "protocol", 3, 4, "new", "key"),
		  WIRE_VERSION);
	run_for(500);
	expect_fault("protocol 3 to 4, this node 1 to 2");
	assert_int_equal(node->kernel.nodes[2].state, MLB_NODE_STATE_ACTIVE);
	propose_kept(node);
	run_for(7000);
	assert_int_equal(node->refused, 1);

	/* It is brought back. */
	mlbd_kill(&sim.nodes[2]);
	mlbd_start(&sim.nodes[2]);
	run_for(5000);
	expect_fault("");
	propose_kept(node);
	run_for(1000);
	assert_int_equal(node->made, 1);
	assert_int_equal(node->warned, 0);
	check_all();

	/* One whose messages cannot be read at all. */
	mlbd_kill(&sim.nodes[2]);
	mlbd_start(&sim.nodes[2]);
	while (!sim.nodes[2].joined)
		run_for(1);
	sim.nodes[2].stopped = sim.now + 3000;
	run_for(500);
	say_hello(node, 2, json_pack("{}"), WIRE_VERSION + 1);
	run_for(500);
	expect_fault("another version");
	assert_int_equal(node->kernel.nodes[2].state, MLB_NODE_STATE_ACTIVE);
	sim_end();
}

void test_keys(void **state)
{
	(void)state;
	sim_begin(3, 1);
	for (unsigned int i = 1; i <= 3; i++) {
		power(&sim.nodes[i], true);
		sim.nodes[i].config.key[0] = i == 2 ? 2 : 1;
		mlbd_start(&sim.nodes[i]);
	}
	run_for(5000);
	expect_fault("its cluster key is another one");
	assert_false(sim.nodes[1].kernel.present[2]);
	assert_int_equal(sim.nodes[1].kernel.nodes[3].state,
			 MLB_NODE_STATE_ACTIVE);
	sim.nodes[2].config.key[0] = 1;
	reload(&sim.nodes[2]);
	run_for(5000);
	expect_fault("");
	check_all();
	sim_end();
}

static bool is_active(const struct sim_node *node, unsigned int id)
{
	return node->kernel.present[id] &&
	       node->kernel.nodes[id].state == MLB_NODE_STATE_ACTIVE;
}

/* mlb.conf of @from, with another id. */
static void copy_addr(struct sim_node *node, const struct sim_node *from)
{
	node->config.self.addr = from->config.self.addr;
}

/*
 * A node whose file is a copy of another's harms nobody else: not those that
 * are there, nor those that come later.
 */
void test_copied_addr(void **state)
{
	(void)state;
	for (unsigned int bad = 1; bad <= 4; bad += 3) {
		unsigned int good = bad == 1 ? 4 : 2;

		sim_begin(4, bad);
		copy_addr(&sim.nodes[bad], &sim.nodes[good]);
		for (unsigned int i = 1; i <= 4; i++)
			restart(&sim.nodes[i], true);
		run_for(5000);
		for (unsigned int twice = 0; twice < 2; twice++) {
			for (unsigned int i = 2; i <= 3; i++) {
				struct sim_node *node = &sim.nodes[i];

				assert_false(is_active(node, bad));
				for (unsigned int j = 2; j <= 4; j++)
					assert_int_equal(is_active(node, j),
							 j != bad);
			}
			restart(&sim.nodes[3], !twice);
			run_for(5000);
		}
		set_addr(&sim.nodes[bad], bad);
		restart(&sim.nodes[bad], false);
		run_for(5000);
		expect_fault("");
		check_all();
		sim_end();
	}
}

/* A node in use whose mlbd comes back with the address of another. */
void test_copied_later(void **state)
{
	struct sim_node *node = &sim.nodes[1];

	(void)state;
	begin_quiet(3);
	sim_kernel_own(&sim.nodes[3], 3001, true);
	sim_kernel_own(&sim.nodes[2], 2001, true);
	run_for(1000);
	copy_addr(&sim.nodes[3], &sim.nodes[2]);
	restart(&sim.nodes[3], false);
	run_for(5000);
	expect_fault_of(3, "the tunnel address of node 2");
	assert_true(is_active(node, 2));
	assert_true(is_active(node, 3));
	assert_true(sim_kernel_claims(node, 2001, 2));
	assert_true(sim_kernel_claims(node, 3001, 3));
	set_addr(&sim.nodes[3], 3);
	restart(&sim.nodes[3], false);
	run_for(5000);
	expect_fault_of(3, "");
	check_all();

	/* A dead one makes room. */
	power(&sim.nodes[3], false);
	run_for(2000);
	set_addr(&sim.nodes[2], 3);
	restart(&sim.nodes[2], false);
	run_for(5000);
	expect_fault("");
	assert_true(is_active(node, 2));
	assert_false(node->kernel.present[3]);
	sim_end();
}

void test_family(void **state)
{
	struct sim_node *node = &sim.nodes[2];

	(void)state;
	sim_begin(3, 1);
	node->config.self.addr.family = AF_INET6;
	node->config.self.addr.v6.s6_addr[15] = 2;
	node->host = node->config.self.addr;
	for (unsigned int i = 1; i <= 3; i++)
		restart(&sim.nodes[i], true);
	run_for(5000);
	expect_fault("is IPv6, this node's is IPv4");
	assert_true(is_active(&sim.nodes[1], 3));
	assert_int_equal(sim.nodes[1].kernel.present[2], false);
	sim_end();
}

/* A listing that fails makes nobody dead, and is taken again. */
void test_listing(void **state)
{
	struct sim_node *node = &sim.nodes[1];

	(void)state;
	begin_quiet(3);
	node->kernel.unlisted = 1;
	cluster_poke(node->cluster);
	assert_int_equal(node->kernel.unlisted, 0);
	sim_kernel_own(&sim.nodes[2], 2001, true);
	run_for(300);
	assert_true(sim_kernel_claims(node, 2001, 2));

	/* One that is new is followed, if late. */
	power(&sim.nodes[3], false);
	run_for(3000);
	node->kernel.unlisted = 1000;
	restart(&sim.nodes[3], true);
	run_for(3000);
	sim_kernel_own(&sim.nodes[3], 3001, true);
	run_for(3000);
	assert_false(sim_kernel_claims(node, 3001, 3));
	node->kernel.unlisted = 0;
	run_for(7000);
	check_all();
	sim_end();
}

/* A node that is gone for good goes from the others, set or not. */
void test_forget(void **state)
{
	struct sim_node *node = &sim.nodes[1];

	(void)state;
	begin_quiet(3);
	power(&sim.nodes[3], false);
	run_for(3000);
	assert_true(node->kernel.present[3]);
	for (unsigned int id = 3; id <= 4; id++) {
		assert_int_equal(cluster_propose(node->cluster,
						 json_pack("{s:s, s:i}", "op",
							   "node-forget",
							   "node", id),
						 on_result, node),
				 0);
		run_for(3000);
	}
	assert_int_equal(node->made, 1);
	assert_int_equal(node->refused, 1);
	assert_string_equal(node->answer, "nothing is known of node 4");
	assert_false(node->kernel.present[3]);
	assert_false(sim.nodes[2].kernel.present[3]);
	power(&sim.nodes[3], true);
	mlbd_start(&sim.nodes[3]);
	run_for(5000);
	check_all();
	sim_end();
}

static void propose(struct sim_node *node, json_t *change)
{
	node->answer[0] = '\0';
	assert_int_equal(cluster_propose(node->cluster, change, on_result,
					 node),
			 0);
	run_for(1000);
}

/* A service at a tunnel's address, which no kernel takes, is not agreed on. */
void test_vip_of_node(void **state)
{
	struct sim_node *node = &sim.nodes[1];

	(void)state;
	begin_quiet(3);
	propose(node, json_pack("{s:s, s:s}", "op", "service-add", "vip",
				"10.0.0.2:80"));
	assert_string_equal(node->answer,
			    "10.0.0.2:80 is at the tunnel address of node 2; a service needs its own");
	propose(node, json_pack("{s:s, s:{s:[{s:s}, {s:s}]}}", "op", "load",
				"document", "services", "vip", "10.9.0.1:80",
				"vip", "10.0.0.1:80"));
	assert_string_equal(node->answer,
			    "10.0.0.1:80 is at the tunnel address of node 1; a service needs its own");
	assert_int_equal(node->made, 0);
	propose(node, json_pack("{s:s, s:s}", "op", "service-add", "vip",
				"10.9.0.1:80"));
	assert_string_equal(node->answer, "");
	assert_int_equal(node->made, 1);
	sim_end();
}
