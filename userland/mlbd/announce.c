// SPDX-License-Identifier: GPL-2.0
/*
 * This node's own tokens on their way to the peers.
 *
 * What is new goes out once a tick. A repetition is made of a snapshot of the
 * kernel's table, which is taken after its BEGIN has been sent: so what was said
 * of a token before BEGIN is in the snapshot, and what is said of it after BEGIN
 * is newer than the snapshot, whichever of the two is sent first.
 *
 * What cannot be told, as the kernel's events were lost or nobody took it, is
 * repeated. A repetition that is under way goes on: who hears it to its end has
 * most, and gets the rest with the next, before whose BEGIN a number is left
 * out. Beginning anew each time would let nobody ever hear an end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "announce.h"
#include "log.h"

/* Entries in one message of a repetition, and how many may be on their way:
 * new entries wait for no more than these.
 */
#define REPEAT_ENTRIES 2048
#define REPEAT_WINDOW 2
/* From sending so many to sending the next. */
#define REPEAT_STEP_MS 10

/* Those who want a repetition within this time share it. */
#define REPEAT_GATHER_MS 30
/* From the end of one to the next, or half of what it took if that is more: a
 * kernel that loses events all the time, or a peer that asks all the time, does
 * not make all hear nothing but repetitions.
 */
#define REPEAT_PAUSE_MS 500
#define REPEAT_PAUSE_MAX_MS 5000
/* Messages that have not come back after so long never will. */
#define REPEAT_STALL_MS 15000

/* New entries that wait for the engine; with more it is cheaper to repeat. */
#define QUEUE_MAX 1000000

enum repeat {
	REPEAT_NONE,
	REPEAT_DUE,	 /* BEGIN is sent at @due */
	REPEAT_SNAPSHOT, /* BEGIN was sent; the kernel is asked */
	REPEAT_SENDING,
};

struct announce {
	uv_loop_t *loop;
	struct engine *engine;
	struct kernel *kernel;
	uint16_t self;
	unsigned int tick;
	uv_timer_t timer;
	uint64_t wake_at; /* while the timer runs */
	bool listeners;
	bool unheard; /* something happened while there was none */

	uint32_t run;
	uint64_t sequence; /* of the next message */

	struct wire_owner *queue;
	size_t n_queue, queue_room;

	enum repeat repeat;
	bool again;	  /* one more is needed */
	bool lost;	  /* there is something that nobody was told */
	bool stale;	  /* the snapshot on its way is of no use any more */
	bool asked;	  /* a snapshot is on its way */
	uint64_t due;	  /* ms of the loop's clock */
	uint64_t began;	  /* when the last BEGIN was sent */
	uint64_t first;	  /* its number */
	uint64_t pause;	  /* until then, before the next */
	struct mlb_owner *owners;
	size_t n_owners, at;
	unsigned int window; /* messages of it that have not come back */
	uint64_t moved;	     /* when one was sent or came back last */

	struct announce_state state;
	struct log_limit limit;
	uint8_t buffer[WIRE_HEADER + WIRE_OWNERS_MAX * WIRE_OWNER];
};

static void on_timer(uv_timer_t *timer);

/* In so many ms at the latest. */
static void wake(struct announce *a, uint64_t ms)
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

/* A number that nobody hears: all who listen know that they missed something. */
static void skip_number(struct announce *a)
{
	a->sequence++;
	a->state.skipped++;
}

static void repeat_drop(struct announce *a)
{
	uint64_t now = uv_now(a->loop), pause = (now - a->began) / 2;

	if (a->repeat == REPEAT_SNAPSHOT || a->repeat == REPEAT_SENDING) {
		if (pause < REPEAT_PAUSE_MS)
			pause = REPEAT_PAUSE_MS;
		else if (pause > REPEAT_PAUSE_MAX_MS)
			pause = REPEAT_PAUSE_MAX_MS;
		a->pause = now + pause;
	}
	free(a->owners);
	a->owners = NULL;
	a->n_owners = 0;
	a->at = 0;
	a->repeat = REPEAT_NONE;
	a->stale = a->asked;
}

