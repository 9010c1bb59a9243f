// SPDX-License-Identifier: GPL-2.0
/* The control socket. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "log.h"
#include "text.h"

/**
 * struct client - who is connected
 * @control: NULL once the socket is closed
 * @privileged: may change things
 * @monitor: gets events
 * @busy: its request is being carried out, or the answer written
 * @eof: it sends nothing more
 * @closing: the handles are on their way out
 * @waiting: a change whose result is due will call on_result()
 * @turn: the next request may be carried out now
 * @handles: that are not closed yet
 * @buf, @len, @size: what has come and was not yet looked at
 */
struct client {
	struct client *next;
	struct control *control;
	uv_pipe_t pipe;
	uv_timer_t idle;
	bool privileged;
	bool monitor;
	bool busy;
	bool eof;
	bool closing;
	bool waiting;
	bool turn;
	unsigned int handles;
	char *buf;
	size_t len;
	size_t size;
};

struct control {
	uv_loop_t *loop;
	uv_pipe_t pipe;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	const struct control_calls *calls;
	void *arg;
	struct client *clients;
	unsigned int n_clients;
	unsigned int n_any; /* of them without rights */
	uint64_t any_at; /* when one of these may be answered, ms */
	struct log_limit crowded;
	char input[65536];
};

struct answer {
	uv_write_t req;
	struct client *client;
	bool last;
	char text[];
};

static struct control *the_control;

static void next_request(struct client *c);

static void client_free(struct client *c)
{
	if (c->handles || c->waiting)
		return;
	free(c->buf);
	free(c);
}

static void on_client_closed(uv_handle_t *handle)
{
	struct client *c = handle->data;

	c->handles--;
	client_free(c);
}

static void client_close(struct client *c)
{
	struct client **at;

	if (c->closing)
		return;
	c->closing = true;
	if (c->control) {
		for (at = &c->control->clients; *at != c; at = &(*at)->next)
			;
		*at = c->next;
		c->control->n_clients--;
		c->control->n_any -= !c->privileged;
	}
	uv_close((uv_handle_t *)&c->pipe, on_client_closed);
	uv_close((uv_handle_t *)&c->idle, on_client_closed);
}

static void on_idle(uv_timer_t *timer)
{
	client_close(timer->data);
}

static void idle_begin(struct client *c)
{
	uv_timer_start(&c->idle, on_idle, CONTROL_IDLE_MS, 0);
}

static void on_written(uv_write_t *req, int status)
{
	struct answer *answer = req->data;
	struct client *c = answer->client;
	bool last = answer->last;

	free(answer);
	if (c->closing)
		return;
	if (status || last) {
		client_close(c);
		return;
	}
	if (c->monitor)
		return;
	c->busy = false;
	next_request(c);
}

/* Takes @object over. @last: hang up after it. */
static void send_object(struct client *c, json_t *object, bool last)
{
	size_t len = object ? json_dumpb(object, NULL, 0, JSON_COMPACT) : 0;
	struct answer *answer = len ? malloc(sizeof(*answer) + len + 1) : NULL;
	uv_buf_t buf;

	if (!answer) {
		json_decref(object);
		client_close(c);
		return;
	}
	json_dumpb(object, answer->text, len, JSON_COMPACT);
	json_decref(object);
	answer->text[len] = '\n';
	answer->client = c;
	answer->last = last;
	answer->req.data = answer;
	buf = uv_buf_init(answer->text, (unsigned int)len + 1);
	if (uv_write(&answer->req, (uv_stream_t *)&c->pipe, &buf, 1,
		     on_written)) {
		free(answer);
		client_close(c);
	}
}

static void send_error(struct client *c, const char *text, bool last)
{
	char printable[PATH_MAX + 512];

	/* JSON is UTF-8, and a file that is quoted need not be. */
	snprintf(printable, sizeof(printable), "%s", text);
	text_printable(printable);
	send_object(c, json_pack("{s:s}", "error", printable), last);
}

static void on_result(void *arg, int status, const char *text)
{
	struct client *c = arg;
	json_t *object, *document;

	c->waiting = false;
	if (c->closing) {
		client_free(c);
		return;
	}
	if (status) {
		send_error(c, text && text[0] ? text : strerror(-status),
			   false);
		return;
	}
	object = json_object();
	document = c->control->calls->document(c->control->arg);
	json_object_set(object, "stamp", json_object_get(document, "stamp"));
	json_decref(document);
	if (text && text[0])
		json_object_set_new(object, "warning", json_string(text));
	send_object(c, object, false);
}

