// SPDX-License-Identifier: GPL-2.0
/* The begin and the end of a look at a service, whatever its kind. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "probe_parts.h"

static void end_attempt(struct probe *p)
{
	if (p->attempt)
		attempt_end(p->attempt);
	p->attempt = NULL;
}

void probe_result(struct probe *probe, const char *text)
{
	if (!probe->running)
		return;
	probe->running = false;
	uv_timer_stop(&probe->timer);
	end_attempt(probe);
	probe->done(probe->arg, text);
}

static void on_timeout(uv_timer_t *timer)
{
	struct probe *p = timer->data;
	char text[PROBE_TEXT_MAX];

	if (p->child)
		child_kill(p->child);
	snprintf(text, sizeof(text), "%s within %u ms",
		 p->attempt ? attempt_waits(p->attempt) :
			      "the command did not end",
		 p->timeout);
	probe_result(p, text);
}

int probe_open(struct probe **probe, uv_loop_t *loop, const char *name,
	       const struct check_question *question, probe_done_fn *done,
	       void *arg)
{
	struct probe *p = calloc(1, sizeof(*p));
	int ret;

	*probe = NULL;
	if (!p)
		return -ENOMEM;
	p->loop = loop;
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->question = *question;
	p->done = done;
	p->arg = arg;
	ret = uv_timer_init(loop, &p->timer);
	if (ret) {
		free(p);
		return ret;
	}
	p->timer.data = p;
	*probe = p;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void probe_close(struct probe *probe)
{
	if (!probe)
		return;
	probe->running = false;
	end_attempt(probe);
	if (probe->child)
		child_forget(probe->child);
	probe->child = NULL;
	uv_close((uv_handle_t *)&probe->timer, on_closed);
}

void probe_run(struct probe *probe, uint32_t timeout)
{
	probe->running = true;
	probe->timeout = timeout;
	uv_timer_start(&probe->timer, on_timeout, timeout, 0);
	if (probe->question.type == CHECK_COMMAND)
		child_begin(probe);
	else
		attempt_begin(probe);
}
