// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes over netlink.
 */
#include "net.h"
#include "netlink.h"
#include "node.h"
#include "rebuild.h"

/* Where Linux' fou and others expect GUE (draft-ietf-intarea-gue). */
#define NODE_GUE_PORT	6080

static int node_fill(struct sk_buff *skb, struct mlb_net *mn,
		     const struct mlb_node *node, u8 cmd, u32 portid, u32 seq,
		     int flags)
{
	u32 rtt = mlb_probe_rtt(node), silent;
	void *hdr;

	hdr = genlmsg_put(skb, portid, seq, &mlb_nl_family, flags, cmd);
	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u16(skb, MLB_A_NODE_ID, node->id) ||
	    mlb_nl_put_addr(skb, MLB_A_NODE_ADDR, &node->addr) ||
	    nla_put_u32(skb, MLB_A_NODE_WEIGHT, READ_ONCE(node->weight)) ||
	    nla_put_u32(skb, MLB_A_NODE_STATE, READ_ONCE(node->state)) ||
	    (node->self && nla_put_flag(skb, MLB_A_NODE_SELF)) ||
	    nla_put_u32(skb, MLB_A_NODE_ENCAP, node->encap) ||
	    (node->encap == MLB_ENCAP_GUE &&
	     nla_put_u16(skb, MLB_A_NODE_ENCAP_PORT,
			 ntohs(node->encap_port))) ||
	    nla_put_u32(skb, MLB_A_NODE_OWNERS,
			READ_ONCE(mn->owners.per_node[node->id])) ||
	    (rtt && nla_put_u32(skb, MLB_A_NODE_RTT, rtt)) ||
	    (READ_ONCE(node->life.watch.suspect) &&
	     nla_put_flag(skb, MLB_A_NODE_SUSPECT)) ||
	    (mlb_alive_silent(node, &silent) &&
	     nla_put_u32(skb, MLB_A_NODE_SILENT, silent))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * mlb_node_event() - tell user space that a node has changed
 * @mn: the namespace
 * @node: the node
 * @cmd: MLB_CMD_NODE_NTF or MLB_CMD_NODE_DEL_NTF
 * @gfp: what the context allows
 */
void mlb_node_event(struct mlb_net *mn, const struct mlb_node *node, u8 cmd,
		    gfp_t gfp)
{
	struct sk_buff *skb;

	if (!mlb_nl_has_listeners(mn, MLB_NLGRP_EVENT))
		return;
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, gfp);
	if (!skb)
		return;
	if (node_fill(skb, mn, node, cmd, 0, 0, 0)) {
		nlmsg_free(skb);
		return;
	}
	mlb_nl_multicast(mn, skb, MLB_NLGRP_EVENT);
}

/* The node that a request names. Caller must hold &mlb_net.lock. */
static struct mlb_node *node_of_request(struct mlb_net *mn,
					struct genl_info *info)
{
	struct mlb_node *node;

	if (mlb_nl_missing(info, MLB_A_NODE_ID, "the node's id is missing"))
		return ERR_PTR(-EINVAL);
	node = mlb_node_find(mn, nla_get_u16(info->attrs[MLB_A_NODE_ID]));
	if (!node) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[MLB_A_NODE_ID],
				    "there is no such node");
		return ERR_PTR(-ENOENT);
	}
	return node;
}

int mlb_nl_node_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct mlb_node *node;
	struct sk_buff *reply;
	int err;

	reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	mutex_lock(&mn->lock);
	node = node_of_request(mn, info);
	err = IS_ERR(node) ? PTR_ERR(node) :
	      node_fill(reply, mn, node, MLB_CMD_NODE_GET, info->snd_portid,
			info->snd_seq, 0);
	mutex_unlock(&mn->lock);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	return genlmsg_reply(reply, info);
}

int mlb_nl_node_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct mlb_net *mn = mlb_net(sock_net(skb->sk));
	unsigned long id = cb->args[0];
	struct mlb_node *node;

	rcu_read_lock();
	xa_for_each_start(&mn->nodes, id, node, id)
		if (node_fill(skb, mn, node, MLB_CMD_NODE_GET,
			      NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			      NLM_F_MULTI))
			break;
	rcu_read_unlock();
	cb->args[0] = node ? id : MLB_NODE_ID_MAX + 1;
	return skb->len;
}

