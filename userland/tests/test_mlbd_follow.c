// SPDX-License-Identifier: GPL-2.0
/*
 * One peer's tokens and a kernel that has its moods: what it refuses for a
 * moment is not lost, a full table heals, and a peer that stops in the middle
 * or never comes to an end does no harm. The clock is the test's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "follow.h"
#include "log.h"

#define PEER 2
#define TOKENS 20000

static uint64_t now;

/* The kernel: entries of the peer, and how it is disposed. */
static struct {
	bool held[TOKENS];
	size_t n, room;
	int refuse;	    /* adds and withdrawals */
	unsigned int batches;
	int disturbed;	    /* so many snapshots */
	unsigned int snapshots;
	bool asked;
	kernel_snapshot_fn *fn;
	void *arg;
} kernel;

static uv_work_t *work;
static uv_work_cb work_do;
static uv_after_work_cb work_after;

/* The peer's side. */
static struct {
	uint64_t sequence;
	unsigned int wants; /* how often it was asked */
	uint64_t wanted_at;
} peer;

static struct follow *f;
static bool cleaning;

uint64_t uv_now(const uv_loop_t *loop)
{
	(void)loop;
	return now;
}

int uv_queue_work(uv_loop_t *loop, uv_work_t *req, uv_work_cb cb,
		  uv_after_work_cb after)
{
	(void)loop;
	assert_null(work);
	work = req;
	work_do = cb;
	work_after = after;
	return 0;
}

void log_message(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

bool log_allowed(struct log_limit *limit)
{
	(void)limit;
	return false;
}

void control_event(json_t *event)
{
	json_decref(event);
}

struct mlb *kernel_mlb(struct kernel *k)
{
	(void)k;
	return NULL;
}

const struct mlb_error *mlb_last_error(const struct mlb *mlb)
{
	static const struct mlb_error none;

	(void)mlb;
	return &none;
}

/* As the module does it: a batch is taken whole or not at all. */
int mlb_owner_add(struct mlb *mlb, const struct mlb_owner *entries, size_t n,
		  unsigned int flags, size_t *done)
{
	size_t fresh = 0;

	(void)mlb;
	(void)flags;
	(void)done;
	kernel.batches++;
	if (kernel.refuse)
		return kernel.refuse;
	for (size_t i = 0; i < n; i++)
		fresh += !kernel.held[entries[i].token % TOKENS];
	if (kernel.n + fresh > kernel.room)
		return -ENOSPC;
	for (size_t i = 0; i < n; i++) {
		bool *held = &kernel.held[entries[i].token % TOKENS];

		kernel.n += !*held;
		*held = true;
	}
	return 0;
}

int mlb_owner_withdraw(struct mlb *mlb, const struct mlb_owner *entries,
		       size_t n, size_t *done)
{
	int ret = 0;

	(void)mlb;
	(void)done;
	kernel.batches++;
	if (kernel.refuse)
		return kernel.refuse;
	for (size_t i = 0; i < n; i++) {
		bool *held = &kernel.held[entries[i].token % TOKENS];

		if (!*held)
			ret = -ENOENT;
		kernel.n -= *held;
		*held = false;
	}
	return ret;
}

int kernel_snapshot(struct kernel *k, uint16_t node, kernel_snapshot_fn *fn,
		    void *arg)
{
	(void)k;
	assert_int_equal(node, PEER);
	assert_false(kernel.asked);
	kernel.asked = true;
	kernel.snapshots++;
	kernel.fn = fn;
	kernel.arg = arg;
	return 0;
}

static void answer_snapshot(void)
{
	struct mlb_owner *owners = calloc(TOKENS, sizeof(*owners));
	size_t n = 0;

	for (uint32_t i = 0; i < TOKENS; i++)
		if (kernel.held[i])
			owners[n++] = (struct mlb_owner){ .token = i,
							  .node = PEER };
	kernel.asked = false;
	if (kernel.disturbed) {
		kernel.disturbed--;
		kernel.fn(kernel.arg, -EAGAIN, owners, n / 2);
	} else {
		kernel.fn(kernel.arg, 0, owners, n);
	}
}

static void nothing(void *arg)
{
	(void)arg;
}

/* What sync.c does in @ms. */
static void run_for(uint64_t ms)
{
	static struct mlb_owner entries[FOLLOW_BATCH];
	uint64_t due, heard;

	for (; ms; ms--) {
		now++;
		follow_tick(f);
		for (int live = 1; live >= 0; live--)
			follow_load(f, live, FOLLOW_BATCH, entries);
		if (kernel.asked)
			answer_snapshot();
		if (work) {
			uv_work_t *req = work;

			work = NULL;
			work_do(req);
			work_after(req, 0);
		}
		follow_want(f, &due, &heard);
		if (due <= now) {
			assert_int_equal(heard, peer.sequence);
			peer.wants++;
			peer.wanted_at = now;
			follow_wanted(f);
		}
	}
}

static void say(enum wire_kind kind, bool repeat, bool withdrawn,
		uint32_t token, uint32_t n)
{
	static uint8_t entries[WIRE_OWNERS_MAX * WIRE_OWNER];
	struct wire_message message = {
		.kind = kind,
		.repeat = repeat,
		.run = 1,
		.sequence = peer.sequence,
		.sent = now,
		.owners = entries,
		.n_owners = n,
	};

	for (uint32_t i = 0; i < n; i++) {
		struct wire_owner owner = { .token = token + i,
					    .cpu = WIRE_NO_CPU,
					    .withdrawn = withdrawn };

		wire_put_owner(entries + i * WIRE_OWNER, &owner, false);
	}
	follow_message(f, &message);
	if (kind != WIRE_HELLO)
		peer.sequence++;
}

static void add(uint32_t token, uint32_t n)
{
	say(WIRE_OWNERS, false, false, token, n);
}

static void withdraw(uint32_t token, uint32_t n)
{
	say(WIRE_OWNERS, false, true, token, n);
}

static void repeat(uint32_t token, uint32_t n)
{
	say(WIRE_REPEAT_BEGIN, false, false, 0, 0);
	while (n) {
		uint32_t part = n < 2048 ? n : 2048;

		say(WIRE_OWNERS, true, false, token, part);
		token += part;
		n -= part;
	}
	say(WIRE_REPEAT_END, false, false, 0, 0);
}

static void gap(void)
{
	peer.sequence++;
	say(WIRE_HELLO, false, false, 0, 0);
}

static bool in_step(void)
{
	struct sync_peer_state state;

	follow_state(f, &state);
	return state.in_step;
}

static bool holds(uint32_t token, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!kernel.held[token + i])
			return false;
	return true;
}

