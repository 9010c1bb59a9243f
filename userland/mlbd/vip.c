// SPDX-License-Identifier: GPL-2.0
/* Which virtual addresses this node's routers are to hear of. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assign.h"
#include "control.h"
#include "log.h"
#include "text.h"
#include "vip.h"

_Static_assert(ASSIGN_FENCE_MS > 1000 * (VIP_VALID_S + 1),
	       "an address outlives the wait for its holder");

/* What somebody else changed is put back, and what failed is tried again. */
#define TICK_MS 1000

/* How often neighbours are told of an address that has come, and at least how
 * long after the last time: who did not hear it may hear the next.
 */
#define TELLS 5
#define TELL_MS 900

/**
 * struct vip - one address
 * @leaving: not in the file any more; it goes once it is withdrawn
 * @was: what was done last, VIP_UP or VIP_DOWN; VIP_KEEP when that is not known
 * @since: of @was, uv_now()
 * @renewed: when it was last done, uv_now()
 * @not_before: it does not come back sooner, uv_now()
 * @why: it is not up, or "": for people
 * @epoch: of the last wish
 * @ring: in which neighbours were told
 * @error: of the last try, or ""
 * @tell: how often neighbours are still to be told
 * @told: when they were last, uv_now()
 */
struct vip {
	struct config_vip conf;
	bool leaving;
	enum vip_want was;
	uint64_t since;
	uint64_t renewed;
	uint64_t not_before;
	char why[192];
	uint64_t epoch;
	uint64_t ring;
	char error[128];
	unsigned int tell;
	uint64_t told;
};

/**
 * struct job - what a worker does; it sees nothing else
 * @why: for the event, should there be one
 * @tell: neighbours are to be told, also when nothing had to be done
 * @result: of vip_set(); -ECANCELED when it was not called
 * @told: of vip_tell(); -ECANCELED when it was not called
 */
struct job {
	struct config_vip conf;
	enum vip_want want;
	char why[192];
	bool tell;
	int result;
	int told;
};

/**
 * struct vips - all of them
 * @lock: taken for each vip_set(), and to set @withdrawn, after which there is
 *	none any more
 */
struct vips {
	uv_loop_t *loop;
	struct vip_calls calls;
	void *arg;
	struct vip *vips;
	size_t n;
	uv_timer_t timer;
	bool timer_closed;
	uv_work_t work;
	bool working;
	bool again;
	bool closed;
	bool swept;
	bool sweep;
	struct job *jobs;
	size_t n_jobs;
	uv_mutex_t lock;
	bool withdrawn;
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

static struct vip_wish wish_of(struct vips *v, const struct vip *vip)
{
	struct vip_wish wish = {};

	if (!vip->leaving) {
		v->calls.want(v->arg, &vip->conf, &wish);
		return wish;
	}
	wish.want = VIP_DOWN;
	wish.why = "it is not in the file any more";
	return wish;
}

static void tell_change(const struct vip *vip, const char *why, uint64_t lasted)
{
	const char *colon = why[0] ? ": " : "";
	char addr[ADDR_TEXT], where[64];
	json_t *event;

	addr_text(&vip->conf.addr, addr);
	if (vip->was == VIP_UP)
		log_notice("%s is announced %s%s%s", addr, place(vip, where),
			   colon, why);
	else
		log_warning("%s is withdrawn %s%s%s", addr, place(vip, where),
			    colon, why);
	event = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s*}", "event", "vip",
			  "addr", addr, "where", place(vip, where), "state",
			  state_word(vip), "lasted", (json_int_t)lasted,
			  "reason", why[0] ? why : NULL);
	if (event && vip->conf.dev[0]) {
		json_object_set_new(event, "role",
				    json_string(vip->conf.role));
		json_object_set_new(event, "epoch",
				    json_integer((json_int_t)vip->epoch));
	}
	if (event)
		control_event(event);
}

/* What was so already, from before this mlbd, is no news. */
static void done(struct vips *v, struct vip *vip, const struct job *job)
{
	uint64_t now = uv_now(v->loop), lasted = now - vip->since;
	bool changed = vip->was != job->want, known = vip->was != VIP_KEEP;
	char addr[ADDR_TEXT], where[64];

	vip->renewed = now;
	if (changed) {
		vip->was = job->want;
		vip->since = now;
	}
	if (job->result && !changed)
		log_warning("%s %s was changed by somebody else: put back",
			    addr_text(&vip->conf.addr, addr),
			    place(vip, where));
	if (job->result && job->want == VIP_UP) {
		vip->tell = TELLS;
		vip->told = 0;
	}
	if (job->result || (changed && known))
		tell_change(vip,
			    changed ? job->why :
				      "somebody else had changed it",
			    known ? lasted : 0);
}

