// SPDX-License-Identifier: GPL-2.0
/*
 * All of this node's tokens, for those who missed something.
 *
 * A repetition is made of a snapshot of the kernel's table, which is taken after
 * its BEGIN has been sent: so what was said of a token before BEGIN is in the
 * snapshot, and what is said of it after BEGIN is newer than the snapshot,
 * whichever of the two is sent first.
 *
 * What cannot be told, as the kernel's events were lost or nobody took it, is
 * repeated. A repetition that is under way goes on: who hears it to its end has
 * most, and gets the rest with the next, before whose BEGIN a number is left
 * out. Beginning anew each time would let nobody ever hear an end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "announce_parts.h"

/* Entries in one message of a repetition, and how many may be on their way:
 * new entries wait for no more than these.
 */
#define REPEAT_ENTRIES WIRE_CLIENTS_MAX
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

void repeat_drop(struct announce *a)
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
	announce_wake(a, a->tick);
}

/* What is under way is not whole any more. */
static void repeat_anew(struct announce *a)
{
	repeat_drop(a);
	repeat_soon(a);
}

/* Something happened that nobody is told. */
void repeat_lose(struct announce *a)
{
	a->lost = true;
	if (a->repeat == REPEAT_NONE)
		repeat_soon(a);
	else if (a->repeat != REPEAT_DUE)
		a->again = true;
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
	a->clients = false;
	for (size_t i = 0; i < n && !a->clients; i++)
		a->clients = owners[i].client;
	a->repeat = REPEAT_SENDING;
	a->moved = uv_now(a->loop);
	announce_wake(a, 0);
}

/* Return: false when the engine has no room. */
static bool send_begin(struct announce *a)
{
	struct wire_message message = { .kind = WIRE_REPEAT_BEGIN };
	int ret;

	if (a->asked) /* of one that was given up */
		return true;
	if (a->lost)
		announce_skip(a);
	a->lost = false;
	a->first = a->sequence;
	ret = announce_send(a, &message, 0);
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
					    .cpu = WIRE_NO_CPU,
					    .client = owner->client };

		if (!owner->local || !owner->token)
			continue;
		if (owner->cpu < WIRE_NO_CPU)
			entry.cpu = (uint16_t)owner->cpu;
		announce_put(a, n++, &entry, a->clients);
	}
	return n;
}

static int send_repeat_entries(struct announce *a)
{
	while (a->at < a->n_owners && a->window < REPEAT_WINDOW) {
		struct wire_message message = { .kind = WIRE_OWNERS,
						.repeat = true,
						.clients = a->clients };
		size_t at, n = pack_repeat(a, &at);
		int ret = n ? announce_send(a, &message, n) : 0;

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
	int ret = announce_send(a, &message, 0);

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

static void repeat_stall(struct announce *a, uint64_t now)
{
	if (a->repeat != REPEAT_SENDING || a->window < REPEAT_WINDOW)
		return;
	if (now < a->moved + REPEAT_STALL_MS) {
		announce_wake(a, a->moved + REPEAT_STALL_MS - now);
		return;
	}
	log_warning("the repetition of this node's tokens does not come back: once more");
	a->window = 0;
	repeat_anew(a);
}

void repeat_send(struct announce *a)
{
	uint64_t now = uv_now(a->loop);

	if (a->repeat == REPEAT_DUE && now >= a->due && !send_begin(a))
		return;
	if (a->repeat == REPEAT_SENDING && !send_repeat(a))
		return;
	repeat_stall(a, now);
	if (a->repeat == REPEAT_DUE)
		announce_wake(a, a->due > now ? a->due - now : a->tick);
}

void repeat_returned(struct announce *a)
{
	if (a->window)
		a->window--;
	a->moved = uv_now(a->loop);
	if (a->repeat == REPEAT_SENDING)
		announce_wake(a, REPEAT_STEP_MS);
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
