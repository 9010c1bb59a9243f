// SPDX-License-Identifier: GPL-2.0
/* Events of the kernel, its goal, and snapshots of its owner table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "log.h"
#include "reconcile.h"
#include "settings.h"
#include "snapshot.h"

/* Changes by hand come in rows; each row is answered once. */
#define CHANGED_DELAY_MS 200

/* What changing the kernel may take of one turn of the loop. */
#define TURN_NS (5 * 1000000ull)
/* What was left alone for longer than this may be another by now. */
#define PAUSE_NS (1000 * 1000000ull)

struct kernel {
	uv_loop_t *loop;
	struct mlb *mlb;
	struct mlb_monitor *monitor;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned int handles; /* that are not closed yet */
	const struct kernel_events *events;
	void *arg;
	bool unloaded;
	struct snapshots snapshots;

	/* What is being applied, or was last: whether it is another goal now, or
	 * the same, which somebody else changed. Its key may have been refused.
	 */
	struct reconcile *reconcile; /* under way, or NULL */
	uint64_t last_turn;
	struct reconciled key_result;
	bool repair;
	bool whole;
	bool applied;
	uint64_t goal_hash;
	uint8_t key[MLB_KEY_LEN_MAX];
	size_t key_len;
	bool key_set; /* the kernel took it, and then had this fingerprint */
	uint8_t key_id[MLB_KEY_ID_LEN];

	/* Changes since the last end, also by what was given up: then @state
	 * tells them.
	 */
	unsigned int changes, repairs;

	struct kernel_state state;
};

static void changed_soon(struct kernel *k);

static void on_timer(uv_timer_t *timer)
{
	struct kernel *k = timer->data;

	k->events->changed(k->arg);
}

static void changed_soon(struct kernel *k)
{
	if (!uv_is_active((uv_handle_t *)&k->timer))
		uv_timer_start(&k->timer, on_timer, CHANGED_DELAY_MS, 0);
}

static int on_event(const struct mlb_event *event, void *arg)
{
	struct kernel *k = arg;

	switch (event->type) {
	case MLB_EVENT_OWNER_ADD:
	case MLB_EVENT_OWNER_DEL:
		k->events->owner(k->arg, &event->owner,
				 event->type == MLB_EVENT_OWNER_ADD);
		break;
	case MLB_EVENT_CONFIG:
	case MLB_EVENT_NODE:
	case MLB_EVENT_NODE_DEL:
	case MLB_EVENT_SERVICE:
	case MLB_EVENT_SERVICE_DEL:
	case MLB_EVENT_POOLS:
		changed_soon(k);
		break;
	case MLB_EVENT_LIMIT:
		k->state.limits++;
		break;
	case MLB_EVENT_LOST:
		k->state.lost++;
		k->events->lost(k->arg);
		changed_soon(k);
		break;
	case MLB_EVENT_UNLOADED:
		k->unloaded = true;
		return 1;
	}
	return 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct kernel *k = poll->data;
	int ret;

	(void)status;
	(void)events;
	ret = mlb_monitor_read(k->monitor, on_event, k);
	if (k->unloaded) {
		uv_poll_stop(poll);
		k->events->unloaded(k->arg);
		return;
	}
	if (ret < 0) {
		log_error("an event of the kernel cannot be read: %s",
			  strerror(-ret));
		k->state.lost++;
		k->events->lost(k->arg);
		changed_soon(k);
	}
	k->events->flushed(k->arg);
}

int kernel_open(struct kernel **kernel, uv_loop_t *loop,
		const struct kernel_events *events, void *arg)
{
	struct kernel *k = calloc(1, sizeof(*k));
	int ret;

	*kernel = NULL;
	if (!k)
		return -ENOMEM;
	k->loop = loop;
	k->events = events;
	k->arg = arg;
	/* First, so that nothing that happens from here on is missed. */
	ret = mlb_monitor_open(&k->monitor, MLB_GROUP_OWNER | MLB_GROUP_EVENT);
	if (!ret)
		ret = mlb_open(&k->mlb);
	if (!ret)
		ret = uv_poll_init(loop, &k->poll, mlb_monitor_fd(k->monitor));
	if (ret) {
		mlb_close(k->mlb);
		mlb_monitor_close(k->monitor);
		free(k);
		return ret;
	}
	uv_timer_init(loop, &k->timer);
	snapshots_open(&k->snapshots, loop, &k->state);
	k->handles = 3;
	k->poll.data = k;
	k->timer.data = k;
	uv_poll_start(&k->poll, UV_READABLE, on_readable);
	*kernel = k;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct kernel *k = handle->data;

	if (--k->handles)
		return;
	mlb_monitor_close(k->monitor);
	mlb_close(k->mlb);
	explicit_bzero(k->key, sizeof(k->key));
	free(k);
}