/* How packets reach a node that is added; after @node->self is known. */
static int node_get_encap(struct genl_info *info, struct mlb_node *node)
{
	struct nlattr *encap = info->attrs[MLB_A_NODE_ENCAP];
	struct nlattr *port = info->attrs[MLB_A_NODE_ENCAP_PORT];

	node->encap = encap ? nla_get_u32(encap) : MLB_ENCAP_MLB;
	if (node->self && node->encap != MLB_ENCAP_MLB) {
		NL_SET_ERR_MSG_ATTR(info->extack, encap,
				    "the self node runs mlb, and needs no other encapsulation");
		return -EINVAL;
	}
	if (port && node->encap != MLB_ENCAP_GUE) {
		NL_SET_ERR_MSG_ATTR(info->extack, port,
				    "only gue has a port of the node's own");
		return -EINVAL;
	}
	if (node->encap == MLB_ENCAP_GUE)
		node->encap_port = htons(port ? nla_get_u16(port) :
						NODE_GUE_PORT);
	return 0;
}

int mlb_nl_node_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct nlattr **attrs = info->attrs;
	struct mlb_node node = {
		.weight = 1,
		.state = MLB_NODE_STATE_ACTIVE,
		.self = attrs[MLB_A_NODE_SELF],
	};
	int err;

	if (mlb_nl_missing(info, MLB_A_NODE_ID, "the node's id is missing") ||
	    mlb_nl_missing(info, MLB_A_NODE_ADDR,
			   "the node's address is missing"))
		return -EINVAL;
	err = mlb_nl_get_addr(attrs[MLB_A_NODE_ADDR], &node.addr,
			      info->extack) ?:
	      mlb_nl_judge_unicast(attrs[MLB_A_NODE_ADDR], &node.addr,
				   info->extack) ?:
	      node_get_encap(info, &node);
	if (err)
		return err;
	node.id = nla_get_u16(attrs[MLB_A_NODE_ID]);
	if (attrs[MLB_A_NODE_WEIGHT])
		node.weight = nla_get_u32(attrs[MLB_A_NODE_WEIGHT]);
	if (attrs[MLB_A_NODE_STATE])
		node.state = nla_get_u32(attrs[MLB_A_NODE_STATE]);
	if (node.self && node.state == MLB_NODE_STATE_DEAD) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[MLB_A_NODE_STATE],
				    "the self node cannot be dead");
		return -EINVAL;
	}

	mutex_lock(&mn->lock);
	err = mlb_node_add(mn, &node, info->extack);
	if (!err)
		mlb_node_event(mn, mlb_node_find(mn, node.id),
			       MLB_CMD_NODE_NTF, GFP_KERNEL);
	mutex_unlock(&mn->lock);
	if (!err && !attrs[MLB_A_NODE_LATER])
		mlb_rebuild_wait(mn);
	return err;
}

int mlb_nl_node_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct nlattr **attrs = info->attrs;
	struct mlb_node *node;
	u16 weight;
	u8 state;
	int err;

	mutex_lock(&mn->lock);
	node = node_of_request(mn, info);
	if (IS_ERR(node)) {
		err = PTR_ERR(node);
		goto unlock;
	}
	weight = attrs[MLB_A_NODE_WEIGHT] ?
		 nla_get_u32(attrs[MLB_A_NODE_WEIGHT]) : node->weight;
	state = attrs[MLB_A_NODE_STATE] ?
		nla_get_u32(attrs[MLB_A_NODE_STATE]) : node->state;
	err = mlb_node_set(mn, node, weight, state, info->extack);
	if (!err)
		mlb_node_event(mn, node, MLB_CMD_NODE_NTF, GFP_KERNEL);
unlock:
	mutex_unlock(&mn->lock);
	if (!err && !attrs[MLB_A_NODE_LATER])
		mlb_rebuild_wait(mn);
	return err;
}

int mlb_nl_node_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct mlb_node *node;
	struct mlb_node copy;
	int err;

	mutex_lock(&mn->lock);
	node = node_of_request(mn, info);
	if (IS_ERR(node)) {
		err = PTR_ERR(node);
		goto unlock;
	}
	copy = *node;	/* what the notification tells */
	err = mlb_node_del(mn, node, info->extack);
	if (!err)
		mlb_node_event(mn, &copy, MLB_CMD_NODE_DEL_NTF, GFP_KERNEL);
unlock:
	mutex_unlock(&mn->lock);
	return err;
}

int mlb_nl_node_probe_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct mlb_node *node;
	int err;

	mutex_lock(&mn->lock);
	node = node_of_request(mn, info);
	err = IS_ERR(node) ? PTR_ERR(node) :
			     mlb_probe_send(mn, node, info->extack);
	mutex_unlock(&mn->lock);
	return err;
}
