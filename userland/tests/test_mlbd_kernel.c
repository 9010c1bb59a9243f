// SPDX-License-Identifier: GPL-2.0
/*
 * If this fails, a kernel that refuses the cluster key keeps mlbd busy for ever,
 * or mlbd tells of fewer changes than it has made.
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
#include "reconcile.h"

#define MS 1000000ull

/* The time is what the test says. */
static uint64_t now;

uint64_t uv_hrtime(void)
{
	return now;
}

/* A kernel whose only state is its key, and how a change of it ends. */
static struct {
	struct mlb_config config;
	int key_error;
	unsigned int keys; /* that were sent */
	unsigned int refusals; /* in the log */
} model;

/* A comparison of so many turns, each of which changes one thing. */
static struct reconcile {
	bool open;
	unsigned int turns;
	struct reconciled result;
} under_way;

static unsigned int opened, turns;
static uint64_t listing_ns, until;
static bool repair;
static struct mlb_error last;
static int fds[2];

void log_message(enum log_level level, const char *format, ...)
{
	(void)format;
	model.refusals += level == LOG_LEVEL_ERROR;
}

int mlb_open(struct mlb **mlb)
{
	*mlb = NULL;
	return 0;
}

void mlb_close(struct mlb *mlb)
{
	(void)mlb;
}

const struct mlb_error *mlb_last_error(const struct mlb *mlb)
{
	(void)mlb;
	return &last;
}

int mlb_set_timeout(struct mlb *mlb, unsigned int ms)
{
	(void)mlb;
	(void)ms;
	return 0;
}

/* Nobody takes a snapshot here. */
int mlb_owner_each(struct mlb *mlb, uint16_t node, mlb_owner_fn *fn, void *arg)
{
	(void)mlb;
	(void)node;
	(void)fn;
	(void)arg;
	return -EPERM;
}

int mlb_monitor_open(struct mlb_monitor **monitor, unsigned int groups)
{
	(void)groups;
	*monitor = NULL;
	return 0;
}

int mlb_monitor_fd(const struct mlb_monitor *monitor)
{
	(void)monitor;
	return fds[0];
}

int mlb_monitor_read(struct mlb_monitor *monitor, mlb_event_fn *fn, void *arg)
{
	(void)monitor;
	(void)fn;
	(void)arg;
	return 0;
}

void mlb_monitor_close(struct mlb_monitor *monitor)
{
	(void)monitor;
}

int mlb_config_get(struct mlb *mlb, struct mlb_config *config)
{
	(void)mlb;
	*config = model.config;
	return 0;
}

int mlb_key_set(struct mlb *mlb, const void *key, size_t len)
{
	(void)mlb;
	assert_true(len);
	model.keys++;
	if (model.key_error) {
		last.code = -model.key_error;
		snprintf(last.text, sizeof(last.text), "no crypto");
		return model.key_error;
	}
	model.config.fields |= MLB_F_CONFIG_KEY_ID;
	memcpy(model.config.key_id, key, 1);
	return 0;
}

int reconcile_open(struct reconcile **reconcile, struct mlb *mlb,
		   const struct kernel_goal *goal, bool repairs,
		   struct reconciled *result)
{
	(void)mlb;
	(void)goal;
	assert_false(under_way.open);
	under_way = (struct reconcile){ .open = true, .turns = turns };
	*result = (struct reconciled){};
	*reconcile = &under_way;
	repair = repairs;
	opened++;
	now += listing_ns;
	return 0;
}

bool reconcile_run(struct reconcile *reconcile, const struct kernel_goal *goal,
		   uint64_t to)
{
	(void)goal;
	assert_true(reconcile->open);
	until = to;
	if (!reconcile->turns)
		return true;
	reconcile->turns--;
	reconcile->result.changes++;
	return false;
}

const struct reconciled *reconcile_result(const struct reconcile *reconcile)
{
	assert_true(reconcile->open);
	return &reconcile->result;
}

void reconcile_close(struct reconcile *reconcile)
{
	if (reconcile)
		reconcile->open = false;
}

static uv_loop_t loop;
static struct kernel *kernel;
static struct kernel_goal goal;
static struct mlb_node nodes[2];

static int setup(void **state)
{
	static const struct kernel_events events;

	(void)state;
	memset(&model, 0, sizeof(model));
	now = 1000 * MS;
	opened = 0;
	turns = 0;
	listing_ns = 0;
	nodes[0] = (struct mlb_node){ .id = 1 };
	nodes[1] = (struct mlb_node){ .id = 2 };
	goal = (struct kernel_goal){
		.key = "a key", .key_len = 5, .nodes = nodes, .n_nodes = 1
	};
	uv_loop_init(&loop);
	assert_int_equal(pipe(fds), 0);
	return kernel_open(&kernel, &loop, &events, NULL);
}

