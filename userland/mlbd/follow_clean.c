// SPDX-License-Identifier: GPL-2.0
/*
 * What is stale after a repetition: the kernel's entries of the peer that were
 * not named in it, nor anything new said of since it began. They are looked for
 * when the repetition is loaded, as a table that grows cannot be read well. If
 * it fails, only this is done again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "follow_parts.h"

#define CLEAN_AGAIN_MS 1000

/**
 * struct clean - looks for what is stale
 * @follow: whose; NULL when that is gone
 * @comparing: and not waiting for the snapshot any more
 * @given_up: something was missed, which may have been about any token
 * @heard: tokens of the repetition
 * @stale: those of @owners that are not among them
 */
struct clean {
	struct follow *follow;
	bool comparing;
	bool given_up;
	bool failed;
	struct token_list heard;
	struct mlb_owner *owners;
	size_t n;
	struct token_list stale;
	uv_work_t work;
};

static void clean_free(struct clean *clean)
{
	token_list_clear(&clean->heard);
	token_list_clear(&clean->stale);
	free(clean->owners);
	free(clean);
}

static void again_later(struct follow *f)
{
	f->ended = true;
	f->clean_at = uv_now(f->loop) + CLEAN_AGAIN_MS;
}

/* Out of the way, and the next one's turn if one waits. */
static void clean_over(struct clean *clean)
{
	struct follow *f = clean->follow;

	if (f) {
		f->clean = NULL;
		*f->cleaning = false;
		if (clean->failed && !clean->given_up) {
			f->heard = clean->heard;
			memset(&clean->heard, 0, sizeof(clean->heard));
			again_later(f);
		}
		f->wake(f->arg);
	}
	clean_free(clean);
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

/* Entries that were loaded meanwhile are fresh, and not removed. */
static void clean_remove(struct clean *clean)
{
	struct follow *f = clean->follow;

	for (size_t i = 0; i < clean->stale.n; i++) {
		struct wire_owner op = { .token = clean->stale.tokens[i],
					 .cpu = WIRE_NO_CPU,
					 .withdrawn = true };

		if (!queue_add(&f->repeat, &op)) {
			clean->failed = true;
			return;
		}
		f->state.stale++;
	}
}

static void clean_compared(uv_work_t *work, int status)
{
	struct clean *clean = work->data;

	/* Its end comes even when mlbd ends. */
	if (status)
		clean->failed = true;
	if (clean->follow && !clean->given_up && !clean->failed)
		clean_remove(clean);
	clean_over(clean);
}

static void clean_snapshot(void *arg, int status, struct mlb_owner *owners,
			   size_t n)
{
	struct clean *clean = arg;
	struct follow *f = clean->follow;

	clean->owners = owners;
	clean->n = n;
	/* A disturbed snapshot may lack what is stale. */
	if (status) {
		clean->failed = true;
		if (log_allowed(&f->limit))
			log_warning("node %u: its entries cannot be read, once more: %s",
				    f->id, strerror(-status));
	} else if (!clean->given_up) {
		clean->comparing = true;
		clean->work.data = clean;
		if (!uv_queue_work(f->loop, &clean->work, clean_compare,
				   clean_compared))
			return;
		clean->failed = true;
	}
	clean_over(clean);
}

static void clean_start(struct follow *f)
{
	struct clean *clean = calloc(1, sizeof(*clean));

	if (!clean || kernel_snapshot(f->kernel, f->id, clean_snapshot,
				      clean)) {
		free(clean);
		again_later(f);
		return;
	}
	f->ended = false;
	*f->cleaning = true;
	clean->follow = f;
	clean->heard = f->heard;
	memset(&f->heard, 0, sizeof(f->heard));
	f->clean = clean;
}

void follow_finish(struct follow *f)
{
	if (f->repeating || f->clean || queue_length(&f->repeat))
		return;
	if (f->ended) {
		if (uv_now(f->loop) >= f->clean_at && !*f->cleaning)
			clean_start(f);
		return;
	}
	f->recording = false;
	token_set_clear(&f->fresh);
	if (f->in_step && !f->lacking)
		f->want_again = FOLLOW_WANT_AGAIN_MS;
}

void follow_clean_drop(struct follow *f)
{
	f->ended = false;
	f->clean_at = 0;
	if (f->clean)
		f->clean->given_up = true;
}

/* A snapshot on its way is not brought any more, a comparison is. */
void follow_clean_free(struct follow *f)
{
	if (f->clean && f->clean->comparing)
		f->clean->follow = NULL;
	else if (f->clean)
		clean_free(f->clean);
	f->clean = NULL;
}
