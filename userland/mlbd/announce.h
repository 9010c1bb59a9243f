/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This node's own tokens on their way to the peers.
 */
#ifndef MLBD_ANNOUNCE_H
#define MLBD_ANNOUNCE_H

#include "engine.h"
#include "kernel.h"
#include "wire.h"

struct announce;

/**
 * struct announce_state - for status
 * @queued: entries that are not sent yet
 * @sent: entries
 * @repeating: a repetition is under way
 * @repeats: repetitions that were sent to their end
 * @skipped: numbers left out because something could not be sent or was lost
 * @lag: ms from handing the last message to the engine to getting it back
 */
struct announce_state {
	size_t queued;
	uint64_t sent;
	bool repeating;
	uint64_t repeats;
	uint64_t skipped;
	uint64_t lag;
};

int announce_open(struct announce **announce, uv_loop_t *loop,
		  struct engine *engine, struct kernel *kernel, uint16_t self,
		  unsigned int tick);
void announce_close(struct announce *announce);
void announce_set_tick(struct announce *announce, unsigned int tick);

void announce_owner(struct announce *announce, const struct mlb_owner *owner,
		    bool add);
void announce_lost(struct announce *announce);

/* Whether anybody listens. Without a listener nothing is sent or kept. */
void announce_listeners(struct announce *announce, bool any);

/* A peer that has heard everything up to @heard wants all. */
void announce_want(struct announce *announce, uint64_t heard);

/* One of our own messages came back: there is room for the next. */
void announce_returned(struct announce *announce,
		       const struct wire_message *message);
void announce_room(struct announce *announce);

void announce_stamp(struct announce *announce, struct wire_message *message);
uint32_t announce_run(const struct announce *announce);
void announce_state(const struct announce *announce,
		    struct announce_state *state);

#endif /* MLBD_ANNOUNCE_H */
