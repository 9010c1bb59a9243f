/* SPDX-License-Identifier: GPL-2.0 */
/* Talking to mlbd, see userland/mlbd/README.md. */
#ifndef MLBCTL_DAEMON_H
#define MLBCTL_DAEMON_H

#include <jansson.h>
#include <stdbool.h>

#define DAEMON_SOCKET "/run/mlb/mlbd.sock"

/* Where it listens. */
extern const char *daemon_path;

struct daemon;

/* Return: 0 or a negative errno; daemon_error() tells people. */
int daemon_open(struct daemon **daemon);
void daemon_close(struct daemon *daemon);
int daemon_fd(const struct daemon *daemon);

/* Takes @request over. */
int daemon_send(struct daemon *daemon, json_t *request);

/**
 * daemon_next() - the next object that mlbd sent
 * @wait: until it is there
 *
 * Return: 0; -EAGAIN without @wait; -EPIPE when mlbd hung up; another negative
 * errno.
 */
int daemon_next(struct daemon *daemon, bool wait, json_t **object);

/**
 * daemon_ask() - one request and its answer
 * @request: taken over
 * @answer: a new object, unless mlbd refused
 *
 * Return: exit status; what is wrong has been said.
 */
int daemon_ask(json_t *request, json_t **answer);

/* Says what went wrong, and returns the exit status. */
int daemon_error(int ret);

#endif /* MLBCTL_DAEMON_H */
