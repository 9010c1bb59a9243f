/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_COMPAT_LINUX_TIMER_H
#define _MLB_COMPAT_LINUX_TIMER_H

#include_next <linux/timer.h>

#ifndef timer_container_of	/* before 6.16 */
#define timer_container_of from_timer
#endif

#endif