static void do_change(struct client *c, const json_t *request)
{
	struct control *control = c->control;
	json_t *change = json_object_get(request, "change");
	int ret;

	if (!json_is_object(change)) {
		send_error(c, "\"change\" is not an object", false);
		return;
	}
	/* The result may come before the call returns. */
	c->waiting = true;
	ret = control->calls->change(control->arg, json_incref(change),
				     on_result, c);
	if (!ret)
		return;
	c->waiting = false;
	if (ret == -EOPNOTSUPP)
		send_error(
			c,
			"there is no cluster: engine = none; change the file and reload",
			false);
	else
		send_error(c, strerror(-ret), false);
}

static void do_reload(struct client *c, const json_t *request)
{
	const char *error = "";

	(void)request;
	if (c->control->calls->reload(c->control->arg, &error))
		send_error(c, error, false);
	else
		send_object(c, json_object(), false);
}

static void do_status(struct client *c, const json_t *request)
{
	(void)request;
	send_object(c, c->control->calls->status(c->control->arg), false);
}

static void do_document(struct client *c, const json_t *request)
{
	json_t *document = c->control->calls->document(c->control->arg);

	(void)request;
	if (document)
		send_object(c, document, false);
	else
		send_error(c, "there is no cluster: engine = none", false);
}

static void do_monitor(struct client *c, const json_t *request)
{
	(void)request;
	c->monitor = true;
	send_object(c, json_object(), false);
}

static const struct {
	const char *op;
	bool privileged;
	void (*run)(struct client *c, const json_t *request);
} ops[] = {
	{ "status", false, do_status },	    { "monitor", false, do_monitor },
	{ "document", false, do_document }, { "reload", true, do_reload },
	{ "change", true, do_change },
};

static void request(struct client *c, const char *line, size_t len)
{
	json_error_t error;
	json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	const char *op = json_string_value(json_object_get(object, "op"));
	size_t i;

	c->busy = true;
	uv_timer_stop(&c->idle);
	if (!object) {
		send_error(c, error.text, false);
		return;
	}
	for (i = 0; op && i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!strcmp(ops[i].op, op))
			break;
	if (!op || i == sizeof(ops) / sizeof(ops[0]))
		send_error(
			c,
			"\"op\" is none of status, monitor, document, reload, change",
			false);
	else if (ops[i].privileged && !c->privileged)
		send_error(c,
			   "only root and the user of mlbd may change things",
			   false);
	else
		ops[i].run(c, object);
	json_decref(object);
}

static void on_turn(uv_timer_t *timer)
{
	struct client *c = timer->data;

	c->busy = false;
	c->turn = true;
	next_request(c);
}

/*
 * An answer takes some ms of the loop. All who have no rights together get one
 * in CONTROL_TURN_MS, so that they cannot keep it from the cluster.
 */
static bool has_turn(struct client *c)
{
	uint64_t now = uv_now(c->control->loop), at = c->control->any_at;

	if (c->privileged || c->turn)
		return true;
	if (at < now)
		at = now;
	c->control->any_at = at + CONTROL_TURN_MS;
	if (at == now)
		return true;
	c->busy = true;
	uv_timer_start(&c->idle, on_turn, at - now, 0);
	return false;
}

/* Lines that are there, until one has to be waited for. */
static void next_request(struct client *c)
{
	while (!c->busy && !c->closing) {
		char *end = c->len ? memchr(c->buf, '\n', c->len) : NULL;
		size_t used;

		if (!end)
			break;
		if (!has_turn(c))
			return;
		c->turn = false;
		request(c, c->buf, (size_t)(end - c->buf));
		used = (size_t)(end - c->buf) + 1;
		memmove(c->buf, c->buf + used, c->len - used);
		c->len -= used;
	}
	if (c->closing || c->busy)
		return;
	if (c->eof)
		client_close(c);
	else
		idle_begin(c);
}

static bool keep_input(struct client *c, const char *data, size_t len)
{
	if (c->len + len > c->size) {
		size_t size = 2 * (c->len + len);
		char *buf = realloc(c->buf, size);

		if (!buf)
			return false;
		c->buf = buf;
		c->size = size;
	}
	memcpy(c->buf + c->len, data, len);
	c->len += len;
	return true;
}

static size_t line_max(const struct client *c)
{
	return c->privileged ? CONTROL_LINE_MAX : CONTROL_LINE_MAX_ANY;
}

