// SPDX-License-Identifier: GPL-2.0
/* Owner tables in step: peers and the sending side, and whose turn it is. */
#include <errno.h>
#include <stdlib.h>

#include "announce.h"
#include "follow.h"
#include "sync.h"

struct sync {
	uv_loop_t *loop;
	struct engine *engine;
	uint16_t self;
	struct kernel *kernel;
	struct announce *announce;
	struct follow *follows[MLB_NODE_ID_MAX + 1];
	uint16_t ids[MLB_NODE_ID_MAX]; /* those that are there, in a row */
	size_t n_ids;
	size_t turn;	  /* index of whose turn it is */
	size_t listeners; /* peers' mlbds */
	bool heard[MLB_NODE_ID_MAX + 1]; /* whose */
	bool connected;
	bool cleaning;
	uv_timer_t load;
	uv_timer_t want;
	unsigned int handles;
	struct mlb_owner entries[FOLLOW_BATCH];
};

static void on_load(uv_timer_t *timer);
static void on_want(uv_timer_t *timer);

/* A peer has something to load or to ask for. */
static void wake(void *arg)
{
	struct sync *sync = arg;

	if (!uv_is_active((uv_handle_t *)&sync->load))
		uv_timer_start(&sync->load, on_load, 0, 0);
}

static struct follow *follow_of(struct sync *sync, uint16_t node)
{
	struct follow **f = &sync->follows[node];

	if (!*f) {
		*f = follow_new(sync->loop, sync->kernel, node,
				&sync->cleaning, wake, sync);
		if (*f)
			sync->ids[sync->n_ids++] = node;
	}
	return *f;
}

static struct follow *nth(const struct sync *sync, size_t i)
{
	return sync->follows[sync->ids[i % sync->n_ids]];
}

static void want_when_due(struct sync *sync)
{
	uint64_t now = uv_now(sync->loop), next = UINT64_MAX, due, heard;

	for (size_t i = 0; i < sync->n_ids; i++) {
		follow_want(nth(sync, i), &due, &heard);
		if (due < next && sync->connected)
			next = due;
		due = follow_due(nth(sync, i));
		if (due < next)
			next = due;
	}
	if (next == UINT64_MAX)
		uv_timer_stop(&sync->want);
	else
		uv_timer_start(&sync->want, on_want,
			       next > now ? next - now : 1, 0);
}

/* New entries of anybody come before repeated ones; peers take turns. */
static void on_load(uv_timer_t *timer)
{
	struct sync *sync = timer->data;
	size_t left = FOLLOW_BATCH;
	bool more;

	for (int live = 1; live >= 0; live--)
		for (size_t i = 0; left && i < sync->n_ids; i++)
			left -= follow_load(nth(sync, sync->turn + i), live,
					    left, sync->entries);
	sync->turn++;
	more = !left; /* not everybody had a turn */
	for (size_t i = 0; !more && i < sync->n_ids; i++)
		more = follow_queued(nth(sync, i));
	/* Not at once, or the loop would do nothing else. */
	if (more)
		uv_timer_start(&sync->load, on_load, 1, 0);
	want_when_due(sync);
}

static int send_want(struct sync *sync, json_t *nodes)
{
	struct wire_message message = { .kind = WIRE_REPEAT_WANT };
	uint8_t *data;
	size_t len;
	int ret;

	message.json = json_pack("{s:O}", "nodes", nodes);
	if (!message.json)
		return -ENOMEM;
	announce_stamp(sync->announce, &message);
	ret = wire_pack(&message, &data, &len);
	json_decref(message.json);
	if (!ret)
		ret = engine_send(sync->engine, data, len);
	free(data);
	return ret;
}

static void on_want(uv_timer_t *timer)
{
	struct sync *sync = timer->data;
	uint64_t now = uv_now(sync->loop), due, heard;
	json_t *nodes = json_array();
	bool any = false;

	for (size_t i = 0; i < sync->n_ids; i++)
		follow_tick(nth(sync, i));
	for (size_t i = 0; i < sync->n_ids; i++) {
		follow_want(nth(sync, i), &due, &heard);
		if (due > now || !sync->connected)
			continue;
		json_array_append_new(nodes,
				      json_pack("[i, I]", sync->ids[i],
						(json_int_t)heard));
		any = true;
	}
	if (any && send_want(sync, nodes) != -EAGAIN) {
		for (size_t i = 0; i < sync->n_ids; i++) {
			follow_want(nth(sync, i), &due, &heard);
			if (due <= now)
				follow_wanted(nth(sync, i));
		}
	}
	json_decref(nodes);
	/* Then all is looked at again. */
	wake(sync);
}

