/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_SELFTEST_H
#define _MLB_SELFTEST_H

#include <linux/types.h>

#ifdef MLB_SELFTEST
int mlb_selftest(void);
int mlb_selftest_owner(void);
int mlb_selftest_learn(void);
void mlb_selftest_learn_end(void);
bool mlb_selftest_holds(void);
#else
static inline int mlb_selftest(void)
{
	return 0;
}

static inline int mlb_selftest_owner(void)
{
	return 0;
}

static inline int mlb_selftest_learn(void)
{
	return 0;
}

static inline void mlb_selftest_learn_end(void)
{
}

static inline bool mlb_selftest_holds(void)
{
	return false;
}
#endif

#endif
