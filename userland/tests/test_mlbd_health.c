// SPDX-License-Identifier: GPL-2.0
/* Checks: when they are made, and what their results make of a service. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "health.h"
#include "log.h"
#include "probe.h"

/* A clock that moves only when it is told to, and the timers on it. */
static uint64_t now;
static uv_loop_t loop;

static struct {
	uv_timer_t *handle;
	uv_timer_cb cb;
	uint64_t due;
	bool active;
} timers[16];
static size_t n_timers;

static size_t timer_at(const uv_timer_t *handle)
{
	for (size_t i = 0; i < n_timers; i++)
		if (timers[i].handle == handle)
			return i;
	fail_msg("a timer that is not open");
	return 0;
}

uint64_t uv_now(const uv_loop_t *l)
{
	(void)l;
	return now;
}

void uv_update_time(uv_loop_t *l)
{
	(void)l;
}

int uv_timer_init(uv_loop_t *l, uv_timer_t *handle)
{
	(void)l;
	assert_true(n_timers < 16);
	timers[n_timers].active = false;
	timers[n_timers++].handle = handle;
	return 0;
}

int uv_timer_start(uv_timer_t *handle, uv_timer_cb cb, uint64_t timeout,
		   uint64_t repeat)
{
	size_t i = timer_at(handle);

	assert_int_equal(repeat, 0);
	timers[i].cb = cb;
	timers[i].due = now + timeout;
	timers[i].active = true;
	return 0;
}

int uv_is_active(const uv_handle_t *handle)
{
	return timers[timer_at((const uv_timer_t *)handle)].active;
}

void uv_close(uv_handle_t *handle, uv_close_cb cb)
{
	timers[timer_at((uv_timer_t *)handle)] = timers[n_timers - 1];
	n_timers--;
	cb(handle);
}

/* What is due up to a time, in order. */
static void run_to(uint64_t end)
{
	for (;;) {
		size_t first = n_timers;

		for (size_t i = 0; i < n_timers; i++)
			if (timers[i].active && timers[i].due <= end &&
			    (first == n_timers ||
			     timers[i].due < timers[first].due))
				first = i;
		if (first == n_timers)
			break;
		if (timers[first].due > now)
			now = timers[first].due;
		timers[first].active = false;
		timers[first].cb(timers[first].handle);
	}
	now = end;
}

/* Looks that were begun, by the name of the check. */
struct probe {
	char name[CONFIG_NAME_MAX];
	probe_done_fn *done;
	void *arg;
	bool running;
	unsigned int runs;
	uint64_t last;
	uint32_t timeout;
	struct probe *next;
};

static struct probe *probes;
static unsigned int opened, refuse_after;

int probe_open(struct probe **probe, uv_loop_t *l, const char *name,
	       const struct check_question *question, probe_done_fn *done,
	       void *arg)
{
	struct probe *p;

	(void)l;
	(void)question;
	if (refuse_after && !--refuse_after)
		return -ENOMEM;
	p = calloc(1, sizeof(*p));
	assert_non_null(p);
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->done = done;
	p->arg = arg;
	p->next = probes;
	probes = p;
	opened++;
	*probe = p;
	return 0;
}

void probe_close(struct probe *probe)
{
	struct probe **at;

	for (at = &probes; *at != probe; at = &(*at)->next)
		;
	*at = probe->next;
	free(probe);
}

void probe_run(struct probe *probe, uint32_t timeout)
{
	assert_false(probe->running);
	probe->running = true;
	probe->runs++;
	probe->last = now;
	probe->timeout = timeout;
}

static struct probe *look(const char *name)
{
	for (struct probe *p = probes; p; p = p->next)
		if (!strcmp(p->name, name))
			return p;
	fail_msg("no look at %s", name);
	return NULL;
}

static void answer(const char *name, const char *text)
{
	struct probe *p = look(name);

	assert_true(p->running);
	p->running = false;
	p->done(p->arg, text);
}

/* The last event and log line, and changes of services in a row. */
static json_t *event;
static char changes[256];

void control_event(json_t *object)
{
	json_decref(event);
	event = object;
}