void sync_peer_here(struct sync *sync, uint16_t node)
{
	struct follow *f = follow_of(sync, node);

	if (!sync->heard[node]) {
		sync->heard[node] = true;
		sync->listeners++;
	}
	announce_listeners(sync->announce, true);
	if (f)
		follow_here(f, true);
}

void sync_peer_gone(struct sync *sync, uint16_t node)
{
	if (sync->heard[node]) {
		sync->heard[node] = false;
		sync->listeners--;
	}
	if (!sync->listeners)
		announce_listeners(sync->announce, false);
	if (sync->follows[node])
		follow_here(sync->follows[node], false);
}

void sync_connected(struct sync *sync, bool connected)
{
	sync->connected = connected;
	for (size_t i = 0; !connected && i < sync->n_ids; i++)
		sync_peer_gone(sync, sync->ids[i]);
	want_when_due(sync);
}

void sync_peer_up(struct sync *sync, uint16_t node)
{
	struct follow *f = follow_of(sync, node);

	if (f)
		follow_up(f, true);
}

void sync_peer_dead(struct sync *sync, uint16_t node)
{
	if (sync->follows[node])
		follow_up(sync->follows[node], false);
}

/* Return: false for what is not a list of pairs of numbers. */
static bool take_want(struct sync *sync, const json_t *json)
{
	const json_t *nodes = json_object_get(json, "nodes");

	if (!json_is_array(nodes))
		return false;
	for (size_t i = 0; i < json_array_size(nodes); i++) {
		const json_t *pair = json_array_get(nodes, i);
		const json_t *id = json_array_get(pair, 0);
		const json_t *heard = json_array_get(pair, 1);

		if (!json_is_integer(id) || !json_is_integer(heard))
			return false;
		if (json_integer_value(id) == sync->self)
			announce_want(sync->announce,
				      (uint64_t)json_integer_value(heard));
	}
	return true;
}

bool sync_message(struct sync *sync, uint16_t sender,
		  const struct wire_message *message)
{
	struct follow *f;

	if (sender == sync->self) {
		announce_returned(sync->announce, message);
		return true;
	}
	f = follow_of(sync, sender);
	if (f)
		follow_message(f, message);
	if (message->kind == WIRE_REPEAT_WANT)
		return take_want(sync, message->json);
	return true;
}

void sync_owner(struct sync *sync, const struct mlb_owner *owner, bool add)
{
	announce_owner(sync->announce, owner, add);
}

void sync_lost(struct sync *sync)
{
	announce_lost(sync->announce);
}

void sync_stamp(struct sync *sync, struct wire_message *message)
{
	announce_stamp(sync->announce, message);
}

uint32_t sync_run(const struct sync *sync)
{
	return announce_run(sync->announce);
}

void sync_room(struct sync *sync)
{
	announce_room(sync->announce);
}

void sync_set_tick(struct sync *sync, unsigned int tick)
{
	announce_set_tick(sync->announce, tick);
}

bool sync_peer_state(const struct sync *sync, uint16_t node,
		     struct sync_peer_state *state)
{
	if (!sync->follows[node])
		return false;
	follow_state(sync->follows[node], state);
	return true;
}

json_t *sync_status(struct sync *sync)
{
	struct announce_state state;

	announce_state(sync->announce, &state);
	return json_pack("{s:I, s:I, s:b, s:I, s:I, s:I}", "queued",
			 (json_int_t)state.queued, "sent",
			 (json_int_t)state.sent, "repeating", state.repeating,
			 "repeats", (json_int_t)state.repeats, "skipped",
			 (json_int_t)state.skipped, "lag",
			 (json_int_t)state.lag);
}

int sync_open(struct sync **sync, uv_loop_t *loop, struct engine *engine,
	      struct kernel *kernel, uint16_t self, unsigned int tick)
{
	struct sync *s = calloc(1, sizeof(*s));
	int ret;

	*sync = NULL;
	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->engine = engine;
	s->kernel = kernel;
	s->self = self;
	ret = announce_open(&s->announce, loop, engine, kernel, self, tick);
	if (ret) {
		free(s);
		return ret;
	}
	uv_timer_init(loop, &s->load);
	uv_timer_init(loop, &s->want);
	s->load.data = s;
	s->want.data = s;
	s->handles = 2;
	*sync = s;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct sync *sync = handle->data;

	if (!--sync->handles)
		free(sync);
}

void sync_close(struct sync *sync)
{
	if (!sync)
		return;
	announce_close(sync->announce);
	for (size_t i = 0; i < sync->n_ids; i++)
		follow_free(nth(sync, i));
	uv_close((uv_handle_t *)&sync->load, on_closed);
	uv_close((uv_handle_t *)&sync->want, on_closed);
}
