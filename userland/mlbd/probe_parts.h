/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files that look at services. */
#ifndef MLBD_PROBE_PARTS_H
#define MLBD_PROBE_PARTS_H

#include "probe.h"

#define PROBE_TEXT_MAX 160

struct attempt;
struct child;

/**
 * struct probe - what is asked again and again
 * @running: done is due
 * @timer: the end of the time that there is
 * @attempt: the connection of this run, or NULL
 * @child: the command that runs, or one that was killed and is not gone yet
 */
struct probe {
	uv_loop_t *loop;
	char name[CONFIG_NAME_MAX];
	struct check_question question;
	probe_done_fn *done;
	void *arg;
	bool running;
	uint32_t timeout;
	uv_timer_t timer;
	struct attempt *attempt;
	struct child *child;
};

/* The result of this run; @text as in probe_done_fn. */
void probe_result(struct probe *probe, const char *text);

/* probe_tcp.c */
void attempt_begin(struct probe *probe);
void attempt_end(struct attempt *attempt);
/* What it was waiting for, to follow "no answer". */
const char *attempt_waits(const struct attempt *attempt);

/* probe_command.c */
void child_begin(struct probe *probe);
/* Its time is over: it is told to end, and soon made to. */
void child_kill(struct child *child);
/*
 * Nobody wants to know of it any more: it is killed, and if it does not go even
 * so, the loop does not wait for it.
 */
void child_forget(struct child *child);
/* Also its process group. */
int child_pid(const struct child *child);

/* probe_http.c; pure. */
int http_request(const struct check_question *question, char *to, size_t size);
/* Return: the status, 0 when the line is not there yet, -1 for no HTTP. */
int http_status(const char *data, size_t len);

#endif /* MLBD_PROBE_PARTS_H */
