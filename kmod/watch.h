/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_WATCH_H
#define _MLB_WATCH_H

#include <linux/types.h>

/*
 * A node that became suspect again soon after the last time stays so until it
 * has been heard without a gap for the hold time, in ms. That is the first
 * here, twice as much each time, and nothing again after it was quiet.
 */
#define MLB_WATCH_HOLD_FIRST	1000
#define MLB_WATCH_HOLD_MAX	32000
#define MLB_WATCH_QUIET		60000

/**
 * struct mlb_watch - whether a node is suspect
 * @silence: ms for which it was not heard, as far as this host had an ear
 * @heard: ms for which it was heard without a gap, while it is suspect
 * @missing: ms for which it was @unheard, up to MLB_WATCH_QUIET
 * @quiet: ms since it was suspect, up to MLB_WATCH_QUIET
 * @hold: what @heard has to reach
 * @mute: it is silent for its detection time
 * @unheard: that, or it does not hear this host
 * @suspect: it gets no new connections
 */
struct mlb_watch {
	u32 silence;
	u32 heard;
	u32 missing;
	u32 quiet;
	u32 hold;
	bool mute;
	bool unheard;
	bool suspect;
};

/**
 * mlb_watch_reset() - begin anew with a node that is not suspect
 */
void mlb_watch_reset(struct mlb_watch *watch);

/**
 * mlb_watch_tick() - judge a node, as time went on
 * @watch: the node; only one may judge it at a time
 * @passed: ms since the last tick
 * @most: ms that one tick may count, however late it is
 * @since: ms since it was heard
 * @detect: ms of silence that make it suspect
 * @deaf: it says that it does not hear this host
 */
void mlb_watch_tick(struct mlb_watch *watch, u32 passed, u32 most, u32 since,
		    u32 detect, bool deaf);

/**
 * mlb_watch_heard() - when a node was heard, as far back as can be told
 * @heard: jiffies when it was
 * @now: jiffies now
 *
 * Where jiffies have 32 bits they are the same again after some weeks, and a
 * node that has been silent all the while would seem to be heard just now.
 * Called often enough, this lets the time stand still before that. While nobody
 * judges nodes nobody calls it, and only what is shown of such a node is wrong.
 *
 * Return: @heard, or the longest ago that there is.
 */
static inline unsigned long mlb_watch_heard(unsigned long heard,
					    unsigned long now)
{
	const unsigned long longest = ~0UL >> 2;

	/* In the future: a packet came meanwhile. */
	if (now - heard <= longest || (long)(now - heard) < 0)
		return heard;
	return now - longest ?: 1;
}

#endif