void kernel_close(struct kernel *kernel)
{
	if (!kernel)
		return;
	snapshots_close(&kernel->snapshots, on_closed, kernel);
	reconcile_close(kernel->reconcile);
	uv_close((uv_handle_t *)&kernel->poll, on_closed);
	uv_close((uv_handle_t *)&kernel->timer, on_closed);
}

struct mlb *kernel_mlb(struct kernel *kernel)
{
	return kernel->mlb;
}

const struct kernel_state *kernel_state(const struct kernel *kernel)
{
	return &kernel->state;
}

/* FNV-1a, for telling goals apart. */
static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (; len; len--)
		h = (h ^ *p++) * 0x100000001b3ULL;
	return h;
}

#define HASH(h, member) hash(h, &(member), sizeof(member))

static uint64_t hash_addr(uint64_t h, const struct mlb_addr *addr)
{
	h = HASH(h, addr->family);
	return addr->family == AF_INET ? HASH(h, addr->v4) : HASH(h, addr->v6);
}

static uint64_t hash_pools(uint64_t h, const struct mlb_pools *pools)
{
	for (size_t i = 0; i < pools->n_groups; i++) {
		const struct mlb_group *group = &pools->groups[i];

		h = HASH(h, group->id);
		for (size_t j = 0; j < group->n_prefixes; j++) {
			h = hash_addr(h, &group->prefixes[j].addr);
			h = HASH(h, group->prefixes[j].len);
		}
	}
	for (size_t i = 0; i < pools->n_pools; i++) {
		const struct mlb_group_pool *pool = &pools->pools[i];

		h = hash_addr(h, &pool->vip.addr);
		h = HASH(h, pool->vip.port);
		h = HASH(h, pool->group);
		h = HASH(h, pool->wait);
		h = HASH(h, pool->n_nodes);
		h = hash(h, pool->nodes, pool->n_nodes * sizeof(*pool->nodes));
	}
	return h;
}

static uint64_t goal_hash(const struct kernel_goal *goal)
{
	const struct mlb_config *c = &goal->settings;
	uint64_t h = 0xcbf29ce484222325ULL;
	const struct arg *setting;

	h = HASH(h, c->fields);
	for_each_setting(setting, c->fields) {
		uint32_t value = setting_get(c, setting);

		h = HASH(h, value);
	}
	for (size_t i = 0; i < goal->n_nodes; i++) {
		const struct mlb_node *n = &goal->nodes[i];

		h = HASH(h, n->fields);
		h = HASH(h, n->id);
		h = hash_addr(h, &n->addr);
		h = HASH(h, n->weight);
		h = HASH(h, n->state);
		h = HASH(h, n->encap);
		h = HASH(h, n->encap_port);
	}
	for (size_t i = 0; i < goal->n_services; i++) {
		const struct mlb_service *s = &goal->services[i];

		h = hash_addr(h, &s->vip.addr);
		h = HASH(h, s->vip.port);
		h = HASH(h, s->scheduler);
		h = HASH(h, s->n_nodes);
		h = hash(h, s->nodes, s->n_nodes * sizeof(*s->nodes));
	}
	return goal->pools ? hash_pools(h, goal->pools) : h;
}

/*
 * The kernel shows only a fingerprint, which this side does not compute: the
 * key is set when it is not known to be there, and it is a change when the
 * fingerprint is another one then. Setting the same key disturbs nothing.
 */
