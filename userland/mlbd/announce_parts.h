/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files that announce. */
#ifndef MLBD_ANNOUNCE_PARTS_H
#define MLBD_ANNOUNCE_PARTS_H

#include "announce.h"
#include "log.h"

enum repeat {
	REPEAT_NONE,
	REPEAT_DUE,	 /* BEGIN is sent at @due */
	REPEAT_SNAPSHOT, /* BEGIN was sent; the kernel is asked */
	REPEAT_SENDING,
};

struct announce {
	uv_loop_t *loop;
	struct engine *engine;
	struct kernel *kernel;
	uint16_t self;
	unsigned int tick;
	uv_timer_t timer;
	uint64_t wake_at; /* while the timer runs */
	bool listeners;
	bool unheard; /* something happened while there was none */

	uint32_t run;
	uint64_t sequence; /* of the next message */

	struct wire_owner *queue;
	size_t n_queue, queue_room;

	enum repeat repeat;
	bool again;	  /* one more is needed */
	bool lost;	  /* there is something that nobody was told */
	bool stale;	  /* the snapshot on its way is of no use any more */
	bool asked;	  /* a snapshot is on its way */
	uint64_t due;	  /* ms of the loop's clock */
	uint64_t began;	  /* when the last BEGIN was sent */
	uint64_t first;	  /* its number */
	uint64_t pause;	  /* until then, before the next */
	struct mlb_owner *owners;
	size_t n_owners, at;
	bool clients;	     /* some of them have one */
	unsigned int window; /* messages of it that have not come back */
	uint64_t moved;	     /* when one was sent or came back last */

	struct announce_state state;
	struct log_limit limit;
	uint8_t buffer[WIRE_HEADER + WIRE_OWNERS_MAX * WIRE_OWNER];
};

_Static_assert(WIRE_CLIENTS_MAX * (WIRE_OWNER + WIRE_CLIENT) <=
		       WIRE_OWNERS_MAX * WIRE_OWNER,
	       "the buffer takes any message");

/* announce.c: send what can be sent in so many ms at the latest. */
void announce_wake(struct announce *announce, uint64_t ms);
/* A number that nobody hears: all who listen know that they missed something. */
void announce_skip(struct announce *announce);
/* A message with the first @entries of those that were put into the buffer, as
 * its own @clients says.
 */
int announce_send(struct announce *announce, struct wire_message *message,
		  size_t entries);
void announce_put(struct announce *announce, size_t i,
		  const struct wire_owner *entry, bool clients);

/*
 * announce_repeat.c: something happened that nobody is told; what is to be sent
 * of a repetition now; one of its messages came back; it is not needed any more.
 */
void repeat_lose(struct announce *announce);
void repeat_send(struct announce *announce);
void repeat_returned(struct announce *announce);
void repeat_drop(struct announce *announce);

#endif /* MLBD_ANNOUNCE_PARTS_H */
