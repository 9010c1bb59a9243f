/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_COMPAT_NET_ROUTE_H
#define _MLB_COMPAT_NET_ROUTE_H

#include_next <net/route.h>

#ifndef dst_rtable	/* before 6.10 */
#define dst_rtable(ptr) container_of(ptr, struct rtable, dst)
#endif

#endif
