// SPDX-License-Identifier: GPL-2.0
/* Looks at services: HTTP as text, and commands on a loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "probe_parts.h"

static const struct {
	const char *data;
	int status;
} lines[] = {
	{ "", 0 },
	{ "H", 0 },
	{ "HTTP/1.", 0 },
	{ "HTTP/1.1 20", 0 },
	{ "HTTP/1.1 200", 0 },
	{ "HTTP/1.1 200 OK\r\n", 200 },
	{ "HTTP/1.0 404 x", 404 },
	{ "HTTP/1.1 503\r\n", 503 },
	{ "HTTP/1.1 099\n", 99 },
	{ "HTTP/1.1 2000", -1 },
	{ "HTTP/1.1 2x0 ", -1 },
	{ "HTTP/1.1  200 ", -1 },
	{ "HTTP/2.0 200 ", -1 },
	{ "http/1.1 200 ", -1 },
	{ "ICY 200 OK", -1 },
	{ "\r\nHTTP/1.1 200 ", -1 },
};

static void test_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t len = strlen(lines[i].data);
		/* Without a byte behind it, for the sanitizer. */
		char *data = test_malloc(len + 1);

		memcpy(data, lines[i].data, len + 1);
		if (http_status(data, len) != lines[i].status)
			fail_msg("\"%s\": %d", data, http_status(data, len));
		test_free(data);
	}
	assert_int_equal(http_status("HTTP/1.1 200\0", 13), -1);
}

static void test_request(void **state)
{
	struct check_question q = { .type = CHECK_HTTP, .path = "/a?b" };
	char text[512];
	int len;

	(void)state;
	q.target.addr.family = AF_INET6;
	inet_pton(AF_INET6, "2001:db8::1", &q.target.addr.v6);
	q.target.port = 80;
	len = http_request(&q, text, sizeof(text));
	assert_int_equal(len, strlen(text));
	assert_string_equal(text,
			    "GET /a?b HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n"
			    "User-Agent: mlbd\r\nAccept: */*\r\n"
			    "Connection: close\r\n\r\n");
	snprintf(q.host, sizeof(q.host), "www.example");
	http_request(&q, text, sizeof(text));
	assert_non_null(strstr(text, "\r\nHost: www.example\r\n"));
}

static char said[PROBE_TEXT_MAX];
static unsigned int times;
static uint64_t at;
static uv_loop_t loop;

static void on_done(void *arg, const char *text)
{
	(void)arg;
	snprintf(said, sizeof(said), "%s", text ? text : "good");
	times++;
	at = uv_now(&loop);
	uv_stop(&loop);
}

static struct probe *open_command(const char *command)
{
	struct check_question q = { .type = CHECK_COMMAND };
	struct probe *p;

	snprintf(q.command, sizeof(q.command), "%s", command);
	q.service.addr.family = AF_INET;
	q.service.addr.v4.s_addr = htonl(0xcb007150);
	q.service.port = 443;
	q.target = q.service;
	uv_loop_init(&loop);
	assert_int_equal(probe_open(&p, &loop, "name", &q, on_done, NULL), 0);
	times = 0;
	return p;
}

static void close_command(struct probe *p)
{
	probe_close(p);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void assert_command(const char *command, const char *want)
{
	struct probe *p = open_command(command);

	probe_run(p, 20000);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(times, 1);
	assert_string_equal(said, want);
	close_command(p);
}

static void test_command(void **state)
{
	(void)state;
	assert_command("true", "good");
	assert_command("exit 7", "exit status 7");
	assert_command("echo one >&2; echo two; exit 1", "exit status 1: one");
	assert_command("kill -KILL $$", "signal 9");
	assert_command("head -c 1000000 /dev/zero | tr '\\0' x", "good");
	assert_command("test \"$MLB_CHECK $MLB_SERVICE $MLB_ADDR $MLB_PORT\" = "
		       "'name 203.0.113.80:443 203.0.113.80 443'",
		       "good");
	assert_command("test -z \"$HOME\" && test \"$(pwd)\" = / && ! read x",
		       "good");
	/* What goes on behind its back is not waited for. */
	assert_command("sleep 1 & exit 0", "good");
}

/* The result comes in time; the next run waits until it is really gone. */
static void test_late(void **state)
{
	struct probe *p = open_command("trap '' TERM; sleep 30; sleep 30");
	uint64_t began;

	(void)state;
	uv_update_time(&loop);
	began = uv_now(&loop);
	probe_run(p, 100);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_string_equal(said, "the command did not end within 100 ms");
	assert_in_range(at - began, 100, 800);
	probe_run(p, 100);
	assert_int_equal(times, 2);
	assert_string_equal(said, "the command of before has not ended");
	while (p->child)
		uv_run(&loop, UV_RUN_ONCE);
	uv_update_time(&loop);
	assert_in_range(uv_now(&loop) - began, 900, 10000);
	assert_int_equal(times, 2);
	close_command(p);
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

/* Nobody is told, nothing goes on, and the loop is not held up. */
static void test_close(void **state)
{
	struct probe *p = open_command("sleep 30 & sleep 30");
	uv_timer_t timer;
	int pid;

	(void)state;
	probe_run(p, 20000);
	assert_non_null(p->child);
	pid = child_pid(p->child);
	assert_int_equal(kill(-pid, 0), 0);
	probe_close(p);
	uv_run(&loop, UV_RUN_DEFAULT);

	uv_timer_init(&loop, &timer);
	uv_timer_start(&timer, on_tick, 10, 10);
	for (int i = 0; i < 500 && !kill(-pid, 0); i++)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(kill(-pid, 0), -1);
	uv_run(&loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(times, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),	cmocka_unit_test(test_request),
		cmocka_unit_test(test_command), cmocka_unit_test(test_late),
		cmocka_unit_test(test_close),
	};

	return cmocka_run_group_tests_name("mlbd probe", tests, NULL, NULL);
}
