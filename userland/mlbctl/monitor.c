// SPDX-License-Identifier: GPL-2.0
/* mlbctl monitor: events as they happen. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "mlbctl.h"
#include "print.h"

#define SEEN_COUNT (1u << 2)
#define SEEN_READY (1u << 3)
#define SEEN_CLUSTER (1u << 4)

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
	  .help = "changes of nodes, services, groups and settings; nodes that\n"
		  "become suspect or are so no more; full tables",
	  .field = MLB_GROUP_EVENT },
	{ .type = ARG_FLAG,
	  .name = "cluster",
	  .help = "membership, sync, agreements and health of services, of the\n"
		  "mlbd of this node",
	  .field = SEEN_CLUSTER },
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
	[MLB_EVENT_POOLS] = "pools",
	NULL,
};

/* What ends the reading; positive, so that it is no errno. */
enum { COUNTED = 1, UNLOADED };

struct state {
	struct output *out;
	struct daemon *daemon; /* or NULL */
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

static int counted(struct state *state)
{
	if (state->left && !--state->left)
		return COUNTED;
	return ferror(state->out->file) ? COUNTED : 0;
}

/* Whatever mlbd says, as it says it. */
static void show_value(struct output *out, const char *key, json_t *value)
{
	char *text;

	if (out->json) {
		out_json(out, key, json_deep_copy(value));
		return;
	}
	if (json_is_string(value)) {
		out_str(out, key, key, json_string_value(value));
		return;
	}
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	out_str(out, key, key, text ? text : "?");
	free(text);
}

static int show_daemon(json_t *object, struct state *state)
{
	const char *event = json_string_value(json_object_get(object, "event"));
	const char *key;
	json_t *value;

	if (!event)
		return 0;
	begin_line(state->out, event);
	json_object_foreach(object, key, value)
		if (strcmp(key, "event"))
			show_value(state->out, key, value);
	end_line(state->out);
	return counted(state);
}

/* An mlbd that ends is an event itself; the kernel's go on. */
static int read_daemon(struct state *state)
{
	json_t *object;
	int ret;

	for (;;) {
		ret = daemon_next(state->daemon, false, &object);
		if (ret)
			break;
		ret = show_daemon(object, state);
		json_decref(object);
		if (ret)
			return ret;
	}
	if (ret == -EAGAIN)
		return 0;
	daemon_close(state->daemon);
	state->daemon = NULL;
	begin_line(state->out, "mlbd-gone");
	end_line(state->out);
	return counted(state);
}

static int open_daemon(struct state *state)
{
	json_t *answer = NULL;
	int ret = daemon_open(&state->daemon);

	if (!ret)
		ret = daemon_send(state->daemon,
				  json_pack("{s:s}", "op", "monitor"));
	if (!ret)
		ret = daemon_next(state->daemon, true, &answer);
	json_decref(answer);
	if (!ret)
		return 0;
	daemon_close(state->daemon);
	state->daemon = NULL;
	return ret;
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
		print_owner(out, &event->owner, false);
		break;
	case MLB_EVENT_LIMIT:
		out_str(out, "table", "table",
			word_of(table_words, event->limit.table));
		out_uint(out, "limit", "limit", event->limit.limit, NULL);
		break;
	case MLB_EVENT_POOLS:
		out_uint(out, "version", "version", event->pools.version, NULL);
		out_uint(out, "prefixes", "prefixes", event->pools.n_prefixes,
			 NULL);
		out_uint(out, "pools", "pools", event->pools.n_pools, NULL);
		break;
	case MLB_EVENT_LOST:
	case MLB_EVENT_UNLOADED:
		break;
	}
	end_line(out);

	if (event->type == MLB_EVENT_UNLOADED)
		return UNLOADED;
	return counted(state);
}

/* A reader who has gone away ends it too, without waiting for an event. */
static int watch(struct mlb_monitor *monitor, struct state *state)
{
	struct pollfd fds[] = {
		{ .fd = monitor ? mlb_monitor_fd(monitor) : -1,
		  .events = POLLIN },
		{ .fd = STDOUT_FILENO },
		{ .fd = -1, .events = POLLIN },
	};
	int ret = 0;

	/* What came with the answer of mlbd is there already. */
	if (state->daemon)
		ret = read_daemon(state);
	while (!ret) {
		fds[2].fd = state->daemon ? daemon_fd(state->daemon) : -1;
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents & (POLLERR | POLLHUP))
			return COUNTED;
		if (monitor)
			ret = mlb_monitor_read(monitor, show, state);
		if (!ret && state->daemon)
			ret = read_daemon(state);
		if (!monitor && !state->daemon)
			break;
	}
	return ret;
}

static int run(struct mlbctl *ctl)
{
	unsigned int groups = ctl->seen & (MLB_GROUP_OWNER | MLB_GROUP_EVENT);
	const struct monitor_args *given = ctl->data;
	struct state state = { .out = &ctl->out, .left = given->count };
	struct mlb_monitor *monitor = NULL;
	bool all = !groups && !(ctl->seen & SEEN_CLUSTER);
	int ret = 0;

	if (all)
		groups = MLB_GROUP_OWNER | MLB_GROUP_EVENT;
	if (groups)
		ret = mlb_monitor_open(&monitor, groups);
	if (ret)
		return open_error(ret);
	if (all || ctl->seen & SEEN_CLUSTER)
		ret = open_daemon(&state);
	/* Without mlbd there is less to tell, unless that was asked for. */
	if (ret && !all) {
		mlb_monitor_close(monitor);
		return daemon_error(ret);
	}
	if (ctl->seen & SEEN_READY) {
		begin_line(&ctl->out, "ready");
		end_line(&ctl->out);
	}
	ret = watch(monitor, &state);
	mlb_monitor_close(monitor);
	daemon_close(state.daemon);

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
