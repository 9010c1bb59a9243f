// SPDX-License-Identifier: GPL-2.0
/* The status as Prometheus text, in a file that node_exporter reads. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "mlbd.h"

static const struct {
	const char *group;
	const char *name;
	const char *meaning;
} counters[] = {
#define MLB_COUNTER(attr, group, name, meaning) { group, name, meaning },
#include "counters_gen.h"
#undef MLB_COUNTER
};

/* Gauges and counters that are one number, by where they stand. */
static const struct {
	const char *object;
	const char *key;
	const char *name;
	const char *type;
	const char *help;
} numbers[] = {
	{ "settings", "flows", "mlb_flows", "gauge", "Flow entries." },
	{ "settings", "max-flows", "mlb_flows_limit", "gauge",
	  "Most flow entries." },
	{ "settings", "owners", "mlb_owners", "gauge", "Owner entries." },
	{ "settings", "max-owners", "mlb_owners_limit", "gauge",
	  "Most owner entries." },
	{ "settings", "parked", "mlb_parked_packets", "gauge",
	  "Packets that wait for a peer's answer." },
	{ "kernel", "applied", "mlb_mlbd_changes_total", "counter",
	  "Things that mlbd changed in the kernel." },
	{ "kernel", "repaired", "mlb_mlbd_repairs_total", "counter",
	  "Those of them that somebody else had changed before." },
	{ "kernel", "lost", "mlb_mlbd_events_lost_total", "counter",
	  "Times that events of the kernel were lost." },
	{ "cluster", "connected", "mlb_cluster_engine_connected", "gauge",
	  "Whether the cluster engine answers." },
	{ "cluster", "quorate", "mlb_cluster_quorate", "gauge",
	  "Whether this side may decide." },
	{ "cluster", "persisted", "mlb_cluster_document_saved", "gauge",
	  "Whether the document is on disk." },
	{ "sync", "queued", "mlb_sync_queued_entries", "gauge",
	  "Owner entries that wait to be sent." },
	{ "sync", "sent", "mlb_sync_sent_entries_total", "counter",
	  "Owner entries sent." },
	{ "sync", "repeats", "mlb_sync_repeats_total", "counter",
	  "Times that all own entries were sent again." },
	{ "drain", "for", "mlb_drain_seconds", "gauge",
	  "Since this node's drain began." },
	{ "drain", "connections", "mlb_drain_connections", "gauge",
	  "Connections that this node, which drains, still has." },
	{ "drain", "left", "mlb_drain_left_seconds", "gauge",
	  "Until this node's drain ends all the same." },
	{ "", "cpu", "mlb_mlbd_cpu_seconds_total", "counter",
	  "CPU time of mlbd." },
	{ "", "rss", "mlb_mlbd_resident_memory_bytes", "gauge",
	  "Memory of mlbd." },
	{ "", "uptime", "mlb_mlbd_uptime_seconds", "gauge",
	  "Since mlbd was started." },
};

/* One number for each node. */
static const struct {
	bool kernel; /* of the kernel's nodes, not the cluster's */
	const char *id;
	const char *key;
	const char *name;
	const char *type;
	double scale;
	const char *help;
} node_numbers[] = {
	{ true, "id", "owners", "mlb_node_owners", "gauge", 1,
	  "Owner entries that name the node." },
	{ true, "id", "weight", "mlb_node_weight", "gauge", 1,
	  "Share of new connections." },
	{ false, "node", "member", "mlb_node_member", "gauge", 1,
	  "Whether the engine sees the node." },
	{ false, "node", "ready", "mlb_node_ready", "gauge", 1,
	  "Whether its mlbd says that it serves." },
	{ false, "node", "lag", "mlb_node_sync_lag_seconds", "gauge", 0.001,
	  "From the sender's tick to this kernel's table." },
	{ false, "node", "received", "mlb_node_sync_received_total", "counter",
	  1, "Owner entries received of the node." },
	{ false, "node", "gaps", "mlb_node_sync_gaps_total", "counter", 1,
	  "Times that messages of the node were missing." },
};

