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
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "follow.h"
#include "log.h"
#include "tokens.h"

/* Entries that wait for the kernel. With more the peer is asked again later. */
#define QUEUE_MAX 4000000

/* From missing something to asking: it may be on its way, and others may join. */
#define WANT_FIRST_MS 50
/* From asking to asking again, doubled each time up to the second. */
#define WANT_AGAIN_MS 2000
#define WANT_AGAIN_MAX_MS 60000

/* The clocks of two machines drift apart by less. */
#define CLOCK_DRIFT_MS_PER_MS 0.0002

struct queue {
	struct wire_owner *ops;
	size_t at, n, room; /* @at to @n wait */
};

enum clean_phase { CLEAN_SNAPSHOT, CLEAN_COMPARE };

/**
 * struct clean - looks for what is stale after a repetition
 * @follow: whose; NULL when that is gone
 * @given_up: something was missed, which may have been about any token
 * @heard: tokens of the repetition
 * @stale: those of @owners that are not among them
 */
struct clean {
	struct follow *follow;
	enum clean_phase phase;
	bool given_up;
	bool failed;
	struct token_list heard;
	struct mlb_owner *owners;
	size_t n;
	struct token_list stale;
	uv_work_t work;
};

struct follow {
	uv_loop_t *loop;
	struct kernel *kernel;
	uint16_t id;
	void (*wake)(void *arg);
	void *arg;

	bool known; /* @run and @next are */
	bool here;
	bool up;
	bool in_step;
	bool repeating;
	bool ended; /* the repetition; clean when that is possible */
	uint32_t run;
	uint64_t next; /* number of the next message */

	struct queue live;
	struct queue repeat; /* and removals of what is stale */
	bool recording;
	struct token_set fresh;
	struct token_list heard;
	struct clean *clean;

	uint64_t want_at;
	uint64_t want_again;

	/* Least of receiver's less sender's clock, and when that was seen. */
	bool clocked;
	int64_t clock_least;
	uint64_t clock_at;
	uint64_t pending_sent; /* of the oldest message in @live */

	struct sync_peer_state state;
	struct log_limit limit;
};

static void tell(const struct follow *f, const char *what, int64_t entries)
{
	json_t *event = json_pack("{s:s, s:i, s:s}", "event", "sync", "node",
				  f->id, "what", what);

	if (event && entries >= 0)
		json_object_set_new(event, "entries", json_integer(entries));
	if (event)
		control_event(event);
}

static size_t queue_length(const struct queue *q)
{
	return q->n - q->at;
}

static void queue_clear(struct queue *q)
{
	free(q->ops);
	memset(q, 0, sizeof(*q));
}

/* Return: false when there is no memory or too much in it. */
static bool queue_add(struct queue *q, const struct wire_owner *op)
{
	if (q->n == q->room) {
		size_t room = q->room ? 2 * q->room : 1024;
		struct wire_owner *ops;

		if (q->at > q->n / 2) {
			memmove(q->ops, q->ops + q->at,
				queue_length(q) * sizeof(*ops));
			q->n -= q->at;
			q->at = 0;
		} else {
			if (queue_length(q) >= QUEUE_MAX)
				return false;
			ops = reallocarray(q->ops, room, sizeof(*ops));
			if (!ops)
				return false;
			q->ops = ops;
			q->room = room;
		}
	}
	q->ops[q->n++] = *op;
	return true;
}

static void want_in(struct follow *f, uint64_t ms)
{
	f->want_at = uv_now(f->loop) + ms;
	f->wake(f->arg);
}

/* Everything of a repetition goes; what is new stays in its queue. */
static void repeat_drop(struct follow *f)
{
	f->repeating = false;
	f->ended = false;
	f->recording = false;
	queue_clear(&f->repeat);
	token_set_clear(&f->fresh);
	token_list_clear(&f->heard);
	if (f->clean)
		f->clean->given_up = true;
}

/* Something was missed. */
static void lose(struct follow *f)
{
	repeat_drop(f);
	f->in_step = false;
	want_in(f, WANT_FIRST_MS);
}

/* The kernel does not take what it is given: not so soon again. */
static void lose_for_long(struct follow *f)
{
	lose(f);
	queue_clear(&f->live);
	f->want_at = uv_now(f->loop) + f->want_again;
	if (f->want_again < WANT_AGAIN_MAX_MS)
		f->want_again *= 2;
}