static void repeat_soon(struct announce *a)
{
	uint64_t now = uv_now(a->loop);

	a->again = false;
	a->repeat = REPEAT_DUE;
	a->due = now + REPEAT_GATHER_MS;
	if (a->due < a->pause)
		a->due = a->pause;
	wake(a, a->tick);
}

/* What is under way is not whole any more. */
static void repeat_anew(struct announce *a)
{
	repeat_drop(a);
	repeat_soon(a);
}

static void repeat_stall(struct announce *a, uint64_t now)
{
	if (a->repeat != REPEAT_SENDING || a->window < REPEAT_WINDOW)
		return;
	if (now < a->moved + REPEAT_STALL_MS) {
		wake(a, a->moved + REPEAT_STALL_MS - now);
		return;
	}
	log_warning("the repetition of this node's tokens does not come back: once more");
	a->window = 0;
	repeat_anew(a);
}

/* Something happened that nobody is told. */
static void lose(struct announce *a)
{
	a->lost = true;
	if (a->repeat == REPEAT_NONE)
		repeat_soon(a);
	else if (a->repeat != REPEAT_DUE)
		a->again = true;
}

static int send_entries(struct announce *a, struct wire_message *message,
			size_t n)
{
	int ret;

	announce_stamp(a, message);
	wire_put_header(a->buffer, message, n * WIRE_OWNER);
	ret = engine_send(a->engine, a->buffer, WIRE_HEADER + n * WIRE_OWNER);
	if (!ret) {
		a->sequence++;
		a->state.sent += n;
	}
	return ret;
}

static uint8_t *entry_at(struct announce *a, size_t i)
{
	return a->buffer + WIRE_HEADER + i * WIRE_OWNER;
}

/* Return: false when the engine has no room. */
static bool send_queue(struct announce *a)
{
	size_t done = 0;
	int ret = 0;

	while (!ret && done < a->n_queue) {
		struct wire_message message = { .kind = WIRE_OWNERS };
		size_t n = a->n_queue - done;

		if (n > WIRE_OWNERS_MAX)
			n = WIRE_OWNERS_MAX;
		for (size_t i = 0; i < n; i++)
			wire_put_owner(entry_at(a, i), &a->queue[done + i]);
		ret = send_entries(a, &message, n);
		if (!ret)
			done += n;
	}
	if (ret && ret != -EAGAIN) {
		lose(a);
		done = a->n_queue;
		ret = 0;
	}
	a->n_queue -= done;
	if (a->n_queue)
		memmove(a->queue, a->queue + done,
			a->n_queue * sizeof(*a->queue));
	return !ret;
}

static void on_snapshot(void *arg, int status, struct mlb_owner *owners,
			size_t n)
{
	struct announce *a = arg;

	a->asked = false;
	if (a->stale || status) {
		free(owners);
		if (!a->stale) {
			if (log_allowed(&a->limit))
				log_warning("the owner table cannot be read, once more: %s",
					    strerror(-status));
			repeat_anew(a);
		}
		a->stale = false;
		return;
	}
	a->owners = owners;
	a->n_owners = n;
	a->at = 0;
	a->repeat = REPEAT_SENDING;
	a->moved = uv_now(a->loop);
	wake(a, 0);
}

/* Return: false when the engine has no room. */
static bool send_begin(struct announce *a)
{
	struct wire_message message = { .kind = WIRE_REPEAT_BEGIN };
	int ret;

	if (a->asked) /* of one that was given up */
		return true;
	if (a->lost)
		skip_number(a);
	a->lost = false;
	a->first = a->sequence;
	ret = send_entries(a, &message, 0);
	if (ret)
		return ret != -EAGAIN;
	a->began = uv_now(a->loop);
	a->repeat = REPEAT_SNAPSHOT;
	ret = kernel_snapshot(a->kernel, a->self, on_snapshot, a);
	if (ret)
		repeat_anew(a);
	else
		a->asked = true;
	return true;
}

