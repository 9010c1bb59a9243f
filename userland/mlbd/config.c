// SPDX-License-Identifier: GPL-2.0
/* What the sections of mlb.conf mean together. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_read.h"
#include "key_file.h"
#include "settings.h"
#include "text.h"

#define GUE_PORT 6080
#define STATE_DIR "/var/lib/mlb"

struct check {
	const struct config_file *file;
	struct config *config;
	struct config_error *error;
};

/* The first error is the one that is told. @key: NULL for the header. */
static int __attribute__((format(printf, 4, 5)))
fail(struct check *c, const struct section *s, const char *key,
     const char *format, ...)
{
	va_list ap;

	c->error->line = !s ? 0 : key ? config_line(s, key) : s->line;
	va_start(ap, format);
	vsnprintf(c->error->text, sizeof(c->error->text), format, ap);
	va_end(ap);
	return -EINVAL;
}

static bool corosync(const struct check *c)
{
	return c->config->engine == CONFIG_ENGINE_COROSYNC;
}

/* With corosync some things are agreed on by the cluster. */
static int not_the_files(struct check *c, const struct section *s,
			 const char *key, const char *how)
{
	if (!corosync(c) || !config_has(s, key))
		return 0;
	return fail(
		c, s, key,
		"with engine = corosync %s is the cluster's: use \"mlbctl cluster %s\"",
		key, how);
}

static int need(struct check *c, const struct section *s, const char *key)
{
	if (config_has(s, key))
		return 0;
	return fail(c, s, NULL, "[%s] needs \"%s\"", s->name, key);
}

static int path(struct check *c, const struct section *s, const char *key,
		const char *value, char *to, size_t size)
{
	if (!value)
		return 0;
	if (value[0] != '/')
		return fail(c, s, key, "%s \"%s\" does not begin with /", key,
			    value);
	if (strlen(value) >= size)
		return fail(c, s, key, "%s has more than %zu characters", key,
			    size - 1);
	memcpy(to, value, strlen(value) + 1);
	return 0;
}

static int check_cluster(struct check *c)
{
	const struct section *s = config_section(c->file, SECTION_CLUSTER);
	const char *wrong;
	int ret;

	if (!s)
		return fail(c, NULL, NULL, "there is no [cluster]");
	ret = need(c, s, "engine") ?: need(c, s, "key-file");
	if (ret)
		return ret;
	c->config->engine = s->cluster.engine;
	if (config_has(s, "sync-tick"))
		c->config->sync_tick = s->cluster.sync_tick;
	wrong = key_file_read(s->cluster.key_file, c->config->key,
			      &c->config->key_len);
	return wrong ? fail(c, s, "key-file", "%s: %s", s->cluster.key_file,
			    wrong) :
		       0;
}

static int check_daemon(struct check *c)
{
	const struct section *s = config_section(c->file, SECTION_DAEMON);
	struct config *config = c->config;

	if (!s)
		return 0;
	if (config_has(s, "metrics-interval"))
		config->metrics_interval = s->daemon.metrics_interval;
	return path(c, s, "state-dir", s->daemon.state_dir, config->state_dir, sizeof(config->state_dir)) ?:
		       path(c, s, "socket", s->daemon.socket, config->socket, sizeof(config->socket)) ?:
		       path(c, s, "metrics-file", s->daemon.metrics_file,
			    config->metrics_file, sizeof(config->metrics_file));
}

static int check_kernel(struct check *c)
{
	const struct section *s = config_section(c->file, SECTION_KERNEL);
	const struct arg *shared;
	int ret;

	if (s) {
		for_each_setting(shared, SETTINGS_OF_CLUSTER) {
			ret = not_the_files(c, s, shared->name, "set");
			if (ret)
				return ret;
		}
		c->config->settings = s->settings;
		c->config->settings.fields = s->fields;
	}
	if (!config_has(s, "port"))
		c->config->settings.port = MLB_DEFAULT_PORT;
	c->config->settings.fields |= MLB_F_CONFIG_PORT;
	return 0;
}

static bool is_loopback(const struct mlb_addr *addr)
{
	if (addr->family == AF_INET)
		return ntohl(addr->v4.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&addr->v6);
}

