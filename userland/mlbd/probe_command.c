// SPDX-License-Identifier: GPL-2.0
/* A command of the operator that tells whether the service is well. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe_parts.h"
#include "text.h"

/* From being told to end to being killed. */
#define KILL_MS 1000

/* Of what it says, the first line is kept. */
#define SAID_MAX 100

/**
 * struct child - a command that was started
 * @probe: NULL once nobody wants to know of it
 * @late: its time was over; the result is known
 */
struct child {
	struct probe *probe;
	uv_process_t process;
	uv_pipe_t pipe;
	uv_timer_t timer;
	unsigned int handles; /* that are not closed yet */
	bool late;
	char said[SAID_MAX];
	size_t said_len;
	char input[512];
};

static void on_closed(uv_handle_t *handle)
{
	struct child *c = handle->data;

	if (!--c->handles)
		free(c);
}

static void child_close(struct child *c)
{
	uv_close((uv_handle_t *)&c->process, on_closed);
	uv_close((uv_handle_t *)&c->pipe, on_closed);
	uv_close((uv_handle_t *)&c->timer, on_closed);
}

int child_pid(const struct child *child)
{
	return uv_process_get_pid(&child->process);
}

/* It leads a group of its own, so what it started ends with it. */
static void signal_all(const struct child *c, int number)
{
	int pid = child_pid(c);

	if (pid > 0)
		kill(-pid, number);
}

static void on_kill(uv_timer_t *timer)
{
	signal_all(timer->data, SIGKILL);
}

void child_kill(struct child *child)
{
	child->late = true;
	signal_all(child, SIGTERM);
	uv_timer_start(&child->timer, on_kill, KILL_MS, 0);
}

void child_forget(struct child *child)
{
	child->probe = NULL;
	child->late = true;
	signal_all(child, SIGKILL);
	uv_unref((uv_handle_t *)&child->process);
	uv_unref((uv_handle_t *)&child->pipe);
	uv_unref((uv_handle_t *)&child->timer);
}

static void tell(struct child *c, int64_t status, int number)
{
	char text[PROBE_TEXT_MAX], how[32];

	if (!status && !number) {
		probe_result(c->probe, NULL);
		return;
	}
	if (number)
		snprintf(how, sizeof(how), "signal %d", number);
	else
		snprintf(how, sizeof(how), "exit status %d", (int)status);
	snprintf(text, sizeof(text), "%s%s%.*s", how, c->said_len ? ": " : "",
		 (int)strcspn(c->said, "\r\n"), c->said);
	probe_result(c->probe, text);
}

/*
 * What it said came before the end, and libuv hands it out before. What a late
 * one started and does not end by itself is killed; others may leave something
 * behind.
 */
static void on_exit_of(uv_process_t *process, int64_t status, int number)
{
	struct child *c = process->data;

	if (c->late)
		signal_all(c, SIGKILL);
	if (c->probe) {
		c->probe->child = NULL;
		if (!c->late)
			tell(c, status, number);
	}
	child_close(c);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct child *c = handle->data;

	(void)size;
	*buf = uv_buf_init(c->input, sizeof(c->input));
}

/* More than is kept is read and thrown away, so that it need not wait. */
static void on_said(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct child *c = stream->data;
	size_t room = sizeof(c->said) - 1 - c->said_len;

	if (n < 0) {
		uv_read_stop(stream);
		return;
	}
	if ((size_t)n < room)
		room = (size_t)n;
	memcpy(c->said + c->said_len, buf->base, room);
	c->said_len += room;
}

/* Nothing of mlbd's own environment, such as where systemd is told things. */
static int spawn(struct child *c, const struct probe *p)
{
	const struct check_question *q = &p->question;
	char name[CONFIG_NAME_MAX + 16], service[ENDPOINT_TEXT + 16];
	char addr[ADDR_TEXT + 16], port[32], text[ENDPOINT_TEXT];
	char path[] =
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char sh[] = "/bin/sh", option[] = "-c", command[CONFIG_TEXT_MAX + 16];
	char *args[] = { sh, option, command, NULL };
	char *env[] = { path, name, service, addr, port, NULL };
	uv_stdio_container_t stdio[3] = {
		{ .flags = UV_IGNORE },
		{ .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
		  .data.stream = (uv_stream_t *)&c->pipe },
		{ .flags = UV_IGNORE },
	};
	uv_process_options_t options = {
		.exit_cb = on_exit_of,
		.file = sh,
		.args = args,
		.env = env,
		.cwd = "/",
		.flags = UV_PROCESS_DETACHED,
		.stdio_count = 3,
		.stdio = stdio,
	};

	snprintf(command, sizeof(command), "exec 2>&1\n%s", q->command);
	snprintf(name, sizeof(name), "MLB_CHECK=%s", p->name);
	snprintf(service, sizeof(service), "MLB_SERVICE=%s",
		 endpoint_text(&q->service, text));
	snprintf(addr, sizeof(addr), "MLB_ADDR=%s",
		 addr_text(&q->target.addr, text));
	snprintf(port, sizeof(port), "MLB_PORT=%u", q->target.port);
	return uv_spawn(p->loop, &c->process, &options);
}

void child_begin(struct probe *probe)
{
	struct child *c;
	int ret;

	if (probe->child) {
		probe_result(probe, "the command of before has not ended");
		return;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		probe_result(probe, strerror(ENOMEM));
		return;
	}
	c->probe = probe;
	c->process.data = c;
	c->pipe.data = c;
	c->timer.data = c;
	uv_pipe_init(probe->loop, &c->pipe, 0);
	uv_timer_init(probe->loop, &c->timer);
	c->handles = 3;
	ret = spawn(c, probe);
	if (ret) {
		child_close(c);
		probe_result(probe, uv_strerror(ret));
		return;
	}
	probe->child = c;
	uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_said);
}
