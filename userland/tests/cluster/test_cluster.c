// SPDX-License-Identifier: GPL-2.0
/*
 * Whole clusters under random misfortune: mlbds and corosyncs die, nodes lose
 * power, the network splits and heals, kernels refuse and forget to tell, disks
 * are full. Whatever happened, once it is quiet every node holds what every
 * reachable one has, and all have one document; and meanwhile no minority
 * changes its kernel and no live token is taken away.
 *
 *   CLUSTER_SEEDS=N   how many runs (default 60)
 *   CLUSTER_SEED=N    only this one
 *   CLUSTER_TEST=NAME only this test
 *   CLUSTER_LOG=1     with mlbd's messages
 *   CLUSTER_TOKEN=N   and what befell this token
 */
#include <arpa/inet.h>
#include <errno.h>

#include "log.h"
#include "sim.h"

#define STEPS 1000

struct sim sim;

/* splitmix64 */
uint32_t sim_random(uint32_t below)
{
	uint64_t z = (sim.rng += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	z ^= z >> 31;
	return below ? (uint32_t)(z % below) : 0;
}

void log_message(enum log_level level, const char *format, ...)
{
	va_list ap;

	(void)level;
	if (!getenv("CLUSTER_LOG"))
		return;
	fprintf(stderr, "# %8llu %u ", (unsigned long long)sim.now,
		sim.running);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

bool log_allowed(struct log_limit *limit)
{
	(void)limit;
	return true;
}

void control_event(json_t *event)
{
	assert_non_null(event);
	if (getenv("CLUSTER_LOG"))
		fprintf(stderr, "# %8llu %u %s\n",
			(unsigned long long)sim.now, sim.running,
			json_dumps(event, 0));
	json_decref(event);
}

/* Files are in memory: /ID/cluster.json. */
int __wrap_document_save(const char *path, const char *text, char *error,
			 size_t size);
int __wrap_document_save(const char *path, const char *text, char *error,
			 size_t size)
{
	struct sim_node *node = &sim.nodes[atoi(path + 1)];

	if (node->disk_full) {
		snprintf(error, size, "%s: the disk is full", path);
		return -ENOSPC;
	}
	free(node->file);
	node->file = strdup(text);
	return 0;
}

int __wrap_document_load(const char *path, struct document **document,
			 char *error, size_t size);
int __wrap_document_load(const char *path, struct document **document,
			 char *error, size_t size)
{
	struct sim_node *node = &sim.nodes[atoi(path + 1)];
	json_t *json;
	int ret;

	*document = NULL;
	if (!node->file)
		return -ENOENT;
	json = json_loads(node->file, 0, NULL);
	assert_non_null(json);
	ret = document_parse(json, document, error, size);
	assert_int_equal(ret, 0);
	json_decref(json);
	return 0;
}

static void set_addr(struct sim_node *node, uint32_t host)
{
	node->config.self.addr.family = AF_INET;
	node->config.self.addr.v4.s_addr = htonl(0x0a000000 | host);
	node->host = node->config.self.addr;
}

static void mlbd_start(struct sim_node *node)
{
	if (node->cluster || !node->powered)
		return;
	node->stopped = 0;
	node->clock = sim_random(1000000);
	assert_int_equal(cluster_open(&node->cluster, &node->loop,
				      &node->config, (struct kernel *)node),
			 0);
}

static void mlbd_kill(struct sim_node *node)
{
	if (!node->cluster)
		return;
	cluster_close(node->cluster);
	node->cluster = NULL;
	sim_kernel_end(node);
	sim_engine_end(node);
	sim_uv_end(node);
	memset(&node->told, 0, sizeof(node->told));
}

static void power(struct sim_node *node, bool on)
{
	if (node->powered == on)
		return;
	if (!on) {
		mlbd_kill(node);
		sim_kernel_reset(node);
	}
	node->powered = on;
	node->member = on;
	sim_engine_form();
}

static void sim_begin(unsigned int n, unsigned int seed)
{
	memset(&sim, 0, sizeof(sim));
	sim.rng = seed * 7919u;
	sim.seed = seed;
	sim.n = n;
	for (unsigned int i = 1; i <= n; i++) {
		struct sim_node *node = &sim.nodes[i];

		node->id = (uint16_t)i;
		node->loop.data = node;
		node->inbox_end = &node->inbox;
		node->views_end = &node->views;
		node->outbox_end = &node->outbox;
		node->config.engine = CONFIG_ENGINE_COROSYNC;
		node->config.self.fields = MLB_F_NODE_ID | MLB_F_NODE_ADDR |
					   MLB_F_NODE_SELF;
		node->config.self.id = (uint16_t)i;
		set_addr(node, i);
		node->config.key[0] = 1;
		node->config.key_len = 16;
		node->config.settings.fields = MLB_F_CONFIG_PORT;
		node->config.settings.port = 6084;
		node->config.sync_tick = 10;
		snprintf(node->config.state_dir,
			 sizeof(node->config.state_dir), "/%u", i);
	}
}

static void sim_end(void)
{
	for (unsigned int i = 1; i <= sim.n; i++) {
		power(&sim.nodes[i], false);
		free(sim.nodes[i].file);
	}
}

static uint64_t due_of(const struct sim_node *node)
{
	uint64_t due = sim_engine_due(node), uv, kernel;

	if (!node->cluster)
		return due;
	uv = sim_uv_due(node);
	kernel = sim_kernel_due(node);
	if (uv < node->stopped)
		uv = node->stopped;
	if (kernel < node->stopped)
		kernel = node->stopped;
	due = uv < due ? uv : due;
	due = kernel < due ? kernel : due;
	/* Its inbox is looked at again then. */
	if (node->stopped > sim.now && node->stopped < due)
		due = node->stopped;
	return due;
}

static void run_node(struct sim_node *node)
{
	unsigned int first = sim_random(3);

	sim.running = node->id;
	for (unsigned int i = 0; i < 3; i++) {
		switch ((first + i) % 3) {
		case 0:
			sim_engine_run(node);
			break;
		case 1:
			if (node->cluster && node->stopped <= sim.now)
				sim_uv_run(node);
			break;
		case 2:
			if (node->cluster && node->stopped <= sim.now)
				sim_kernel_run(node);
			break;
		}
	}
}

static void run_for(uint64_t ms)
{
	uint64_t end = sim.now + ms;

	for (;;) {
		uint64_t next = UINT64_MAX;

		for (unsigned int i = 1; i <= sim.n; i++) {
			uint64_t due = due_of(&sim.nodes[i]);

			next = due < next ? due : next;
		}
		if (next > end)
			break;
		if (next > sim.now)
			sim.now = next;
		for (unsigned int i = 1, from = sim_random(sim.n); i <= sim.n;
		     i++) {
			struct sim_node *node =
				&sim.nodes[1 + (from + i) % sim.n];

			if (due_of(node) <= sim.now)
				run_node(node);
		}
	}
	sim.now = end;
}

static struct sim_node *any_node(void)
{
	return &sim.nodes[1 + sim_random(sim.n)];
}

static uint32_t any_token(const struct sim_node *node)
{
	return sim_chance(10) ? SHARED + sim_random(SHARED_N) :
				node->id * 1000u + sim_random(TOKENS);
}

static void on_result(void *arg, int status, const char *text)
{
	struct sim_node *node = arg;

	assert_true(!status || text);
	node->warned += !status && text;
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

static void propose_kept(struct sim_node *node)
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

static void reload(struct sim_node *node)
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

static bool same_ring(const struct sim_node *a, const struct sim_node *b)
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

static void check_all(void)
{
	for (unsigned int i = 1; i <= sim.n; i++) {
		if (sim.nodes[i].ring_quorate)
			check_kernel(&sim.nodes[i]);
		for (unsigned int j = 1; j <= sim.n; j++)
			check_pair(&sim.nodes[i], &sim.nodes[j]);
	}
}

/* Nothing is said when there is nothing to say. */
static void check_silence(void)
{
	for (unsigned int i = 1; i <= sim.n; i++)
		sim.nodes[i].messages = 0;
	run_for(20000);
	for (unsigned int i = 1; i <= sim.n; i++)
		if (sim.nodes[i].messages)
			fail_msg("seed %u: node %u sent %u messages", sim.seed,
				 i, sim.nodes[i].messages);
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
	unsigned int seeds = many ? (unsigned int)atoi(many) : 60;

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

static void begin_quiet(unsigned int n)
{
	sim_begin(n, 1);
	for (unsigned int i = 1; i <= n; i++) {
		power(&sim.nodes[i], true);
		mlbd_start(&sim.nodes[i]);
	}
	run_for(5000);
	check_all();
}

/* One that was upgraded too far is refused, says why, and is still in use. */
static void test_newer(void **state)
{
	struct sim_node *node;

	(void)state;
	begin_quiet(3);
	node = &sim.nodes[1];
	expect_fault("");
	say_hello(node, 2,
		  json_pack("{s:[i, i], s:s}", "protocol", 2, 3, "new", "key"),
		  WIRE_VERSION);
	run_for(500);
	expect_fault("protocol 2 to 3, this node 1 to 1");
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

static void test_keys(void **state)
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

static void restart(struct sim_node *node, bool reboot)
{
	if (reboot)
		power(node, false);
	else
		mlbd_kill(node);
	power(node, true);
	mlbd_start(node);
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
static void test_copied_addr(void **state)
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
static void test_copied_later(void **state)
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

static void test_family(void **state)
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
static void test_listing(void **state)
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

/* Events are lost all the time: peers still get most, and lose what is stale. */
static void test_lossy(void **state)
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
static void test_swallowed(void **state)
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
static void test_asking(void **state)
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

/* A node that is gone for good goes from the others, set or not. */
static void test_forget(void **state)
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
	assert_false(node->kernel.present[3]);
	assert_false(sim.nodes[2].kernel.present[3]);
	power(&sim.nodes[3], true);
	mlbd_start(&sim.nodes[3]);
	run_for(5000);
	check_all();
	sim_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_newer),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_copied_addr),
		cmocka_unit_test(test_copied_later),
		cmocka_unit_test(test_family),
		cmocka_unit_test(test_listing),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_lossy),
		cmocka_unit_test(test_swallowed),
		cmocka_unit_test(test_asking),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_agreement),
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	cmocka_set_test_filter(getenv("CLUSTER_TEST"));
	return cmocka_run_group_tests_name("cluster", tests, NULL, NULL);
}
