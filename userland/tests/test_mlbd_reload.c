// SPDX-License-Identifier: GPL-2.0
/*
 * If this fails, a reload leaves half of a new configuration in force, or a
 * kernel that never comes to an end takes mlbd with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "mlbd.h"

#define MS 1000000ull

/* The time is what the test says. */
static uint64_t now;

uint64_t uv_hrtime(void)
{
	return now;
}

static struct config old, new;
static struct mlbd mlbd;
static struct kernel_state state;

/* What was asked of the kernel, a letter each row of turns: for old and new. */
static char asked[16];
static uint64_t turns, turns_left;
static int kernel_error, health_error;
static unsigned int alive;
static const struct config *freed;

void log_message(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

void manager_alive(void)
{
	alive++;
}

void manager_reloading(void)
{
}

void manager_ready(void)
{
}

void control_event(json_t *event)
{
	json_decref(event);
}

int config_load(const char *path, struct config **config,
		struct config_error *error)
{
	(void)error;
	assert_string_equal(path, "mlb.conf");
	*config = &new;
	return 0;
}

void config_free(struct config *config)
{
	freed = config;
}

const char *config_same_identity(const struct config *a, const struct config *b)
{
	assert_ptr_equal(a, &old);
	assert_ptr_equal(b, &new);
	return NULL;
}

const struct kernel_state *kernel_state(const struct kernel *kernel)
{
	(void)kernel;
	return &state;
}

int cluster_reload(struct cluster *cluster, const struct config *config)
{
	char which = config == &old ? 'o' : 'n';
	size_t n = strlen(asked);

	(void)cluster;
	if (!n || asked[n - 1] != which) {
		asked[n] = which;
		turns_left = turns;
	}
	now += 5 * MS;
	if (turns_left) {
		turns_left--;
		return -EINPROGRESS;
	}
	return config == &new ? kernel_error : 0;
}

int health_reload(struct health *health, const struct config *config)
{
	(void)health;
	return config == &new ? health_error : 0;
}

int vips_reload(struct vips *vips, const struct config *config)
{
	(void)vips;
	(void)config;
	return 0;
}

void metrics_reload(struct metrics *metrics, const struct config *config)
{
	(void)metrics;
	assert_ptr_equal(config, &new);
}

static int setup(void **arg)
{
	(void)arg;
	mlbd = (struct mlbd){ .path = "mlb.conf", .config = &old };
	memset(asked, 0, sizeof(asked));
	memset(&state, 0, sizeof(state));
	turns = 0;
	kernel_error = 0;
	health_error = 0;
	alive = 0;
	freed = NULL;
	now = 1000 * MS;
	/* What never ends fails instead of hanging. */
	alarm(60);
	return 0;
}

static void test_done(void **arg)
{
	(void)arg;
	assert_int_equal(mlbd_reload(&mlbd), 0);
	assert_ptr_equal(mlbd.config, &new);
	assert_string_equal(asked, "n");
	assert_string_equal(mlbd.reload_error, "");
	assert_ptr_equal(freed, &old);
}

/* 20 s are more than the watchdog would wait for, and not too many. */
static void test_slow(void **arg)
{
	(void)arg;
	turns = 4000;
	assert_int_equal(mlbd_reload(&mlbd), 0);
	assert_ptr_equal(mlbd.config, &new);
	assert_string_equal(asked, "n");
	assert_int_equal(alive, 4000);
}

static void test_refused(void **arg)
{
	(void)arg;
	kernel_error = -EADDRINUSE;
	snprintf(state.refused, sizeof(state.refused), "the port is in use");
	assert_int_equal(mlbd_reload(&mlbd), -EINVAL);
	assert_ptr_equal(mlbd.config, &old);
	assert_string_equal(asked, "no");
	assert_string_equal(mlbd.reload_error, "the port is in use");
	assert_ptr_equal(freed, &new);
}

static void test_refused_elsewhere(void **arg)
{
	(void)arg;
	health_error = -ENOMEM;
	assert_int_equal(mlbd_reload(&mlbd), -EINVAL);
	assert_ptr_equal(mlbd.config, &old);
	assert_string_equal(asked, "no");
	assert_string_equal(mlbd.reload_error, strerror(ENOMEM));
}

/* The old one is in force again, as far as that goes, and mlbd lives on. */
static void test_endless(void **arg)
{
	uint64_t began = now;

	(void)arg;
	turns = UINT64_MAX;
	/* Of another time. */
	snprintf(state.refused, sizeof(state.refused), "the port is in use");
	assert_int_equal(mlbd_reload(&mlbd), -EINVAL);
	assert_ptr_equal(mlbd.config, &old);
	assert_string_equal(asked, "no");
	assert_string_equal(mlbd.reload_error, strerror(ETIMEDOUT));
	assert_in_range(now - began, 30000 * MS, 150000 * MS);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_done),
		TEST(test_slow),
		TEST(test_refused),
		TEST(test_refused_elsewhere),
		TEST(test_endless),
	};

	return cmocka_run_group_tests_name("mlbd reload", tests, NULL, NULL);
}
