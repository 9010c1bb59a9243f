// SPDX-License-Identifier: GPL-2.0
/*
 * Whole clusters under random misfortune: mlbds and corosyncs die, nodes lose
 * power, the network splits and heals, kernels refuse and forget to tell, disks
 * are full. Whatever happened, once it is quiet every node holds what every
 * reachable one has, and all have one document; and meanwhile no minority
 * changes its kernel and no live token is taken away.
 *
 *   CLUSTER_SEEDS=N   how many runs (default 20)
 *   CLUSTER_SEED=N    only this one
 *   CLUSTER_TEST=NAME only this test
 *   CLUSTER_LOG=1     with mlbd's messages
 *   CLUSTER_TOKEN=N   and what befell this token
 */
#include <errno.h>

#include "sim.h"
#include "tests.h"

#define STEPS 1000

static struct sim_node *any_node(void)
{
	return &sim.nodes[1 + sim_random(sim.n)];
}

static uint32_t any_token(const struct sim_node *node)
{
	return sim_chance(10) ? SHARED + sim_random(SHARED_N) :
				node->id * 1000u + sim_random(TOKENS);
}

void on_result(void *arg, int status, const char *text)
{
	struct sim_node *node = arg;

	assert_true(!status || text);
	node->warned += !status && text;
	snprintf(node->answer, sizeof(node->answer), "%s", text ? text : "");
	if (status)
		node->refused++;
	else
		node->made++;
}

static json_t *any_change(void)
{
	char vip[32];

	snprintf(vip, sizeof(vip), "203.0.113.%u:80", 1 + sim_random(12));
	switch (sim_random(5)) {
	case 0:
	case 1:
		return json_pack("{s:s, s:s}", "op", "service-add", "vip", vip);
	case 2:
		return json_pack("{s:s, s:s}", "op", "service-del", "vip", vip);
	case 3:
		return json_pack("{s:s, s:s, s:[i, i]}", "op", "service-set",
				 "vip", vip, "nodes", 1, 2);
	default:
		return json_pack("{s:s, s:i, s:i}", "op", "node-set", "node",
				 1 + sim_random(sim.n), "weight",
				 sim_random(10));
	}
}

static void propose(struct sim_node *node)
{
	if (node->cluster && node->stopped <= sim.now)
		cluster_propose(node->cluster, any_change(), on_result, node);
}

/* A service that stays, by its port. */
struct keep {
	struct sim_node *node;
	uint16_t port;
};

static void on_kept(void *arg, int status, const char *text)
{
	struct keep *keep = arg;
	struct sim_node *node = keep->node;

	if (!status && !text) {
		assert_true(node->n_kept < 512);
		node->kept[node->n_kept++] = keep->port;
	}
	on_result(node, status, text);
	free(keep);
}

void propose_kept(struct sim_node *node)
{
	struct keep *keep;
	char vip[32];

	if (!node->cluster || node->stopped > sim.now || sim.proposals > 400)
		return;
	keep = calloc(1, sizeof(*keep));
	assert_non_null(keep);
	keep->node = node;
	keep->port = (uint16_t)(1000 + sim.proposals++);
	snprintf(vip, sizeof(vip), "198.51.100.1:%u", keep->port);
	if (cluster_propose(node->cluster,
			    json_pack("{s:s, s:s}", "op", "service-add", "vip",
				      vip),
			    on_kept, keep))
		free(keep);
}

/* What somebody was told to be made is there. */
static void check_kept(void)
{
	json_t *document = cluster_document(sim.nodes[1].cluster);
	char *text = json_dumps(document, 0), vip[32];

	for (unsigned int i = 1; i <= sim.n; i++) {
		const struct sim_node *node = &sim.nodes[i];

		for (size_t k = 0; k < node->n_kept; k++) {
			snprintf(vip, sizeof(vip), "\"198.51.100.1:%u\"",
				 node->kept[k]);
			if (!strstr(text, vip))
				fail_msg("seed %u: what node %u was told to be made is lost: %s",
					 sim.seed, i, vip);
		}
	}
	free(text);
	json_decref(document);
}

void reload(struct sim_node *node)
{
	if (node->cluster && node->stopped <= sim.now)
		cluster_reload(node->cluster, &node->config);
}

static void churn(struct sim_node *node)
{
	unsigned int n = sim_chance(5) ? sim_random(TOKENS) : sim_random(4);

	while (node->powered && n--)
		sim_kernel_own(node, any_token(node), sim_chance(55));
}