static bool same_addr(const struct mlb_addr *a, const struct mlb_addr *b)
{
	if (a->family != b->family)
		return false;
	return a->family == AF_INET ? a->v4.s_addr == b->v4.s_addr :
				      IN6_ARE_ADDR_EQUAL(&a->v6, &b->v6);
}

static int check_addr(struct check *c, const struct section *s, const char *key,
		      const struct mlb_addr *addr)
{
	if (is_loopback(addr))
		return fail(c, s, key, "%s is an address of this host alone",
			    key);
	return 0;
}

/* Node 0: none. */
static const struct mlb_node *node_at(const struct config *config,
				      const struct mlb_addr *addr)
{
	if (config->self.id && same_addr(&config->self.addr, addr))
		return &config->self;
	for (size_t i = 0; i < config->n_nodes; i++)
		if (same_addr(&config->nodes[i].addr, addr))
			return &config->nodes[i];
	return NULL;
}

static bool has_node(const struct config *config, uint16_t id)
{
	if (config->self.id == id)
		return true;
	for (size_t i = 0; i < config->n_nodes; i++)
		if (config->nodes[i].id == id)
			return true;
	return false;
}

static void node_defaults(struct mlb_node *node, const struct section *s)
{
	*node = s->node;
	node->fields = s->fields | MLB_F_NODE_WEIGHT | MLB_F_NODE_STATE |
		       MLB_F_NODE_ENCAP;
	if (!(s->fields & MLB_F_NODE_WEIGHT))
		node->weight = 1;
	if (!(s->fields & MLB_F_NODE_STATE))
		node->state = MLB_NODE_STATE_ACTIVE;
	if (node->encap == MLB_ENCAP_GUE && !config_has(s, "port"))
		node->encap_port = GUE_PORT;
	if (node->encap == MLB_ENCAP_GUE)
		node->fields |= MLB_F_NODE_ENCAP_PORT;
}

static int check_self(struct check *c)
{
	const struct section *s = config_section(c->file, SECTION_SELF);
	int ret;

	if (!s)
		return fail(c, NULL, NULL, "there is no [node], this host's");
	ret = need(c, s, "id")					?:
		      need(c, s, "addr")			?:
		      check_addr(c, s, "addr", &s->node.addr)	?:
		      not_the_files(c, s, "weight", "node set") ?:
		      not_the_files(c, s, "state", "node set");
	if (ret)
		return ret;
	if (s->fields & MLB_F_NODE_STATE &&
	    s->node.state == MLB_NODE_STATE_DEAD)
		return fail(c, s, "state",
			    "this host cannot be dead; use maintenance");
	node_defaults(&c->config->self, s);
	c->config->self.fields |= MLB_F_NODE_SELF;
	return 0;
}

static int check_peer(struct check *c, const struct section *s)
{
	struct config *config = c->config;
	const struct mlb_node *other;
	int ret = need(c, s, "addr") ?: check_addr(c, s, "addr", &s->node.addr);

	if (ret)
		return ret;
	if (s->node.id == config->self.id)
		return fail(c, s, NULL,
			    "[%s] is this host: it stands in [node]", s->name);
	if (config_has(s, "port") && s->node.encap != MLB_ENCAP_GUE)
		return fail(c, s, "port", "port is for encap = gue only");
	other = node_at(config, &s->node.addr);
	if (other)
		return fail(c, s, "addr", "node %u has this address already",
			    other->id);
	if (s->node.addr.family != config->self.addr.family)
		return fail(c, s, "addr",
			    "nodes' addresses are all IPv4 or all IPv6");
	node_defaults(&config->nodes[config->n_nodes++], s);
	return 0;
}

static const struct mlb_service *service_at(const struct config *config,
					    const struct mlb_endpoint *vip)
{
	for (size_t i = 0; i < config->n_services; i++) {
		const struct mlb_endpoint *other = &config->services[i].vip;

		if (other->port == vip->port &&
		    same_addr(&other->addr, &vip->addr))
			return &config->services[i];
	}
	return NULL;
}

