// SPDX-License-Identifier: GPL-2.0
/* As much of libuv as the cluster uses, in virtual time. */
#include "sim.h"

struct sim_node *sim_of_loop(const uv_loop_t *loop)
{
	return loop->data;
}

uint64_t uv_now(const uv_loop_t *loop)
{
	return sim.now + (uint64_t)sim_of_loop(loop)->clock;
}

int uv_random(uv_loop_t *loop, uv_random_t *req, void *buf, size_t buflen,
	      unsigned flags, uv_random_cb cb)
{
	(void)loop;
	(void)req;
	(void)flags;
	(void)cb;
	for (size_t i = 0; i < buflen; i++)
		((uint8_t *)buf)[i] = (uint8_t)sim_random(256);
	return 0;
}

static struct sim_timer *find(const uv_timer_t *handle)
{
	struct sim_node *node = sim_of_loop(handle->loop);

	for (size_t i = 0; i < node->n_timers; i++)
		if (node->timers[i].handle == handle)
			return &node->timers[i];
	fail_msg("a timer that is not open");
	return NULL;
}

int uv_timer_init(uv_loop_t *loop, uv_timer_t *handle)
{
	struct sim_node *node = sim_of_loop(loop);

	assert_true(node->n_timers < 16);
	handle->loop = loop;
	node->timers[node->n_timers++] =
		(struct sim_timer){ .handle = handle };
	return 0;
}

int uv_timer_start(uv_timer_t *handle, uv_timer_cb cb, uint64_t timeout,
		   uint64_t repeat)
{
	struct sim_timer *timer = find(handle);

	timer->cb = cb;
	timer->due = sim.now + timeout;
	timer->repeat = repeat;
	timer->order = ++sim.order;
	timer->active = true;
	return 0;
}

int uv_timer_stop(uv_timer_t *handle)
{
	find(handle)->active = false;
	return 0;
}

int uv_is_active(const uv_handle_t *handle)
{
	return find((const uv_timer_t *)handle)->active;
}

void uv_close(uv_handle_t *handle, uv_close_cb cb)
{
	struct sim_timer *timer = find((uv_timer_t *)handle);
	struct sim_node *node = sim_of_loop(handle->loop);

	*timer = node->timers[--node->n_timers];
	node->closing[node->n_closing] = handle;
	node->close_cbs[node->n_closing++] = cb;
}

int uv_queue_work(uv_loop_t *loop, uv_work_t *req, uv_work_cb work,
		  uv_after_work_cb after)
{
	struct sim_node *node = sim_of_loop(loop);
	struct sim_work *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->req = req;
	w->work = work;
	w->after = after;
	w->due = sim.now + sim_random(sim_chance(10) ? 300 : 10);
	w->next = node->works;
	node->works = w;
	return 0;
}

int uv_cancel(uv_req_t *req)
{
	(void)req;
	return UV_EBUSY;
}

uint64_t sim_uv_due(const struct sim_node *node)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < node->n_timers; i++)
		if (node->timers[i].active && node->timers[i].due < due)
			due = node->timers[i].due;
	for (struct sim_work *w = node->works; w; w = w->next)
		if (w->due < due)
			due = w->due;
	return due;
}

/* First the work, some time later the end of it. */
static void run_work(struct sim_node *node)
{
	for (struct sim_work **at = &node->works; *at; at = &(*at)->next) {
		struct sim_work *w = *at;

		if (w->due > sim.now)
			continue;
		if (!w->worked) {
			w->work(w->req);
			w->worked = true;
			w->due = sim.now + sim_random(10);
			return;
		}
		*at = w->next;
		w->after(w->req, 0);
		free(w);
		return;
	}
}

void sim_uv_run(struct sim_node *node)
{
	struct sim_timer *first = NULL;

	for (size_t i = 0; i < node->n_timers; i++) {
		struct sim_timer *t = &node->timers[i];

		if (t->active && t->due <= sim.now &&
		    (!first || t->due < first->due ||
		     (t->due == first->due && t->order < first->order)))
			first = t;
	}
	if (!first) {
		run_work(node);
		return;
	}
	first->active = first->repeat;
	first->due = sim.now + first->repeat;
	first->cb(first->handle);
}

void sim_uv_end(struct sim_node *node)
{
	for (size_t i = 0; i < node->n_closing; i++)
		node->close_cbs[i](node->closing[i]);
	node->n_closing = 0;
	while (node->works) {
		struct sim_work *w = node->works;

		node->works = w->next;
		w->after(w->req, w->worked ? 0 : UV_ECANCELED);
		free(w);
	}
	assert_int_equal(node->n_timers, 0);
}