static int teardown(void **state)
{
	(void)state;
	kernel_close(kernel);
	uv_run(&loop, UV_RUN_DEFAULT);
	close(fds[0]);
	close(fds[1]);
	return uv_loop_close(&loop);
}

/* To the end, or until it is clear that there is none. */
static int apply(void)
{
	int ret;

	for (unsigned int i = 0; i < turns + 2; i++) {
		ret = kernel_apply(kernel, &goal);
		if (ret != -EINPROGRESS)
			return ret;
		now += MS;
	}
	return -EINPROGRESS;
}

static void test_key(void **state)
{
	(void)state;
	turns = 3;
	assert_int_equal(apply(), 0);
	assert_int_equal(model.keys, 1);
	assert_int_equal(kernel_state(kernel)->applied, 4);
	/* It is there, so it is not sent again. */
	turns = 0;
	assert_int_equal(apply(), 0);
	assert_int_equal(model.keys, 1);
	assert_int_equal(kernel_state(kernel)->applied, 4);
	assert_int_equal(kernel_state(kernel)->repaired, 0);
	/* Somebody else has set one. */
	model.config.key_id[0] = 'x';
	assert_int_equal(apply(), 0);
	assert_true(repair);
	assert_int_equal(model.keys, 2);
	assert_int_equal(kernel_state(kernel)->repaired, 1);
	/* It is another one now. */
	goal.key = "b key";
	assert_int_equal(apply(), 0);
	assert_false(repair);
	assert_int_equal(model.keys, 3);
	assert_int_equal(model.config.key_id[0], 'b');
	assert_int_equal(kernel_state(kernel)->repaired, 1);
}

/* All else is done, and told; then it is up to the caller to try again. */
static void test_key_refused(void **state)
{
	(void)state;
	turns = 10;
	model.key_error = -ENOMEM;
	assert_int_equal(apply(), -ENOMEM);
	assert_int_equal(opened, 1);
	assert_int_equal(model.keys, 1);
	assert_int_equal(model.refusals, 1);
	assert_int_equal(kernel_state(kernel)->applied, 10);
	assert_false(kernel_state(kernel)->applying);
	assert_string_equal(kernel_state(kernel)->refused,
			    "cluster key: no crypto");
	model.key_error = 0;
	assert_int_equal(apply(), 0);
	assert_false(repair);
	assert_int_equal(model.keys, 2);
	assert_string_equal(kernel_state(kernel)->refused, "");
	/* Another one is refused, and the one before it is back in the goal. */
	model.key_error = -ENOMEM;
	goal.key = "b key";
	assert_int_equal(apply(), -ENOMEM);
	model.key_error = 0;
	goal.key = "a key";
	assert_int_equal(apply(), 0);
	assert_int_equal(model.config.key_id[0], 'a');
}

/* A table that takes long to list leaves time for more than one step. */
static void test_budget(void **state)
{
	(void)state;
	listing_ns = 50 * MS;
	assert_int_equal(apply(), 0);
	assert_in_range(until, now + MS, now + 10 * MS);
}

/* What was done for a goal that another took the place of was done. */
static void test_given_up(void **state)
{
	(void)state;
	turns = 3;
	assert_int_equal(kernel_apply(kernel, &goal), -EINPROGRESS);
	assert_int_equal(kernel_apply(kernel, &goal), -EINPROGRESS);
	goal.n_nodes = 2;
	assert_int_equal(apply(), 0);
	assert_int_equal(opened, 2);
	assert_int_equal(kernel_state(kernel)->applied, 1 + 2 + 3);
	/* And as a repair, if it was one. */
	assert_int_equal(kernel_apply(kernel, &goal), -EINPROGRESS);
	assert_true(repair);
	goal.n_nodes = 1;
	assert_int_equal(apply(), 0);
	assert_false(repair);
	assert_int_equal(kernel_state(kernel)->applied, 6 + 1 + 3);
	assert_int_equal(kernel_state(kernel)->repaired, 1);
}

static void test_pause(void **state)
{
	(void)state;
	turns = 3;
	assert_int_equal(kernel_apply(kernel, &goal), -EINPROGRESS);
	now += 900 * MS;
	assert_int_equal(kernel_apply(kernel, &goal), -EINPROGRESS);
	assert_int_equal(opened, 1);
	now += 1100 * MS;
	assert_int_equal(kernel_apply(kernel, &goal), -EINPROGRESS);
	assert_int_equal(opened, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_key),
		TEST(test_key_refused),
		TEST(test_budget),
		TEST(test_given_up),
		TEST(test_pause),
	};

	return cmocka_run_group_tests_name("mlbd kernel", tests, NULL, NULL);
}
