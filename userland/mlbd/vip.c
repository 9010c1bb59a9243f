// SPDX-License-Identifier: GPL-2.0
/* Which virtual addresses this node's routers are to hear of. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "log.h"
#include "text.h"
#include "vip.h"

/* What somebody else changed is put back, and what failed is tried again. */
#define TICK_MS 1000

/**
 * struct vip - one address
 * @leaving: not in the file any more; it goes once it is withdrawn
 * @was: what was done last; VIP_KEEP before anything was
 * @since: of @was, uv_now()
 * @why: it is not up
 * @error: of the last try, a negative errno or 0
 */
struct vip {
	struct config_vip conf;
	bool leaving;
	enum vip_want was;
	uint64_t since;
	char why[128];
	int error;
};

/* What a worker does; it sees nothing else. */
struct job {
	struct config_vip conf;
	enum vip_want want;
	int result;
};

struct vips {
	uv_loop_t *loop;
	vip_want_fn *want;
	void *arg;
	struct vip *vips;
	size_t n;
	uv_timer_t timer;
	bool timer_closed;
	uv_work_t work;
	bool working;
	bool again;
	bool closed;
	struct job *jobs;
	size_t n_jobs;
	struct log_limit failing;
};

static void work_begin(struct vips *v);

static bool same_vip(const struct config_vip *a, const struct config_vip *b)
{
	return a->table == b->table && a->addr.family == b->addr.family &&
	       (a->addr.family == AF_INET ?
			a->addr.v4.s_addr == b->addr.v4.s_addr :
			IN6_ARE_ADDR_EQUAL(&a->addr.v6, &b->addr.v6));
}

static struct vip *find(struct vips *v, const struct config_vip *conf)
{
	for (size_t i = 0; i < v->n; i++)
		if (same_vip(&v->vips[i].conf, conf))
			return &v->vips[i];
	return NULL;
}

static const char *state_word(const struct vip *vip)
{
	return vip->was == VIP_UP   ? "announced" :
	       vip->was == VIP_DOWN ? "withdrawn" :
				      "unknown";
}

/* What was so already, from before this mlbd, is no news. */
static void done(struct vips *v, struct vip *vip, enum vip_want want, bool new)
{
	uint64_t lasted = uv_now(v->loop) - vip->since;
	bool changed = vip->was != want, known = vip->was != VIP_KEEP;
	char addr[ADDR_TEXT];

	if (changed) {
		vip->was = want;
		vip->since = uv_now(v->loop);
	}
	if (!new)
		return;
	addr_text(&vip->conf.addr, addr);
	if (!changed)
		log_warning(
			"the route of %s in table %u was changed by somebody else: put back",
			addr, vip->conf.table);
	else if (want == VIP_UP)
		log_notice("%s is announced in table %u", addr,
			   vip->conf.table);
	else
		log_warning("%s is withdrawn from table %u: %s", addr,
			    vip->conf.table, vip->why);
	control_event(json_pack("{s:s, s:s, s:i, s:s, s:I, s:s*}", "event",
				"vip", "addr", addr, "table",
				(int)vip->conf.table, "state", state_word(vip),
				"lasted", known ? (json_int_t)lasted : 0,
				"reason", want == VIP_DOWN ? vip->why : NULL));
}

static void take_result(struct vips *v, const struct job *job)
{
	struct vip *vip = find(v, &job->conf);
	char addr[ADDR_TEXT];

	if (!vip)
		return;
	vip->error = job->result < 0 ? job->result : 0;
	if (!vip->error)
		done(v, vip, job->want, job->result);
	else if (log_allowed(&v->failing))
		log_error("the route of %s in table %u: %s",
			  addr_text(&vip->conf.addr, addr), vip->conf.table,
			  strerror(-vip->error));
	if (vip->leaving && !vip->error && job->want == VIP_DOWN)
		*vip = v->vips[--v->n];
}

static void on_work(uv_work_t *work)
{
	struct vips *v = work->data;

	for (size_t i = 0; i < v->n_jobs; i++)
		v->jobs[i].result =
			vip_route(&v->jobs[i].conf, v->jobs[i].want == VIP_UP);
}

static void free_unused(struct vips *v)
{
	if (!v->closed || v->working || !v->timer_closed)
		return;
	free(v->jobs);
	free(v->vips);
	free(v);
}

