/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files that follow one peer. */
#ifndef MLBD_FOLLOW_PARTS_H
#define MLBD_FOLLOW_PARTS_H

#include "follow.h"
#include "log.h"
#include "tokens.h"

/* Entries that wait for the kernel; with more the peer is asked again later. */
#define QUEUE_MAX 4000000
/* Tokens in one repetition, and said of during one: no node has so many. */
#define HEARD_MAX 16000000
#define FRESH_MAX 4000000

/* From asking to asking again, doubled each time until it is heard and loaded. */
#define FOLLOW_WANT_AGAIN_MS 2000

struct queue {
	struct wire_owner *ops;
	size_t at, n, room; /* @at to @n wait */
};

struct clean;

/**
 * struct follow - one peer
 * @known: @run and @next are
 * @next: number of the next message
 * @in_step: no message since the last repetition was missed
 * @lacking: the kernel refused some of what was heard since the last BEGIN
 * @repeating: between BEGIN and END
 * @ended: END has come; what is stale is looked for once @repeat is empty
 * @heard_at: when the repetition was heard of last
 * @live: what is new
 * @repeat: what is repeated, and removals of what is stale
 * @load_at: not before, as the kernel refused @tries times in a row
 * @recording: into @fresh go the tokens of which something new was said
 * @heard: those of the repetition
 * @clean_at: not before, as it failed
 * @want_at: when a repetition is to be asked for, or UINT64_MAX
 * @want_again: ms from asking to asking again
 * @clock_least: least of receiver's less sender's clock, seen at
 * @clock_at: if @clocked
 * @pending_sent: of the oldest message in @live
 */
struct follow {
	uv_loop_t *loop;
	struct kernel *kernel;
	uint16_t id;
	bool *cleaning;
	void (*wake)(void *arg);
	void *arg;

	bool known;
	bool here;
	bool up;
	bool in_step;
	bool lacking;
	bool repeating;
	bool ended;
	uint64_t heard_at;
	uint32_t run;
	uint64_t next;

	struct queue live;
	struct queue repeat;
	uint64_t load_at;
	unsigned int tries;
	bool recording;
	struct token_set fresh;
	struct token_list heard;
	struct clean *clean;
	uint64_t clean_at;

	uint64_t want_at;
	uint64_t want_again;

	bool clocked;
	int64_t clock_least;
	uint64_t clock_at;
	uint64_t pending_sent;

	struct sync_peer_state state;
	struct log_limit limit;
};

/* follow.c: ask for a repetition in so many ms, if not sooner. */
void follow_want_in(struct follow *follow, uint64_t ms);
/* How much longer than the quickest message one that was @sent has taken, ms. */
int64_t follow_lag(const struct follow *follow, uint64_t sent);

/* follow_load.c */
size_t queue_length(const struct queue *queue);
void queue_clear(struct queue *queue);
/* Return: false when there is no memory or too much in it. */
bool queue_add(struct queue *queue, const struct wire_owner *op);

/*
 * follow_clean.c: what comes after END, when it can be done; what is under way
 * is of no use any more; the peer goes.
 */
void follow_finish(struct follow *follow);
void follow_clean_drop(struct follow *follow);
void follow_clean_free(struct follow *follow);

/* It was heard to its end, and that is not through. */
static inline bool follow_finishing(const struct follow *follow)
{
	return follow->ended || follow->clean || queue_length(&follow->repeat);
}

#endif /* MLBD_FOLLOW_PARTS_H */
