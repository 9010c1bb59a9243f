// SPDX-License-Identifier: GPL-2.0
/*
 * When one of these fails, a node that has failed keeps getting connections, or
 * one that lives gets none.
 */
#include "unit.h"

#include <linux/types.h>

#include "watch.h"

#define TICK	50
#define DETECT	(3 * TICK)

/* A node that is watched, and the clock. */
struct life {
	struct mlb_watch watch;
	u32 now;
	u32 heard;
	bool deaf;
};

static struct life begin(void)
{
	struct life life = {};

	mlb_watch_reset(&life.watch);
	return life;
}

/* The next tick comes after @ms. */
static bool tick_after(struct life *life, u32 ms)
{
	life->now += ms;
	mlb_watch_tick(&life->watch, ms, TICK, life->now - life->heard, DETECT,
		       life->deaf);
	return life->watch.suspect;
}

static bool tick(struct life *life)
{
	return tick_after(life, TICK);
}

/* It is heard just before each tick. Returns after how many ms the suspicion
 * is as @suspect says; fails where that takes over @limit.
 */
static u32 speak_until(struct life *life, bool suspect, u32 limit)
{
	u32 start = life->now;

	do {
		assert_true(life->now - start <= limit);
		life->heard = life->now + TICK;
	} while (tick(life) != suspect);
	return life->now - start;
}

static void speak(struct life *life, u32 ms)
{
	u32 end = life->now + ms;

	while (life->now < end) {
		life->heard = life->now + TICK;
		assert_false(tick(life));
	}
}

static u32 silence_until_suspect(struct life *life)
{
	u32 start = life->now;

	while (!tick(life))
		assert_true(life->now - start < 2 * DETECT);
	return life->now - start;
}

static void test_speaker_is_never_suspect(void **state)
{
	struct life life = begin();

	(void)state;
	speak(&life, 1000 * TICK);
}

static void test_silence(void **state)
{
	struct life life = begin();

	(void)state;
	speak(&life, 1000);
	assert_int_equal(silence_until_suspect(&life), DETECT);
	assert_true(life.watch.mute);
	assert_true(life.watch.unheard);
	/* Once is forgiven at the first word. */
	assert_int_equal(speak_until(&life, false, TICK), TICK);
	assert_false(life.watch.unheard);
}

/* Two messages of three are lost, again and again. */
static void test_losses(void **state)
{
	struct life life = begin();
	unsigned int i;

	(void)state;
	for (i = 0; i < 3000; i++) {
		if (i % 3 == 0)
			life.heard = life.now + TICK;
		assert_false(tick(&life));
	}
}

/* The host stood still: what was sent meanwhile lies in its backlog. */
static void test_late_ticks(void **state)
{
	struct life life = begin();
	unsigned int i;

	(void)state;
	speak(&life, 1000);
	for (i = 0; i < 100; i++) {
		assert_false(tick_after(&life, 100 * TICK));
		assert_false(tick(&life));
		life.heard = life.now;
	}
	/* But it is no excuse for ever. */
	assert_false(tick_after(&life, 100 * TICK));
	assert_false(tick_after(&life, 100 * TICK));
	assert_true(tick_after(&life, 100 * TICK));
}

static void test_deaf(void **state)
{
	struct life life = begin();

	(void)state;
	speak(&life, 1000);
	life.deaf = true;
	life.heard = life.now + TICK;
	assert_true(tick(&life));
	assert_true(life.watch.unheard);
	/* Else neither would ever begin to hear the other again. */
	assert_false(life.watch.mute);
	/* It speaks all the while, and yet is missed for that long. */
	for (unsigned int i = 0; i < 10; i++) {
		life.heard = life.now + TICK;
		assert_true(tick(&life));
	}
	assert_int_equal(life.watch.missing, 11 * TICK);
	life.deaf = false;
	speak_until(&life, false, TICK);
	assert_int_equal(life.watch.missing, 0);
}

static void test_flapping(void **state)
{
	static const u32 holds[] = { 0,     1000,  2000,  4000,	 8000,
				     16000, 32000, 32000, 32000 };
	struct life life = begin();
	unsigned int i;
	u32 took;

	(void)state;
	speak(&life, 1000);
	for (i = 0; i < sizeof(holds) / sizeof(*holds); i++) {
		silence_until_suspect(&life);
		took = speak_until(&life, false, holds[i] + TICK);
		/* From the first word on, which came with the first tick. */
		assert_int_equal(took, TICK + holds[i]);
		speak(&life, 1000);
	}
	/* Quiet for less than a minute changes nothing, for a minute all. */
	speak(&life, MLB_WATCH_QUIET - 2000);
	silence_until_suspect(&life);
	assert_int_equal(speak_until(&life, false, 40000), TICK + 32000);
	speak(&life, MLB_WATCH_QUIET);
	silence_until_suspect(&life);
	assert_int_equal(speak_until(&life, false, TICK), TICK);
}

/* What falls silent again while it is held is held as long once more. */
static void test_gap_while_held(void **state)
{
	struct life life = begin();
	unsigned int i;

	(void)state;
	silence_until_suspect(&life);
	speak_until(&life, false, TICK);
	silence_until_suspect(&life);
	for (i = 0; i < 10; i++) {
		life.heard = life.now + TICK;
		assert_true(tick(&life));
		/* It answers, so it is worth asking. */
		assert_false(life.watch.unheard);
	}
	for (i = 0; i < 5; i++)
		assert_true(tick(&life));
	assert_true(life.watch.unheard);
	assert_int_equal(speak_until(&life, false, 2000), TICK + 1000);
}

/* Jiffies begin anew, and a node is as silent as ever. */
static void test_silent_for_ages(void **state)
{
	const unsigned long step = ~0UL / 50, longest = ~0UL >> 2;
	unsigned long now = ~0UL - 5, heard = now - 3;

	(void)state;
	for (unsigned int i = 0; i < 200; i++) {
		now += step;
		heard = mlb_watch_heard(heard, now);
		assert_int_not_equal(heard, 0);	/* that would be never */
		assert_true((long)(now - heard) >= (long)step ||
			    now - heard == longest);
		assert_true((long)(now - heard) <= (long)longest + 1);
	}
	/* It is heard again, a moment from now, or just now. */
	assert_int_equal(mlb_watch_heard(now + 2, now), now + 2);
	assert_int_equal(mlb_watch_heard(now, now), now);
	/* Where the longest ago would be never. */
	assert_int_equal(mlb_watch_heard(-5UL, longest), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_speaker_is_never_suspect),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_losses),
		cmocka_unit_test(test_late_ticks),
		cmocka_unit_test(test_deaf),
		cmocka_unit_test(test_flapping),
		cmocka_unit_test(test_gap_while_held),
		cmocka_unit_test(test_silent_for_ages),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