/* The next entries of the snapshot that are connections of this host. */
static size_t pack_repeat(struct announce *a, size_t *at)
{
	size_t n = 0;

	for (*at = a->at; *at < a->n_owners && n < REPEAT_ENTRIES; ++*at) {
		const struct mlb_owner *owner = &a->owners[*at];
		struct wire_owner entry = { .token = owner->token,
					    .cpu = WIRE_NO_CPU };

		if (!owner->local || !owner->token)
			continue;
		if (owner->cpu < WIRE_NO_CPU)
			entry.cpu = (uint16_t)owner->cpu;
		wire_put_owner(entry_at(a, n++), &entry);
	}
	return n;
}

static int send_repeat_entries(struct announce *a)
{
	while (a->at < a->n_owners && a->window < REPEAT_WINDOW) {
		struct wire_message message = { .kind = WIRE_OWNERS,
						.repeat = true };
		size_t at, n = pack_repeat(a, &at);
		int ret = n ? send_entries(a, &message, n) : 0;

		if (ret)
			return ret;
		if (n)
			a->window++;
		a->at = at;
		a->moved = uv_now(a->loop);
	}
	return 0;
}

static int send_end(struct announce *a)
{
	struct wire_message message = { .kind = WIRE_REPEAT_END };
	int ret = send_entries(a, &message, 0);

	if (ret)
		return ret;
	a->state.repeats++;
	repeat_drop(a);
	if (a->again)
		repeat_soon(a);
	return 0;
}

/* Return: false when the engine has no room. */
static bool send_repeat(struct announce *a)
{
	int ret = send_repeat_entries(a);

	if (!ret && a->at == a->n_owners)
		ret = send_end(a);
	if (ret && ret != -EAGAIN)
		repeat_anew(a);
	return ret != -EAGAIN;
}

/* Sends what can be sent, and sees to it that the rest has its turn. */
static void send_all(struct announce *a)
{
	uint64_t now = uv_now(a->loop);

	if (!a->listeners)
		return;
	if (!send_queue(a))
		return; /* announce_room() */
	if (a->repeat == REPEAT_DUE && now >= a->due && !send_begin(a))
		return;
	if (a->repeat == REPEAT_SENDING && !send_repeat(a))
		return;
	repeat_stall(a, now);
	if (a->repeat == REPEAT_DUE)
		wake(a, a->due > now ? a->due - now : a->tick);
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
	if (!message->repeat)
		return;
	if (a->window)
		a->window--;
	a->moved = uv_now(a->loop);
	if (a->repeat == REPEAT_SENDING)
		wake(a, REPEAT_STEP_MS);
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
				    .withdrawn = !add };

	/* What this node has seen of one without mlb is not its own. */
	if (owner->seen || owner->node != a->self || !owner->token)
		return;
	if (owner->cpu < WIRE_NO_CPU)
		entry.cpu = (uint16_t)owner->cpu;
	if (!a->listeners) {
		a->unheard = true;
		return;
	}
	if (!queue_room(a)) {
		a->n_queue = 0;
		lose(a);
		return;
	}
	a->queue[a->n_queue++] = entry;
	wake(a, a->tick);
}

void announce_lost(struct announce *a)
{
	if (!a->listeners) {
		a->unheard = true;
		return;
	}
	lose(a);
}

void announce_listeners(struct announce *a, bool any)
{
	if (a->listeners == any)
		return;
	a->listeners = any;
	if (any) {
		/* Who comes back finds a number missing. */
		if (a->unheard)
			skip_number(a);
		a->unheard = false;
		return;
	}
	if (a->n_queue || a->repeat != REPEAT_NONE)
		a->unheard = true;
	a->n_queue = 0;
	a->window = 0;
	a->again = false;
	a->lost = false;
	repeat_drop(a);
}

/*
 * Who asks has heard everything up to @heard, this side having been at @first
 * when the repetition that is under way began: one who stood before that will
 * hear all of it.
 */
void announce_want(struct announce *a, uint64_t heard)
{
	if (!a->listeners)
		return;
	if (a->repeat == REPEAT_NONE)
		repeat_soon(a);
	else if (a->repeat != REPEAT_DUE && heard > a->first)
		a->again = true;
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
	free(a->queue);
	free(a);
}

void announce_close(struct announce *a)
{
	if (!a)
		return;
	uv_close((uv_handle_t *)&a->timer, on_closed);
}
