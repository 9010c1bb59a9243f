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

/* How often neighbours are told of an address that has come, after the first. */
#define TELLS 4

/**
 * struct vip - one address
 * @leaving: not in the file any more; it goes once it is withdrawn
 * @was: what was done last; VIP_KEEP before anything was
 * @since: of @was, uv_now()
 * @why: it is not up
 * @error: of the last try, a negative errno or 0
 * @tell: how often neighbours are still to be told
 */
struct vip {
	struct config_vip conf;
	bool leaving;
	enum vip_want was;
	uint64_t since;
	char why[128];
	int error;
	unsigned int tell;
};

/* What a worker does; it sees nothing else. */
struct job {
	struct config_vip conf;
	enum vip_want want;
	bool tell;
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
	return a->table == b->table && !strcmp(a->dev, b->dev) &&
	       a->addr.family == b->addr.family &&
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

static const char *place(const struct vip *vip, char text[64])
{
	if (vip->conf.dev[0])
		snprintf(text, 64, "on %s", vip->conf.dev);
	else
		snprintf(text, 64, "in table %u", vip->conf.table);
	return text;
}

static void tell_change(const struct vip *vip, enum vip_want want,
			uint64_t lasted)
{
	char addr[ADDR_TEXT], where[64];
	json_t *event;

	addr_text(&vip->conf.addr, addr);
	if (want == VIP_UP)
		log_notice("%s is announced %s", addr, place(vip, where));
	else
		log_warning("%s is withdrawn %s: %s", addr, place(vip, where),
			    vip->why);
	event = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s*}", "event", "vip",
			  "addr", addr, "where", place(vip, where), "state",
			  state_word(vip), "lasted", (json_int_t)lasted,
			  "reason", want == VIP_DOWN ? vip->why : NULL);
	if (event)
		control_event(event);
}

/* What was so already, from before this mlbd, is no news. */
static void done(struct vips *v, struct vip *vip, enum vip_want want, bool new)
{
	uint64_t lasted = uv_now(v->loop) - vip->since;
	bool changed = vip->was != want, known = vip->was != VIP_KEEP;
	char addr[ADDR_TEXT], where[64];

	if (changed) {
		vip->was = want;
		vip->since = uv_now(v->loop);
	}
	if (!new)
		return;
	if (!changed)
		log_warning("%s %s was changed by somebody else: put back",
			    addr_text(&vip->conf.addr, addr),
			    place(vip, where));
	if (want == VIP_UP)
		vip->tell = TELLS;
	tell_change(vip, want, known ? lasted : 0);
}

static void take_result(struct vips *v, const struct job *job)
{
	struct vip *vip = find(v, &job->conf);
	char addr[ADDR_TEXT], where[64];

	if (!vip)
		return;
	vip->error = job->result < 0 ? job->result : 0;
	if (!vip->error)
		done(v, vip, job->want, job->result);
	else if (log_allowed(&v->failing))
		log_error("%s %s: %s", addr_text(&vip->conf.addr, addr),
			  place(vip, where), strerror(-vip->error));
	if (vip->leaving && !vip->error && job->want == VIP_DOWN)
		*vip = v->vips[--v->n];
}

/* A neighbour that did not hear the first may hear the next. */
static void on_work(uv_work_t *work)
{
	struct vips *v = work->data;

	for (size_t i = 0; i < v->n_jobs; i++) {
		struct job *job = &v->jobs[i];

		job->result = vip_set(&job->conf, job->want == VIP_UP);
		if (job->conf.dev[0] && job->want == VIP_UP &&
		    (job->result == 1 || (!job->result && job->tell)))
			vip_tell(&job->conf);
	}
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
			v->jobs[n++] = (struct job){ .conf = vip->conf,
						     .want = want,
						     .tell = vip->tell };
		vip->tell -= vip->tell > 0;
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

/* It is called for many things of which most are of no concern here. */
void vips_poke(struct vips *vips)
{
	const char *why;

	for (size_t i = 0; vips && i < vips->n; i++) {
		const struct vip *vip = &vips->vips[i];
		enum vip_want want =
			vip->leaving ? VIP_DOWN :
				       vips->want(vips->arg, &vip->conf, &why);

		if (want == VIP_KEEP || (want == vip->was && !vips->working))
			continue;
		work_begin(vips);
		return;
	}
}

void vips_withdraw(struct vips *vips)
{
	for (size_t i = 0; vips && i < vips->n; i++)
		vip_set(&vips->vips[i].conf, false);
}

json_t *vips_json(const struct vips *vips)
{
	json_t *all = json_array();

	for (size_t i = 0; i < vips->n; i++) {
		const struct vip *vip = &vips->vips[i];
		char addr[ADDR_TEXT], where[64];

		json_array_append_new(
			all,
			json_pack("{s:s, s:s, s:s, s:s, s:f, s:s?, s:s?}",
				  "vip", vip->conf.name, "addr",
				  addr_text(&vip->conf.addr, addr), "where",
				  place(vip, where), "state", state_word(vip),
				  "for",
				  (double)(uv_now(vips->loop) - vip->since) /
					  1000,
				  "reason", vip->why[0] ? vip->why : NULL,
				  "error",
				  vip->error ? strerror(-vip->error) : NULL));
	}
	return all;
}