static int apply_key(struct kernel *k, const struct kernel_goal *goal,
		     bool repair, struct reconciled *result)
{
	struct mlb_config before, after;
	int ret;

	if (!goal->key)
		return 0;
	ret = mlb_config_get(k->mlb, &before);
	if (ret)
		return ret;
	if (before.fields & MLB_F_CONFIG_KEY_ID && k->key_set &&
	    !memcmp(k->key_id, before.key_id, sizeof(k->key_id)))
		return 0;

	ret = mlb_key_set(k->mlb, goal->key, goal->key_len);
	if (!ret)
		ret = mlb_config_get(k->mlb, &after);
	if (ret)
		return ret;
	memcpy(k->key_id, after.key_id, sizeof(k->key_id));
	k->key_set = true;
	if (before.fields & MLB_F_CONFIG_KEY_ID &&
	    !memcmp(before.key_id, after.key_id, sizeof(after.key_id)))
		return 0;
	result->changes++;
	log_message(repair ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
		    "cluster key set%s",
		    repair ? " (somebody else had changed it)" : "");
	return 0;
}

static bool same_key(const struct kernel *k, const struct kernel_goal *goal)
{
	return goal->key_len == k->key_len &&
	       (!goal->key || !memcmp(goal->key, k->key, goal->key_len));
}

/* Whether it is the goal of last time. */
static bool same_goal(const struct kernel *k, const struct kernel_goal *goal,
		      uint64_t h)
{
	return k->goal_hash == h && same_key(k, goal);
}

static void take_goal(struct kernel *k, const struct kernel_goal *goal,
		      uint64_t h)
{
	k->goal_hash = h;
	k->whole = goal->whole;
	if (same_key(k, goal))
		return;
	k->key_set = false;
	k->key_len = goal->key_len;
	if (goal->key)
		memcpy(k->key, goal->key, goal->key_len);
}

static void count(struct kernel *k, const struct reconciled *result)
{
	unsigned int changes = result->changes + k->key_result.changes;

	k->changes += changes;
	if (k->repair)
		k->repairs += changes;
}

/* From the beginning, whatever was under way. */
static int begin(struct kernel *k, const struct kernel_goal *goal, uint64_t h,
		 struct reconciled *result)
{
	int ret;

	if (k->reconcile)
		count(k, reconcile_result(k->reconcile));
	reconcile_close(k->reconcile);
	k->repair = k->applied && same_goal(k, goal, h);
	k->applied = false;
	take_goal(k, goal, h);
	k->key_result = (struct reconciled){};
	ret = apply_key(k, goal, k->repair, &k->key_result);
	if (ret) {
		snprintf(k->key_result.refused, sizeof(k->key_result.refused),
			 "cluster key: %.200s", mlb_last_error(k->mlb)->text);
		log_error("%s", k->key_result.refused);
		k->key_result.error = ret;
	}
	return reconcile_open(&k->reconcile, k->mlb, goal, k->repair, result);
}

static void finish(struct kernel *k, struct reconciled *result)
{
	struct kernel_state *state = &k->state;

	count(k, result);
	reconcile_close(k->reconcile);
	k->reconcile = NULL;
	if (!result->error && k->key_result.error) {
		result->error = k->key_result.error;
		memcpy(result->refused, k->key_result.refused,
		       sizeof(result->refused));
	}
	k->applied = !result->error;
	state->applying = false;
	state->applied += k->changes;
	state->repaired += k->repairs;
	k->changes = 0;
	k->repairs = 0;
	state->pooled = result->pooled;
	memcpy(state->refused, result->refused, sizeof(state->refused));
}

int kernel_apply(struct kernel *kernel, const struct kernel_goal *goal)
{
	uint64_t h = goal_hash(goal);
	bool going_on = kernel->reconcile && kernel->whole == goal->whole &&
			uv_hrtime() - kernel->last_turn < PAUSE_NS &&
			same_goal(kernel, goal, h);
	struct reconciled result;

	if (going_on || !begin(kernel, goal, h, &result)) {
		if (!reconcile_run(kernel->reconcile, goal,
				   uv_hrtime() + TURN_NS)) {
			kernel->last_turn = uv_hrtime();
			kernel->state.applying = true;
			kernel->state.paused++;
			return -EINPROGRESS;
		}
		result = *reconcile_result(kernel->reconcile);
	}
	finish(kernel, &result);
	return result.error;
}

int kernel_snapshot(struct kernel *kernel, uint16_t node,
		    kernel_snapshot_fn *fn, void *arg)
{
	return snapshots_take(&kernel->snapshots, node, fn, arg);
}
