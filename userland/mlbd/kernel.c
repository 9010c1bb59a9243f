// SPDX-License-Identifier: GPL-2.0
/* Events of the kernel, its goal, and snapshots of its owner table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "log.h"
#include "reconcile.h"
#include "settings.h"

/* Changes by hand come in rows; each row is answered once. */
#define CHANGED_DELAY_MS 200

/* A snapshot that the table's growth disturbed is begun anew so often. */
#define SNAPSHOT_TRIES 3

struct snapshot {
	struct snapshot *next;
	struct kernel *kernel;
	uv_work_t work;
	uint16_t node;
	kernel_snapshot_fn *fn;
	void *arg;
	int status;
	struct mlb_owner *owners;
	struct mlb_client *clients; /* of those entries that have one */
	size_t n_clients, room_clients;
	size_t n;
	size_t room;
};

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
	struct snapshot *snapshots;

	/* What was applied last, to tell a new goal from somebody's change. */
	bool applied;
	uint64_t goal_hash;
	uint8_t key[MLB_KEY_LEN_MAX];
	size_t key_len;
	uint8_t key_id[MLB_KEY_ID_LEN];

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
	k->handles = 2;
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
	/* Their callbacks are not called any more; they free themselves. */
	for (struct snapshot *s = kernel->snapshots; s; s = s->next) {
		s->kernel = NULL;
		uv_cancel((uv_req_t *)&s->work);
	}
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
	if (before.fields & MLB_F_CONFIG_KEY_ID &&
	    k->key_len == goal->key_len &&
	    !memcmp(k->key, goal->key, goal->key_len) &&
	    !memcmp(k->key_id, before.key_id, sizeof(k->key_id)))
		return 0;

	ret = mlb_key_set(k->mlb, goal->key, goal->key_len);
	if (!ret)
		ret = mlb_config_get(k->mlb, &after);
	if (ret)
		return ret;
	memcpy(k->key, goal->key, goal->key_len);
	k->key_len = goal->key_len;
	memcpy(k->key_id, after.key_id, sizeof(k->key_id));
	if (before.fields & MLB_F_CONFIG_KEY_ID &&
	    !memcmp(before.key_id, after.key_id, sizeof(after.key_id)))
		return 0;
	result->changes++;
	log_message(repair ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
		    "cluster key set%s",
		    repair ? " (somebody else had changed it)" : "");
	return 0;
}

int kernel_apply(struct kernel *kernel, const struct kernel_goal *goal,
		 unsigned int *changes)
{
	uint64_t h = goal_hash(goal);
	bool repair =
		kernel->applied && kernel->goal_hash == h &&
		goal->key_len == kernel->key_len &&
		(!goal->key || !memcmp(goal->key, kernel->key, goal->key_len));
	struct kernel_state *state = &kernel->state;
	struct reconciled result, key = {};
	int ret = apply_key(kernel, goal, repair, &key);

	if (ret)
		log_error("cluster key: %s", mlb_last_error(kernel->mlb)->text);
	reconcile(kernel->mlb, goal, repair, &result);
	if (ret && !result.error) {
		result.error = ret;
		snprintf(result.refused, sizeof(result.refused),
			 "cluster key: %.200s",
			 mlb_last_error(kernel->mlb)->text);
	}
	result.changes += key.changes;
	kernel->applied = !result.error;
	kernel->goal_hash = h;
	state->applied += result.changes;
	state->pooled = result.pooled;
	if (repair)
		state->repaired += result.changes;
	memcpy(state->refused, result.refused, sizeof(state->refused));
	if (changes)
		*changes = result.changes;
	return result.error;
}

static bool take_client(struct snapshot *s, const struct mlb_client *client)
{
	if (s->n_clients == s->room_clients) {
		size_t room = s->room_clients ? 2 * s->room_clients : 4096;
		struct mlb_client *clients =
			reallocarray(s->clients, room, sizeof(*clients));

		if (!clients)
			return false;
		s->clients = clients;
		s->room_clients = room;
	}
	s->clients[s->n_clients++] = *client;
	return true;
}

static int take_owner(const struct mlb_owner *owner, void *arg)
{
	struct snapshot *s = arg;

	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 4096;
		struct mlb_owner *owners =
			reallocarray(s->owners, room, sizeof(*owners));

		if (!owners)
			return -ENOMEM;
		s->owners = owners;
		s->room = room;
	}
	s->owners[s->n] = *owner;
	if (owner->client && !take_client(s, owner->client))
		return -ENOMEM;
	s->n++;
	return 0;
}

/* Clients behind the entries, in one piece that free() takes. */
static int join_clients(struct snapshot *s)
{
	size_t size = s->n * sizeof(*s->owners), k = 0;
	struct mlb_client *clients;
	struct mlb_owner *owners;

	if (!s->n_clients)
		return 0;
	owners = realloc(s->owners, size + s->n_clients * sizeof(*clients));
	if (!owners)
		return -ENOMEM;
	s->owners = owners;
	clients = (struct mlb_client *)(owners + s->n);
	memcpy(clients, s->clients, s->n_clients * sizeof(*clients));
	for (size_t i = 0; i < s->n; i++)
		if (owners[i].client)
			owners[i].client = &clients[k++];
	return 0;
}

/* In a thread of its own: has a handle of its own, touches nothing else. */
static void snapshot_work(uv_work_t *work)
{
	struct snapshot *s = work->data;
	struct mlb *mlb;

	s->status = mlb_open(&mlb);
	if (s->status)
		return;
	for (int i = 0; i < SNAPSHOT_TRIES; i++) {
		s->n = 0;
		s->n_clients = 0;
		s->status = mlb_owner_each(mlb, s->node, take_owner, s);
		if (s->status != -EAGAIN)
			break;
	}
	if ((!s->status || s->status == -EAGAIN) && join_clients(s))
		s->status = -ENOMEM;
	free(s->clients);
	mlb_close(mlb);
}

static void snapshot_done(uv_work_t *work, int status)
{
	struct snapshot *s = work->data, **at;

	if (s->kernel) {
		for (at = &s->kernel->snapshots; *at != s; at = &(*at)->next)
			;
		*at = s->next;
		if (status)
			s->status = status;
		if (s->status && s->status != -EAGAIN) {
			free(s->owners);
			s->owners = NULL;
			s->n = 0;
		}
		s->fn(s->arg, s->status, s->owners, s->n);
	} else {
		free(s->owners);
	}
	free(s);
}

int kernel_snapshot(struct kernel *kernel, uint16_t node,
		    kernel_snapshot_fn *fn, void *arg)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return -ENOMEM;
	s->kernel = kernel;
	s->node = node;
	s->fn = fn;
	s->arg = arg;
	s->work.data = s;
	ret = uv_queue_work(kernel->loop, &s->work, snapshot_work,
			    snapshot_done);
	if (ret) {
		free(s);
		return ret;
	}
	s->next = kernel->snapshots;
	kernel->snapshots = s;
	return 0;
}