/* Whose interface is down now hears of it when it is up. */
static void take_told(struct vips *v, struct vip *vip, int told)
{
	if (told == -ECANCELED)
		return;
	vip->told = uv_now(v->loop);
	if (!told)
		vip->tell -= vip->tell > 0;
	else
		snprintf(vip->error, sizeof(vip->error),
			 "neighbours cannot be told: %s", strerror(-told));
}

/* Return: whether an address has left its interface. */
static bool take_result(struct vips *v, const struct job *job)
{
	struct vip *vip = find(v, &job->conf);
	char addr[ADDR_TEXT], where[64];
	bool gone = false;

	if (!vip || job->result == -ECANCELED)
		return false;
	vip->error[0] = '\0';
	if (job->result < 0) {
		snprintf(vip->error, sizeof(vip->error), "%s",
			 strerror(-job->result));
	} else {
		gone = vip->conf.dev[0] && job->want == VIP_DOWN &&
		       vip->was != VIP_DOWN;
		done(v, vip, job);
		take_told(v, vip, job->told);
	}
	if (vip->error[0] && log_allowed(&v->failing))
		log_error("%s %s: %s", addr_text(&vip->conf.addr, addr),
			  place(vip, where), vip->error);
	if (vip->leaving && job->result >= 0 && job->want == VIP_DOWN)
		*vip = v->vips[--v->n];
	return gone;
}

static void do_job(struct vips *v, struct job *job)
{
	uv_mutex_lock(&v->lock);
	if (!v->withdrawn)
		job->result = vip_set(&job->conf, job->want == VIP_UP);
	uv_mutex_unlock(&v->lock);
	if (job->conf.dev[0] && job->want == VIP_UP &&
	    (job->result == 1 || (!job->result && job->tell)))
		job->told = vip_tell(&job->conf);
}

/* Routes that an earlier mlbd made, by another file, would be announced for
 * ever. What cannot be looked at stays; the next start looks again.
 */
static void sweep(struct vips *v)
{
	struct config_vip *known = calloc(v->n_jobs + 1, sizeof(*known));
	int ret = -ENOMEM;

	for (size_t i = 0; known && i < v->n_jobs; i++)
		known[i] = v->jobs[i].conf;
	uv_mutex_lock(&v->lock);
	if (known && !v->withdrawn)
		ret = vip_sweep(known, v->n_jobs);
	uv_mutex_unlock(&v->lock);
	free(known);
	if (ret < 0)
		log_warning("routes from before cannot be looked for: %s",
			    strerror(-ret));
	else if (ret)
		log_notice("%d routes of addresses that the file does not name are gone",
			   ret);
}

static void on_work(uv_work_t *work)
{
	struct vips *v = work->data;

	if (v->sweep)
		sweep(v);
	for (size_t i = 0; i < v->n_jobs; i++)
		if (v->jobs[i].want == VIP_UP || v->jobs[i].want == VIP_DOWN)
			do_job(v, &v->jobs[i]);
}

static void free_unused(struct vips *v)
{
	if (!v->closed || v->working || !v->timer_closed)
		return;
	uv_mutex_destroy(&v->lock);
	free(v->jobs);
	free(v->vips);
	free(v);
}

static void on_worked(uv_work_t *work, int status)
{
	struct vips *v = work->data;
	bool gone = false;

	v->working = false;
	for (size_t i = 0; !status && !v->closed && i < v->n_jobs; i++)
		gone |= take_result(v, &v->jobs[i]);
	if (v->again && !v->closed)
		work_begin(v);
	if (gone && !v->closed)
		v->calls.gone(v->arg);
	free_unused(v);
}

/*
 * An address that nobody renews has gone by itself. When it is this mlbd that hung,
 * what it takes for true is what was so before: it reads first what the others have
 * told meanwhile.
 */
static void lapse(struct vips *v, struct vip *vip)
{
	uint64_t now = uv_now(v->loop);

	if (!vip->conf.dev[0] || vip->was != VIP_UP ||
	    now - vip->renewed < VIP_VALID_S * 1000)
		return;
	vip->was = VIP_DOWN;
	tell_change(vip, vip->why[0] ? vip->why : "it was not renewed in time",
		    now - vip->since);
	vip->since = now;
	vip->not_before = now + TICK_MS;
}