/* In the kernel's order. */
static int compare_ids(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static int check_service(struct check *c, const struct section *s)
{
	struct config *config = c->config;
	const struct node_list *pool = &s->service.nodes;
	const struct mlb_endpoint *vip = &s->service.service.vip;
	const struct mlb_node *node;
	struct mlb_service *service;
	uint16_t *ids;
	int ret = need(c, s, "vip") ?: check_addr(c, s, "vip", &vip->addr);

	if (ret)
		return ret;
	if (service_at(config, vip))
		return fail(c, s, "vip", "another service has this vip");
	node = node_at(config, &vip->addr);
	if (node)
		return fail(
			c, s, "vip",
			"node %u has this address; a service needs one of its own",
			node->id);
	for (size_t i = 0; i < pool->n; i++)
		if (!has_node(config, pool->id[i]))
			return fail(c, s, "nodes", "there is no [node %u]",
				    pool->id[i]);

	ids = calloc(pool->n + 1, sizeof(*ids));
	if (!ids)
		return fail(c, s, NULL, "out of memory");
	memcpy(ids, pool->id, pool->n * sizeof(*ids));
	qsort(ids, pool->n, sizeof(*ids), compare_ids);
	service = &config->services[config->n_services++];
	*service = s->service.service;
	service->fields = MLB_F_SERVICE_SCHEDULER | MLB_F_SERVICE_NODES;
	service->nodes = ids;
	service->n_nodes = pool->n;
	return 0;
}

/* With corosync the cluster may come to have the service later. */
static int check_check(struct check *c, const struct section *s)
{
	struct config *config = c->config;
	const char *key = NULL, *wrong;
	int ret = need(c, s, "service") ?: need(c, s, "type");

	if (ret)
		return ret;
	wrong = config_check_make(s, &config->checks[config->n_checks], &key);
	if (wrong)
		return fail(c, s, key, "%s", wrong);
	if (!corosync(c) && !service_at(config, &s->check.service))
		return fail(c, s, "service",
			    "there is no [service] with this vip");
	config->n_checks++;
	return 0;
}

/* The kernel's own tables: local, main, default. */
static bool routes_by(uint32_t table)
{
	return table >= 253 && table <= 255;
}

/* Whether there could be one: it may come later than mlbd. */
static bool good_dev(const char *dev)
{
	return *dev && strlen(dev) < IF_NAMESIZE && !strpbrk(dev, "/: \t") &&
	       strcmp(dev, ".") && strcmp(dev, "..") && strcmp(dev, "lo");
}

/* A table, or an interface and who has it. */
static int vip_place(struct check *c, const struct section *s,
		     struct config_vip *vip)
{
	const char *dev = s->vip.dev, *role = s->vip.role;

	if (!dev == !config_has(s, "table"))
		return fail(c, s, NULL, "[%s] needs either \"table\" or \"dev\"",
			    s->name);
	if (!dev)
		return role ? fail(c, s, "role", "role is for dev only") : 0;
	if (!corosync(c))
		return fail(
			c, s, "dev",
			"dev is for engine = corosync only: the cluster says which node has the address");
	if (!role)
		return fail(c, s, NULL, "[%s] needs \"role\"", s->name);
	if (!good_dev(dev))
		return fail(c, s, "dev",
			    "dev \"%s\" is no name of an interface with neighbours",
			    dev);
	if (!document_good_name(role))
		return fail(c, s, "role", "no role can have the name \"%s\"",
			    role);
	if (same_addr(&s->vip.addr, &c->config->self.addr))
		return fail(c, s, "addr",
			    "this is the address of [node], which stays here");
	memcpy(vip->dev, dev, strlen(dev) + 1);
	memcpy(vip->role, role, strlen(role) + 1);
	return 0;
}

static int check_vip(struct check *c, const struct section *s)
{
	struct config *config = c->config;
	struct config_vip *vip = &config->vips[config->n_vips];
	int ret = need(c, s, "addr") ?: vip_place(c, s, vip);
	bool served = corosync(c);

	if (ret)
		return ret;
	vip->addr = s->vip.addr;
	vip->table = s->vip.table;
	snprintf(vip->name, sizeof(vip->name), "%s", strchr(s->name, ' ') + 1);
	if (!config_good_name(vip->name))
		return fail(
			c, s, NULL,
			"the name of a vip has letters, digits, \".\", \"_\" and \"-\" only");
	if (routes_by(vip->table))
		return fail(c, s, "table",
			    "table %u is one that this host routes by",
			    vip->table);
	for (size_t i = 0; i < config->n_vips; i++)
		if (same_addr(&config->vips[i].addr, &vip->addr))
			return fail(c, s, "addr",
				    "[vip %s] has this address already",
				    config->vips[i].name);
	for (size_t i = 0; i < config->n_services; i++)
		served |= same_addr(&config->services[i].vip.addr, &vip->addr);
	if (!served)
		return fail(c, s, "addr", "no [service] has this address");
	config->n_vips++;
	return 0;
}

/* All of a kind; services after the nodes that they name, checks after both. */
static int check_each(struct check *c, enum section_kind kind,
		      int (*check)(struct check *, const struct section *))
{
	for (size_t i = 0; i < c->file->n; i++) {
		const struct section *s = &c->file->sections[i];
		int ret;

		if (s->kind != kind)
			continue;
		if (corosync(c) && kind != SECTION_CHECK && kind != SECTION_VIP)
			return fail(
				c, s, NULL,
				"with engine = corosync [%s] is the cluster's: use \"mlbctl cluster %s\"",
				s->name,
				kind == SECTION_PEER ? "node set" :
						       "service add");
		ret = check(c, s);
		if (ret)
			return ret;
	}
	return 0;
}

static int check_all(struct check *c)
{
	struct config *config = c->config;

	config->sync_tick = 10;
	config->metrics_interval = 15;
	snprintf(config->state_dir, sizeof(config->state_dir), STATE_DIR);
	snprintf(config->socket, sizeof(config->socket), CONFIG_SOCKET);
	config->nodes = calloc(c->file->n + 1, sizeof(*config->nodes));
	config->services = calloc(c->file->n + 1, sizeof(*config->services));
	config->checks = calloc(c->file->n + 1, sizeof(*config->checks));
	config->vips = calloc(c->file->n + 1, sizeof(*config->vips));
	if (!config->nodes || !config->services || !config->checks ||
	    !config->vips)
		return fail(c, NULL, NULL, "out of memory");
	return check_cluster(c)				       ?:
		       check_self(c)			       ?:
		       check_kernel(c)			       ?:
		       check_daemon(c)			       ?:
		       check_each(c, SECTION_PEER, check_peer) ?:
		       check_each(c, SECTION_SERVICE, check_service) ?:
		       check_each(c, SECTION_CHECK, check_check)     ?:
		       check_each(c, SECTION_VIP, check_vip);
}

int config_load(const char *path_name, struct config **config,
		struct config_error *error)
{
	struct config_file file;
	struct check check = { .file = &file, .error = error };
	int ret;

	*config = NULL;
	ret = config_read(path_name, &file, error);
	if (ret)
		return ret;
	check.config = calloc(1, sizeof(*check.config));
	if (!check.config)
		ret = fail(&check, NULL, NULL, "out of memory");
	if (!ret)
		ret = check_all(&check);
	config_file_free(&file);
	if (ret) {
		config_free(check.config);
		return ret;
	}
	*config = check.config;
	return 0;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->n_services; i++)
		free((void *)(uintptr_t)config->services[i].nodes);
	free(config->services);
	free(config->nodes);
	free(config->checks);
	free(config->vips);
	explicit_bzero(config->key, sizeof(config->key));
	free(config);
}

bool config_has_dev(const struct config *config)
{
	for (size_t i = 0; i < config->n_vips; i++)
		if (config->vips[i].dev[0])
			return true;
	return false;
}

const char *config_same_identity(const struct config *a, const struct config *b)
{
	if (a->engine != b->engine)
		return "engine";
	if (a->self.id != b->self.id)
		return "id of [node]";
	if (strcmp(a->socket, b->socket))
		return "socket";
	if (strcmp(a->state_dir, b->state_dir))
		return "state-dir";
	/* What tells the neighbours was opened with rights that are gone. */
	if (!config_has_dev(a) && config_has_dev(b))
		return "dev of [vip]";
	return NULL;
}