static void misfortune(void)
{
	struct sim_node *node = any_node();
	uint32_t what = sim_random(100);

	/* Deaths, and the forgetting of what a node alone had. */
	if (sim.gentle && what >= 10 && what <= 25)
		what = 0;
	if (sim.gentle && what >= 34 && what <= 40) {
		propose_kept(node);
		return;
	}
	switch (what) {
	case 0 ... 3:
		for (unsigned int i = 1; i <= sim.n; i++)
			sim.nodes[i].part = sim_random(2);
		sim_engine_form();
		break;
	case 4 ... 9:
		for (unsigned int i = 1; i <= sim.n; i++)
			sim.nodes[i].part = 0;
		sim_engine_form();
		break;
	case 10 ... 12:
		mlbd_kill(node);
		break;
	case 13 ... 22:
		power(node, true);
		mlbd_start(node);
		break;
	case 23:
		power(node, false);
		break;
	case 24 ... 25:
		if (node->powered && node->member)
			sim_engine_lose(node);
		break;
	case 26 ... 31:
		if (node->powered && !node->member) {
			node->member = true;
			sim_engine_form();
		}
		break;
	case 32 ... 33:
		node->stopped = sim.now + sim_random(3000);
		break;
	case 34 ... 39:
		propose(node);
		break;
	case 40:
		node->disk_full = !node->disk_full;
		break;
	case 41:
		set_addr(node, node->id + 256 * sim_random(3));
		reload(node);
		break;
	case 42:
		node->config.key[0] = sim_chance(20) ? 2 : 1;
		reload(node);
		break;
	case 43 ... 50:
		sim_engine_garbage();
		break;
	case 51:
		if (node->cluster && node->stopped <= sim.now &&
		    node->told.connected)
			cluster_poke(node->cluster);
		break;
	default:
		for (unsigned int i = 0; i < 3; i++)
			churn(any_node());
		break;
	}
}

static void all_well(bool heal)
{
	sim.chaos = false;
	for (unsigned int i = 1; i <= sim.n; i++) {
		struct sim_node *node = &sim.nodes[i];

		power(node, true);
		node->member = true;
		node->stopped = 0;
		node->disk_full = false;
		if (heal)
			node->part = 0;
		mlbd_start(node);
		node->config.key[0] = 1;
		reload(node);
	}
	sim_engine_form();
}

bool same_ring(const struct sim_node *a, const struct sim_node *b)
{
	return a->ring_nodes & UINT64_C(1) << b->id;
}

static void check_documents(const struct sim_node *a, const struct sim_node *b)
{
	json_t *x = cluster_document(a->cluster);
	json_t *y = cluster_document(b->cluster);

	if (!json_equal(x, y))
		fail_msg("seed %u: nodes %u and %u have two documents:\n%s\n%s",
			 sim.seed, a->id, b->id, json_dumps(x, 0),
			 json_dumps(y, 0));
	json_decref(x);
	json_decref(y);
}

/* The kernel can have a service if it knows a node of its pool. */
static size_t possible(const struct sim_kernel *k, const json_t *services)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(services); i++) {
		const json_t *pool = json_object_get(
			json_array_get(services, i), "nodes");
		bool known = !json_array_size(pool);

		for (size_t j = 0; j < json_array_size(pool); j++)
			known |= k->present[json_integer_value(
				json_array_get(pool, j))];
		n += known;
	}
	return n;
}

/* What the document and the view say is what the kernel has. */
static void check_kernel(const struct sim_node *node)
{
	const struct sim_kernel *k = &node->kernel;
	json_t *document = cluster_document(node->cluster);
	json_t *services = json_object_get(document, "services");
	size_t n = 0;

	for (const char *c = k->services; c && *c; c++)
		n += *c == ';';
	if (n != possible(k, services))
		fail_msg("seed %u: node %u has %zu services of %zu", sim.seed,
			 node->id, n, possible(k, services));
	json_decref(document);
	for (unsigned int i = 1; i <= sim.n; i++) {
		bool here = node->ring_nodes & UINT64_C(1) << i;

		if (here && (!k->present[i] ||
			     k->nodes[i].state == MLB_NODE_STATE_DEAD))
			fail_msg("seed %u: node %u does not use node %u",
				 sim.seed, node->id, i);
		if (!here && k->present[i] &&
		    k->nodes[i].state != MLB_NODE_STATE_DEAD)
			fail_msg("seed %u: node %u uses node %u, which is gone",
				 sim.seed, node->id, i);
	}
}

static void check_pair(const struct sim_node *node, const struct sim_node *of)
{
	const struct sim_kernel *k = &node->kernel;

	if (node == of)
		return;
	if (same_ring(node, of)) {
		if (node->ring_quorate)
			check_documents(node, of);
		if (k->present[of->id] &&
		    k->nodes[of->id].state != MLB_NODE_STATE_DEAD)
			sim_kernel_check(node, of);
	} else if (node->ring_quorate) {
		for (size_t i = 0; i < k->n_claims; i++)
			if (k->claims[i].node == of->id)
				fail_msg("seed %u: node %u has tokens of node %u, which is gone",
					 sim.seed, node->id, of->id);
	}
}

