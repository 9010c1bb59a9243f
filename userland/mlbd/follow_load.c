// SPDX-License-Identifier: GPL-2.0
/*
 * One peer's tokens into this node's kernel.
 *
 * What the kernel refuses for the moment is tried again. What it goes on
 * refusing, or has no room for, is left out: what comes after it, withdrawals
 * above all, is done all the same, and the peer is asked to repeat some time
 * later.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "follow_parts.h"

/* From a refusal to trying again, and how often. */
#define LOAD_AGAIN_MS 100
#define LOAD_TRIES 5

size_t queue_length(const struct queue *q)
{
	return q->n - q->at;
}

/* The first so many leave the queue. */
static void queue_drop(struct queue *q, size_t n)
{
	for (; n; n--)
		wire_drop_client(&q->ops[q->at++]);
}

void queue_clear(struct queue *q)
{
	queue_drop(q, queue_length(q));
	free(q->ops);
	memset(q, 0, sizeof(*q));
}

bool queue_add(struct queue *q, const struct wire_owner *op)
{
	struct wire_owner kept = *op;

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
	if (!wire_keep_client(&kept))
		return false;
	q->ops[q->n++] = kept;
	return true;
}

/**
 * struct run - entries of a kind, in the order in which they came
 * @n: how many of @entries are in it
 * @taken: how many of the queue it stands for
 */
struct run {
	struct mlb_owner *entries;
	size_t n;
	size_t taken;
	bool withdrawn;
};

static void run_take(const struct follow *f, const struct queue *q, size_t most,
		     struct run *run)
{
	bool filtered = q == &f->repeat;

	run->n = 0;
	for (run->taken = 0; run->taken < most && run->taken < queue_length(q);
	     run->taken++) {
		const struct wire_owner *op = &q->ops[q->at + run->taken];

		if (filtered && token_set_has(&f->fresh, op->token))
			continue;
		if (!run->n)
			run->withdrawn = op->withdrawn;
		else if (run->withdrawn != op->withdrawn)
			break;
		run->entries[run->n++] = (struct mlb_owner){
			.token = op->token,
			.node = f->id,
			.cpu = op->cpu == WIRE_NO_CPU ? MLB_NO_CPU : op->cpu,
			.client = op->client,
		};
	}
}

/* Return: 0, or why the kernel refused. */
static int run_load(const struct follow *f, const struct run *run)
{
	struct mlb *mlb = kernel_mlb(f->kernel);
	int ret;

	if (!run->n)
		return 0;
	if (!run->withdrawn)
		return mlb_owner_add(mlb, run->entries, run->n,
				     MLB_OWNER_ANNOUNCE, NULL);
	ret = mlb_owner_withdraw(mlb, run->entries, run->n, NULL);
	return ret == -ENOENT ? 0 : ret;
}

/* Return: whether the run is left out; elsewise it waits. */
static bool refused(struct follow *f, int error)
{
	f->state.refused++;
	if (log_allowed(&f->limit))
		log_warning("node %u: its tokens cannot be loaded: %s", f->id,
			    mlb_last_error(kernel_mlb(f->kernel))->code ?
				    mlb_last_error(kernel_mlb(f->kernel))->text :
				    strerror(-error));
	if (error != -ENOSPC && ++f->tries < LOAD_TRIES) {
		f->load_at = uv_now(f->loop) + LOAD_AGAIN_MS;
		return false;
	}
	f->tries = 0;
	f->lacking = true;
	follow_want_in(f, f->want_again);
	return true;
}

size_t follow_load(struct follow *f, bool live, size_t most,
		   struct mlb_owner *entries)
{
	struct queue *q = live ? &f->live : &f->repeat;
	struct run run = { .entries = entries };
	size_t done = 0;
	int ret;

	if (uv_now(f->loop) < f->load_at)
		return 0;
	while (done < most && queue_length(q)) {
		run_take(f, q, most - done, &run);
		ret = run_load(f, &run);
		if (!ret)
			f->tries = 0;
		else if (!refused(f, ret))
			return done;
		queue_drop(q, run.taken);
		done += run.taken;
	}
	if (queue_length(q))
		return done;
	if (live && done)
		f->state.lag = follow_lag(f, f->pending_sent);
	queue_clear(q);
	follow_finish(f);
	return done;
}

bool follow_queued(const struct follow *f)
{
	return uv_now(f->loop) >= f->load_at &&
	       (queue_length(&f->live) || queue_length(&f->repeat));
}
