// SPDX-License-Identifier: GPL-2.0
/* What a drain's timeout finds left is ended in the right order, and all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ending.h"
#include "log.h"
#include "sockets.h"

static uv_loop_t loop;
static uv_work_t *work;
static uv_work_cb work_cb;
static uv_after_work_cb after_cb;
static int queue_error;

int uv_queue_work(uv_loop_t *l, uv_work_t *req, uv_work_cb cb,
		  uv_after_work_cb after)
{
	assert_ptr_equal(l, &loop);
	work = req;
	work_cb = cb;
	after_cb = after;
	return queue_error;
}

int usleep(useconds_t us)
{
	assert_in_range(us, 1, 100000);
	return 0;
}

/* What was done, a letter each: opened, ended as a whole, closed, sockets. */
static char done[64];
static char logged[256];
static struct mlb_ended answers[16];
static int end_errors[16];
static int open_error, sockets_error;
static size_t answered;
static unsigned int timeout_ms;
static struct ending *stop_at_end;

static void did(char what)
{
	size_t n = strlen(done);

	assert_true(n + 1 < sizeof(done));
	done[n] = what;
	done[n + 1] = '\0';
}

int mlb_open(struct mlb **mlb)
{
	did('o');
	*mlb = NULL;
	timeout_ms = 0;
	return open_error;
}

void mlb_close(struct mlb *mlb)
{
	(void)mlb;
	did('c');
}

int mlb_set_timeout(struct mlb *mlb, unsigned int ms)
{
	(void)mlb;
	timeout_ms = ms;
	return 0;
}

int mlb_owner_end_all(struct mlb *mlb, struct mlb_ended *ended)
{
	(void)mlb;
	did('e');
	/* A lost answer is not waited for for ever. */
	assert_in_range(timeout_ms, 1, 15000);
	assert_true(answered < 16);
	*ended = answers[answered];
	if (stop_at_end)
		ending_stop(stop_at_end);
	return end_errors[answered++];
}

int sockets_end(struct mlb_endpoint *services, size_t n,
		const atomic_bool *stop, struct sockets_ended *ended)
{
	assert_int_equal(n, 1);
	assert_int_equal(services[0].port, 443);
	did(*stop ? 'x' : 's');
	*ended = (struct sockets_ended){ .ended = 4, .left = 6 };
	return sockets_error;
}

void log_message(enum log_level level, const char *format, ...)
{
	va_list ap;

	assert_int_equal(level, LOG_LEVEL_WARNING);
	va_start(ap, format);
	vsnprintf(logged, sizeof(logged), format, ap);
	va_end(ap);
}

static struct ending_result result;
static unsigned int results;

static void on_ended(void *arg, const struct ending_result *r)
{
	assert_ptr_equal(arg, &results);
	result = *r;
	results++;
}

static struct ending *start(void)
{
	struct mlb_service service = { .vip = { .port = 443 } };
	struct document document = { .services = &service, .n_services = 1 };
	struct ending *ending;

	done[0] = '\0';
	logged[0] = '\0';
	memset(answers, 0, sizeof(answers));
	memset(end_errors, 0, sizeof(end_errors));
	answered = 0;
	results = 0;
	open_error = sockets_error = 0;
	stop_at_end = NULL;
	assert_int_equal(ending_start(&ending, &loop, &document, on_ended,
				      &results),
			 0);
	assert_non_null(ending);
	assert_string_equal(done, "");
	return ending;
}

static void run(void)
{
	work_cb(work);
	assert_int_equal(results, 0);
	after_cb(work, 0);
}

/* A reset of each path is no end of a connection, so the whole comes first. */
static void test_order(void **state)
{
	(void)state;
	start();
	answers[0] = (struct mlb_ended){ .ended = 7, .gone = 2 };
	run();
	assert_string_equal(done, "oecs");
	assert_int_equal(results, 1);
	assert_int_equal(result.connections, 7);
	assert_int_equal(result.sockets, 4);
	assert_string_equal(logged, "");
}

/* What is accepted a moment later ends as a whole, too. */
static void test_detached(void **state)
{
	(void)state;
	start();
	answers[0] = (struct mlb_ended){ .ended = 7, .detached = 2 };
	answers[1] = (struct mlb_ended){ .detached = 2 };
	answers[2] = (struct mlb_ended){ .ended = 2 };
	run();
	assert_string_equal(done, "oeeecs");
	assert_int_equal(result.connections, 9);
	/* But not for ever. */
	start();
	for (int i = 0; i < 16; i++)
		answers[i].detached = 1;
	run();
	assert_string_equal(done, "oeeeeeeeecs");
}

/* Nor is it left to resets because others change the owner table just now. */
static void test_disturbed(void **state)
{
	(void)state;
	start();
	answers[0] = (struct mlb_ended){ .ended = 5 };
	end_errors[0] = -EPERM;
	answers[1] = (struct mlb_ended){ .ended = 1 };
	end_errors[1] = -EAGAIN;
	answers[2] = (struct mlb_ended){ .ended = 2 };
	run();
	assert_string_equal(done, "oeeecs");
	assert_int_equal(result.connections, 8);
	assert_string_equal(logged, "");
	/* But not for ever. */
	start();
	for (int i = 0; i < 16; i++)
		end_errors[i] = -EAGAIN;
	run();
	assert_string_equal(done, "oeeeeeeeecs");
	assert_non_null(strstr(logged, "cannot be ended as such"));
}

static void test_failures(void **state)
{
	(void)state;
	start();
	end_errors[0] = -EOPNOTSUPP;
	run();
	assert_string_equal(done, "oecs");
	assert_non_null(strstr(logged, "cannot be ended as such"));
	assert_int_equal(result.sockets, 4);
	start();
	open_error = -ENOENT;
	run();
	assert_string_equal(done, "os");
	/* A kernel that cannot is told of once. */
	start();
	sockets_error = -EOPNOTSUPP;
	run();
	assert_non_null(strstr(logged, "CONFIG_INET_DIAG_DESTROY): 6 go on"));
	start();
	sockets_error = -EOPNOTSUPP;
	run();
	assert_string_equal(logged, "");
	start();
	sockets_error = -ENOMEM;
	run();
	assert_non_null(strstr(logged, "cannot be ended: "));
	assert_int_equal(results, 1);
}

/* An undrain: nobody is told, and no more is ended. */
static void test_stop(void **state)
{
	(void)state;
	ending_stop(NULL);
	ending_stop(start());
	work_cb(work);
	after_cb(work, 0);
	assert_string_equal(done, "ocx");
	assert_int_equal(results, 0);
}

static void test_stop_between(void **state)
{
	struct ending *ending = start();

	(void)state;
	stop_at_end = ending;
	for (int i = 0; i < 16; i++)
		answers[i].detached = 1;
	work_cb(work);
	after_cb(work, 0);
	assert_string_equal(done, "oecx");
	assert_int_equal(results, 0);
}

static void test_no_worker(void **state)
{
	struct document document = {};
	struct ending *ending;

	(void)state;
	queue_error = UV_EINVAL;
	assert_int_equal(ending_start(&ending, &loop, &document, on_ended,
				      &results),
			 UV_EINVAL);
	assert_null(ending);
	queue_error = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_detached),
		cmocka_unit_test(test_disturbed),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_stop_between),
		cmocka_unit_test(test_no_worker),
	};

	return cmocka_run_group_tests_name("mlbd ending", tests, NULL, NULL);
}
