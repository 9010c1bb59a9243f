// SPDX-License-Identifier: GPL-2.0
/*
 * When a node is suspect, and for how long. Apart from clock and network, so
 * that it can be tested without them.
 */
#include <linux/compiler.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "watch.h"

void mlb_watch_reset(struct mlb_watch *watch)
{
	memset(watch, 0, sizeof(*watch));
	watch->quiet = MLB_WATCH_QUIET;
}

static u32 watch_next_hold(const struct mlb_watch *watch)
{
	if (watch->quiet >= MLB_WATCH_QUIET)
		return 0;
	if (!watch->hold)
		return MLB_WATCH_HOLD_FIRST;
	return min(2 * watch->hold, (u32)MLB_WATCH_HOLD_MAX);
}

void mlb_watch_tick(struct mlb_watch *watch, u32 passed, u32 most, u32 since,
		    u32 detect, bool deaf)
{
	u32 elapsed = min(passed, most);
	bool heard_before = !watch->unheard;

	if (since <= passed)	/* heard in this tick */
		watch->silence = 0;
	watch->silence = min(watch->silence + elapsed, since);
	watch->mute = watch->silence >= detect;
	WRITE_ONCE(watch->unheard, watch->mute || deaf);

	WRITE_ONCE(watch->missing,
		   watch->unheard ? min(watch->missing + elapsed,
					(u32)MLB_WATCH_QUIET) : 0);

	if (watch->unheard) {
		watch->heard = 0;
		if (!watch->suspect) {
			watch->hold = watch_next_hold(watch);
			WRITE_ONCE(watch->suspect, true);
		}
	} else if (watch->suspect) {
		/* The tick that ends a silence may be silent but for its end. */
		if (heard_before)
			watch->heard += elapsed;
		if (watch->heard >= watch->hold) {
			WRITE_ONCE(watch->suspect, false);
			watch->quiet = 0;
		}
	} else {
		watch->quiet = min(watch->quiet + elapsed,
				   (u32)MLB_WATCH_QUIET);
	}
}
