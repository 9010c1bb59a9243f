// SPDX-License-Identifier: GPL-2.0
/* Virtual addresses: what routers are told, and what becomes of what they were.
 */
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
#include "log.h"
#include "vip.h"

static uv_loop_t loop;
static uint64_t now;
static uv_timer_t *timer;
static uv_timer_cb timer_cb;
static bool ticking;

uint64_t uv_now(const uv_loop_t *l)
{
	(void)l;
	return now;
}

int uv_timer_init(uv_loop_t *l, uv_timer_t *handle)
{
	(void)l;
	timer = handle;
	return 0;
}

int uv_timer_start(uv_timer_t *handle, uv_timer_cb cb, uint64_t timeout,
		   uint64_t repeat)
{
	assert_ptr_equal(handle, timer);
	assert_int_equal(timeout, 0);
	assert_int_equal(repeat, 1000);
	timer_cb = cb;
	ticking = true;
	return 0;
}

int uv_timer_stop(uv_timer_t *handle)
{
	assert_ptr_equal(handle, timer);
	ticking = false;
	return 0;
}

static uv_close_cb close_cb;

void uv_close(uv_handle_t *handle, uv_close_cb cb)
{
	assert_ptr_equal(handle, timer);
	close_cb = cb;
}

static uv_work_t *work;
static uv_work_cb work_cb;
static uv_after_work_cb after_cb;

int uv_queue_work(uv_loop_t *l, uv_work_t *req, uv_work_cb cb,
		  uv_after_work_cb after)
{
	(void)l;
	assert_null(work);
	work = req;
	work_cb = cb;
	after_cb = after;
	return 0;
}

static void do_work(void)
{
	uv_work_t *req = work;

	work = NULL;
	work_cb(req);
	after_cb(req, 0);
}

static void run(void)
{
	while (work)
		do_work();
}

static void tick(void)
{
	now += 1000;
	if (ticking)
		timer_cb(timer);
	run();
}

/* The routes of 10.9.0.1 to 10.9.0.3. */
static bool routes[4];
static int route_error;
static unsigned int asked;

static unsigned int host(const struct config_vip *vip)
{
	return ntohl(vip->addr.v4.s_addr) & 3;
}

int vip_set(const struct config_vip *vip, bool there)
{
	bool *route = &routes[host(vip)];

	asked++;
	if (route_error)
		return route_error;
	if (*route == there)
		return 0;
	*route = there;
	return 1;
}

static unsigned int told;
static int tell_error;

int vip_tell(const struct config_vip *vip)
{
	assert_string_equal(vip->dev, "eth0");
	assert_true(routes[host(vip)]);
	told += !tell_error;
	return tell_error;
}

/* Routes from before, by what the file names now. */
static unsigned int sweeps;

int vip_sweep(const struct config_vip *vips, size_t n)
{
	bool named[4] = {};
	int gone = 0;

	sweeps++;
	for (size_t i = 0; i < n; i++)
		named[host(&vips[i])] = true;
	for (unsigned int i = 0; i < 4; i++) {
		gone += routes[i] && !named[i];
		routes[i] &= named[i];
	}
	return gone;
}

static char events[512];
static json_t *last;

void control_event(json_t *event)
{
	size_t used = strlen(events);

	assert_non_null(event);
	json_decref(last);
	last = json_incref(event);
	snprintf(events + used, sizeof(events) - used, "%s:%s ",
		 json_string_value(json_object_get(event, "addr")) + 7,
		 json_string_value(json_object_get(event, "state")));
	json_decref(event);
}

static unsigned int errors, warnings;

void log_message(enum log_level level, const char *format, ...)
{
	(void)format;
	errors += level == LOG_LEVEL_ERROR;
	warnings += level == LOG_LEVEL_WARNING;
}

bool log_allowed(struct log_limit *limit)
{
	(void)limit;
	return true;
}

static enum vip_want wants[4];
static uint64_t ring;

static void want(void *arg, const struct config_vip *vip, struct vip_wish *wish)
{
	assert_ptr_equal(arg, wants);
	wish->want = wants[host(vip)];
	wish->why = wish->want == VIP_UP ? NULL : "it is ill";
	wish->epoch = 17;
	wish->ring = ring;
}

static unsigned int gone;

static void on_gone(void *arg)
{
	assert_ptr_equal(arg, wants);
	gone++;
}

static const struct vip_calls calls = { .want = want, .gone = on_gone };

static struct config_vip all[3];