void log_message(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

static void on_changed(void *arg, const struct mlb_endpoint *service,
		       enum health_state state)
{
	size_t used = strlen(changes);

	(void)arg;
	snprintf(changes + used, sizeof(changes) - used, "%u:%s ",
		 service->port, health_state_words[state]);
}

static void assert_changes(const char *want)
{
	assert_string_equal(changes, want);
	changes[0] = '\0';
}

static struct mlb_endpoint service(uint16_t port)
{
	struct mlb_endpoint end = { .addr.family = AF_INET, .port = port };

	end.addr.v4.s_addr = htonl(0xcb007150);
	return end;
}

static struct config_check check(const char *name, uint16_t port)
{
	struct config_check c = { .timing = { .interval = 100,
					      .timeout = 50,
					      .rise = 2,
					      .fall = 3 } };

	snprintf(c.name, sizeof(c.name), "%s", name);
	c.question.service = service(port);
	c.question.target = service(port);
	c.question.own = true;
	return c;
}

static enum health_state of(const struct health *h, uint16_t port)
{
	struct mlb_endpoint end = service(port);

	return health_of(h, &end);
}

static struct health *begin(struct config_check *checks, size_t n)
{
	struct config config = { .checks = checks, .n_checks = n };
	struct health *h;

	changes[0] = '\0';
	now = 1000;
	assert_int_equal(health_open(&h, &loop, &config, on_changed, NULL), 0);
	run_to(now);
	return h;
}

static int reload(struct health *h, struct config_check *checks, size_t n)
{
	struct config config = { .checks = checks, .n_checks = n };

	return health_reload(h, &config);
}

static void end(struct health *h)
{
	health_close(h);
	assert_int_equal(n_timers, 0);
	assert_null(probes);
	json_decref(event);
	event = NULL;
}

/* One answer at each interval; what it was is written as a row of + and -. */
static void row(struct health *h, const char *name, const char *results)
{
	(void)h;
	for (; *results; results++) {
		answer(name, *results == '+' ? NULL : "it is ill");
		run_to(now + 100);
	}
}

static void test_rise_and_fall(void **state)
{
	struct config_check c = check("web", 80);
	struct health *h = begin(&c, 1);

	(void)state;
	assert_int_equal(of(h, 80), HEALTH_UNKNOWN);
	row(h, "web", "+");
	assert_changes("80:up ");
	row(h, "web", "--+--+--");
	assert_changes("");
	row(h, "web", "-");
	assert_changes("80:down ");
	row(h, "web", "+-+--+");
	assert_int_equal(of(h, 80), HEALTH_DOWN);
	row(h, "web", "+");
	assert_changes("80:up ");
	assert_int_equal(of(h, 80), HEALTH_UP);
	end(h);
}

static void test_first_is_bad(void **state)
{
	struct config_check c = check("web", 80);
	struct health *h = begin(&c, 1);

	(void)state;
	row(h, "web", "-");
	assert_changes("80:down ");
	assert_string_equal(json_string_value(json_object_get(event, "reason")),
			    "it is ill");
	assert_string_equal(json_string_value(json_object_get(event, "was")),
			    "unknown");
	assert_string_equal(json_string_value(json_object_get(event, "health")),
			    "down");
	row(h, "web", "++");
	assert_changes("80:up ");
	assert_int_equal(json_integer_value(json_object_get(event, "lasted")),
			 200);
	assert_null(json_object_get(event, "reason"));
	end(h);
}

/* What a command says can be anything, and is written to terminals. */
static void test_reason(void **state)
{
	struct config_check c = check("web", 80);
	struct health *h = begin(&c, 1);
	json_t *json;

	(void)state;
	answer("web", "a\033[1m\xff\n");
	assert_string_equal(json_string_value(json_object_get(event, "reason")),
			    "a?[1m??");
	json = health_json(h);
	assert_non_null(json);
	json_decref(json);
	end(h);
}

static void test_one_is_enough(void **state)
{
	struct config_check c = check("web", 80);
	struct health *h;

	(void)state;
	c.timing.rise = 1;
	c.timing.fall = 1;
	h = begin(&c, 1);
	row(h, "web", "+-+-");
	assert_changes("80:up 80:down 80:up 80:down ");
	end(h);
}

/* Looks begin at even distances, and never two at a time. */
static void test_times(void **state)
{
	struct config_check c = check("web", 80);
	struct health *h = begin(&c, 1);
	struct probe *p = look("web");

	(void)state;
	assert_int_equal(p->last, 1000);
	assert_int_equal(p->timeout, 50);
	run_to(1030);
	answer("web", NULL);
	run_to(1099);
	assert_int_equal(p->runs, 1);
	run_to(1100);
	assert_int_equal(p->runs, 2);
	run_to(1500);
	assert_int_equal(p->runs, 2);
	answer("web", NULL);
	run_to(1500);
	assert_int_equal(p->runs, 3);
	answer("web", NULL);
	run_to(1600);
	assert_int_equal(p->last, 1600);
	end(h);
}

static void test_all_of_a_service(void **state)
{
	struct config_check c[] = { check("a", 80), check("b", 80),
				    check("c", 443) };
	struct health *h = begin(c, 3);
	json_t *json;

	(void)state;
	answer("a", NULL);
	assert_changes("");
	assert_int_equal(of(h, 80), HEALTH_UNKNOWN);
	answer("c", "it is ill");
	assert_changes("443:down ");
	answer("b", "it is ill");
	assert_changes("80:down ");
	run_to(now + 100);
	answer("a", "it is ill");
	run_to(now + 100);
	row(h, "b", "++");
	assert_changes("80:up ");
	assert_int_equal(of(h, 81), HEALTH_UNKNOWN);

	json = health_json(h);
	assert_string_equal(
		json_string_value(json_object_get(
			json_object_get(json, "services"), "203.0.113.80:443")),
		"down");
	assert_int_equal(json_array_size(json_object_get(json, "checks")), 3);
	json_decref(json);
	end(h);
}

static void test_reload(void **state)
{
	struct config_check c[] = { check("a", 80), check("b", 80),
				    check("c", 443), check("d", 81) };
	struct health *h = begin(c, 3);
	unsigned int before;

	(void)state;
	row(h, "a", "+");
	answer("b", NULL);
	answer("c", "it is ill");
	assert_changes("80:up 443:down ");

	/* Nothing new: nothing begins, and a look under way counts. */
	before = opened;
	assert_int_equal(reload(h, c, 3), 0);
	assert_int_equal(opened, before);
	assert_int_equal(look("a")->runs, 2);
	assert_true(look("a")->running);
	assert_changes("");

	/* Another order and timing, in force at once: the state stays. */
	c[2].timing.interval = 20;
	c[2].timing.rise = 1;
	assert_int_equal(reload(h, &c[1], 2), 0);
	assert_changes("");
	assert_int_equal(opened, before);
	run_to(now);
	answer("c", NULL);
	assert_changes("443:up ");

	/* Another question is another check. One that is new adds doubt. */
	snprintf(c[2].question.path, sizeof(c[2].question.path), "/x");
	c[3].question.service = service(80);
	assert_int_equal(reload(h, &c[1], 3), 0);
	assert_int_equal(opened, before + 2);
	assert_changes("80:unknown 443:unknown ");
	run_to(now);
	answer("c", NULL);
	answer("d", "it is ill");
	assert_changes("443:up 80:down ");

	assert_int_equal(reload(h, NULL, 0), 0);
	assert_changes("80:unknown 443:unknown ");
	assert_null(probes);
	end(h);
}

/* The old ones go on when there is no memory for the new. */
static void test_reload_fails(void **state)
{
	struct config_check c[] = { check("a", 80), check("b", 80),
				    check("c", 443), check("d", 81) };
	struct health *h = begin(c, 2);

	(void)state;
	row(h, "a", "+");
	answer("b", NULL);
	assert_changes("80:up ");
	refuse_after = 2;
	assert_int_equal(reload(h, &c[1], 3), -ENOMEM);
	refuse_after = 0;
	assert_changes("");
	assert_int_equal(of(h, 80), HEALTH_UP);
	row(h, "a", "---");
	assert_changes("80:down ");
	assert_int_equal(n_timers, 2);
	end(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rise_and_fall),
		cmocka_unit_test(test_first_is_bad),
		cmocka_unit_test(test_reason),
		cmocka_unit_test(test_one_is_enough),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_all_of_a_service),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_reload_fails),
	};

	return cmocka_run_group_tests_name("mlbd health", tests, NULL, NULL);
}
