// SPDX-License-Identifier: GPL-2.0
/*
 * This node among the others.
 *
 * Everything is worked out anew from what is known (file, document, view, what
 * peers said) whenever some of it changes, and the kernel is brought to what
 * comes out. Without quorum nothing comes out, and the kernel stays as it is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_parts.h"

/* What is not done because somebody did not answer is looked at again. */
#define TICK_MS 1000

struct owned {
	uint16_t self;
	int64_t n;
};

static int take_owned(const struct mlb_node *node, void *arg)
{
	struct owned *owned = arg;

	if (node->id == owned->self)
		owned->n = node->owners;
	return 0;
}

/* Multipath TCP connections of this node; -1 when that cannot be known. */
static int64_t count_owned(const struct cluster *c)
{
	struct owned owned = { .self = c->config->self.id, .n = -1 };

	if (mlb_node_each(kernel_mlb(c->kernel), take_owned, &owned))
		return -1;
	return owned.n;
}

static void on_tick(uv_timer_t *timer)
{
	struct cluster *c = timer->data;

	if (c->apply_at && uv_now(c->loop) >= c->apply_at)
		cluster_apply(c, false);
	if (!c->engine)
		return;
	agree_tick(c->agree);
	drain_tick(c->drain, agree_document(c->agree),
		   c->own.drain.there ? count_owned(c) : -1,
		   c->manager == c->config->self.id);
	drain_report(c->drain, &c->own.drain);
	cluster_evaluate(c);
}

/*
 * A node that is forgotten and dead goes from the kernel as well; not if a role
 * was given to it meanwhile, of which who asked for this did not know.
 */
static void forget(struct cluster *c, uint16_t id)
{
	struct peer *peer = members_find(&c->members, id);

	if (peer && peer_gone(peer) && !cluster_role_naming(c, id))
		members_drop(&c->members, id);
}

static void on_changed(void *arg, const json_t *change, uint16_t by)
{
	struct cluster *c = arg;
	const char *op = json_string_value(json_object_get(change, "op"));

	/* The others did the same, and will say so. */
	c->document_sent = uv_now(c->loop);
	if (op && !strcmp(op, "node-forget"))
		forget(c, (uint16_t)json_integer_value(
				  json_object_get(change, "node")));
	cluster_remember(c, !change);
	cluster_tell_roles(c, change, by);
	drain_look(c->drain, agree_document(c->agree), change);
	cluster_apply_soon(c);
	cluster_evaluate(c);
}

static int on_drain(void *arg, json_t *change, control_result_fn *fn,
		    void *fn_arg)
{
	return cluster_propose(arg, change, fn, fn_arg);
}

static size_t on_confirmed(void *arg, const struct document_stamp *stamp)
{
	const struct cluster *c = arg;

	return members_confirmed(&c->members, stamp);
}

static const struct agree_events agree_events = { .changed = on_changed,
						  .confirmed = on_confirmed };

static int open_engine(struct cluster *c)
{
	uint16_t self = c->config->self.id;
	int ret = engine_open(&c->engine, c->loop, self, &cluster_engine_events,
			      c);

	if (!ret)
		ret = sync_open(&c->sync, c->loop, c->engine, c->kernel, self,
				c->config->sync_tick);
	if (!ret)
		ret = agree_open(&c->agree, c->loop, c->engine, c->sync,
				 c->config->state_dir, &agree_events, c);
	if (!ret)
		ret = drain_open(&c->drain, c->loop, self, on_drain, c);
	if (!ret)
		ret = cluster_take_kernel(c);
	if (!ret)
		cluster_remember(c, true);
	if (ret) {
		drain_close(c->drain);
		agree_close(c->agree);
		sync_close(c->sync);
		engine_close(c->engine);
	}
	return ret;
}

int cluster_open(struct cluster **cluster, uv_loop_t *loop,
		 const struct config *config, struct kernel *kernel)
{
	struct cluster *c = calloc(1, sizeof(*c));
	int ret = 0;

	*cluster = NULL;
	if (!c)
		return -ENOMEM;
	c->loop = loop;
	c->view_since = uv_now(loop);
	c->manager_since = uv_now(loop);
	c->config = config;
	c->kernel = kernel;
	if (config->engine == CONFIG_ENGINE_COROSYNC)
		ret = open_engine(c);
	if (ret) {
		free(c);
		return ret;
	}
	uv_timer_init(loop, &c->tick);
	uv_timer_init(loop, &c->hello);
	uv_timer_init(loop, &c->apply);
	uv_timer_init(loop, &c->report);
	uv_timer_init(loop, &c->manage);
	c->handles = 5;
	c->tick.data = c;
	c->hello.data = c;
	c->apply.data = c;
	c->report.data = c;
	c->manage.data = c;
	uv_timer_start(&c->tick, on_tick, TICK_MS, TICK_MS);
	if (c->engine)
		cluster_report_soon(c);
	/* Nobody waits for us yet. */
	while (cluster_apply(c, false) == -EINPROGRESS)
		;
	*cluster = c;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct cluster *c = handle->data;

	if (--c->handles)
		return;
	members_free(&c->members);
	report_free(&c->own);
	free(c->watches);
	free(c);
}

void cluster_close(struct cluster *c)
{
	if (!c)
		return;
	agree_close(c->agree);
	drain_close(c->drain);
	sync_close(c->sync);
	engine_close(c->engine);
	uv_close((uv_handle_t *)&c->tick, on_closed);
	uv_close((uv_handle_t *)&c->hello, on_closed);
	uv_close((uv_handle_t *)&c->apply, on_closed);
	uv_close((uv_handle_t *)&c->report, on_closed);
	uv_close((uv_handle_t *)&c->manage, on_closed);
}

int cluster_reload(struct cluster *c, const struct config *config)
{
	int ret;

	c->config = config;
	if (c->sync)
		sync_set_tick(c->sync, config->sync_tick);
	ret = cluster_apply(c, true);
	if (c->engine)
		cluster_evaluate(c);
	return ret;
}

void cluster_poke(struct cluster *c)
{
	/* What is under way may be past what somebody has changed. */
	c->again |= kernel_state(c->kernel)->applying;
	cluster_apply(c, false);
}

void cluster_watch(struct cluster *c, const struct cluster_watch *watch,
		   void *arg)
{
	c->watch = watch;
	c->watch_arg = arg;
}

int cluster_propose(struct cluster *c, json_t *change, cluster_result_fn *fn,
		    void *arg)
{
	char error[160];
	int ret;

	if (!c->agree) {
		json_decref(change);
		return -EOPNOTSUPP;
	}
	ret = cluster_judge_change(c, change, error, sizeof(error));
	if (!ret)
		return agree_propose(c->agree, change, fn, arg);
	json_decref(change);
	fn(arg, ret, error);
	return 0;
}

void cluster_owner(struct cluster *c, const struct mlb_owner *owner, bool add)
{
	if (c->sync)
		sync_owner(c->sync, owner, add);
}

void cluster_owners_lost(struct cluster *c)
{
	if (c->sync)
		sync_lost(c->sync);
}

json_t *cluster_document(struct cluster *c)
{
	return c->agree ? document_json(agree_document(c->agree)) : NULL;
}