/* In step with a peer that has nothing. */
static int setup(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	memset(&peer, 0, sizeof(peer));
	kernel.room = SIZE_MAX;
	now = 1000;
	peer.sequence = 1;
	cleaning = false;
	f = follow_new(NULL, NULL, PEER, &cleaning, nothing, NULL);
	assert_non_null(f);
	follow_here(f, true);
	follow_up(f, true);
	say(WIRE_HELLO, false, false, 0, 0);
	run_for(100);
	assert_int_equal(peer.wants, 1);
	repeat(0, 0);
	run_for(100);
	assert_true(in_step());
	kernel.snapshots = 0;
	peer.wants = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	follow_free(f);
	assert_null(work);
	return 0;
}

/* A moment without memory costs a moment. */
static void test_moment(void **state)
{
	(void)state;
	kernel.refuse = -ENOMEM;
	for (uint32_t i = 0; i < 20; i++) {
		if (i == 8)
			kernel.refuse = 0;
		add(1 + 10 * i, 10);
		run_for(10);
	}
	withdraw(1, 5);
	run_for(200);
	assert_true(holds(6, 195));
	assert_int_equal(kernel.n, 195);
	assert_int_equal(peer.wants, 0);
	assert_true(in_step());
}

/* A long time without memory: asked seldom, and soon enough afterwards. */
static void test_long(void **state)
{
	uint32_t token = 1;

	(void)state;
	kernel.refuse = -ENOMEM;
	for (uint64_t end = now + 10000; now < end; token++) {
		unsigned int before = peer.wants;

		add(token, 1);
		run_for(10);
		if (peer.wants > before)
			repeat(1, token);
	}
	assert_in_range(peer.wants, 1, 4);
	assert_false(in_step());
	kernel.refuse = 0;
	for (uint64_t end = now + 20000; now < end && !in_step(); token++) {
		unsigned int before = peer.wants;

		add(token, 1);
		run_for(10);
		if (peer.wants > before)
			repeat(1, token);
	}
	run_for(500);
	assert_true(in_step());
	assert_true(holds(1, token - 1));

	/* And next time one is patient again. */
	peer.wants = 0;
	gap();
	run_for(60);
	assert_int_equal(peer.wants, 1);
	run_for(2050);
	assert_int_equal(peer.wants, 2);
}

