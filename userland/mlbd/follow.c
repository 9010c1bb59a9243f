// SPDX-License-Identifier: GPL-2.0
/*
 * One peer's tokens on their way into this node's kernel.
 *
 * The peer is the only one that knows which tokens it has, and its messages
 * come in its order. As long as no number is missing, doing what they say keeps
 * this kernel's entries of it right. When one is missing, what it says of single
 * tokens is still true and is done; but what it took back unheard stays here, so
 * it is asked to repeat, and at the end of that the kernel's entries which it
 * has not named are removed.
 *
 * New messages overtake the repetition. So whatever was said of a token since
 * the repetition began (@fresh) is the last word on it, and neither an older
 * entry of the repetition nor the removal of what is stale may touch it.
 */
#include <stdlib.h>

#include "control.h"
#include "follow_parts.h"

/* From missing something to asking: it may be on its way, and others may join. */
#define WANT_FIRST_MS 50
#define WANT_AGAIN_MAX_MS 60000

/* A repetition of which nothing is heard for so long has been forgotten. */
#define REPEAT_SILENCE_MS 30000

/* The clocks of two machines drift apart by less. */
#define CLOCK_DRIFT_MS_PER_MS 0.0002
/* More than clocks differ, and little enough to reckon with. */
#define CLOCK_MAX_MS (INT64_MAX / 4)

static void tell(const struct follow *f, const char *what, int64_t entries)
{
	json_t *event = json_pack("{s:s, s:i, s:s}", "event", "sync", "node",
				  f->id, "what", what);

	if (event && entries >= 0)
		json_object_set_new(event, "entries", json_integer(entries));
	if (event)
		control_event(event);
}

void follow_want_in(struct follow *f, uint64_t ms)
{
	uint64_t at = uv_now(f->loop) + ms;

	if (at < f->want_at)
		f->want_at = at;
	f->wake(f->arg);
}

/* Everything of a repetition goes; what is new stays in its queue. */
static void repeat_drop(struct follow *f)
{
	f->repeating = false;
	f->recording = false;
	queue_clear(&f->repeat);
	token_set_clear(&f->fresh);
	token_list_clear(&f->heard);
	follow_clean_drop(f);
}

/* Something was missed. */
static void lose_for(struct follow *f, uint64_t ms)
{
	repeat_drop(f);
	f->in_step = false;
	follow_want_in(f, ms);
}

static void lose(struct follow *f)
{
	lose_for(f, WANT_FIRST_MS);
}

void follow_want(const struct follow *f, uint64_t *due, uint64_t *heard)
{
	bool want = !f->in_step || (f->lacking && !follow_finishing(f));

	*due = f->known && f->here && f->up && !f->repeating && want ?
		       f->want_at :
		       UINT64_MAX;
	*heard = f->next;
}

void follow_wanted(struct follow *f)
{
	f->want_at = uv_now(f->loop) + f->want_again;
	if (f->want_again < WANT_AGAIN_MAX_MS)
		f->want_again *= 2;
}

uint64_t follow_due(const struct follow *f)
{
	uint64_t now = uv_now(f->loop), due = UINT64_MAX;

	if (f->repeating)
		due = f->heard_at + REPEAT_SILENCE_MS;
	if (f->clean_at > now && f->clean_at < due)
		due = f->clean_at;
	if (f->load_at > now && f->load_at < due)
		due = f->load_at;
	return due;
}

void follow_tick(struct follow *f)
{
	if (!f->repeating ||
	    uv_now(f->loop) < f->heard_at + REPEAT_SILENCE_MS)
		return;
	log_warning("node %u: it does not go on with its repetition", f->id);
	lose(f);
}

/*
 * Clocks differ, so only how much longer than the quickest message one took can
 * be known. The quickest is forgotten as the clocks drift.
 */
static int64_t ahead_of(uint64_t now, uint64_t sent)
{
	int64_t ahead = (int64_t)(now - sent);

	if (ahead > CLOCK_MAX_MS)
		return CLOCK_MAX_MS;
	return ahead < -CLOCK_MAX_MS ? -CLOCK_MAX_MS : ahead;
}

int64_t follow_lag(const struct follow *f, uint64_t sent)
{
	uint64_t now = uv_now(f->loop);
	double drift = (double)(now - f->clock_at) * CLOCK_DRIFT_MS_PER_MS;
	int64_t lag = ahead_of(now, sent) - f->clock_least - (int64_t)drift;

	return lag > 0 ? lag : 0;
}

static void clock_learn(struct follow *f, uint64_t sent)
{
	if (f->clocked && follow_lag(f, sent))
		return;
	f->clocked = true;
	f->clock_at = uv_now(f->loop);
	f->clock_least = ahead_of(f->clock_at, sent);
}

