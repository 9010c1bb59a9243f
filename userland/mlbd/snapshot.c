// SPDX-License-Identifier: GPL-2.0
/* Snapshots of the kernel's owner table. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "snapshot.h"

/* A snapshot that the table's growth disturbed is begun anew so often. */
#define TRIES 3

/* The kernel gives a full message at once; even a busy one takes no seconds. */
#define ANSWER_MS 10000
#define PATIENCE_MS 15000
/* Looked at so often in that time. */
#define LOOKS 10

/* Of the four threads that there are, some have to be left to write files. */
#define HUNG_MAX 2

/**
 * struct snapshot - one of them
 * @snapshots: NULL when these are gone
 * @fn: NULL when it was given up
 * @moved: grows with each entry; only this is looked at while @work runs
 * @seen: as it was when it had last grown, at
 * @seen_at: this time of the loop
 */
struct snapshot {
	struct snapshot *next;
	struct snapshots *snapshots;
	uv_work_t work;
	uint16_t node;
	kernel_snapshot_fn *fn;
	void *arg;
	atomic_size_t moved;
	size_t seen;
	uint64_t seen_at;
	int status;
	struct mlb_owner *owners;
	struct mlb_client *clients; /* of those entries that have one */
	size_t n_clients, room_clients;
	size_t n;
	size_t room;
};

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
	atomic_fetch_add_explicit(&s->moved, 1, memory_order_relaxed);
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
	mlb_set_timeout(mlb, ANSWER_MS);
	for (int i = 0; i < TRIES; i++) {
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

static void unlink_snapshot(struct snapshot *s)
{
	struct snapshot **at = &s->snapshots->list;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	if (!s->snapshots->list)
		uv_timer_stop(&s->snapshots->timer);
}

static void snapshot_done(uv_work_t *work, int status)
{
	struct snapshot *s = work->data;

	if (s->snapshots)
		unlink_snapshot(s);
	if (status)
		s->status = status;
	if (!s->fn || (s->status && s->status != -EAGAIN)) {
		free(s->owners);
		s->owners = NULL;
		s->n = 0;
	}
	if (s->fn)
		s->fn(s->arg, s->status, s->owners, s->n);
	else if (s->snapshots)
		s->snapshots->state->hung--;
	free(s);
}

/* The thread is left to what holds it; what it brings then is thrown away. */
static void give_up(struct snapshot *s)
{
	kernel_snapshot_fn *fn = s->fn;

	log_warning("the owner table cannot be read: the kernel does not answer");
	s->fn = NULL;
	s->snapshots->state->unread++;
	s->snapshots->state->hung++;
	uv_cancel((uv_req_t *)&s->work);
	fn(s->arg, -ETIMEDOUT, NULL, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct snapshots *all = timer->data;
	uint64_t now = uv_now(all->loop);

	for (struct snapshot *s = all->list, *next; s; s = next) {
		size_t moved = atomic_load_explicit(&s->moved,
						    memory_order_relaxed);

		/* New ones come in front. */
		next = s->next;
		if (moved != s->seen) {
			s->seen = moved;
			s->seen_at = now;
		} else if (s->fn && now - s->seen_at >= all->patience) {
			give_up(s);
		}
	}
}

int snapshots_take(struct snapshots *snapshots, uint16_t node,
		   kernel_snapshot_fn *fn, void *arg)
{
	struct snapshot *s;
	int ret;

	if (snapshots->state->hung >= HUNG_MAX)
		return -EBUSY;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->snapshots = snapshots;
	s->node = node;
	s->fn = fn;
	s->arg = arg;
	s->seen_at = uv_now(snapshots->loop);
	s->work.data = s;
	ret = uv_queue_work(snapshots->loop, &s->work, snapshot_work,
			    snapshot_done);
	if (ret) {
		free(s);
		return ret;
	}
	s->next = snapshots->list;
	snapshots->list = s;
	if (!uv_is_active((uv_handle_t *)&snapshots->timer))
		uv_timer_start(&snapshots->timer, on_timer,
			       snapshots->patience / LOOKS,
			       snapshots->patience / LOOKS);
	return 0;
}

void snapshots_open(struct snapshots *snapshots, uv_loop_t *loop,
		    struct kernel_state *state)
{
	snapshots->loop = loop;
	snapshots->state = state;
	snapshots->patience = PATIENCE_MS;
	uv_timer_init(loop, &snapshots->timer);
	snapshots->timer.data = snapshots;
}

void snapshots_close(struct snapshots *snapshots, uv_close_cb closed, void *arg)
{
	/* They free themselves. */
	for (struct snapshot *s = snapshots->list; s; s = s->next) {
		s->snapshots = NULL;
		s->fn = NULL;
		uv_cancel((uv_req_t *)&s->work);
	}
	snapshots->list = NULL;
	snapshots->timer.data = arg;
	uv_close((uv_handle_t *)&snapshots->timer, closed);
}
