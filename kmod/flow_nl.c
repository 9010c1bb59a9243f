// SPDX-License-Identifier: GPL-2.0
/*
 * Flows over netlink.
 */
#include <linux/jiffies.h>
#include <net/ipv6.h>

#include "flow.h"
#include "net.h"
#include "netlink.h"

int mlb_nl_flow_walk_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = genl_info_dump(cb)->attrs;
	struct mlb_net *mn = mlb_net(sock_net(cb->skb->sk));
	struct in6_addr addr;
	int err;

	if (attrs[MLB_A_FLOW_DADDR]) {
		err = mlb_nl_get_addr(attrs[MLB_A_FLOW_DADDR], &addr,
				      cb->extack);
		if (err)
			return err;
	}
	return mlb_nl_walk_start(cb, &mn->flows.hash);
}

/* Whether the request wants this flow. */
static bool flow_wanted(struct netlink_callback *cb,
			const struct mlb_flow *flow)
{
	struct nlattr **attrs = genl_info_dump(cb)->attrs;
	struct in6_addr addr;

	if (attrs[MLB_A_FLOW_DPORT] &&
	    flow->tuple.dport != htons(nla_get_u16(attrs[MLB_A_FLOW_DPORT])))
		return false;
	if (!attrs[MLB_A_FLOW_DADDR])
		return true;
	mlb_nl_get_addr(attrs[MLB_A_FLOW_DADDR], &addr, NULL);
	return ipv6_addr_equal(&addr, &flow->tuple.daddr);
}

static int flow_dump_one(struct sk_buff *skb, struct netlink_callback *cb,
			 const void *object)
{
	const struct mlb_flow *flow = object;
	s32 left = READ_ONCE(flow->expires) - (u32)jiffies;
	void *hdr;

	if (!flow_wanted(cb, flow))
		return 0;
	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &mlb_nl_family, NLM_F_MULTI, MLB_CMD_FLOW_GET);
	if (!hdr)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, hdr);
	if (mlb_nl_put_addr(skb, MLB_A_FLOW_SADDR, &flow->tuple.saddr) ||
	    mlb_nl_put_addr(skb, MLB_A_FLOW_DADDR, &flow->tuple.daddr) ||
	    nla_put_u16(skb, MLB_A_FLOW_SPORT, ntohs(flow->tuple.sport)) ||
	    nla_put_u16(skb, MLB_A_FLOW_DPORT, ntohs(flow->tuple.dport)) ||
	    nla_put_u16(skb, MLB_A_FLOW_NODE, flow->node) ||
	    nla_put_u32(skb, MLB_A_FLOW_STATE, READ_ONCE(flow->state)) ||
	    nla_put_u32(skb, MLB_A_FLOW_EXPIRES,
			left > 0 ? jiffies_to_msecs(left) : 0)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

int mlb_nl_flow_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return mlb_nl_walk_dump(skb, cb, flow_dump_one);
}