void check_all(void)
{
	for (unsigned int i = 1; i <= sim.n; i++) {
		if (sim.nodes[i].ring_quorate)
			check_kernel(&sim.nodes[i]);
		for (unsigned int j = 1; j <= sim.n; j++)
			check_pair(&sim.nodes[i], &sim.nodes[j]);
	}
}

/* Nothing is said when there is nothing to say. */
void check_silence(void)
{
	for (unsigned int i = 1; i <= sim.n; i++)
		sim.nodes[i].messages = 0;
	run_for(20000);
	for (unsigned int i = 1; i <= sim.n; i++)
		if (sim.nodes[i].messages)
			fail_msg("seed %u: node %u sent %u messages", sim.seed,
				 i, sim.nodes[i].messages);
}

void begin_quiet(unsigned int n)
{
	sim_begin(n, 1);
	for (unsigned int i = 1; i <= n; i++) {
		power(&sim.nodes[i], true);
		mlbd_start(&sim.nodes[i]);
	}
	run_for(5000);
	check_all();
}

static unsigned int total_made, total_refused, total_warned, total_begins;

static void random_run(unsigned int seed, bool gentle)
{
	sim_begin(3 + seed % 4, seed);
	for (unsigned int i = 1; i <= sim.n; i++)
		power(&sim.nodes[i], true);
	sim.chaos = true;
	sim.gentle = gentle;
	for (unsigned int i = 1; i <= sim.n; i++)
		mlbd_start(&sim.nodes[i]);
	for (unsigned int i = 0; i < STEPS; i++) {
		misfortune();
		run_for(sim_random(sim_chance(5) ? 2000 : 60));
	}
	/* First each part by itself. */
	all_well(false);
	run_for(200000);
	check_all();
	all_well(true);
	run_for(200000);
	check_all();
	check_silence();
	if (gentle)
		check_kept();
	for (unsigned int i = 1; i <= sim.n; i++) {
		total_made += sim.nodes[i].made;
		total_refused += sim.nodes[i].refused;
		total_warned += sim.nodes[i].warned;
		total_begins += sim.nodes[i].begins;
	}
	sim_end();
}

static void random_runs(bool gentle)
{
	const char *one = getenv("CLUSTER_SEED"), *many = getenv("CLUSTER_SEEDS");
	unsigned int seeds = many ? (unsigned int)atoi(many) : 20;

	total_made = total_refused = total_warned = total_begins = 0;
	if (one) {
		random_run((unsigned int)atoi(one), gentle);
		return;
	}
	for (unsigned int seed = 1; seed <= seeds; seed++)
		random_run(seed, gentle);
	print_message("# %u runs: %u changes made, %u of them with a warning, %u refused, %u repetitions\n",
		      seeds, total_made, total_warned, total_refused,
		      total_begins);
	assert_true(total_made > seeds);
	assert_true(total_begins > seeds);
}

static void test_random(void **state)
{
	(void)state;
	random_runs(false);
}

/* As long as nobody forgets, what was agreed stays agreed. */
static void test_agreement(void **state)
{
	(void)state;
	random_runs(true);
}

static void expect_state(enum mlb_node_state state)
{
	for (unsigned int i = 1; i <= 3; i++)
		if (sim.nodes[i].ring_quorate)
			assert_int_equal(sim.nodes[i].kernel.nodes[2].state,
					 state);
}

static void drain_2(int timeout)
{
	sim.nodes[1].made = 0;
	assert_int_equal(cluster_propose(sim.nodes[1].cluster,
					 json_pack("{s:s, s:i, s:s, s:i}", "op",
						   "node-set", "node", 2,
						   "state", "drain",
						   "drain-timeout", timeout),
					 on_result, &sim.nodes[1]),
			 0);
	run_for(1000);
	assert_int_equal(sim.nodes[1].made, 1);
	expect_state(MLB_NODE_STATE_DRAIN);
}

