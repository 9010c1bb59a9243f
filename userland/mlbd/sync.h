/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Owner tables in step. Each node announces its own tokens in numbered batches,
 * one a tick; peers load them. Whoever may have missed something (a number is
 * missing, the sender's run or ours is new) asks the sender for its entries
 * again: begin, entries, end, in which what is new has the right of way. What a
 * receiver holds of a sender and did not hear in a repetition is stale and goes
 * at its end.
 *
 * Each part is one file: announce.c sends, follow.c receives from one peer.
 */
#ifndef MLBD_SYNC_H
#define MLBD_SYNC_H

#include "engine.h"
#include "kernel.h"
#include <jansson.h>

struct sync;
struct wire_message;

int sync_open(struct sync **sync, uv_loop_t *loop, struct engine *engine,
	      struct kernel *kernel, uint16_t self, unsigned int tick);
/* Close the kernel before the loop turns again: no snapshot may come any more. */
void sync_close(struct sync *sync);
void sync_set_tick(struct sync *sync, unsigned int tick);

/* A token of this node came or went. */
void sync_owner(struct sync *sync, const struct mlb_owner *owner, bool add);

/* Events of this node's kernel are missing. */
void sync_lost(struct sync *sync);

/*
 * The engine is there, or gone. While no peer's mlbd is there nothing is sent.
 * sync_peer_here() and sync_peer_gone() tell of a peer's mlbd; what is loaded
 * stays.
 */
void sync_connected(struct sync *sync, bool connected);
void sync_peer_here(struct sync *sync, uint16_t node);
void sync_peer_gone(struct sync *sync, uint16_t node);

/*
 * The kernel has the peer's node, new or made anew, and its entries can be
 * loaded; or it is dead there and has none.
 */
void sync_peer_up(struct sync *sync, uint16_t node);
void sync_peer_dead(struct sync *sync, uint16_t node);

/* Fills in @run, @sequence and @sent of a message that is sent now. */
void sync_stamp(struct sync *sync, struct wire_message *message);

/* The run that sync_stamp() gives. */
uint32_t sync_run(const struct sync *sync);

/**
 * sync_message() - any message of a member
 *
 * Its numbers show what was missed, and those of kind WIRE_OWNERS and
 * WIRE_REPEAT_* are for here.
 *
 * Return: false for a body that makes no sense.
 */
bool sync_message(struct sync *sync, uint16_t sender,
		  const struct wire_message *message);

void sync_room(struct sync *sync);

/**
 * struct sync_peer_state - how a peer is followed
 * @in_step: its entries here are those that it announced
 * @lag: ms that its last message took to the kernel's table, more than the
 *	quickest one did; -1 before the first
 * @queued: entries that the kernel has not taken yet
 * @received: entries
 * @repeats: repetitions that were heard to their end
 * @gaps: how often something was missed
 * @stale: entries removed at the ends of repetitions
 * @refused: batches that the kernel refused
 */
struct sync_peer_state {
	bool in_step;
	int64_t lag;
	size_t queued;
	uint64_t received;
	uint64_t repeats;
	uint64_t gaps;
	uint64_t stale;
	uint64_t refused;
};

/* Return: false when nothing is known of the peer. */
bool sync_peer_state(const struct sync *sync, uint16_t node,
		     struct sync_peer_state *state);

/* For status: a new object, of what is sent. */
json_t *sync_status(struct sync *sync);

#endif /* MLBD_SYNC_H */
