// SPDX-License-Identifier: GPL-2.0
/* Netlink: what the packet path would do with a packet. */
#include "netlink.h"
#include "netlink_gen.h"

int mlb_nl_explain_doit(struct sk_buff *skb, struct genl_info *info)
{
	return -EOPNOTSUPP;
}
