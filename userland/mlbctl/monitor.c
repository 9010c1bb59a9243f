// SPDX-License-Identifier: GPL-2.0
/* mlbctl monitor: events as they happen. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mlbctl.h"
#include "print.h"

#define SEEN_COUNT (1u << 2)
#define SEEN_READY (1u << 3)

struct monitor_args {
	uint32_t count;
};

static const struct arg args[] = {
	{ .type = ARG_FLAG,
	  .name = "owner",
	  .help = "tokens that are learnt and withdrawn on this node",
	  .field = MLB_GROUP_OWNER },
	{ .type = ARG_FLAG,
	  .name = "event",
	  .help = "changes of nodes, services and settings; full tables",
	  .field = MLB_GROUP_EVENT },
	{ .type = ARG_U32,
	  .dash = 'c',
	  .name = "count",
	  .value = "N",
	  .help = "end after so many events",
	  .field = SEEN_COUNT,
	  .offset = offsetof(struct monitor_args, count),
	  .min = 1,
	  .max = UINT32_MAX },
	{ .type = ARG_FLAG,
	  .dash = 'r',
	  .name = "ready",
	  .help = "begin with an event \"ready\" once nothing can be missed",
	  .field = SEEN_READY },
	{}
};

static const char *const event_words[] = {
	[MLB_EVENT_CONFIG] = "config",
	[MLB_EVENT_NODE] = "node",
	[MLB_EVENT_NODE_DEL] = "node-del",
	[MLB_EVENT_SERVICE] = "service",
	[MLB_EVENT_SERVICE_DEL] = "service-del",
	[MLB_EVENT_OWNER_ADD] = "owner-add",
	[MLB_EVENT_OWNER_DEL] = "owner-del",
	[MLB_EVENT_LIMIT] = "limit",
	[MLB_EVENT_LOST] = "lost",
	[MLB_EVENT_UNLOADED] = "unloaded",
	NULL,
};

/* What ends the reading; positive, so that it is no errno. */
enum { COUNTED = 1, UNLOADED };

struct state {
	struct output *out;
	uint32_t left; /* 0: without end */
};

static void begin_line(struct output *out, const char *event)
{
	char date[32], text[64];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%06ldZ", date, now.tv_nsec / 1000);

	out_begin(out);
	out_str(out, "time", NULL, text);
	out_str(out, "event", NULL, event);
}

/* Flushed at each line: who reads a pipe waits for this event, not the next. */
static void end_line(struct output *out)
{
	out_end(out);
	fflush(out->file);
}

static int show(const struct mlb_event *event, void *arg)
{
	struct state *state = arg;
	struct output *out = state->out;

	begin_line(out, word_of(event_words, event->type));
	switch (event->type) {
	case MLB_EVENT_CONFIG:
		print_config(out, &event->config);
		break;
	case MLB_EVENT_NODE:
	case MLB_EVENT_NODE_DEL:
		print_node(out, &event->node);
		break;
	case MLB_EVENT_SERVICE:
	case MLB_EVENT_SERVICE_DEL:
		print_service(out, &event->service);
		break;
	case MLB_EVENT_OWNER_ADD:
	case MLB_EVENT_OWNER_DEL:
		print_owner(out, &event->owner);
		break;
	case MLB_EVENT_LIMIT:
		out_str(out, "table", "table",
			word_of(table_words, event->limit.table));
		out_uint(out, "limit", "limit", event->limit.limit, NULL);
		break;
	case MLB_EVENT_LOST:
	case MLB_EVENT_UNLOADED:
		break;
	}
	end_line(out);

	if (event->type == MLB_EVENT_UNLOADED)
		return UNLOADED;
	if (state->left && !--state->left)
		return COUNTED;
	return ferror(out->file) ? COUNTED : 0;
}

/* A reader who has gone away ends it too, without waiting for an event. */
static int watch(struct mlb_monitor *monitor, struct state *state)
{
	struct pollfd fds[] = {
		{ .fd = mlb_monitor_fd(monitor), .events = POLLIN },
		{ .fd = STDOUT_FILENO },
	};
	int ret = 0;

	while (!ret) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents & (POLLERR | POLLHUP))
			return COUNTED;
		ret = mlb_monitor_read(monitor, show, state);
	}
	return ret;
}

static int run(struct mlbctl *ctl)
{
	unsigned int groups = ctl->seen & (MLB_GROUP_OWNER | MLB_GROUP_EVENT);
	const struct monitor_args *given = ctl->data;
	struct state state = { &ctl->out, given->count };
	struct mlb_monitor *monitor;
	int ret;

	ret = mlb_monitor_open(
		&monitor, groups ? groups : MLB_GROUP_OWNER | MLB_GROUP_EVENT);
	if (ret)
		return open_error(ret);
	if (ctl->seen & SEEN_READY) {
		begin_line(&ctl->out, "ready");
		end_line(&ctl->out);
	}
	ret = watch(monitor, &state);
	mlb_monitor_close(monitor);

	if (ret == UNLOADED)
		return open_error(-ENOENT);
	return ret < 0 ? open_error(ret) : 0;
}

static const struct verb verbs[] = {
	{ .help = "show events as they happen, one a line",
	  .args = args,
	  .size = sizeof(struct monitor_args),
	  .run = run,
	  .own_socket = true },
	{}
};

static struct command command = {
	.name = "monitor",
	.help = "live events",
	.verbs = verbs,
};

MLBCTL_COMMAND(command)