static struct config config_of(size_t n)
{
	for (unsigned int i = 0; i < 3; i++) {
		snprintf(all[i].name, sizeof(all[i].name), "v%u", i + 1);
		all[i].addr.family = AF_INET;
		all[i].addr.v4.s_addr = htonl(0x0a090001 + i);
		all[i].table = 100;
	}
	return (struct config){ .vips = all, .n_vips = n };
}

static struct vips *begin(size_t n)
{
	struct config config = config_of(n);
	struct vips *vips;

	now = 1000;
	memset(routes, 0, sizeof(routes));
	memset(wants, 0, sizeof(wants));
	route_error = 0;
	asked = 0;
	told = 0;
	tell_error = 0;
	sweeps = 0;
	gone = 0;
	ring = 1;
	errors = 0;
	warnings = 0;
	events[0] = '\0';
	ticking = false;
	assert_int_equal(vips_open(&vips, &loop, &config, &calls, wants), 0);
	assert_true(ticking);
	tick();
	assert_int_equal(ticking, n > 0);
	assert_int_equal(sweeps, 1);
	assert_int_equal(asked, 0);
	return vips;
}

static void end(struct vips *vips)
{
	vips_close(vips);
	close_cb((uv_handle_t *)timer);
	json_decref(last);
	last = NULL;
}

static void assert_events(const char *expected)
{
	assert_string_equal(events, expected);
	events[0] = '\0';
}

static void test_follows(void **state)
{
	struct vips *vips = begin(2);

	(void)state;
	/* As long as nothing is known nothing is done. */
	tick();
	assert_int_equal(asked, 0);
	wants[1] = VIP_UP;
	wants[2] = VIP_DOWN;
	vips_poke(vips);
	run();
	assert_true(routes[1]);
	assert_false(routes[2]);
	/* It was not there: that is no news. */
	assert_events("1:announced ");
	wants[1] = VIP_DOWN;
	wants[2] = VIP_UP;
	vips_poke(vips);
	run();
	assert_false(routes[1]);
	assert_true(routes[2]);
	assert_events("1:withdrawn 2:announced ");
	wants[2] = VIP_KEEP;
	tick();
	assert_true(routes[2]);
	assert_events("");
	end(vips);
	assert_true(routes[2]);
}

/* One that was there before is no news either, and what others change is. */
static void test_repairs(void **state)
{
	struct vips *vips = begin(1);

	(void)state;
	routes[1] = true;
	wants[1] = VIP_UP;
	tick();
	assert_events("");
	routes[1] = false;
	tick();
	assert_true(routes[1]);
	assert_int_equal(warnings, 1);
	assert_events("1:announced ");
	end(vips);
}

/* What changes while a worker is busy is not forgotten. */
static void test_meanwhile(void **state)
{
	struct vips *vips = begin(1);

	(void)state;
	wants[1] = VIP_UP;
	vips_poke(vips);
	wants[1] = VIP_DOWN;
	vips_poke(vips);
	vips_poke(vips);
	do_work();
	assert_true(routes[1]);
	assert_non_null(work);
	do_work();
	assert_null(work);
	assert_false(routes[1]);
	assert_events("1:announced 1:withdrawn ");
	end(vips);
}

static void test_failure(void **state)
{
	struct vips *vips = begin(1);
	json_t *json;

	(void)state;
	wants[1] = VIP_UP;
	route_error = -EPERM;
	tick();
	tick();
	assert_int_equal(errors, 2);
	json = vips_json(vips);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json, 0), "error")),
			    strerror(EPERM));
	json_decref(json);
	route_error = 0;
	tick();
	assert_true(routes[1]);
	assert_events("1:announced ");
	end(vips);
}

static void test_reload(void **state)
{
	struct vips *vips = begin(2);
	struct config config = config_of(3);
	json_t *json;

	(void)state;
	for (int i = 1; i < 4; i++)
		wants[i] = VIP_UP;
	tick();
	assert_events("1:announced 2:announced ");
	assert_int_equal(vips_reload(vips, &config), 0);
	tick();
	assert_events("3:announced ");

	/* What the file loses goes, even if that takes two tries. */
	config.n_vips = 1;
	assert_int_equal(vips_reload(vips, &config), 0);
	route_error = -ENOBUFS;
	tick();
	json = vips_json(vips);
	assert_int_equal(json_array_size(json), 3);
	json_decref(json);
	route_error = 0;
	tick();
	assert_true(routes[1]);
	assert_false(routes[2] || routes[3]);
	assert_events("2:withdrawn 3:withdrawn ");
	json = vips_json(vips);
	assert_int_equal(json_array_size(json), 1);
	json_decref(json);

	/* Another table is another route. */
	config.vips[0].table = 101;
	assert_int_equal(vips_reload(vips, &config), 0);
	json = vips_json(vips);
	assert_int_equal(json_array_size(json), 2);
	json_decref(json);
	end(vips);
}

