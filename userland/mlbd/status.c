// SPDX-License-Identifier: GPL-2.0
/* What mlbd, the cluster and the kernel say of themselves, as one object. */
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "mlbd.h"
#include "print.h"

static const struct {
	int attr;
	const char *group;
	const char *name;
} counters[] = {
#define MLB_COUNTER(attr, group, name, meaning) { attr, group, name },
#include "counters_gen.h"
#undef MLB_COUNTER
};

/* What print_*() write as JSON, taken before it goes to a file. */
static struct output *begin(struct output *out)
{
	*out = (struct output){ .json = true };
	out_begin(out);
	return out;
}

static int take_node(const struct mlb_node *node, void *nodes)
{
	struct output out;

	print_node(begin(&out), node);
	return json_array_append_new(nodes, out.object);
}

static int take_service(const struct mlb_service *service, void *services)
{
	struct output out;

	print_service(begin(&out), service);
	return json_array_append_new(services, out.object);
}

static json_t *settings(struct mlb *mlb)
{
	struct mlb_config config;
	struct output out;

	if (mlb_config_get(mlb, &config))
		return NULL;
	print_config(begin(&out), &config);
	return out.object;
}

static json_t *stats(struct mlb *mlb)
{
	json_t *object = json_object();
	struct mlb_stats stats;

	if (mlb_stats_get(mlb, &stats))
		return object;
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		json_t *group = json_object_get(object, counters[i].group);

		if (!stats.present[counters[i].attr])
			continue;
		if (!group) {
			group = json_object();
			json_object_set_new(object, counters[i].group, group);
		}
		json_object_set_new(
			group, counters[i].name,
			json_integer(
				(json_int_t)stats.value[counters[i].attr]));
	}
	return object;
}

static json_t *kernel_json(struct mlbd *mlbd)
{
	const struct kernel_state *state = kernel_state(mlbd->kernel);
	struct mlb *mlb = kernel_mlb(mlbd->kernel);
	json_t *nodes = json_array(), *services = json_array();

	mlb_node_each(mlb, take_node, nodes);
	mlb_service_each(mlb, take_service, services);
	return json_pack("{s:o*, s:o, s:o, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:i, s:s?}",
			 "settings", settings(mlb), "nodes", nodes, "services",
			 services, "stats", stats(mlb), "applying",
			 state->applying, "paused",
			 (json_int_t)state->paused, "applied",
			 (json_int_t)state->applied, "repaired",
			 (json_int_t)state->repaired, "lost",
			 (json_int_t)state->lost, "unread",
			 (json_int_t)state->unread, "hung", (int)state->hung,
			 "refused",
			 state->refused[0] ? state->refused : NULL);
}

static json_int_t rss(void)
{
	long long size, pages = 0;
	FILE *statm = fopen("/proc/self/statm", "re");

	if (!statm)
		return 0;
	if (fscanf(statm, "%lld %lld", &size, &pages) != 2)
		pages = 0;
	fclose(statm);
	return pages * sysconf(_SC_PAGESIZE);
}

static double cpu(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

json_t *mlbd_status(struct mlbd *mlbd)
{
	const char *engine = mlbd->config->engine == CONFIG_ENGINE_NONE ?
				     "none" :
				     "corosync";

	return json_pack(
		"{s:s, s:i, s:I, s:s, s:i, s:s?, s:f, s:I, s:o, s:o, s:o, s:o, s:o}",
		"version", MLB_VERSION, "pid", (int)getpid(), "uptime",
		(json_int_t)(uv_now(&mlbd->loop) - mlbd->started) / 1000,
		"engine", engine, "node", (int)mlbd->config->self.id,
		"reload-error",
		mlbd->reload_error[0] ? mlbd->reload_error : NULL, "cpu", cpu(),
		"rss", rss(), "turns", turns_json(), "cluster", cluster_status(mlbd->cluster),
		"health", health_json(mlbd->health), "vips",
		vips_json(mlbd->vips), "kernel",
		kernel_json(mlbd));
}
