// SPDX-License-Identifier: GPL-2.0
/*
 * This node's own tokens on their way to the peers.
 *
 * What is new goes out once a tick. What cannot be told, as the kernel's events
 * were lost or nobody took it, is repeated: see announce_repeat.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "announce_parts.h"

/* New entries that wait for the engine; with more it is cheaper to repeat. */
#define QUEUE_MAX 1000000

static void on_timer(uv_timer_t *timer);

/* In so many ms at the latest. */
void announce_wake(struct announce *a, uint64_t ms)
{
	uint64_t at = uv_now(a->loop) + ms;

	if (uv_is_active((uv_handle_t *)&a->timer) && a->wake_at <= at)
		return;
	a->wake_at = at;
	uv_timer_start(&a->timer, on_timer, ms, 0);
}

void announce_stamp(struct announce *a, struct wire_message *message)
{
	message->run = a->run;
	message->sequence = a->sequence;
	message->sent = uv_now(a->loop);
}

uint32_t announce_run(const struct announce *a)
{
	return a->run;
}

void announce_skip(struct announce *a)
{
	a->sequence++;
	a->state.skipped++;
}

int announce_send(struct announce *a, struct wire_message *message, size_t n)
{
	size_t body = n * wire_owner_size(message->clients);
	int ret;

	announce_stamp(a, message);
	wire_put_header(a->buffer, message, body);
	ret = engine_send(a->engine, a->buffer, WIRE_HEADER + body);
	if (!ret) {
		a->sequence++;
		a->state.sent += n;
	}
	return ret;
}

void announce_put(struct announce *a, size_t i, const struct wire_owner *entry,
		  bool clients)
{
	wire_put_owner(a->buffer + WIRE_HEADER + i * wire_owner_size(clients),
		       entry, clients);
}

/* The next entries of the queue that go into one message: those with a client
 * begin another.
 */
static size_t queue_part(const struct announce *a, size_t from,
			 struct wire_message *message)
{
	size_t n = 0, max;

	message->clients = a->queue[from].client;
	max = message->clients ? WIRE_CLIENTS_MAX : WIRE_OWNERS_MAX;
	while (n < max && from + n < a->n_queue &&
	       (message->clients || !a->queue[from + n].client))
		n++;
	return n;
}

/* The first so many entries leave the queue. */
static void queue_take(struct announce *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		wire_drop_client(&a->queue[i]);
	a->n_queue -= n;
	if (a->n_queue)
		memmove(a->queue, a->queue + n, a->n_queue * sizeof(*a->queue));
}

/* Return: false when the engine has no room. */
static bool send_queue(struct announce *a)
{
	size_t done = 0;
	int ret = 0;

	while (!ret && done < a->n_queue) {
		struct wire_message message = { .kind = WIRE_OWNERS };
		size_t n = queue_part(a, done, &message);

		for (size_t i = 0; i < n; i++)
			announce_put(a, i, &a->queue[done + i],
				     message.clients);
		ret = announce_send(a, &message, n);
		if (!ret)
			done += n;
	}
	if (ret && ret != -EAGAIN) {
		repeat_lose(a);
		done = a->n_queue;
		ret = 0;
	}
	queue_take(a, done);
	return !ret;
}

/* Sends what can be sent, and sees to it that the rest has its turn. */
static void send_all(struct announce *a)
{
	/* Without room announce_room() is told when there is some. */
	if (a->listeners && send_queue(a))
		repeat_send(a);
}

static void on_timer(uv_timer_t *timer)
{
	send_all(timer->data);
}

void announce_room(struct announce *a)
{
	send_all(a);
}

void announce_returned(struct announce *a, const struct wire_message *message)
{
	if (message->run != a->run)
		return;
	a->state.lag = uv_now(a->loop) - message->sent;
	if (message->repeat)
		repeat_returned(a);
}

static bool queue_room(struct announce *a)
{
	size_t room = a->queue_room ? 2 * a->queue_room : 1024;
	struct wire_owner *queue;

	if (a->n_queue < a->queue_room)
		return true;
	if (a->n_queue >= QUEUE_MAX)
		return false;
	queue = reallocarray(a->queue, room, sizeof(*queue));
	if (!queue)
		return false;
	a->queue = queue;
	a->queue_room = room;
	return true;
}

void announce_owner(struct announce *a, const struct mlb_owner *owner, bool add)
{
	struct wire_owner entry = { .token = owner->token,
				    .cpu = WIRE_NO_CPU,
				    .withdrawn = !add,
				    .client = add ? owner->client : NULL };

	/* What this node has seen of one without mlb is not its own. */
	if (owner->seen || owner->node != a->self || !owner->token)
		return;
	if (owner->cpu < WIRE_NO_CPU)
		entry.cpu = (uint16_t)owner->cpu;
	if (!a->listeners) {
		a->unheard = true;
		return;
	}
	if (!queue_room(a) || !wire_keep_client(&entry)) {
		queue_take(a, a->n_queue);
		repeat_lose(a);
		return;
	}
	a->queue[a->n_queue++] = entry;
	announce_wake(a, a->tick);
}

void announce_lost(struct announce *a)
{
	if (!a->listeners) {
		a->unheard = true;
		return;
	}
	repeat_lose(a);
}

void announce_listeners(struct announce *a, bool any)
{
	if (a->listeners == any)
		return;
	a->listeners = any;
	if (any) {
		/* Who comes back finds a number missing. */
		if (a->unheard)
			announce_skip(a);
		a->unheard = false;
		return;
	}
	if (a->n_queue || a->repeat != REPEAT_NONE)
		a->unheard = true;
	queue_take(a, a->n_queue);
	a->window = 0;
	a->again = false;
	a->lost = false;
	repeat_drop(a);
}

void announce_set_tick(struct announce *a, unsigned int tick)
{
	a->tick = tick;
}

void announce_state(const struct announce *a, struct announce_state *state)
{
	*state = a->state;
	state->queued = a->n_queue;
	state->repeating = a->repeat != REPEAT_NONE;
}

int announce_open(struct announce **announce, uv_loop_t *loop,
		  struct engine *engine, struct kernel *kernel, uint16_t self,
		  unsigned int tick)
{
	struct announce *a = calloc(1, sizeof(*a));
	int ret;

	*announce = NULL;
	if (!a)
		return -ENOMEM;
	a->loop = loop;
	a->engine = engine;
	a->kernel = kernel;
	a->self = self;
	a->tick = tick;
	a->sequence = 1;
	ret = uv_random(NULL, NULL, &a->run, sizeof(a->run), 0, NULL);
	if (!ret)
		ret = uv_timer_init(loop, &a->timer);
	if (ret) {
		free(a);
		return ret;
	}
	a->timer.data = a;
	*announce = a;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct announce *a = handle->data;

	repeat_drop(a);
	queue_take(a, a->n_queue);
	free(a->queue);
	free(a);
}

void announce_close(struct announce *a)
{
	if (!a)
		return;
	uv_close((uv_handle_t *)&a->timer, on_closed);
}