/* What is stale is looked for when all is loaded, and then until it works. */
static void test_disturbed(void **state)
{
	(void)state;
	add(15001, 10);
	run_for(20);
	peer.sequence++; /* what withdrew these was missed */
	kernel.disturbed = 5;
	repeat(1, 10000);
	for (unsigned int i = 0; i < 4; i++) {
		run_for(1);
		assert_int_equal(kernel.snapshots, 0);
	}
	/* And when it is this peer's turn. */
	cleaning = true;
	run_for(5);
	assert_int_equal(kernel.snapshots, 0);
	cleaning = false;
	run_for(5);
	assert_int_equal(kernel.snapshots, 1);
	assert_true(holds(1, 10000));
	withdraw(1, 10);
	add(15001, 1);
	add(16000, 1);
	run_for(2500);
	assert_in_range(kernel.snapshots, 3, 4);
	assert_true(holds(15001, 10));
	assert_false(in_step());
	run_for(4000);
	assert_int_equal(kernel.snapshots, 6);
	assert_true(in_step());
	assert_true(holds(11, 9990));
	assert_true(holds(15001, 1));
	assert_true(holds(16000, 1));
	assert_int_equal(kernel.n, 9990 + 2);
	assert_int_equal(peer.wants, 0);
}

/* A table that is full of what is stale becomes one that is not. */
static void test_full(void **state)
{
	(void)state;
	add(10001, 3000);
	run_for(20);
	kernel.room = 5000;
	peer.sequence++; /* what withdrew these was missed */
	repeat(1, 5000);
	run_for(100);
	assert_false(in_step());
	assert_false(holds(10001, 1));
	assert_int_equal(peer.wants, 0);
	run_for(2000);
	assert_int_equal(peer.wants, 1);
	repeat(1, 5000);
	run_for(100);
	assert_true(in_step());
	assert_true(holds(1, 5000));

	/* What there is no room for does not keep what goes from going. */
	add(6001, 100);
	withdraw(1, 200);
	run_for(20);
	assert_int_equal(kernel.n, 4800);
	assert_false(in_step());
	run_for(2000);
	assert_int_equal(peer.wants, 2);
	repeat(201, 4800);
	add(6001, 100);
	run_for(20);
	assert_true(in_step());
	assert_int_equal(kernel.n, 4900);

	/* As long as there is no room, one asks less and less often. */
	peer.wants = 0;
	add(7001, 500);
	for (unsigned int i = 0; i < 60; i++) {
		unsigned int before = peer.wants;

		run_for(1000);
		if (peer.wants > before) {
			repeat(201, 4800);
			add(7001, 500);
		}
	}
	assert_in_range(peer.wants, 3, 5);
}

static void test_silence(void **state)
{
	(void)state;
	gap();
	run_for(100);
	assert_int_equal(peer.wants, 1);
	say(WIRE_REPEAT_BEGIN, false, false, 0, 0);
	/* Slow is not silent. */
	for (uint32_t i = 0; i < 4; i++) {
		run_for(20000);
		assert_int_equal(peer.wants, 1);
		say(WIRE_OWNERS, true, false, 1 + i, 1);
	}
	for (uint32_t i = 0; i < 40; i++) {
		add(100 + i, 1);
		run_for(1000);
	}
	assert_in_range(peer.wants, 2, 4);
	repeat(100, 40);
	run_for(100);
	assert_true(in_step());
	assert_int_equal(kernel.n, 40);
}

/* Neither a repetition without an end nor one that never ends fills memory. */
static void test_endless(void **state)
{
	uint64_t due, heard;

	(void)state;
	gap();
	run_for(100);
	say(WIRE_REPEAT_BEGIN, false, false, 0, 0);
	for (unsigned int i = 0; i < 1000; i++) {
		say(WIRE_OWNERS, true, false, 1, WIRE_OWNERS_MAX);
		run_for(8);
	}
	follow_want(f, &due, &heard);
	assert_int_not_equal(due, UINT64_MAX);

	say(WIRE_REPEAT_BEGIN, false, false, 0, 0);
	for (uint32_t i = 0; i < 250; i++) {
		say(WIRE_OWNERS, false, false, 1 + i * WIRE_OWNERS_MAX,
		    WIRE_OWNERS_MAX);
		run_for(8);
	}
	follow_want(f, &due, &heard);
	assert_int_not_equal(due, UINT64_MAX);
}

/* A peer's clock can show anything. */
static void test_clock(void **state)
{
	static const uint64_t clocks[] = { 0, UINT64_MAX, INT64_MAX,
					   (uint64_t)INT64_MAX + 1, 5000 };
	struct sync_peer_state got;

	(void)state;
	for (size_t i = 0; i < 25; i++) {
		struct wire_message message = {
			.kind = WIRE_HELLO,
			.run = (uint32_t)(1 + i / 5),
			.sequence = 1,
			.sent = clocks[(i + i / 5) % 5],
		};

		follow_message(f, &message);
		follow_state(f, &got);
		assert_true(got.lag >= -1);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_moment),    TEST(test_long),	  TEST(test_disturbed),
		TEST(test_full),      TEST(test_silence), TEST(test_endless),
		TEST(test_clock),
	};

	return cmocka_run_group_tests_name("mlbd_follow", tests, NULL, NULL);
}
