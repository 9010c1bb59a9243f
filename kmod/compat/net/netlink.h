/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_COMPAT_NET_NETLINK_H
#define _MLB_COMPAT_NET_NETLINK_H

#include_next <net/netlink.h>

#ifndef nla_for_each_attr_type	/* before 6.8 */
#define nla_for_each_attr_type(pos, type, head, len, rem)	\
	nla_for_each_attr(pos, head, len, rem)			\
		if (nla_type(pos) == (type))
#endif

#endif
