/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_COMPAT_NET_NETLINK_H
#define _MLB_COMPAT_NET_NETLINK_H

#include <linux/version.h>
#include_next <net/netlink.h>

#ifndef nla_for_each_attr_type	/* before 6.8 */
#define nla_for_each_attr_type(pos, type, head, len, rem)	\
	nla_for_each_attr(pos, head, len, rem)			\
		if (nla_type(pos) == (type))
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
/* The range is not const there, though nobody writes it. */
#undef NLA_POLICY_FULL_RANGE
#define NLA_POLICY_FULL_RANGE(tp, _range) {				\
	.type = NLA_ENSURE_UINT_OR_BINARY_TYPE(tp),			\
	.validation_type = NLA_VALIDATE_RANGE_PTR,			\
	.range = (struct netlink_range_validation *)(_range),		\
}
#endif

#endif