void follow_want(const struct follow *f, uint64_t *due, uint64_t *heard)
{
	*due = f->known && f->here && f->up && !f->in_step && !f->repeating ?
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

/*
 * Clocks differ, so only how much longer than the quickest message one took can
 * be known. The quickest is forgotten as the clocks drift.
 */
static int64_t lag_of(const struct follow *f, uint64_t sent)
{
	uint64_t now = uv_now(f->loop);
	double drift = (double)(now - f->clock_at) * CLOCK_DRIFT_MS_PER_MS;
	int64_t lag = (int64_t)(now - sent) - f->clock_least - (int64_t)drift;

	return lag > 0 ? lag : 0;
}

static void clock_learn(struct follow *f, uint64_t sent)
{
	uint64_t now = uv_now(f->loop);
	int64_t ahead = (int64_t)(now - sent);

	if (f->clocked && lag_of(f, sent))
		return;
	f->clocked = true;
	f->clock_least = ahead;
	f->clock_at = now;
}

static struct wire_owner removal(uint32_t token)
{
	return (struct wire_owner){ .token = token,
				    .cpu = WIRE_NO_CPU,
				    .withdrawn = true };
}

static void clean_free(struct clean *clean)
{
	token_list_clear(&clean->heard);
	token_list_clear(&clean->stale);
	free(clean->owners);
	free(clean);
}

static void clean_start(struct follow *f);

/* Out of the way, and the next one's turn if one waits. */
static void clean_over(struct clean *clean)
{
	struct follow *f = clean->follow;

	clean_free(clean);
	if (!f)
		return;
	f->clean = NULL;
	if (f->ended)
		clean_start(f);
	f->wake(f->arg);
}

static void clean_compare(uv_work_t *work)
{
	struct clean *clean = work->data;

	token_list_sort(&clean->heard);
	for (size_t i = 0; i < clean->n; i++) {
		uint32_t token = clean->owners[i].token;

		if (!token_list_has(&clean->heard, token) &&
		    !token_list_add(&clean->stale, token)) {
			clean->failed = true;
			return;
		}
	}
}

static void clean_compared(uv_work_t *work, int status)
{
	struct clean *clean = work->data;
	struct follow *f = clean->follow;

	/* Its end comes even when mlbd ends. */
	if (f && !clean->given_up) {
		if (status || clean->failed) {
			lose_for_long(f);
		} else {
			for (size_t i = 0; i < clean->stale.n; i++) {
				struct wire_owner op =
					removal(clean->stale.tokens[i]);

				if (!queue_add(&f->repeat, &op)) {
					lose_for_long(f);
					break;
				}
			}
			f->state.stale += clean->stale.n;
		}
	}
	clean_over(clean);
}

static void clean_snapshot(void *arg, int status, struct mlb_owner *owners,
			   size_t n)
{
	struct clean *clean = arg;
	struct follow *f = clean->follow;

	clean->owners = owners;
	clean->n = n;
	clean->phase = CLEAN_COMPARE;
	clean->work.data = clean;
	/* A disturbed snapshot may lack what is stale: so once more, later. */
	if (status && !clean->given_up) {
		if (log_allowed(&f->limit))
			log_warning("node %u: its entries cannot be read: %s",
				    f->id, strerror(-status));
		lose_for_long(f);
	}
	if (clean->given_up ||
	    uv_queue_work(f->loop, &clean->work, clean_compare,
			  clean_compared))
		clean_over(clean);
}

/* Entries that are loaded meanwhile were heard, or are fresh. */
static void clean_start(struct follow *f)
{
	struct clean *clean;

	f->ended = false;
	clean = calloc(1, sizeof(*clean));
	if (!clean || kernel_snapshot(f->kernel, f->id, clean_snapshot,
				      clean)) {
		free(clean);
		lose_for_long(f);
		return;
	}
	clean->follow = f;
	clean->heard = f->heard;
	memset(&f->heard, 0, sizeof(f->heard));
	f->clean = clean;
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
		f->want_again = WANT_AGAIN_MS;
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
		struct wire_owner op = wire_owner(message, i);

		if ((f->recording && !token_set_add(&f->fresh, op.token)) ||
		    !queue_add(&f->live, &op)) {
			lose_for_long(f);
			return;
		}
	}
}

static void take_repeat(struct follow *f, const struct wire_message *message)
{
	if (!f->repeating)
		return;
	for (size_t i = 0; i < message->n_owners; i++) {
		struct wire_owner op = wire_owner(message, i);

		if (!token_list_add(&f->heard, op.token) ||
		    !queue_add(&f->repeat, &op)) {
			lose_for_long(f);
			return;
		}
	}
}

static void repeat_begin(struct follow *f)
{
	if (f->in_step)
		return;
	repeat_drop(f);
	f->repeating = true;
	f->recording = true;
	tell(f, "repeat-begin", -1);
}

