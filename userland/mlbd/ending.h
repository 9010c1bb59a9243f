/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What this node still has when its time is over is ended, so that clients and
 * applications hear of it now, and not when the node is gone.
 */
#ifndef MLBD_ENDING_H
#define MLBD_ENDING_H

#include <uv.h>

#include "document.h"

struct ending;

/**
 * struct ending_result - what was ended
 * @connections: of Multipath TCP, with all their subflows
 * @sockets: TCP sockets beside those
 */
struct ending_result {
	uint64_t connections;
	uint64_t sockets;
};

/* Called once, unless ending_stop() was; what failed has been logged. */
typedef void ending_fn(void *arg, const struct ending_result *result);

/**
 * ending_start() - begin to end all connections of the document's services
 * @ending: set to what ending_stop() takes, until @fn is called
 *
 * A worker does it: first those of Multipath TCP, as a whole, then each TCP
 * socket that is left.
 *
 * Return: 0 or a negative errno.
 */
int ending_start(struct ending **ending, uv_loop_t *loop,
		 const struct document *document, ending_fn *fn, void *arg);

/* End no more. What has begun may still go through. */
void ending_stop(struct ending *ending);

#endif /* MLBD_ENDING_H */
