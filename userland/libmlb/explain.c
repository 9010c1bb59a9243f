// SPDX-License-Identifier: GPL-2.0
/* What the packet path would do with a packet. */
#include <errno.h>
#include <string.h>

#include "internal.h"

static const char *const explain_attrs[] = {
	[MLB_A_EXPLAIN_SADDR] = "saddr", [MLB_A_EXPLAIN_DADDR] = "daddr",
	[MLB_A_EXPLAIN_SPORT] = "sport", [MLB_A_EXPLAIN_DPORT] = "dport",
	[MLB_A_EXPLAIN_SYN] = "syn",	 [MLB_A_EXPLAIN_TOKEN] = "token",
};

static const struct mlb_attr_names explain_names =
	MLB_ATTR_NAMES(explain_attrs);

static int decode(struct nlmsghdr *nlh, void *arg)
{
	struct mlb_explanation *explanation = arg;
	struct nlattr *tb[MLB_A_EXPLAIN_MAX + 1];
	uint32_t verdict, rule, reason;
	int ret = mlb_parse(nlh, tb, MLB_A_EXPLAIN_MAX);

	if (ret)
		return ret;
	memset(explanation, 0, sizeof(*explanation));
	if (!mlb_get_u32(tb[MLB_A_EXPLAIN_VERDICT], &verdict) ||
	    !mlb_get_u32(tb[MLB_A_EXPLAIN_RULE], &rule) ||
	    !mlb_get_u32(tb[MLB_A_EXPLAIN_REASON], &reason))
		return -EBADMSG;
	explanation->verdict = verdict;
	explanation->rule = rule;
	explanation->reason = reason;
	mlb_get_u16(tb[MLB_A_EXPLAIN_NODE], &explanation->node);
	mlb_get_u16(tb[MLB_A_EXPLAIN_GROUP], &explanation->group);
	return 0;
}

int mlb_explain(struct mlb *mlb, const struct mlb_packet *packet,
		struct mlb_explanation *explanation)
{
	struct nl_msg *msg = mlb_msg_new(mlb, MLB_CMD_EXPLAIN, 0, 128);

	if (!msg)
		return -ENOMEM;
	if (packet->fields & MLB_F_PACKET_FLOW) {
		if (mlb_put_addr(msg, MLB_A_EXPLAIN_SADDR, &packet->src.addr) ||
		    mlb_put_addr(msg, MLB_A_EXPLAIN_DADDR, &packet->dst.addr))
			goto nla_put_failure;
		NLA_PUT_U16(msg, MLB_A_EXPLAIN_SPORT, packet->src.port);
		NLA_PUT_U16(msg, MLB_A_EXPLAIN_DPORT, packet->dst.port);
	}
	if (packet->fields & (MLB_F_PACKET_SYN | MLB_F_PACKET_TOKEN))
		NLA_PUT_FLAG(msg, MLB_A_EXPLAIN_SYN);
	if (packet->fields & MLB_F_PACKET_TOKEN)
		NLA_PUT_U32(msg, MLB_A_EXPLAIN_TOKEN, packet->token);
	return mlb_do_free(mlb, msg, &explain_names, decode, explanation);

nla_put_failure:
	nlmsg_free(msg);
	return mlb_error_local(mlb, EMSGSIZE, NULL);
}