/* One address, on an interface. */
static struct vips *begin_dev(void)
{
	struct config config = config_of(1);
	struct vips *vips = begin(0);

	config.vips[0].table = 0;
	strcpy(config.vips[0].dev, "eth0");
	strcpy(config.vips[0].role, "web");
	assert_int_equal(vips_reload(vips, &config), 0);
	config.vips[0].dev[0] = '\0';
	return vips;
}

/* Neighbours are told some times, and again when the address was away. */
static void test_tell(void **state)
{
	struct vips *vips = begin_dev();

	(void)state;
	wants[1] = VIP_UP;
	tick();
	assert_int_equal(told, 1);
	/* Whatever else happens within a second, they are told later as well. */
	for (int i = 0; i < 20; i++) {
		vips_poke(vips);
		vips_poke(vips);
		if (work)
			do_work();
		timer_cb(timer);
		run();
	}
	assert_int_equal(told, 1);
	asked = 0;
	for (int i = 0; i < 20; i++)
		tick();
	assert_int_equal(told, 5);
	/* It is asked for all the time: else it would go by itself. */
	assert_int_equal(asked, 20);
	wants[1] = VIP_DOWN;
	tick();
	tick();
	assert_false(routes[1]);
	assert_int_equal(told, 5);
	wants[1] = VIP_UP;
	vips_poke(vips);
	run();
	assert_int_equal(told, 6);
	assert_events("1:announced 1:withdrawn 1:announced ");
	assert_string_equal(json_string_value(json_object_get(last, "role")),
			    "web");
	assert_int_equal(json_integer_value(json_object_get(last, "epoch")),
			 17);
	assert_int_equal(json_integer_value(json_object_get(last, "lasted")),
			 1000);
	end(vips);
}

/* After a split others may have told them otherwise. */
static void test_heal(void **state)
{
	struct vips *vips = begin_dev();

	(void)state;
	wants[1] = VIP_UP;
	for (int i = 0; i < 20; i++)
		tick();
	assert_int_equal(told, 5);
	ring = 2;
	vips_poke(vips);
	run();
	assert_int_equal(told, 6);
	for (int i = 0; i < 20; i++)
		tick();
	assert_int_equal(told, 10);
	assert_events("1:announced ");
	end(vips);
}

/* Who cannot hear, or cannot be told, is told when that is over. */
static void test_deaf(void **state)
{
	struct vips *vips = begin_dev();
	json_t *json;

	(void)state;
	wants[1] = VIP_UP;
	tell_error = -ENETDOWN;
	for (int i = 0; i < 20; i++)
		tick();
	assert_true(routes[1]);
	assert_true(errors);
	json = vips_json(vips);
	assert_non_null(strstr(json_string_value(json_object_get(
				       json_array_get(json, 0), "error")),
			       "neighbours cannot be told"));
	json_decref(json);
	tell_error = 0;
	for (int i = 0; i < 20; i++)
		tick();
	assert_int_equal(told, 5);
	json = vips_json(vips);
	assert_true(json_is_null(
		json_object_get(json_array_get(json, 0), "error")));
	json_decref(json);
	end(vips);
}

/*
 * Until a service was looked at an address stays; who does not know whether it
 * is his lets it go, with the time that it has.
 */
static void test_unsure(void **state)
{
	struct vips *vips = begin_dev();

	(void)state;
	wants[1] = VIP_UP;
	tick();
	asked = 0;
	wants[1] = VIP_KEEP;
	for (int i = 0; i < 20; i++)
		tick();
	assert_int_equal(asked, 20);
	wants[1] = VIP_WAIT;
	for (int i = 0; i < VIP_VALID_S - 1; i++)
		tick();
	assert_int_equal(asked, 20);
	assert_events("1:announced ");
	tick();
	assert_events("1:withdrawn ");
	assert_int_equal(asked, 20);
	routes[1] = false;
	wants[1] = VIP_UP;
	tick();
	assert_events("1:announced ");
	assert_int_equal(warnings, 1);
	end(vips);
}

