// SPDX-License-Identifier: GPL-2.0
/* The control socket: what clients get, and how far they can go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "log.h"

static uv_loop_t loop;
static struct control *control;
static char dir[32], path[64];

static control_result_fn *due;
static void *due_arg;
static unsigned int reloads;

void log_message(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

bool log_allowed(struct log_limit *limit)
{
	(void)limit;
	return true;
}

static json_t *call_status(void *arg)
{
	(void)arg;
	return json_pack("{s:i}", "node", 1);
}

static json_t *call_document(void *arg)
{
	(void)arg;
	return json_pack("{s:{s:i}}", "stamp", "version", 3);
}

static int call_reload(void *arg, const char **error)
{
	(void)arg;
	*error = "line 3 is bad";
	return reloads++ ? 0 : -EINVAL;
}

static int call_change(void *arg, json_t *change, control_result_fn *fn,
		       void *fn_arg)
{
	(void)arg;
	json_decref(change);
	due = fn;
	due_arg = fn_arg;
	return 0;
}

static const struct control_calls calls = {
	.status = call_status,
	.document = call_document,
	.reload = call_reload,
	.change = call_change,
};

static void spin(void)
{
	for (int i = 0; i < 20; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
}

static int setup(void **state)
{
	(void)state;
	alarm(60);
	signal(SIGPIPE, SIG_IGN); /* as mlbd does */
	strcpy(dir, "/tmp/test_control.XXXXXX");
	assert_non_null(mkdtemp(dir));
	chmod(dir, 0711);
	snprintf(path, sizeof(path), "%s/s", dir);
	uv_loop_init(&loop);
	return control_open(&control, &loop, path, &calls, NULL);
}

static int teardown(void **state)
{
	(void)state;
	control_close(control);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(access(path, F_OK), -1);
	return rmdir(dir);
}

static int connected(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(addr.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)),
			 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static int client(void)
{
	int fd = connected();

	spin();
	return fd;
}

/* As many bytes as go; the loop runs meanwhile. False: cut off. */
static bool put(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return false;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
		spin();
	}
	return true;
}

/* All that is there: NULL when hung up on and nothing left. */
static const char *take(int fd)
{
	static char buf[1 << 16];
	ssize_t n;

	spin();
	n = recv(fd, buf, sizeof(buf) - 1, 0);
	if (!n || (n < 0 && errno != EAGAIN))
		return NULL;
	buf[n < 0 ? 0 : n] = '\0';
	return buf;
}

static void ask(int fd, const char *request, const char *answer)
{
	const char *got;

	put(fd, request, strlen(request));
	got = take(fd);
	assert_non_null(got);
	assert_string_equal(got, answer);
}

static void test_requests(void **state)
{
	int fd = client();

	(void)state;
	ask(fd, "{\"op\":\"status\"}\n", "{\"node\":1}\n");
	ask(fd, "{\"op\":\"status\"}\n{\"op\":\"document\"}\n",
	    "{\"node\":1}\n{\"stamp\":{\"version\":3}}\n");
	ask(fd, "{\"op\":\"reload\"}\n", "{\"error\":\"line 3 is bad\"}\n");
	ask(fd, "{\"op\":\"reload\"}\n", "{}\n");
	/* In pieces. */
	ask(fd, "{\"op\":", "");
	ask(fd, "\"status\"}", "");
	ask(fd, "\n", "{\"node\":1}\n");
	close(fd);
}

static void test_nonsense(void **state)
{
	static const char *const lines[] = {
		"\n",
		"x\n",
		"[]\n",
		"{}\n",
		"{\"op\":1}\n",
		"{\"op\":\"stat\"}\n",
		"{\"op\":\"status\",\"op\":\"status\"}\n",
		"{\"op\":\"status\"} x\n",
		"{\"op\":\"change\"}\n",
		"{\"op\":\"change\",\"change\":5}\n",
		"\xff\xfe\n",
	};
	int fd = client();

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *got;

		put(fd, lines[i], strlen(lines[i]));
		got = take(fd);
		assert_non_null(got);
		assert_memory_equal(got, "{\"error\":\"", 10);
	}
	ask(fd, "{\"op\":\"status\"}\n", "{\"node\":1}\n");
	put(fd, "{\"op\":\"status\0\"}\n", 17);
	assert_memory_equal(take(fd), "{\"error\":\"", 10);
	close(fd);
}

