/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_SELFTEST_H
#define _MLB_SELFTEST_H

#ifdef MLB_SELFTEST
int mlb_selftest(void);
int mlb_selftest_owner(void);
#else
static inline int mlb_selftest(void)
{
	return 0;
}

static inline int mlb_selftest_owner(void)
{
	return 0;
}
#endif

#endif
