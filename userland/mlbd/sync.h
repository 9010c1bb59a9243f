/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Owner tables in step. Each node announces its own tokens in numbered batches,
 * one a tick; peers load them. Whoever may have missed something (new member,
 * merge, lost event) gets the sender's entries again: begin, entries, end, in
 * which what is new has the right of way. What a receiver holds of a sender and
 * did not hear in a repetition is stale and goes at its end.
 */
#ifndef MLBD_SYNC_H
#define MLBD_SYNC_H

#include "engine.h"
#include "kernel.h"
#include <jansson.h>

struct sync;

int sync_open(struct sync **sync, uv_loop_t *loop, struct engine *engine,
	      struct kernel *kernel, uint16_t self, unsigned int tick);
void sync_close(struct sync *sync);
void sync_set_tick(struct sync *sync, unsigned int tick);

/* A token of this node came or went. */
void sync_owner(struct sync *sync, const struct mlb_owner *owner, bool add);

/* Events of this node's kernel are missing, or a peer may lack some of ours. */
void sync_repeat(struct sync *sync);

/* A peer's kernel table entry exists (again), so its announcements can load. */
void sync_peer_up(struct sync *sync, uint16_t node);

/* A peer is dead: its entries go. Or only its mlbd left: they may grow stale. */
void sync_peer_dead(struct sync *sync, uint16_t node);
void sync_peer_gone(struct sync *sync, uint16_t node);

/* A message of kind WIRE_OWNERS, WIRE_REPEAT_BEGIN or WIRE_REPEAT_END. */
struct wire_message;
void sync_message(struct sync *sync, uint16_t sender,
		  const struct wire_message *message);

void sync_room(struct sync *sync);
json_t *sync_status(struct sync *sync);

#endif /* MLBD_SYNC_H */
