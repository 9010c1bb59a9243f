// SPDX-License-Identifier: GPL-2.0
/*
 * How long the loop takes from one look at what has happened to the next: as
 * long as this nobody is served, the cluster's messages among them.
 */
#include "mlbd.h"

/* Longer than this is too long. */
#define LONG_NS (10 * 1000000ull)

static uv_loop_t *loop;
static uv_prepare_t prepare;
static uint64_t last, last_idle, longest, n_long;

/* Once in each turn, before it waits. */
static void on_prepare(uv_prepare_t *handle)
{
	uint64_t now = uv_hrtime(), idle = uv_metrics_idle_time(loop);
	uint64_t took = now - last - (idle - last_idle);

	(void)handle;
	if (last && took > longest)
		longest = took;
	if (last && took > LONG_NS)
		n_long++;
	last = now;
	last_idle = idle;
}

int turns_open(struct mlbd *mlbd)
{
	int ret = uv_loop_configure(&mlbd->loop, UV_METRICS_IDLE_TIME);

	if (ret)
		return ret;
	loop = &mlbd->loop;
	uv_prepare_init(loop, &prepare);
	return uv_prepare_start(&prepare, on_prepare);
}

void turns_close(void)
{
	if (loop)
		uv_close((uv_handle_t *)&prepare, NULL);
	loop = NULL;
}

json_t *turns_json(void)
{
	return json_pack("{s:f, s:I}", "longest", (double)longest / 1e6, "long",
			 (json_int_t)n_long);
}