/* One number for each check. */
static const struct {
	const char *key;
	const char *name;
	const char *type;
	double scale;
	const char *help;
} check_numbers[] = {
	{ "took", "mlb_check_seconds", "gauge", 0.001,
	  "Time that the last look took." },
	{ "good", "mlb_check_good_total", "counter", 1, "Good results." },
	{ "bad", "mlb_check_bad_total", "counter", 1, "Bad results." },
};

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

struct metrics {
	struct mlbd *mlbd;
	uv_timer_t timer;
	uv_work_t work;
	bool writing;
	bool closing;
	char path[PATH_MAX];
	char *text;
	int status;
	struct log_limit failing;
};

static bool value_of(const json_t *value, double *number)
{
	*number = json_is_boolean(value) ? json_is_true(value) :
					   json_number_value(value);
	return json_is_boolean(value) || json_is_number(value);
}

static void head(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP %s ", name);
	for (; *help; help++)
		fputc(*help == '\n' ? ' ' : *help, to);
	fprintf(to, "\n# TYPE %s %s\n", name, type);
}

static void put_counters(FILE *to, const json_t *stats)
{
	for (size_t i = 0; i < N_ELEMENTS(counters); i++) {
		const json_t *value = json_object_get(
			json_object_get(stats, counters[i].group),
			counters[i].name);
		char name[96];

		if (!value)
			continue;
		snprintf(name, sizeof(name), "mlb_%s_%s_total",
			 counters[i].group, counters[i].name);
		for (char *c = name; *c; c++)
			*c = *c == '-' ? '_' : *c;
		head(to, name, "counter", counters[i].meaning);
		fprintf(to, "%s %" JSON_INTEGER_FORMAT "\n", name,
			json_integer_value(value));
	}
}

static const json_t *object_of(const json_t *status, const char *name)
{
	const json_t *kernel = json_object_get(status, "kernel");
	const json_t *cluster = json_object_get(status, "cluster");

	if (!strcmp(name, "settings"))
		return json_object_get(kernel, "settings");
	if (!strcmp(name, "sync") || !strcmp(name, "drain"))
		return json_object_get(cluster, name);
	return name[0] ? json_object_get(status, name) : status;
}

static void put_numbers(FILE *to, const json_t *status)
{
	for (size_t i = 0; i < N_ELEMENTS(numbers); i++) {
		const json_t *value = json_object_get(
			object_of(status, numbers[i].object), numbers[i].key);
		double number;

		if (!value_of(value, &number))
			continue;
		head(to, numbers[i].name, numbers[i].type, numbers[i].help);
		fprintf(to, "%s %.15g\n", numbers[i].name, number);
	}
}

static void put_nodes(FILE *to, const json_t *status)
{
	for (size_t i = 0; i < N_ELEMENTS(node_numbers); i++) {
		const json_t *node,
			*nodes = json_object_get(
				json_object_get(status, node_numbers[i].kernel ?
								"kernel" :
								"cluster"),
				"nodes");
		bool first = true;
		size_t at;

		json_array_foreach(nodes, at, node)
		{
			const json_t *value =
				json_object_get(node, node_numbers[i].key);
			double number;

			if (!value_of(value, &number))
				continue;
			if (first)
				head(to, node_numbers[i].name,
				     node_numbers[i].type,
				     node_numbers[i].help);
			first = false;
			fprintf(to,
				"%s{node=\"%" JSON_INTEGER_FORMAT "\"} %.15g\n",
				node_numbers[i].name,
				json_integer_value(json_object_get(
					node, node_numbers[i].id)),
				number * node_numbers[i].scale);
		}
	}
}