/* Each reading is looked at before the next: one buffer does for all. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct client *c = handle->data;

	(void)suggested;
	*buf = uv_buf_init(c->control->input, sizeof(c->control->input));
}

/*
 * Input beyond a line is kept while a request is carried out, but no more than
 * a line may have: who sends more without reading is cut off.
 */
static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *c = stream->data;

	if (n == UV_EOF && !c->monitor) {
		c->eof = true;
		uv_read_stop(stream);
		next_request(c);
		return;
	}
	if (n < 0) {
		client_close(c);
		return;
	}
	if (!n || c->monitor)
		return;
	if (!keep_input(c, buf->base, (size_t)n)) {
		client_close(c);
		return;
	}
	next_request(c);
	if (c->closing || c->monitor || c->len <= line_max(c))
		return;
	uv_read_stop(stream);
	c->busy = true;
	c->len = 0;
	send_error(c, "the request is too long", true);
}

static bool is_privileged(uv_pipe_t *pipe)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	uv_os_fd_t fd;

	if (uv_fileno((uv_handle_t *)pipe, &fd) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

static void on_connection(uv_stream_t *server, int status)
{
	struct control *control = server->data;
	struct client *c = status ? NULL : calloc(1, sizeof(*c));

	if (!c)
		return;
	uv_pipe_init(control->loop, &c->pipe, 0);
	uv_timer_init(control->loop, &c->idle);
	c->handles = 2;
	c->control = control;
	c->pipe.data = c;
	c->idle.data = c;
	c->next = control->clients;
	control->clients = c;
	control->n_clients++;
	if (uv_accept(server, (uv_stream_t *)&c->pipe)) {
		control->n_any++;
		client_close(c);
		return;
	}
	c->privileged = is_privileged(&c->pipe);
	control->n_any += !c->privileged;
	if (control->n_clients > CONTROL_CLIENTS_MAX ||
	    (!c->privileged && control->n_any > CONTROL_CLIENTS_MAX_ANY)) {
		if (log_allowed(&control->crowded))
			log_warning("control socket: too many clients");
		client_close(c);
		return;
	}
	idle_begin(c);
	uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
}

void control_event(json_t *event)
{
	struct client *c, *next;

	if (!event)
		return;
	for (c = the_control ? the_control->clients : NULL; c; c = next) {
		next = c->next;
		if (!c->monitor)
			continue;
		if (uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe) >
		    CONTROL_BACKLOG_MAX) {
			log_warning(
				"control socket: a monitor reads too slowly");
			client_close(c);
			continue;
		}
		send_object(c, json_incref(event), false);
	}
	json_decref(event);
}

/* What an mlbd that was killed left behind may go, another one's may not. */
static int clear_path(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ret;

	if (fd < 0)
		return -errno;
	memcpy(addr.sun_path, path, strlen(path));
	ret = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ? -errno : 0;
	close(fd);
	if (!ret)
		return -EADDRINUSE;
	if (ret == -ECONNREFUSED)
		return unlink(path) ? -errno : 0;
	return ret == -ENOENT ? 0 : ret;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

int control_open(struct control **control, uv_loop_t *loop, const char *path,
		 const struct control_calls *calls, void *arg)
{
	struct control *c = calloc(1, sizeof(*c));
	int ret;

	*control = NULL;
	if (!c || strlen(path) >= sizeof(c->path)) {
		free(c);
		return -EINVAL;
	}
	c->loop = loop;
	c->calls = calls;
	c->arg = arg;
	uv_pipe_init(loop, &c->pipe, 0);
	c->pipe.data = c;
	ret = clear_path(path);
	if (!ret)
		ret = uv_pipe_bind(&c->pipe, path);
	if (!ret)
		ret = uv_pipe_chmod(&c->pipe, UV_READABLE | UV_WRITABLE);
	if (!ret)
		ret = uv_listen((uv_stream_t *)&c->pipe, 64, on_connection);
	if (ret) {
		log_error("control socket %s: %s", path,
			  ret == -EADDRINUSE ? "another mlbd listens there" :
					       strerror(-ret));
		uv_close((uv_handle_t *)&c->pipe, on_closed);
		return ret;
	}
	memcpy(c->path, path, strlen(path) + 1);
	the_control = c;
	*control = c;
	return 0;
}

void control_close(struct control *control)
{
	if (!control)
		return;
	the_control = NULL;
	for (struct client *c = control->clients, *next; c; c = next) {
		next = c->next;
		c->control = NULL;
		client_close(c);
	}
	uv_close((uv_handle_t *)&control->pipe, on_closed);
}
