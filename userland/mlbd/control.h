/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control socket: mlbctl asks, one JSON object a line; each request gets
 * one object back, {"error": TEXT} when refused. After {"op": "monitor"} events
 * follow until the client hangs up; one that reads too slowly is cut off.
 */
#ifndef MLBD_CONTROL_H
#define MLBD_CONTROL_H

#include <jansson.h>
#include <uv.h>

/**
 * typedef control_result_fn - the end of a change
 * @status: 0 or a negative errno
 * @text: what went wrong, or with status 0 a warning, or NULL
 */
typedef void control_result_fn(void *arg, int status, const char *text);

/**
 * struct control_calls - what clients can ask for
 * @status: a new object
 * @document: a new object, or NULL when there is none
 * @reload: 0, or a negative errno with *@error pointing to why
 * @change: see cluster_propose()
 */
struct control_calls {
	json_t *(*status)(void *arg);
	json_t *(*document)(void *arg);
	int (*reload)(void *arg, const char **error);
	int (*change)(void *arg, json_t *change, control_result_fn *fn,
		      void *fn_arg);
};

/* Bounds; those of the second kind are for users without rights. */
#define CONTROL_LINE_MAX (1024 * 1024)
#define CONTROL_LINE_MAX_ANY 4096
#define CONTROL_CLIENTS_MAX 64
#define CONTROL_CLIENTS_MAX_ANY 32
#define CONTROL_BACKLOG_MAX (1024 * 1024)
#define CONTROL_IDLE_MS 60000
#define CONTROL_TURN_MS 50

struct control;

/* What goes wrong is logged. */
int control_open(struct control **control, uv_loop_t *loop, const char *path,
		 const struct control_calls *calls, void *arg);
void control_close(struct control *control);

/* Tell every monitor; @event is taken over. Events before any open go nowhere. */
void control_event(json_t *event);

#endif /* MLBD_CONTROL_H */