static bool numbered(const struct wire_message *message)
{
	return message->kind == WIRE_OWNERS ||
	       message->kind == WIRE_REPEAT_BEGIN ||
	       message->kind == WIRE_REPEAT_END;
}

/* Whether nothing was missed before this message is seen to here. */
static void check_number(struct follow *f, const struct wire_message *message)
{
	if (!f->known || f->run != message->run) {
		f->known = true;
		f->run = message->run;
		f->next = message->sequence;
		f->clocked = false;
		f->want_again = FOLLOW_WANT_AGAIN_MS;
		lose(f);
	} else if (f->next != message->sequence) {
		if (f->in_step || f->repeating)
			tell(f, "gap", -1);
		f->next = message->sequence;
		f->state.gaps++;
		lose(f);
	}
	if (numbered(message))
		f->next++;
}

static void take_live(struct follow *f, const struct wire_message *message)
{
	if (!queue_length(&f->live))
		f->pending_sent = message->sent;
	for (size_t i = 0; i < message->n_owners; i++) {
		struct mlb_client client;
		struct wire_owner op = wire_owner(message, i, &client);

		if (f->recording && (f->fresh.n == FRESH_MAX ||
				     !token_set_add(&f->fresh, op.token)))
			lose_for(f, f->want_again);
		if (!queue_add(&f->live, &op)) {
			queue_clear(&f->live);
			lose_for(f, f->want_again);
			return;
		}
	}
}

static void take_repeat(struct follow *f, const struct wire_message *message)
{
	if (!f->repeating)
		return;
	f->heard_at = uv_now(f->loop);
	for (size_t i = 0; i < message->n_owners; i++) {
		struct mlb_client client;
		struct wire_owner op = wire_owner(message, i, &client);

		if (f->heard.n == HEARD_MAX ||
		    !token_list_add(&f->heard, op.token) ||
		    !queue_add(&f->repeat, &op)) {
			lose_for(f, f->want_again);
			return;
		}
	}
}

static void repeat_begin(struct follow *f)
{
	if (f->in_step && (!f->lacking || follow_finishing(f)))
		return;
	repeat_drop(f);
	f->lacking = false;
	f->want_at = UINT64_MAX;
	f->repeating = true;
	f->recording = true;
	f->heard_at = uv_now(f->loop);
	tell(f, "repeat-begin", -1);
}

static void repeat_end(struct follow *f)
{
	if (!f->repeating)
		return;
	f->repeating = false;
	f->in_step = true;
	f->ended = true;
	f->state.repeats++;
	tell(f, "repeat-end", (int64_t)f->heard.n);
}

void follow_message(struct follow *f, const struct wire_message *message)
{
	clock_learn(f, message->sent);
	check_number(f, message);
	if (!f->up) {
		f->in_step = false;
		return;
	}
	switch (message->kind) {
	case WIRE_OWNERS:
		f->state.received += message->n_owners;
		if (message->repeat)
			take_repeat(f, message);
		else
			take_live(f, message);
		break;
	case WIRE_REPEAT_BEGIN:
		repeat_begin(f);
		break;
	case WIRE_REPEAT_END:
		repeat_end(f);
		break;
	default:
		break;
	}
	f->wake(f->arg);
}

void follow_here(struct follow *f, bool here)
{
	f->here = here;
	if (here)
		f->want_again = FOLLOW_WANT_AGAIN_MS;
	if (here ? !f->in_step : f->repeating)
		lose(f);
	f->wake(f->arg);
}

void follow_up(struct follow *f, bool up)
{
	f->up = up;
	f->want_again = FOLLOW_WANT_AGAIN_MS;
	f->load_at = 0;
	f->tries = 0;
	if (!up)
		queue_clear(&f->live);
	lose(f);
}

void follow_state(const struct follow *f, struct sync_peer_state *state)
{
	*state = f->state;
	state->in_step = f->in_step && f->here && !f->lacking &&
			 !f->repeating && !follow_finishing(f) &&
			 !queue_length(&f->live);
	state->queued = queue_length(&f->live) + queue_length(&f->repeat);
	if (queue_length(&f->live))
		state->lag = follow_lag(f, f->pending_sent);
}

struct follow *follow_new(uv_loop_t *loop, struct kernel *kernel, uint16_t id,
			  bool *cleaning, void (*wake)(void *arg), void *arg)
{
	struct follow *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->loop = loop;
	f->kernel = kernel;
	f->id = id;
	f->cleaning = cleaning;
	f->wake = wake;
	f->arg = arg;
	f->want_at = UINT64_MAX;
	f->want_again = FOLLOW_WANT_AGAIN_MS;
	f->state.lag = -1;
	return f;
}

void follow_free(struct follow *f)
{
	if (!f)
		return;
	follow_clean_free(f);
	queue_clear(&f->live);
	repeat_drop(f);
	free(f);
}
