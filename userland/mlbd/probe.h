/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One look at a service: a connection, a request, a command. It knows nothing
 * of earlier ones, and never waits on the loop.
 */
#ifndef MLBD_PROBE_H
#define MLBD_PROBE_H

#include <uv.h>

#include "config.h"

struct probe;

/**
 * typedef probe_done_fn - the end of a look
 * @text: NULL when all was well, or what was not
 */
typedef void probe_done_fn(void *arg, const char *text);

/**
 * probe_open() - prepare to look at something, any number of times
 * @probe: to be given to probe_close()
 * @name: of the check, for the command that it runs
 * @question: copied
 *
 * Return: 0 or a negative errno.
 */
int probe_open(struct probe **probe, uv_loop_t *loop, const char *name,
	       const struct check_question *question, probe_done_fn *done,
	       void *arg);

/* Ends what is under way: done is not called any more, a command is killed. */
void probe_close(struct probe *probe);

/*
 * Begin to look; @done is called once, perhaps before this returns, and after
 * @timeout ms at the latest. Not to be called in between.
 */
void probe_run(struct probe *probe, uint32_t timeout);

#endif /* MLBD_PROBE_H */