/* Names of roles need no escaping either. */
static void put_roles(FILE *to, const json_t *cluster)
{
	const json_t *roles = json_object_get(cluster, "roles"), *role, *id;
	const json_t *manager = json_object_get(cluster, "manager");
	size_t i, j;

	if (!json_array_size(roles))
		return;
	head(to, "mlb_cluster_manager", "gauge",
	     "The node that decides who holds which role; 0: nobody.");
	fprintf(to, "mlb_cluster_manager %" JSON_INTEGER_FORMAT "\n",
		json_integer_value(manager));
	head(to, "mlb_role_holders", "gauge", "Nodes that hold the role.");
	json_array_foreach(roles, i, role)
		fprintf(to, "mlb_role_holders{role=\"%s\"} %zu\n",
			json_string_value(json_object_get(role, "role")),
			json_array_size(json_object_get(role, "nodes")));
	head(to, "mlb_role_epoch", "gauge",
	     "Version of the document in which that changed last.");
	json_array_foreach(roles, i, role)
		fprintf(to,
			"mlb_role_epoch{role=\"%s\"} %" JSON_INTEGER_FORMAT
			"\n",
			json_string_value(json_object_get(role, "role")),
			json_integer_value(json_object_get(role, "epoch")));
	head(to, "mlb_role_held", "gauge", "The node holds the role.");
	json_array_foreach(roles, i, role)
		json_array_foreach(json_object_get(role, "nodes"), j, id)
			fprintf(to,
				"mlb_role_held{role=\"%s\",node=\"%" JSON_INTEGER_FORMAT
				"\"} 1\n",
				json_string_value(
					json_object_get(role, "role")),
				json_integer_value(id));
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void put_check(FILE *to, const char *name, const json_t *check,
		      double value)
{
	fprintf(to, "%s{check=\"%s\",service=\"%s\",type=\"%s\"} %.15g\n", name,
		text_of(check, "check"), text_of(check, "service"),
		text_of(check, "type"), value);
}

/* A state that is not known yet is no sample. The file's names are words. */
static void put_vips(FILE *to, const json_t *status)
{
	const json_t *vips = json_object_get(status, "vips"), *vip;
	size_t i;

	if (json_array_size(vips))
		head(to, "mlb_vip_announced", "gauge",
		     "Whether the address, or its route, is there.");
	json_array_foreach(vips, i, vip)
		if (strcmp(text_of(vip, "state"), "unknown"))
			fprintf(to, "mlb_vip_announced{addr=\"%s\"} %d\n",
				text_of(vip, "addr"),
				!strcmp(text_of(vip, "state"), "announced"));
	if (json_array_size(vips))
		head(to, "mlb_vip_state_seconds", "gauge",
		     "Since when that is so.");
	json_array_foreach(vips, i, vip)
		fprintf(to, "mlb_vip_state_seconds{addr=\"%s\"} %.15g\n",
			text_of(vip, "addr"),
			json_number_value(json_object_get(vip, "for")));
}

static void put_health(FILE *to, const json_t *status)
{
	const json_t *health = json_object_get(status, "health"), *check;
	const json_t *checks = json_object_get(health, "checks"), *value;
	json_t *services = json_object_get(health, "services");
	const char *service;
	size_t i;

	if (!json_array_size(checks))
		return;
	head(to, "mlb_check_up", "gauge", "Whether the check is up.");
	json_array_foreach(checks, i, check)
	{
		const char *state = text_of(check, "state");

		if (strcmp(state, "unknown"))
			put_check(to, "mlb_check_up", check,
				  !strcmp(state, "up"));
	}
	for (size_t k = 0; k < N_ELEMENTS(check_numbers); k++) {
		double number;

		head(to, check_numbers[k].name, check_numbers[k].type,
		     check_numbers[k].help);
		json_array_foreach(checks, i, check)
		{
			value = json_object_get(check, check_numbers[k].key);
			if (value_of(value, &number))
				put_check(to, check_numbers[k].name, check,
					  number * check_numbers[k].scale);
		}
	}
	head(to, "mlb_service_up", "gauge",
	     "Whether every check of the service is up.");
	json_object_foreach(services, service,
			    value) if (strcmp(json_string_value(value),
					      "unknown"))
		fprintf(to, "mlb_service_up{service=\"%s\"} %d\n", service,
			!strcmp(json_string_value(value), "up"));
}

/* The words are this program's: none needs escaping. */
static void put_words(FILE *to, const json_t *status)
{
	const json_t *kernel = json_object_get(status, "kernel");
	json_t *errors =
		json_object_get(json_object_get(status, "cluster"), "errors");
	const json_t *node, *value;
	const char *name;
	size_t i;

	head(to, "mlb_info", "gauge", "What runs here.");
	fprintf(to,
		"mlb_info{version=\"%s\",engine=\"%s\",node=\"%" JSON_INTEGER_FORMAT
		"\"} 1\n",
		json_string_value(json_object_get(status, "version")),
		json_string_value(json_object_get(status, "engine")),
		json_integer_value(json_object_get(status, "node")));
	head(to, "mlb_node_state", "gauge", "State of the node in the kernel.");
	json_array_foreach(json_object_get(kernel, "nodes"), i, node)
		fprintf(to,
			"mlb_node_state{node=\"%" JSON_INTEGER_FORMAT
			"\",state=\"%s\"} 1\n",
			json_integer_value(json_object_get(node, "id")),
			json_string_value(json_object_get(node, "state")));
	if (json_object_size(errors))
		head(to, "mlb_cluster_errors_total", "counter",
		     "What was wrong with messages of peers.");
	json_object_foreach(errors, name, value) fprintf(
		to,
		"mlb_cluster_errors_total{error=\"%s\"} %" JSON_INTEGER_FORMAT
		"\n",
		name, json_integer_value(value));
}

char *metrics_text(const json_t *status)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	put_words(to, status);
	put_roles(to, json_object_get(status, "cluster"));
	put_numbers(to, status);
	put_nodes(to, status);
	put_health(to, status);
	put_vips(to, status);
	put_counters(to, json_object_get(json_object_get(status, "kernel"),
					 "stats"));
	if (fclose(to)) {
		free(text);
		return NULL;
	}
	return text;
}

