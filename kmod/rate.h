/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_RATE_H
#define _MLB_RATE_H

#include <linux/ktime.h>
#include <linux/minmax.h>

/* Messages that may still be sent, refilled with time. */
struct mlb_rate {
	u64 credit;	/* nanoseconds of the configured rate */
	u64 stamp;	/* ktime_get_ns() of the last look */
};

/**
 * mlb_rate_allow() - take messages out of a token bucket
 * @rate: the bucket, locked by the caller
 * @per_second: how many it lets through
 * @messages: how many are wanted now
 * @reserve: leave so many eighths of it
 *
 * It holds what the rate gives in a tenth of a second, and what is wanted at
 * once at least.
 *
 * Return: whether there were as many.
 */
static inline bool mlb_rate_allow(struct mlb_rate *rate, u32 per_second,
				  unsigned int messages, unsigned int reserve)
{
	u64 cost = (u64)((u32)NSEC_PER_SEC / per_second) * messages;
	u64 full = max_t(u64, NSEC_PER_SEC / 10, cost);
	u64 now = ktime_get_ns();

	rate->credit = min(rate->credit + now - rate->stamp, full);
	rate->stamp = now;
	if (rate->credit < cost ||
	    rate->credit - cost < (full - cost) / 8 * reserve)
		return false;
	rate->credit -= cost;
	return true;
}

#endif
