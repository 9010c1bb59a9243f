// SPDX-License-Identifier: GPL-2.0
/* The clock, the nodes' mlbds, their files, and whose turn it is. */
#include <arpa/inet.h>

#include "log.h"
#include "sim.h"

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

void set_addr(struct sim_node *node, uint32_t host)
{
	node->config.self.addr.family = AF_INET;
	node->config.self.addr.v4.s_addr = htonl(0x0a000000 | host);
	node->host = node->config.self.addr;
}

void mlbd_start(struct sim_node *node)
{
	if (node->cluster || !node->powered)
		return;
	node->stopped = 0;
	node->clock = sim_random(1000000);
	assert_int_equal(cluster_open(&node->cluster, &node->loop,
				      &node->config, (struct kernel *)node),
			 0);
}

void mlbd_kill(struct sim_node *node)
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

void power(struct sim_node *node, bool on)
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

void restart(struct sim_node *node, bool reboot)
{
	if (reboot)
		power(node, false);
	else
		mlbd_kill(node);
	power(node, true);
	mlbd_start(node);
}

void sim_begin(unsigned int n, unsigned int seed)
{
	memset(&sim, 0, sizeof(sim));
	sim_engine_begin();
	sim.rng = seed * 7919u;
	sim.seed = seed;
	sim.n = n;
	sim.listed = (UINT64_C(2) << n) - 2;
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

void sim_end(void)
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

void run_for(uint64_t ms)
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