/* A reader sees the old file or the new one, never half of it. */
static int write_file(const char *path, const char *text)
{
	char tmp[PATH_MAX + 8];
	size_t len = strlen(text);
	int ret = 0, fd;

	snprintf(tmp, sizeof(tmp), "%s.new", path);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		  0644);
	if (fd < 0)
		return -errno;
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			ret = -errno;
			break;
		}
		text += n;
		len -= (size_t)n;
	}
	if (close(fd) && !ret)
		ret = -errno;
	if (!ret && rename(tmp, path))
		ret = -errno;
	if (ret)
		unlink(tmp);
	return ret;
}

static void on_work(uv_work_t *work)
{
	struct metrics *m = work->data;

	m->status = write_file(m->path, m->text);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct metrics *m = handle->data;

	m->mlbd = NULL;
	if (!m->writing)
		free(m);
}

static void on_work_done(uv_work_t *work, int status)
{
	struct metrics *m = work->data;

	m->writing = false;
	free(m->text);
	if (!status && m->status && log_allowed(&m->failing))
		log_warning("metrics-file %s: %s", m->path,
			    strerror(-m->status));
	if (m->closing || strcmp(m->path, m->mlbd->config->metrics_file))
		unlink(m->path);
	if (m->closing && !m->mlbd)
		free(m);
}

static void on_timer(uv_timer_t *timer)
{
	struct metrics *m = timer->data;
	const struct config *config = m->mlbd->config;
	json_t *status;

	if (m->writing || !config->metrics_file[0])
		return;
	status = mlbd_status(m->mlbd);
	m->text = metrics_text(status);
	json_decref(status);
	if (!m->text)
		return;
	memcpy(m->path, config->metrics_file, sizeof(m->path));
	m->work.data = m;
	m->writing =
		!uv_queue_work(&m->mlbd->loop, &m->work, on_work, on_work_done);
	if (!m->writing)
		free(m->text);
}

int metrics_open(struct metrics **metrics, struct mlbd *mlbd)
{
	struct metrics *m = calloc(1, sizeof(*m));

	*metrics = NULL;
	if (!m)
		return -ENOMEM;
	m->mlbd = mlbd;
	uv_timer_init(&mlbd->loop, &m->timer);
	m->timer.data = m;
	*metrics = m;
	metrics_reload(m, mlbd->config);
	return 0;
}

void metrics_reload(struct metrics *metrics, const struct config *config)
{
	if (metrics->path[0] && strcmp(metrics->path, config->metrics_file))
		unlink(metrics->path);
	if (config->metrics_file[0])
		uv_timer_start(&metrics->timer, on_timer, 0,
			       (uint64_t)config->metrics_interval * 1000);
	else
		uv_timer_stop(&metrics->timer);
}

/* An old file would go on telling what was once true. */
void metrics_close(struct metrics *metrics)
{
	if (!metrics)
		return;
	metrics->closing = true;
	if (metrics->mlbd->config->metrics_file[0])
		unlink(metrics->mlbd->config->metrics_file);
	uv_close((uv_handle_t *)&metrics->timer, on_timer_closed);
}
