/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control socket: mlbctl asks, one JSON object a line; each request gets
 * one object back, {"error": TEXT} when refused. After {"op": "monitor"} events
 * follow until the client hangs up; one that reads too slowly is cut off.
 */
#ifndef MLBD_CONTROL_H
#define MLBD_CONTROL_H

#include "cluster.h"

struct control;

int control_open(struct control **control, uv_loop_t *loop,
		 const char *path, struct cluster *cluster);
void control_close(struct control *control);

/* Tell every monitor; @event is taken over. Events before any open go nowhere. */
void control_event(json_t *event);

#endif /* MLBD_CONTROL_H */
