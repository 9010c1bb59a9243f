// SPDX-License-Identifier: GPL-2.0
/*
 * If this fails, a kernel that does not answer keeps this node's tokens from the
 * others for ever, or takes every thread of mlbd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "log.h"
#include "snapshot.h"

/* A busy machine lets a thread wait for long: what does not hang ends before. */
#define LONG_MS 60000
#define SHORT_MS 200

static uv_sem_t answers; /* those that hang wait for it */
static atomic_bool hang;
static atomic_uint entries, pace_ms, hanging;
static atomic_int open_fails;

static uv_loop_t loop;
static struct snapshots snapshots;
static struct kernel_state state;

static unsigned int called, got;
static int got_status;

void log_message(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

int mlb_open(struct mlb **mlb)
{
	*mlb = NULL;
	return open_fails;
}

void mlb_close(struct mlb *mlb)
{
	(void)mlb;
}

int mlb_set_timeout(struct mlb *mlb, unsigned int ms)
{
	(void)mlb;
	assert_true(ms);
	return 0;
}

int mlb_owner_each(struct mlb *mlb, uint16_t node, mlb_owner_fn *fn, void *arg)
{
	struct mlb_owner owner = { .node = node };

	(void)mlb;
	for (unsigned int i = 0; i < entries; i++) {
		owner.token = i + 1;
		fn(&owner, arg);
		uv_sleep(pace_ms);
	}
	if (hang) {
		hanging++;
		uv_sem_wait(&answers);
	}
	return 0;
}

static void on_snapshot(void *arg, int status, struct mlb_owner *owners,
			size_t n)
{
	(void)arg;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(owners[i].token, i + 1);
	free(owners);
	got_status = status;
	got = (unsigned int)n;
	called++;
}

static void take(unsigned int n, bool hangs)
{
	entries = n;
	hang = hangs;
	assert_int_equal(snapshots_take(&snapshots, 2, on_snapshot, NULL), 0);
}

static void wait_called(unsigned int n)
{
	while (called < n)
		uv_run(&loop, UV_RUN_ONCE);
}

static void patience(unsigned int ms)
{
	snapshots.patience = ms;
	if (!uv_is_active((uv_handle_t *)&snapshots.timer))
		return;
	uv_timer_set_repeat(&snapshots.timer, ms / 10);
	uv_timer_again(&snapshots.timer);
}

/* Those that are to hang do so, and nothing else waits any more. */
static void lose_patience(unsigned int n)
{
	while (hanging < n)
		uv_sleep(1);
	patience(SHORT_MS);
}

static int setup(void **arg)
{
	(void)arg;
	state = (struct kernel_state){};
	called = 0;
	pace_ms = 0;
	hanging = 0;
	open_fails = 0;
	uv_loop_init(&loop);
	uv_sem_init(&answers, 0);
	snapshots_open(&snapshots, &loop, &state);
	snapshots.patience = LONG_MS;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	(void)handle;
}

static int teardown(void **arg)
{
	(void)arg;
	snapshots_close(&snapshots, on_closed, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_sem_destroy(&answers);
	return uv_loop_close(&loop);
}

static void test_read(void **arg)
{
	(void)arg;
	take(5000, false);
	wait_called(1);
	assert_int_equal(got_status, 0);
	assert_int_equal(got, 5000);
	open_fails = -ENOENT;
	take(1, false);
	wait_called(2);
	assert_int_equal(got_status, -ENOENT);
	assert_int_equal(state.unread, 0);
}

/* It is given up, another one is read, and what comes at last is nobody's. */
static void test_hangs(void **arg)
{
	uint64_t begin;

	(void)arg;
	begin = uv_hrtime();
	take(3, true);
	lose_patience(1);
	wait_called(1);
	assert_int_equal(got_status, -ETIMEDOUT);
	assert_int_equal(got, 0);
	assert_true(uv_hrtime() - begin >= (SHORT_MS - 20) * 1000000ull);
	assert_int_equal(state.unread, 1);
	assert_int_equal(state.hung, 1);

	patience(LONG_MS);
	take(4, false);
	wait_called(2);
	assert_int_equal(got_status, 0);
	assert_int_equal(got, 4);
	assert_int_equal(state.hung, 1);

	uv_sem_post(&answers);
	while (state.hung)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(called, 2);
	assert_int_equal(state.unread, 1);
}

/* The threads that are left have files to write. */
static void test_many_hang(void **arg)
{
	(void)arg;
	take(0, true);
	take(0, true);
	lose_patience(2);
	wait_called(2);
	assert_int_equal(state.hung, 2);
	assert_int_equal(snapshots_take(&snapshots, 2, on_snapshot, NULL),
			 -EBUSY);
	uv_sem_post(&answers);
	while (state.hung == 2)
		uv_run(&loop, UV_RUN_ONCE);
	patience(LONG_MS);
	take(7, false);
	wait_called(3);
	assert_int_equal(got, 7);
	uv_sem_post(&answers);
}

/* Slow is not hung: it takes far longer than the patience, and gets on. */
static void test_slow(void **arg)
{
	(void)arg;
	patience(2000);
	pace_ms = 100;
	take(25, false);
	wait_called(1);
	assert_int_equal(got_status, 0);
	assert_int_equal(got, 25);
	assert_int_equal(state.unread, 0);
}

/* mlbd ends: nobody is called, and nothing is left. */
static void test_closed(void **arg)
{
	(void)arg;
	take(2, true);
	uv_sem_post(&answers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hangs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_hang, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_slow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_closed, setup, teardown),
	};

	return cmocka_run_group_tests_name("mlbd_snapshot", tests, NULL, NULL);
}