/* The result of a change comes when it comes; the next request waits. */
static void test_change(void **state)
{
	int fd = client();

	(void)state;
	ask(fd, "{\"op\":\"change\",\"change\":{}}\n{\"op\":\"status\"}\n", "");
	due(due_arg, 0, "disk full");
	assert_string_equal(take(fd), "{\"stamp\":{\"version\":3},\"warning\":\"disk full\"}\n{\"node\":1}\n");
	ask(fd, "{\"op\":\"change\",\"change\":{}}\n", "");
	due(due_arg, -EAGAIN, "no quorum");
	assert_string_equal(take(fd), "{\"error\":\"no quorum\"}\n");
	/* Who asked has gone, or was only listening any more. */
	ask(fd, "{\"op\":\"change\",\"change\":{}}\n", "");
	shutdown(fd, SHUT_WR);
	spin();
	due(due_arg, 0, NULL);
	assert_string_equal(take(fd), "{\"stamp\":{\"version\":3}}\n");
	assert_null(take(fd));
	close(fd);
	fd = client();
	ask(fd, "{\"op\":\"change\",\"change\":{}}\n", "");
	close(fd);
	spin();
	due(due_arg, 0, NULL);
	spin();
}

static void test_monitor(void **state)
{
	int fd = client(), other = client();
	bool cut = false;

	(void)state;
	ask(fd, "{\"op\":\"monitor\"}\n", "{}\n");
	control_event(json_pack("{s:s}", "event", "x"));
	assert_string_equal(take(fd), "{\"event\":\"x\"}\n");
	assert_string_equal(take(other), "");
	/* What a monitor says is not listened to. */
	ask(fd, "{\"op\":\"status\"}\n", "");

	/* One that does not read is cut off, and memory stays bounded. */
	for (int i = 0; i < 200 && !cut; i++) {
		char *text = malloc(65536);

		memset(text, 'x', 65535);
		text[65535] = '\0';
		control_event(json_pack("{s:s}", "event", text));
		free(text);
		spin();
		cut = send(fd, "\n", 1, MSG_NOSIGNAL) < 0;
	}
	assert_true(cut);
	ask(other, "{\"op\":\"status\"}\n", "{\"node\":1}\n");
	close(fd);
	close(other);
}

static void test_long_line(void **state)
{
	size_t len = CONTROL_LINE_MAX + 200000;
	char *text = malloc(len);
	int fd = client();

	(void)state;
	memset(text, ' ', len);
	put(fd, text, len);
	assert_string_equal(take(fd), "{\"error\":\"the request is too long\"}\n");
	assert_null(take(fd));
	close(fd);

	/* As long as may be. */
	fd = client();
	memcpy(text, "{\"op\":\"status\"}", 15);
	text[CONTROL_LINE_MAX - 1] = '\n';
	put(fd, text, CONTROL_LINE_MAX);
	assert_string_equal(take(fd), "{\"node\":1}\n");
	close(fd);
	free(text);
}

static void test_crowd(void **state)
{
	int fds[CONTROL_CLIENTS_MAX + 5], in = 0, out = 0;

	(void)state;
	for (int i = 0; i < CONTROL_CLIENTS_MAX + 5; i++)
		fds[i] = client();
	for (int i = 0; i < CONTROL_CLIENTS_MAX + 5; i++)
		*(take(fds[i]) ? &in : &out) += 1;
	assert_int_equal(in, CONTROL_CLIENTS_MAX);
	assert_int_equal(out, 5);
	for (int i = 0; i < CONTROL_CLIENTS_MAX + 5; i++)
		close(fds[i]);
	spin();
	fds[0] = client();
	ask(fds[0], "{\"op\":\"status\"}\n", "{\"node\":1}\n");
	close(fds[0]);
}

