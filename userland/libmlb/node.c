// SPDX-License-Identifier: GPL-2.0
/* Nodes. */
#include <errno.h>
#include <string.h>

#include "internal.h"

static const char *const node_attrs[] = {
	[MLB_A_NODE_ID] = "id",		[MLB_A_NODE_ADDR] = "addr",
	[MLB_A_NODE_WEIGHT] = "weight", [MLB_A_NODE_STATE] = "state",
	[MLB_A_NODE_SELF] = "self",	[MLB_A_NODE_OWNERS] = "owners",
	[MLB_A_NODE_ENCAP] = "encap",	[MLB_A_NODE_ENCAP_PORT] = "encap-port",
};

static const struct mlb_attr_names node_names = MLB_ATTR_NAMES(node_attrs);

int mlb_node_decode(struct nlmsghdr *nlh, struct mlb_node *node)
{
	struct nlattr *tb[MLB_A_NODE_MAX + 1];
	uint32_t state, encap;
	int ret = mlb_parse(nlh, tb, MLB_A_NODE_MAX);

	if (ret)
		return ret;

	memset(node, 0, sizeof(*node));
	if (!mlb_get_u16(tb[MLB_A_NODE_ID], &node->id))
		return -EBADMSG;
	node->fields = MLB_F_NODE_ID;
	if (tb[MLB_A_NODE_ADDR]) {
		ret = mlb_get_addr(tb[MLB_A_NODE_ADDR], &node->addr);
		if (ret)
			return ret;
		node->fields |= MLB_F_NODE_ADDR;
	}
	if (mlb_get_u32(tb[MLB_A_NODE_WEIGHT], &node->weight))
		node->fields |= MLB_F_NODE_WEIGHT;
	if (mlb_get_u32(tb[MLB_A_NODE_STATE], &state)) {
		node->state = state;
		node->fields |= MLB_F_NODE_STATE;
	}
	if (tb[MLB_A_NODE_SELF])
		node->fields |= MLB_F_NODE_SELF;
	if (mlb_get_u32(tb[MLB_A_NODE_OWNERS], &node->owners))
		node->fields |= MLB_F_NODE_OWNERS;
	if (mlb_get_u32(tb[MLB_A_NODE_ENCAP], &encap)) {
		node->encap = encap;
		node->fields |= MLB_F_NODE_ENCAP;
	}
	if (mlb_get_u16(tb[MLB_A_NODE_ENCAP_PORT], &node->encap_port))
		node->fields |= MLB_F_NODE_ENCAP_PORT;
	if (mlb_get_u32(tb[MLB_A_NODE_RTT], &node->rtt))
		node->fields |= MLB_F_NODE_RTT;
	if (tb[MLB_A_NODE_SUSPECT])
		node->fields |= MLB_F_NODE_SUSPECT;
	if (mlb_get_u32(tb[MLB_A_NODE_SILENT], &node->silent))
		node->fields |= MLB_F_NODE_SILENT;
	return 0;
}

static int send_node(struct mlb *mlb, uint8_t cmd, const struct mlb_node *node)
{
	struct nl_msg *msg = mlb_msg_new(mlb, cmd, 0, 128);

	if (!msg)
		return -ENOMEM;
	NLA_PUT_U16(msg, MLB_A_NODE_ID, node->id);
	if (node->fields & MLB_F_NODE_ADDR &&
	    mlb_put_addr(msg, MLB_A_NODE_ADDR, &node->addr))
		goto nla_put_failure;
	if (node->fields & MLB_F_NODE_WEIGHT)
		NLA_PUT_U32(msg, MLB_A_NODE_WEIGHT, node->weight);
	if (node->fields & MLB_F_NODE_STATE)
		NLA_PUT_U32(msg, MLB_A_NODE_STATE, node->state);
	if (node->fields & MLB_F_NODE_SELF)
		NLA_PUT_FLAG(msg, MLB_A_NODE_SELF);
	if (node->fields & MLB_F_NODE_ENCAP)
		NLA_PUT_U32(msg, MLB_A_NODE_ENCAP, node->encap);
	if (node->fields & MLB_F_NODE_ENCAP_PORT)
		NLA_PUT_U16(msg, MLB_A_NODE_ENCAP_PORT, node->encap_port);
	if (node->fields & MLB_F_NODE_LATER)
		NLA_PUT_FLAG(msg, MLB_A_NODE_LATER);
	return mlb_do_free(mlb, msg, &node_names, NULL, NULL);

nla_put_failure:
	nlmsg_free(msg);
	return mlb_error_local(mlb, EMSGSIZE, NULL);
}

int mlb_node_add(struct mlb *mlb, const struct mlb_node *node)
{
	return send_node(mlb, MLB_CMD_NODE_ADD, node);
}

int mlb_node_set(struct mlb *mlb, const struct mlb_node *node)
{
	if (node->fields &
	    ~(MLB_F_NODE_ID | MLB_F_NODE_WEIGHT | MLB_F_NODE_STATE |
	      MLB_F_NODE_LATER))
		return mlb_error_local(
			mlb, EINVAL, "only weight and state of a node change");
	return send_node(mlb, MLB_CMD_NODE_SET, node);
}

int mlb_node_del(struct mlb *mlb, uint16_t id)
{
	struct mlb_node node = { .id = id };

	return send_node(mlb, MLB_CMD_NODE_DEL, &node);
}

int mlb_node_probe(struct mlb *mlb, uint16_t id)
{
	struct mlb_node node = { .id = id };

	return send_node(mlb, MLB_CMD_NODE_PROBE, &node);
}

static int node_answer(struct nlmsghdr *nlh, void *arg)
{
	return mlb_node_decode(nlh, arg);
}

int mlb_node_get(struct mlb *mlb, uint16_t id, struct mlb_node *node)
{
	struct nl_msg *msg = mlb_msg_new(mlb, MLB_CMD_NODE_GET, 0,
					 nla_total_size(sizeof(id)));

	if (!msg)
		return -ENOMEM;
	NLA_PUT_U16(msg, MLB_A_NODE_ID, id);
	return mlb_do_free(mlb, msg, &node_names, node_answer, node);

nla_put_failure:
	nlmsg_free(msg);
	return mlb_error_local(mlb, EMSGSIZE, NULL);
}

struct node_each {
	mlb_node_fn *fn;
	void *arg;
};

static int node_entry(struct nlmsghdr *nlh, void *arg)
{
	const struct node_each *each = arg;
	struct mlb_node node;
	int ret = mlb_node_decode(nlh, &node);

	return ret ? ret : each->fn(&node, each->arg);
}

int mlb_node_each(struct mlb *mlb, mlb_node_fn *fn, void *arg)
{
	struct nl_msg *msg = mlb_msg_new(mlb, MLB_CMD_NODE_GET, 0, 0);
	struct node_each each = { fn, arg };

	if (!msg)
		return -ENOMEM;
	return mlb_dump_free(mlb, msg, &node_names, node_entry, &each);
}
