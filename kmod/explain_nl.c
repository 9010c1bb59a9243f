// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink: what the packet path would do with a packet. It is asked itself,
 * and changes nothing.
 */
#include <net/sock.h>

#include "decide.h"
#include "net.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "node.h"
#include "service.h"

/* A packet without a flow: a join is judged by its token alone. */
static int explain_token_only(struct genl_info *info, struct mlb_packet *pkt)
{
	if (info->attrs[MLB_A_EXPLAIN_DADDR] ||
	    info->attrs[MLB_A_EXPLAIN_SPORT] ||
	    info->attrs[MLB_A_EXPLAIN_DPORT] ||
	    !info->attrs[MLB_A_EXPLAIN_TOKEN]) {
		GENL_SET_ERR_MSG(info, "a flow, or a token alone, is needed");
		return -EINVAL;
	}
	pkt->syn = true;
	return 0;
}

static int explain_flow(struct mlb_net *mn, struct genl_info *info,
			struct mlb_packet *pkt)
{
	struct mlb_tuple *t = &pkt->tuple;
	int err;

	if (mlb_nl_missing(info, MLB_A_EXPLAIN_DADDR, "daddr is missing") ||
	    mlb_nl_missing(info, MLB_A_EXPLAIN_SPORT, "sport is missing") ||
	    mlb_nl_missing(info, MLB_A_EXPLAIN_DPORT, "dport is missing"))
		return -EINVAL;
	err = mlb_nl_get_addr(info->attrs[MLB_A_EXPLAIN_SADDR], &t->saddr,
			      info->extack);
	if (!err)
		err = mlb_nl_get_addr(info->attrs[MLB_A_EXPLAIN_DADDR],
				      &t->daddr, info->extack);
	if (err)
		return err;
	if (ipv6_addr_v4mapped(&t->saddr) != ipv6_addr_v4mapped(&t->daddr)) {
		GENL_SET_ERR_MSG(info, "the addresses are of two families");
		return -EINVAL;
	}
	t->sport = htons(nla_get_u16(info->attrs[MLB_A_EXPLAIN_SPORT]));
	t->dport = htons(nla_get_u16(info->attrs[MLB_A_EXPLAIN_DPORT]));
	pkt->svc = mlb_service_find(mn, &t->daddr, t->dport);
	if (!pkt->svc) {
		GENL_SET_ERR_MSG(info, "no service has this address and port");
		return -ENOENT;
	}
	pkt->syn = info->attrs[MLB_A_EXPLAIN_SYN] ||
		   info->attrs[MLB_A_EXPLAIN_TOKEN];
	pkt->ack = !pkt->syn;
	return 0;
}

static int explain_fill(struct sk_buff *msg, struct genl_info *info,
			const struct mlb_decision *d)
{
	void *hdr = genlmsg_put_reply(msg, info, &mlb_nl_family, 0,
				      MLB_CMD_EXPLAIN);

	if (!hdr ||
	    nla_put_u32(msg, MLB_A_EXPLAIN_VERDICT, d->verdict) ||
	    nla_put_u32(msg, MLB_A_EXPLAIN_RULE, d->rule) ||
	    nla_put_u32(msg, MLB_A_EXPLAIN_REASON, d->reason) ||
	    (d->node && nla_put_u16(msg, MLB_A_EXPLAIN_NODE, d->node->id)) ||
	    (d->group && nla_put_u16(msg, MLB_A_EXPLAIN_GROUP, d->group)))
		return -EMSGSIZE;
	genlmsg_end(msg, hdr);
	return 0;
}

int mlb_nl_explain_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct mlb_packet pkt = { .mp_known = true };
	struct mlb_decision d;
	struct sk_buff *msg;
	int err;

	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	if (info->attrs[MLB_A_EXPLAIN_TOKEN]) {
		pkt.mp.kind = MLB_MPTCP_JOIN;
		pkt.mp.token = nla_get_u32(info->attrs[MLB_A_EXPLAIN_TOKEN]);
	}
	/* As a softirq would do it. */
	local_bh_disable();
	rcu_read_lock();
	err = info->attrs[MLB_A_EXPLAIN_SADDR] ?
	      explain_flow(mn, info, &pkt) : explain_token_only(info, &pkt);
	if (!err) {
		mlb_decide(mn, NULL, &pkt, NULL, &d);
		if (d.sk)
			sock_gen_put(d.sk);
		err = explain_fill(msg, info, &d);
	}
	rcu_read_unlock();
	local_bh_enable();
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	return genlmsg_reply(msg, info);
}
