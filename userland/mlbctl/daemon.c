// SPDX-License-Identifier: GPL-2.0
/* Talking to mlbd. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon.h"
#include "mlbctl.h"

/* An answer takes no longer than the cluster takes to agree. */
#define ANSWER_MS 30000

struct daemon {
	int fd;
	char *buf;
	size_t len;
	size_t size;
};

const char *daemon_path = DAEMON_SOCKET;

int daemon_open(struct daemon **daemon)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct daemon *d;
	int ret = 0;

	*daemon = NULL;
	if (strlen(daemon_path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, daemon_path, strlen(daemon_path));
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (d->fd < 0 ||
	    connect(d->fd, (struct sockaddr *)&addr, sizeof(addr)))
		ret = -errno;
	if (ret) {
		daemon_close(d);
		return ret;
	}
	*daemon = d;
	return 0;
}

void daemon_close(struct daemon *daemon)
{
	if (!daemon)
		return;
	if (daemon->fd >= 0)
		close(daemon->fd);
	free(daemon->buf);
	free(daemon);
}

int daemon_fd(const struct daemon *daemon)
{
	return daemon->fd;
}

int daemon_send(struct daemon *daemon, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t len = text ? strlen(text) : 0, sent = 0;
	int ret = text ? 0 : -ENOMEM;

	json_decref(request);
	if (text)
		text[len++] = '\n';
	while (!ret && sent < len) {
		ssize_t n = send(daemon->fd, text + sent, len - sent,
				 MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			ret = -errno;
		if (n > 0)
			sent += (size_t)n;
	}
	free(text);
	return ret;
}

static int take_line(struct daemon *d, json_t **object)
{
	char *end = d->len ? memchr(d->buf, '\n', d->len) : NULL;
	size_t used;

	if (!end)
		return -EAGAIN;
	*object = json_loadb(d->buf, (size_t)(end - d->buf), 0, NULL);
	used = (size_t)(end - d->buf) + 1;
	memmove(d->buf, d->buf + used, d->len - used);
	d->len -= used;
	return json_is_object(*object) ? 0 : -EPROTO;
}

static int read_more(struct daemon *d, bool wait)
{
	struct pollfd poll_fd = { .fd = d->fd, .events = POLLIN };
	ssize_t n;

	if (d->size - d->len < 65536) {
		char *buf = realloc(d->buf, d->size + 65536);

		if (!buf)
			return -ENOMEM;
		d->buf = buf;
		d->size += 65536;
	}
	if (wait && !poll(&poll_fd, 1, ANSWER_MS))
		return -ETIMEDOUT;
	n = recv(d->fd, d->buf + d->len, d->size - d->len, MSG_DONTWAIT);
	if (n < 0)
		return errno == EINTR || (wait && errno == EAGAIN) ? 0 : -errno;
	if (!n)
		return -EPIPE;
	d->len += (size_t)n;
	return 0;
}

int daemon_next(struct daemon *daemon, bool wait, json_t **object)
{
	int ret;

	*object = NULL;
	for (;;) {
		ret = take_line(daemon, object);
		if (ret != -EAGAIN)
			return ret;
		ret = read_more(daemon, wait);
		if (ret)
			return ret;
	}
}

int daemon_error(int ret)
{
	if (ret == -ENOENT || ret == -ECONNREFUSED) {
		fprintf(stderr,
			"mlbctl: mlbd is not running (nobody listens at %s): systemctl start mlbd\n",
			daemon_path);
		return EXIT_NOT_RUNNING;
	}
	if (ret == -EPIPE || ret == -ECONNRESET) {
		fputs("mlbctl: mlbd hung up\n", stderr);
		return EXIT_NOT_RUNNING;
	}
	if (ret == -ETIMEDOUT)
		fputs("mlbctl: mlbd does not answer\n", stderr);
	else
		fprintf(stderr, "mlbctl: %s: %s\n", daemon_path,
			strerror(-ret));
	return EXIT_REFUSED;
}

int daemon_ask(json_t *request, json_t **answer)
{
	const char *error, *warning;
	struct daemon *d;
	int ret = daemon_open(&d);

	*answer = NULL;
	if (ret)
		json_decref(request);
	else
		ret = daemon_send(d, request);
	if (!ret)
		ret = daemon_next(d, true, answer);
	daemon_close(d);
	if (ret)
		return daemon_error(ret);

	error = json_string_value(json_object_get(*answer, "error"));
	if (error) {
		fprintf(stderr, "mlbctl: %s\n", error);
		json_decref(*answer);
		*answer = NULL;
		return EXIT_REFUSED;
	}
	warning = json_string_value(json_object_get(*answer, "warning"));
	if (warning)
		fprintf(stderr, "mlbctl: warning: %s\n", warning);
	return 0;
}