/* An mlbd that hung believes what was so before it did. */
static void test_hung(void **state)
{
	struct vips *vips = begin_dev();

	(void)state;
	wants[1] = VIP_UP;
	tick();
	assert_events("1:announced ");
	now += 20000;
	routes[1] = false;
	asked = 0;
	timer_cb(timer);
	run();
	for (int i = 0; i < 10; i++) {
		vips_poke(vips);
		run();
	}
	assert_int_equal(asked, 0);
	assert_events("1:withdrawn ");
	/* Another has it. */
	wants[1] = VIP_DOWN;
	tick();
	assert_false(routes[1]);
	assert_events("");
	/* Nobody has. */
	wants[1] = VIP_UP;
	tick();
	assert_true(routes[1]);
	assert_events("1:announced ");
	end(vips);
}

/* One that is gone before anybody took it away was announced until now. */
static void test_vanished(void **state)
{
	struct vips *vips = begin_dev();

	(void)state;
	wants[1] = VIP_UP;
	tick();
	routes[1] = false;
	wants[1] = VIP_DOWN;
	tick();
	assert_events("1:announced 1:withdrawn ");
	end(vips);
}

/* Others wait until an address is gone, however long that takes. */
static void test_let_go(void **state)
{
	struct vips *vips = begin_dev();

	(void)state;
	assert_true(vips_let_go(NULL));
	assert_true(vips_let_go(vips));
	wants[1] = VIP_UP;
	tick();
	assert_true(vips_let_go(vips));
	wants[1] = VIP_DOWN;
	assert_false(vips_let_go(vips));
	route_error = -ENOBUFS;
	tick();
	assert_false(vips_let_go(vips));
	assert_int_equal(gone, 0);
	route_error = 0;
	tick();
	assert_true(vips_let_go(vips));
	assert_int_equal(gone, 1);
	tick();
	assert_int_equal(gone, 1);
	end(vips);

	/* An mlbd that was killed may have left it. */
	vips = begin_dev();
	wants[1] = VIP_DOWN;
	assert_false(vips_let_go(vips));
	tick();
	assert_int_equal(gone, 1);
	assert_true(vips_let_go(vips));
	end(vips);
}

/* What an earlier file named, and no reload took away. */
static void test_sweep(void **state)
{
	struct config config = config_of(1);
	struct vips *vips;

	(void)state;
	memset(routes, 0, sizeof(routes));
	sweeps = 0;
	routes[1] = true;
	routes[2] = true;
	wants[1] = VIP_KEEP;
	assert_int_equal(vips_open(&vips, &loop, &config, &calls, wants), 0);
	for (int i = 0; i < 3; i++)
		tick();
	assert_true(routes[1]);
	assert_false(routes[2]);
	assert_int_equal(sweeps, 1);
	end(vips);
}

/* Many pokes of no concern cost nothing. */
static void test_poke(void **state)
{
	struct vips *vips = begin(1);

	(void)state;
	wants[1] = VIP_UP;
	vips_poke(vips);
	run();
	for (int i = 0; i < 10; i++) {
		vips_poke(vips);
		assert_null(work);
	}
	assert_int_equal(asked, 1);
	end(vips);
}

static void test_withdraw(void **state)
{
	struct vips *vips = begin(2);

	(void)state;
	wants[1] = VIP_UP;
	wants[2] = VIP_UP;
	tick();
	vips_withdraw(vips);
	assert_false(routes[1] || routes[2]);
	end(vips);

	/* The worker that was about to announce one comes too late. */
	vips = begin(1);
	wants[1] = VIP_UP;
	vips_poke(vips);
	assert_non_null(work);
	vips_withdraw(vips);
	do_work();
	assert_false(routes[1]);
	assert_events("");

	/* A worker that is busy when all ends. */
	vips_poke(vips);
	vips_close(vips);
	close_cb((uv_handle_t *)timer);
	do_work();
	assert_null(work);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follows),
		cmocka_unit_test(test_repairs),
		cmocka_unit_test(test_meanwhile),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_withdraw),
		cmocka_unit_test(test_tell),
		cmocka_unit_test(test_heal),
		cmocka_unit_test(test_deaf),
		cmocka_unit_test(test_unsure),
		cmocka_unit_test(test_hung),
		cmocka_unit_test(test_vanished),
		cmocka_unit_test(test_let_go),
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_poke),
	};

	return cmocka_run_group_tests_name("mlbd vip", tests, NULL, NULL);
}
