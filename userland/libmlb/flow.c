// SPDX-License-Identifier: GPL-2.0
/* The flow table. */
#include <errno.h>
#include <string.h>

#include "internal.h"

static const char *const flow_attrs[] = {
	[MLB_A_FLOW_DADDR] = "daddr",
	[MLB_A_FLOW_DPORT] = "dport",
};

static const struct mlb_attr_names flow_names = MLB_ATTR_NAMES(flow_attrs);

static int flow_decode(struct nlmsghdr *nlh, struct mlb_flow *flow)
{
	struct nlattr *tb[MLB_A_FLOW_MAX + 1];
	uint32_t state;
	int ret = mlb_parse(nlh, tb, MLB_A_FLOW_MAX);

	if (ret)
		return ret;

	memset(flow, 0, sizeof(*flow));
	if (!tb[MLB_A_FLOW_SADDR] || !tb[MLB_A_FLOW_DADDR] ||
	    mlb_get_addr(tb[MLB_A_FLOW_SADDR], &flow->src.addr) ||
	    mlb_get_addr(tb[MLB_A_FLOW_DADDR], &flow->dst.addr) ||
	    !mlb_get_u16(tb[MLB_A_FLOW_SPORT], &flow->src.port) ||
	    !mlb_get_u16(tb[MLB_A_FLOW_DPORT], &flow->dst.port) ||
	    !mlb_get_u16(tb[MLB_A_FLOW_NODE], &flow->node) ||
	    !mlb_get_u32(tb[MLB_A_FLOW_STATE], &state) ||
	    !mlb_get_u32(tb[MLB_A_FLOW_EXPIRES], &flow->expires))
		return -EBADMSG;
	flow->state = state;
	return 0;
}

struct flow_each {
	mlb_flow_fn *fn;
	void *arg;
};

static int flow_entry(struct nlmsghdr *nlh, void *arg)
{
	const struct flow_each *each = arg;
	struct mlb_flow flow;
	int ret = flow_decode(nlh, &flow);

	return ret ? ret : each->fn(&flow, each->arg);
}

int mlb_flow_each(struct mlb *mlb, const struct mlb_endpoint *vip,
		  mlb_flow_fn *fn, void *arg)
{
	struct nl_msg *msg = mlb_msg_new(mlb, MLB_CMD_FLOW_GET, 0, 64);
	struct flow_each each = { fn, arg };

	if (!msg)
		return -ENOMEM;
	if (vip) {
		if (mlb_put_addr(msg, MLB_A_FLOW_DADDR, &vip->addr))
			goto nla_put_failure;
		NLA_PUT_U16(msg, MLB_A_FLOW_DPORT, vip->port);
	}
	return mlb_dump_free(mlb, msg, &flow_names, flow_entry, &each);

nla_put_failure:
	nlmsg_free(msg);
	return mlb_error_local(mlb, EMSGSIZE, NULL);
}
