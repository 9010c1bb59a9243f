// SPDX-License-Identifier: GPL-2.0
/* A cluster without engine: the file says it all. */
#include <errno.h>
#include <stdlib.h>

#include "cluster.h"
#include "goal.h"
#include "log.h"

/* What the kernel refused is tried again: a port can become free. */
#define RETRY_MS 5000

struct cluster {
	const struct config *config;
	struct kernel *kernel;
	uv_timer_t retry;
};

static int apply(struct cluster *c);

static void on_retry(uv_timer_t *timer)
{
	apply(timer->data);
}

static int apply(struct cluster *c)
{
	unsigned int changes = 0;
	uint64_t repaired = kernel_state(c->kernel)->repaired;
	struct goal goal;
	int ret = goal_make(&goal, c->config, NULL, NULL, 0);

	if (ret)
		return ret;
	ret = kernel_apply(c->kernel, &goal.kernel, &changes);
	goal_free(&goal);
	if (ret)
		uv_timer_start(&c->retry, on_retry, RETRY_MS, 0);
	else
		uv_timer_stop(&c->retry);
	if (kernel_state(c->kernel)->repaired != repaired)
		control_event(json_pack("{s:s, s:i}", "event", "repaired",
					"changes", (int)changes));
	return ret;
}

int cluster_open(struct cluster **cluster, uv_loop_t *loop,
		 const struct config *config, struct kernel *kernel)
{
	struct cluster *c = calloc(1, sizeof(*c));

	*cluster = NULL;
	if (!c)
		return -ENOMEM;
	if (config->engine != CONFIG_ENGINE_NONE) {
		free(c);
		return -EOPNOTSUPP;
	}
	c->config = config;
	c->kernel = kernel;
	uv_timer_init(loop, &c->retry);
	c->retry.data = c;
	apply(c);
	*cluster = c;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void cluster_close(struct cluster *cluster)
{
	if (cluster)
		uv_close((uv_handle_t *)&cluster->retry, on_closed);
}

int cluster_reload(struct cluster *cluster, const struct config *config)
{
	cluster->config = config;
	return apply(cluster);
}

void cluster_poke(struct cluster *cluster)
{
	apply(cluster);
}

int cluster_propose(struct cluster *cluster, json_t *change,
		    cluster_result_fn *fn, void *arg)
{
	(void)cluster;
	(void)fn;
	(void)arg;
	json_decref(change);
	return -EOPNOTSUPP;
}

void cluster_owner(struct cluster *cluster, const struct mlb_owner *owner,
		   bool add)
{
	(void)cluster;
	(void)owner;
	(void)add;
}

void cluster_owners_lost(struct cluster *cluster)
{
	(void)cluster;
}

json_t *cluster_status(struct cluster *cluster)
{
	(void)cluster;
	return json_object();
}

json_t *cluster_document(struct cluster *cluster)
{
	(void)cluster;
	return NULL;
}