/* What the worker is to do about one address; nothing, with VIP_KEEP. */
static struct job job_of(struct vips *v, struct vip *vip)
{
	struct vip_wish wish = wish_of(v, vip);
	struct job job = { .conf = vip->conf,
			   .want = wish.want,
			   .result = -ECANCELED,
			   .told = -ECANCELED };
	uint64_t now = uv_now(v->loop);

	snprintf(job.why, sizeof(job.why), "%s", wish.why ? wish.why : "");
	snprintf(vip->why, sizeof(vip->why), "%s",
		 wish.want == VIP_UP ? "" : job.why);
	vip->epoch = wish.epoch;
	lapse(v, vip);
	if (wish.want == VIP_WAIT ||
	    (wish.want == VIP_UP && now < vip->not_before)) {
		job.want = VIP_KEEP;
	} else if (wish.want == VIP_KEEP && vip->conf.dev[0] &&
		   vip->was == VIP_UP) {
		job.want = VIP_UP;
	}
	if (wish.want == VIP_UP && vip->was == VIP_UP &&
	    wish.ring != vip->ring) {
		vip->tell = TELLS;
		vip->told = 0;
	}
	if (wish.want == VIP_UP)
		vip->ring = wish.ring;
	job.tell = vip->tell && (!vip->told || now - vip->told >= TELL_MS);
	return job;
}

static void work_begin(struct vips *v)
{
	bool any;

	if (v->working) {
		v->again = true;
		return;
	}
	v->again = false;
	v->n_jobs = 0;
	free(v->jobs);
	v->jobs = calloc(v->n + 1, sizeof(*v->jobs));
	if (!v->jobs)
		return;
	v->sweep = !v->swept;
	any = v->sweep;
	for (; v->n_jobs < v->n; v->n_jobs++) {
		v->jobs[v->n_jobs] = job_of(v, &v->vips[v->n_jobs]);
		any |= v->jobs[v->n_jobs].want != VIP_KEEP;
	}
	if (!any)
		return;
	v->work.data = v;
	v->working = !uv_queue_work(v->loop, &v->work, on_work, on_worked);
	v->swept |= v->working;
}

static void on_timer(uv_timer_t *timer)
{
	struct vips *v = timer->data;

	work_begin(v);
	if (!v->n && v->swept)
		uv_timer_stop(timer);
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
	if (n || !vips->swept)
		uv_timer_start(&vips->timer, on_timer, 0, TICK_MS);
	else
		uv_timer_stop(&vips->timer);
	return 0;
}

int vips_open(struct vips **vips, uv_loop_t *loop, const struct config *config,
	      const struct vip_calls *calls, void *arg)
{
	struct vips *v = calloc(1, sizeof(*v));
	int ret;

	*vips = NULL;
	if (!v || uv_mutex_init(&v->lock)) {
		free(v);
		return -ENOMEM;
	}
	v->loop = loop;
	v->calls = *calls;
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
	for (size_t i = 0; vips && i < vips->n; i++) {
		const struct vip *vip = &vips->vips[i];
		struct vip_wish wish = wish_of(vips, vip);
		bool other = wish.want != vip->was ||
			     (wish.want == VIP_UP && vip->conf.dev[0] &&
			      wish.ring != vip->ring);

		if (wish.want == VIP_KEEP || wish.want == VIP_WAIT ||
		    (!other && !vips->working))
			continue;
		work_begin(vips);
		return;
	}
}

/* A worker that is at it ends first, and the next does nothing. */
void vips_withdraw(struct vips *vips)
{
	if (!vips)
		return;
	uv_mutex_lock(&vips->lock);
	vips->withdrawn = true;
	for (size_t i = 0; i < vips->n; i++)
		vip_set(&vips->vips[i].conf, false);
	uv_mutex_unlock(&vips->lock);
}

bool vips_let_go(struct vips *vips)
{
	for (size_t i = 0; vips && i < vips->n; i++) {
		const struct vip *vip = &vips->vips[i];

		if (vip->conf.dev[0] && vip->was != VIP_DOWN &&
		    wish_of(vips, vip).want == VIP_DOWN)
			return false;
	}
	return true;
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
				  vip->error[0] ? vip->error : NULL));
		if (!vip->conf.dev[0])
			continue;
		json_object_set_new(json_array_get(all, i), "dev",
				    json_string(vip->conf.dev));
		json_object_set_new(json_array_get(all, i), "role",
				    json_string(vip->conf.role));
	}
	return all;
}
