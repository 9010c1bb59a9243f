/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One peer's tokens on their way into this node's kernel.
 */
#ifndef MLBD_FOLLOW_H
#define MLBD_FOLLOW_H

#include "kernel.h"
#include "sync.h"
#include "wire.h"

/* What may be loaded in one turn of the loop. */
#define FOLLOW_BATCH MLB_OWNER_BATCH

struct follow;

/*
 * @cleaning: whether any peer's stale entries are being looked for, shared by
 * all: one at a time, as it takes workers and memory that others need as well.
 */
struct follow *follow_new(uv_loop_t *loop, struct kernel *kernel, uint16_t id,
			  bool *cleaning, void (*wake)(void *arg), void *arg);
void follow_free(struct follow *follow);

void follow_here(struct follow *follow, bool here);
void follow_up(struct follow *follow, bool up);
void follow_message(struct follow *follow, const struct wire_message *message);

/*
 * Load some; @entries has room for FOLLOW_BATCH. With @live only what is new.
 * Return: how many, at most @most.
 */
size_t follow_load(struct follow *follow, bool live, size_t most,
		   struct mlb_owner *entries);
/* Whether there is something that can be loaded now. */
bool follow_queued(const struct follow *follow);

/**
 * follow_want() - whether the peer shall be asked for a repetition
 * @due: when, or UINT64_MAX when it need not
 * @heard: up to where it has been heard
 *
 * follow_wanted() says that it has been asked.
 */
void follow_want(const struct follow *follow, uint64_t *due, uint64_t *heard);
void follow_wanted(struct follow *follow);

/* When follow_tick() and follow_load() have to be called, or UINT64_MAX. */
uint64_t follow_due(const struct follow *follow);
void follow_tick(struct follow *follow);

void follow_state(const struct follow *follow, struct sync_peer_state *state);

#endif /* MLBD_FOLLOW_H */
