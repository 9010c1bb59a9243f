// SPDX-License-Identifier: GPL-2.0
/* A host without a kernel, a clock or a control socket. */
#include "world.h"

uv_loop_t loop;
uint64_t now;
uv_timer_t *timer;
uv_timer_cb timer_cb;
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

uv_close_cb close_cb;

void uv_close(uv_handle_t *handle, uv_close_cb cb)
{
	assert_ptr_equal(handle, timer);
	close_cb = cb;
}

uv_work_t *work;
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

void world_work(void)
{
	uv_work_t *req = work;

	work = NULL;
	work_cb(req);
	after_cb(req, 0);
}

void world_run(void)
{
	while (work)
		world_work();
}

void world_tick(void)
{
	now += 1000;
	if (ticking)
		timer_cb(timer);
	world_run();
}

/* The routes of 10.9.0.1 to 10.9.0.3. */
bool routes[4];
int route_error;
unsigned int asked;

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

unsigned int told;
int tell_error;

int vip_tell(const struct config_vip *vip)
{
	assert_string_equal(vip->dev, "eth0");
	assert_true(routes[host(vip)]);
	told += !tell_error;
	return tell_error;
}

/* Routes from before, by what the file names now. */
unsigned int sweeps;

int vip_sweep(const struct config_vip *vips, size_t n)
{
	bool named[4] = {};
	int swept = 0;

	sweeps++;
	for (size_t i = 0; i < n; i++)
		named[host(&vips[i])] = true;
	for (unsigned int i = 0; i < 4; i++) {
		swept += routes[i] && !named[i];
		routes[i] &= named[i];
	}
	return swept;
}

static char events[512];
json_t *last;

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

unsigned int errors, warnings;

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

enum vip_want wants[4];
uint64_t ring;

static void want(void *arg, const struct config_vip *vip, struct vip_wish *wish)
{
	assert_ptr_equal(arg, wants);
	wish->want = wants[host(vip)];
	wish->why = wish->want == VIP_UP ? NULL : "it is ill";
	wish->epoch = 17;
	wish->ring = ring;
}

unsigned int gone;

static void on_gone(void *arg)
{
	assert_ptr_equal(arg, wants);
	gone++;
}

const struct vip_calls calls = { .want = want, .gone = on_gone };

static struct config_vip all[3];

struct config world_config(size_t n)
{
	for (unsigned int i = 0; i < 3; i++) {
		snprintf(all[i].name, sizeof(all[i].name), "v%u", i + 1);
		all[i].addr.family = AF_INET;
		all[i].addr.v4.s_addr = htonl(0x0a090001 + i);
		all[i].table = 100;
	}
	return (struct config){ .vips = all, .n_vips = n };
}

struct vips *world_begin(size_t n)
{
	struct config config = world_config(n);
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
	world_tick();
	assert_int_equal(ticking, n > 0);
	assert_int_equal(sweeps, 1);
	assert_int_equal(asked, 0);
	return vips;
}

void world_end(struct vips *vips)
{
	vips_close(vips);
	close_cb((uv_handle_t *)timer);
	json_decref(last);
	last = NULL;
}

void assert_events(const char *expected)
{
	assert_string_equal(events, expected);
	events[0] = '\0';
}