static json_t *told_drain(unsigned int by, size_t of)
{
	json_t *status = cluster_status(sim.nodes[by].cluster);
	json_t *node = json_array_get(json_object_get(status, "nodes"), of - 1);
	json_t *drain = json_incref(json_object_get(node, "drain"));

	json_decref(status);
	return drain;
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* Every node tells of the drains of all. */
static void expect_left(unsigned int by, json_int_t connections)
{
	json_t *drain = told_drain(by, 2);

	assert_non_null(drain);
	assert_int_equal(number(drain, "connections"), connections);
	assert_in_range(number(drain, "left"), 9, 12);
	assert_in_range(number(drain, "for"), 8, 11);
	json_decref(drain);
}

/* The manager can drain as well, and goes on to be it. */
static void test_drain_manager(void **state)
{
	(void)state;
	begin_quiet(3);
	sim.nodes[1].connections = 3;
	sim.nodes[2].connections = 3;
	for (int i = 1; i <= 2; i++)
		assert_int_equal(
			cluster_propose(sim.nodes[3].cluster,
					json_pack("{s:s, s:i, s:s, s:i}", "op",
						  "node-set", "node", i,
						  "state", "drain",
						  "drain-timeout", 20),
					on_result, &sim.nodes[3]),
			0);
	run_for(15000);
	mlbd_kill(&sim.nodes[2]);
	run_for(10000);
	for (unsigned int i = 1; i <= 3; i += 2)
		for (unsigned int j = 1; j <= 2; j++)
			assert_int_equal(sim.nodes[i].kernel.nodes[j].state,
					 MLB_NODE_STATE_MAINTENANCE);
	sim_end();
}

/* A node ends its own drain, once it has a quorum for it. */
static void test_drain(void **state)
{
	struct sim_node *node = &sim.nodes[2];

	(void)state;
	sim_begin(3, 1);
	for (unsigned int i = 1; i <= 3; i++) {
		power(&sim.nodes[i], true);
		mlbd_start(&sim.nodes[i]);
	}
	run_for(5000);
	assert_int_equal(cluster_propose(sim.nodes[1].cluster,
					 json_pack("{s:s, s:i, s:s, s:i}", "op",
						   "node-set", "node", 22,
						   "state", "drain",
						   "drain-timeout", 0),
					 on_result, &sim.nodes[1]),
			 0);
	assert_int_equal(sim.nodes[1].refused, 1);
	assert_string_equal(sim.nodes[1].answer,
			    "nothing is known of node 22");
	node->connections = 5;
	drain_2(0);
	run_for(60000);
	expect_state(MLB_NODE_STATE_DRAIN);
	node->connections = 0;
	run_for(3000);
	expect_state(MLB_NODE_STATE_MAINTENANCE);

	node->connections = 5;
	drain_2(20);
	run_for(9000);
	expect_left(1, 5);
	expect_left(2, 5);
	assert_null(told_drain(1, 3));
	run_for(1000);
	node->part = 1;
	sim_engine_form();
	run_for(30000);
	assert_int_equal(sim.nodes[1].kernel.nodes[2].state,
			 MLB_NODE_STATE_DEAD);
	assert_int_equal(node->kernel.nodes[2].state, MLB_NODE_STATE_DRAIN);
	node->part = 0;
	sim_engine_form();
	run_for(8000);
	expect_state(MLB_NODE_STATE_MAINTENANCE);

	/* An mlbd that is new counts anew; the manager does not. */
	drain_2(20);
	run_for(15000);
	mlbd_kill(node);
	mlbd_start(node);
	run_for(3000);
	expect_state(MLB_NODE_STATE_DRAIN);
	run_for(6000);
	expect_state(MLB_NODE_STATE_MAINTENANCE);

	/* Nor does it wait for an mlbd that is gone. */
	drain_2(20);
	mlbd_kill(node);
	run_for(25000);
	for (unsigned int i = 1; i <= 3; i += 2)
		assert_int_equal(sim.nodes[i].kernel.nodes[2].state,
				 MLB_NODE_STATE_MAINTENANCE);
	mlbd_start(node);
	run_for(5000);
	expect_state(MLB_NODE_STATE_MAINTENANCE);
	check_all();
	sim_end();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_newer),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_copied_addr),
		cmocka_unit_test(test_copied_later),
		cmocka_unit_test(test_family),
		cmocka_unit_test(test_listing),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_vip_of_node),
		cmocka_unit_test(test_lossy),
		cmocka_unit_test(test_swallowed),
		cmocka_unit_test(test_asking),
		cmocka_unit_test(test_takeover),
		cmocka_unit_test(test_two_at_once),
		cmocka_unit_test(test_manager_dies),
		cmocka_unit_test(test_long_ring),
		cmocka_unit_test(test_long_failure),
		cmocka_unit_test(test_spare_dies),
		cmocka_unit_test(test_minority),
		cmocka_unit_test(test_flapping),
		cmocka_unit_test(test_hangs),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_older),
		cmocka_unit_test(test_more_than_nodes),
		cmocka_unit_test(test_not_there_yet),
		cmocka_unit_test(test_forgotten_and_named),
		cmocka_unit_test(test_mlbd_gone),
		cmocka_unit_test(test_spare_gone),
		cmocka_unit_test(test_crashes),
		cmocka_unit_test(test_made_anew),
		cmocka_unit_test(test_roles_random),
		cmocka_unit_test(test_hold_heal),
		cmocka_unit_test(test_hold_let_go),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_drain_manager),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_agreement),
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	cmocka_set_test_filter(getenv("CLUSTER_TEST"));
	/* A pattern for names, to run some. */
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("cluster", tests, NULL, NULL);
}