/* The socket remembers who connected; it is accepted by root. */
static int stranger(void)
{
	int fd;

	assert_int_equal(seteuid(65534), 0);
	fd = connected();
	assert_int_equal(seteuid(0), 0);
	spin();
	return fd;
}

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

/* Strangers wait for their turn. */
static void ask_in_turn(int fd, const char *request, const char *answer)
{
	uint64_t end = now_ms() + 10 * CONTROL_TURN_MS;

	put(fd, request, strlen(request));
	while (now_ms() < end && recv(fd, &(char){ 0 }, 1, MSG_PEEK) < 1) {
		usleep(1000);
		spin();
	}
	ask(fd, "", answer);
}

static void test_strangers(void **state)
{
	int fds[CONTROL_CLIENTS_MAX_ANY + 5], in = 0, out = 0, fd;
	char text[CONTROL_LINE_MAX_ANY + 1];

	(void)state;
	if (geteuid())
		skip();
	fd = stranger();
	ask_in_turn(fd, "{\"op\":\"status\"}\n", "{\"node\":1}\n");
	ask_in_turn(
		fd, "{\"op\":\"reload\"}\n",
		"{\"error\":\"only root and the user of mlbd may change things\"}\n");
	ask_in_turn(
		fd, "{\"op\":\"change\",\"change\":{}}\n",
		"{\"error\":\"only root and the user of mlbd may change things\"}\n");
	memset(text, ' ', sizeof(text));
	put(fd, text, sizeof(text));
	assert_string_equal(take(fd), "{\"error\":\"the request is too long\"}\n");
	assert_null(take(fd));
	close(fd);
	spin();

	for (int i = 0; i < CONTROL_CLIENTS_MAX_ANY + 5; i++)
		fds[i] = stranger();
	for (int i = 0; i < CONTROL_CLIENTS_MAX_ANY + 5; i++)
		*(take(fds[i]) ? &in : &out) += 1;
	assert_int_equal(in, CONTROL_CLIENTS_MAX_ANY);
	assert_int_equal(out, 5);
	/* There is room for who has rights. */
	fd = client();
	ask(fd, "{\"op\":\"status\"}\n", "{\"node\":1}\n");
	close(fd);
	for (int i = 0; i < CONTROL_CLIENTS_MAX_ANY + 5; i++)
		close(fds[i]);
}

/* All of them together are answered once a turn, and others meanwhile. */
static void test_turns(void **state)
{
	const char request[] = "{\"op\":\"status\"}\n";
	uint64_t start;
	int fds[5], fd;

	(void)state;
	if (geteuid())
		skip();
	start = now_ms();
	for (int i = 0; i < 5; i++) {
		fds[i] = stranger();
		put(fds[i], request, strlen(request));
	}
	fd = client();
	ask(fd, request, "{\"node\":1}\n");
	close(fd);
	for (int i = 4; i >= 0; i--) {
		ask_in_turn(fds[i], "", "{\"node\":1}\n");
		close(fds[i]);
	}
	assert_in_range(now_ms() - start, 4 * CONTROL_TURN_MS,
			20 * CONTROL_TURN_MS);
}

static void test_second(void **state)
{
	struct control *second;

	(void)state;
	assert_int_equal(control_open(&second, &loop, path, &calls, NULL),
			 -EADDRINUSE);
	assert_null(second);
	spin();
	assert_int_equal(access(path, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
		cmocka_unit_test_setup_teardown(test_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_monitor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_line, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_crowd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strangers, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_second, setup, teardown),
	};

	return cmocka_run_group_tests_name("mlbd_control", tests, NULL, NULL);
}