static void on_worked(uv_work_t *work, int status)
{
	struct vips *v = work->data;

	v->working = false;
	for (size_t i = 0; !status && !v->closed && i < v->n_jobs; i++)
		take_result(v, &v->jobs[i]);
	if (v->again && !v->closed)
		work_begin(v);
	free_unused(v);
}

/* Notes what is wanted, and leaves out what is not known. */
static size_t fill_jobs(struct vips *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++) {
		struct vip *vip = &v->vips[i];
		const char *why = "it is not in the file any more";
		enum vip_want want = VIP_DOWN;

		if (!vip->leaving)
			want = v->want(v->arg, &vip->conf, &why);
		snprintf(vip->why, sizeof(vip->why), "%s",
			 want == VIP_UP ? "" : why);
		if (want != VIP_KEEP)
			v->jobs[n++] =
				(struct job){ .conf = vip->conf, .want = want };
	}
	return n;
}

static void work_begin(struct vips *v)
{
	if (v->working) {
		v->again = true;
		return;
	}
	v->again = false;
	free(v->jobs);
	v->jobs = calloc(v->n + 1, sizeof(*v->jobs));
	v->n_jobs = v->jobs ? fill_jobs(v) : 0;
	if (!v->n_jobs)
		return;
	v->work.data = v;
	v->working = !uv_queue_work(v->loop, &v->work, on_work, on_worked);
}

static void on_timer(uv_timer_t *timer)
{
	work_begin(timer->data);
}

int vips_reload(struct vips *vips, const struct config *config)
{
	struct vip *all = calloc(vips->n + config->n_vips + 1, sizeof(*all));
	size_t n = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_vips; i++) {
		const struct vip *old = find(vips, &config->vips[i]);

		if (old)
			all[n] = *old;
		else
			all[n].since = uv_now(vips->loop);
		all[n].conf = config->vips[i];
		all[n++].leaving = false;
	}
	for (size_t i = 0; i < vips->n; i++) {
		bool stays = false;

		for (size_t j = 0; j < config->n_vips; j++)
			stays |=
				same_vip(&vips->vips[i].conf, &config->vips[j]);
		if (stays)
			continue;
		all[n] = vips->vips[i];
		all[n++].leaving = true;
	}
	free(vips->vips);
	vips->vips = all;
	vips->n = n;
	if (n)
		uv_timer_start(&vips->timer, on_timer, 0, TICK_MS);
	else
		uv_timer_stop(&vips->timer);
	return 0;
}

int vips_open(struct vips **vips, uv_loop_t *loop, const struct config *config,
	      vip_want_fn *want, void *arg)
{
	struct vips *v = calloc(1, sizeof(*v));
	int ret;

	*vips = NULL;
	if (!v)
		return -ENOMEM;
	v->loop = loop;
	v->want = want;
	v->arg = arg;
	uv_timer_init(loop, &v->timer);
	v->timer.data = v;
	ret = vips_reload(v, config);
	if (ret) {
		vips_close(v);
		return ret;
	}
	*vips = v;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct vips *v = handle->data;

	v->timer_closed = true;
	free_unused(v);
}

void vips_close(struct vips *vips)
{
	if (!vips)
		return;
	vips->closed = true;
	uv_close((uv_handle_t *)&vips->timer, on_closed);
}

void vips_poke(struct vips *vips)
{
	if (vips && vips->n)
		work_begin(vips);
}

void vips_withdraw(struct vips *vips)
{
	for (size_t i = 0; vips && i < vips->n; i++)
		vip_route(&vips->vips[i].conf, false);
}

json_t *vips_json(const struct vips *vips)
{
	json_t *all = json_array();

	for (size_t i = 0; i < vips->n; i++) {
		const struct vip *vip = &vips->vips[i];
		char addr[ADDR_TEXT];

		json_array_append_new(
			all,
			json_pack("{s:s, s:s, s:i, s:s, s:f, s:s?, s:s?}",
				  "vip", vip->conf.name, "addr",
				  addr_text(&vip->conf.addr, addr), "table",
				  (int)vip->conf.table, "state",
				  state_word(vip), "for",
				  (double)(uv_now(vips->loop) - vip->since) /
					  1000,
				  "reason", vip->why[0] ? vip->why : NULL,
				  "error",
				  vip->error ? strerror(-vip->error) : NULL));
	}
	return all;
}
