// SPDX-License-Identifier: GPL-2.0
/* What systemd is told, if it asked for it. */
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "log.h"
#include "mlbd.h"

#define STATUS_MS 10000

static struct mlbd *mlbd;
static uv_timer_t timer;
static bool opened;

static const char *json_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static unsigned int count(const json_t *nodes, const char *flag)
{
	unsigned int n = 0;
	const json_t *node;
	size_t i;

	json_array_foreach(nodes, i, node)
		n += json_is_true(json_object_get(node, flag));
	return n;
}

static void tell_status(void)
{
	json_t *cluster = cluster_status(mlbd->cluster);
	const json_t *nodes = json_object_get(cluster, "nodes");
	const char *refused = kernel_state(mlbd->kernel)->refused;

	if (mlbd->reload_error[0])
		sd_notifyf(0, "STATUS=old configuration kept: %s",
			   mlbd->reload_error);
	else if (refused[0])
		sd_notifyf(0, "STATUS=refused: %s", refused);
	else if (mlbd->config->engine == CONFIG_ENGINE_NONE)
		sd_notifyf(0, "STATUS=node %u, no cluster engine",
			   mlbd->config->self.id);
	else
		sd_notifyf(0, "STATUS=node %u%s, %u of %zu nodes ready%s%s",
			   mlbd->config->self.id,
			   json_is_true(json_object_get(cluster, "quorate")) ?
				   "" :
				   ", no quorum",
			   count(nodes, "ready"), json_array_size(nodes),
			   json_text(cluster, "persist-error")[0] ?
				   ", cannot save: " :
				   "",
			   json_text(cluster, "persist-error"));
	json_decref(cluster);
}

static void on_timer(uv_timer_t *handle)
{
	(void)handle;
	manager_alive();
	tell_status();
}

void manager_alive(void)
{
	if (opened)
		sd_notify(0, "WATCHDOG=1");
}

int manager_open(struct mlbd *m)
{
	uint64_t watchdog_us = 0, period = STATUS_MS;
	int ret;

	mlbd = m;
	if (!getenv("NOTIFY_SOCKET"))
		return 0;
	if (sd_watchdog_enabled(0, &watchdog_us) > 0 &&
	    watchdog_us / 2000 < period)
		period = watchdog_us / 2000 ? watchdog_us / 2000 : 1;
	ret = uv_timer_init(&m->loop, &timer);
	if (!ret)
		ret = uv_timer_start(&timer, on_timer, period, period);
	opened = !ret;
	return ret;
}

void manager_close(void)
{
	if (!opened)
		return;
	sd_notify(0, "STOPPING=1");
	uv_close((uv_handle_t *)&timer, NULL);
	opened = false;
}

void manager_ready(void)
{
	if (!opened)
		return;
	sd_notify(0, "READY=1");
	tell_status();
}

/* Type=notify-reload compares the time with that of its signal. */
void manager_reloading(void)
{
	struct timespec now;

	if (!opened)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		   (unsigned long long)now.tv_sec * 1000000 +
			   (unsigned long long)now.tv_nsec / 1000);
}