static void repeat_end(struct follow *f)
{
	if (!f->repeating)
		return;
	f->repeating = false;
	f->in_step = true;
	f->ended = true;
	f->want_again = WANT_AGAIN_MS;
	f->state.repeats++;
	tell(f, "repeat-end", (int64_t)f->heard.n);
	if (!f->clean)
		clean_start(f);
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

/* One run of entries of a kind, in the order in which they came. */
static size_t take_run(struct follow *f, struct queue *q, size_t most,
		       struct mlb_owner *entries, size_t *taken, bool *withdrawn)
{
	bool filtered = q == &f->repeat;
	size_t n = 0;

	for (*taken = 0; *taken < most && q->at < q->n; ++*taken, q->at++) {
		const struct wire_owner *op = &q->ops[q->at];

		if (filtered && token_set_has(&f->fresh, op->token))
			continue;
		if (!n)
			*withdrawn = op->withdrawn;
		else if (*withdrawn != op->withdrawn)
			break;
		entries[n++] = (struct mlb_owner){
			.token = op->token,
			.node = f->id,
			.cpu = op->cpu == WIRE_NO_CPU ? MLB_NO_CPU : op->cpu,
		};
	}
	return n;
}

/* Return: 0, or why the kernel refused. */
static int load_run(struct follow *f, const struct mlb_owner *entries, size_t n,
		    bool withdrawn)
{
	struct mlb *mlb = kernel_mlb(f->kernel);
	int ret;

	if (!n)
		return 0;
	if (!withdrawn)
		return mlb_owner_add(mlb, entries, n, MLB_OWNER_ANNOUNCE, NULL);
	ret = mlb_owner_withdraw(mlb, entries, n, NULL);
	return ret == -ENOENT ? 0 : ret;
}

static void refused(struct follow *f, int error)
{
	f->state.refused++;
	if (log_allowed(&f->limit))
		log_warning("node %u: its tokens cannot be loaded: %s", f->id,
			    mlb_last_error(kernel_mlb(f->kernel))->code ?
				    mlb_last_error(kernel_mlb(f->kernel))->text :
				    strerror(-error));
	lose_for_long(f);
}

/* What is not needed until there is more. */
static void rest(struct follow *f, struct queue *q)
{
	if (!queue_length(q))
		queue_clear(q);
	if (f->recording && !f->repeating && !f->ended && !f->clean &&
	    !queue_length(&f->repeat)) {
		f->recording = false;
		token_set_clear(&f->fresh);
	}
}

size_t follow_load(struct follow *f, bool live, size_t most,
		   struct mlb_owner *entries)
{
	struct queue *q = live ? &f->live : &f->repeat;
	size_t done = 0, taken;

	while (done < most && queue_length(q)) {
		bool withdrawn = false;
		size_t n = take_run(f, q, most - done, entries, &taken,
				    &withdrawn);
		int ret = load_run(f, entries, n, withdrawn);

		done += taken;
		if (ret) {
			refused(f, ret);
			return done;
		}
	}
	if (live && done && !queue_length(q))
		f->state.lag = lag_of(f, f->pending_sent);
	rest(f, q);
	return done;
}

bool follow_queued(const struct follow *f)
{
	return queue_length(&f->live) || queue_length(&f->repeat);
}

void follow_here(struct follow *f, bool here)
{
	f->here = here;
	if (here)
		f->want_again = WANT_AGAIN_MS;
	if (!here && f->repeating)
		lose(f);
	f->wake(f->arg);
}

void follow_up(struct follow *f, bool up)
{
	f->up = up;
	f->want_again = WANT_AGAIN_MS;
	if (!up)
		queue_clear(&f->live);
	lose(f);
}

void follow_state(const struct follow *f, struct sync_peer_state *state)
{
	*state = f->state;
	state->in_step = f->in_step && f->here && !f->clean && !f->ended &&
			 !follow_queued(f);
	state->queued = queue_length(&f->live) + queue_length(&f->repeat);
	if (queue_length(&f->live))
		state->lag = lag_of(f, f->pending_sent);
}

struct follow *follow_new(uv_loop_t *loop, struct kernel *kernel, uint16_t id,
			  void (*wake)(void *arg), void *arg)
{
	struct follow *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->loop = loop;
	f->kernel = kernel;
	f->id = id;
	f->wake = wake;
	f->arg = arg;
	f->want_again = WANT_AGAIN_MS;
	f->state.lag = -1;
	return f;
}

/* A snapshot on its way is not brought any more, a comparison is. */
void follow_free(struct follow *f)
{
	if (!f)
		return;
	if (f->clean && f->clean->phase == CLEAN_SNAPSHOT)
		clean_free(f->clean);
	else if (f->clean)
		f->clean->follow = NULL;
	f->clean = NULL;
	queue_clear(&f->live);
	repeat_drop(f);
	free(f);
}
