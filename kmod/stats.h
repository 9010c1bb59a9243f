/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_STATS_H
#define _MLB_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>

/* One for each counter of the netlink spec, which says what it means. */
enum mlb_counter {
#define MLB_COUNTER(name) MLB_CNT_##name,
#include "stats_gen.h"
#undef MLB_COUNTER
	MLB_CNT_MAX
};

struct mlb_stats {
	unsigned long v[MLB_CNT_MAX];
};

/* Usable in any context. */
#define mlb_count(mn, name) \
	this_cpu_inc((mn)->stats->v[MLB_CNT_##name])
#define mlb_count_add(mn, name, n) \
	this_cpu_add((mn)->stats->v[MLB_CNT_##name], n)

/**
 * mlb_stats_read() - sum one counter over the CPUs
 */
static inline u64 mlb_stats_read(const struct mlb_stats __percpu *stats,
				 enum mlb_counter counter)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(stats, cpu)->v[counter]);
	return sum;
}

#endif
