// SPDX-License-Identifier: GPL-2.0
/* mlbctl node: the members of the cluster. */
#include <errno.h>

#include "mlbctl.h"
#include "nouns.h"
#include "print.h"

static const struct arg add_args[] = {
	{ .type = ARG_U16,
	  .name = "node",
	  .value = "ID",
	  .help = "number of the node, 1..4095",
	  .flags = ARG_POSITIONAL,
	  .field = MLB_F_NODE_ID,
	  .offset = offsetof(struct mlb_node, id),
	  .min = 1,
	  .max = MLB_NODE_ID_MAX },
	{ .type = ARG_ADDR,
	  .name = "addr",
	  .value = "ADDR",
	  .help = "its address in the cluster network",
	  .flags = ARG_REQUIRED,
	  .field = MLB_F_NODE_ADDR,
	  .offset = offsetof(struct mlb_node, addr) },
	{ .type = ARG_WORD,
	  .name = "encap",
	  .value = "ENCAP",
	  .help = "how packets reach it: mlb, or for a node that has only a\n"
		  "decapsulator ipip or gue",
	  .field = MLB_F_NODE_ENCAP,
	  .offset = offsetof(struct mlb_node, encap),
	  .words = encap_words },
	{ .type = ARG_U16,
	  .name = "port",
	  .value = "N",
	  .help = "UDP port of its decapsulator, with gue; 6080 if not set",
	  .field = MLB_F_NODE_ENCAP_PORT,
	  .offset = offsetof(struct mlb_node, encap_port),
	  .min = 1,
	  .max = UINT16_MAX },
	{ .type = ARG_U32,
	  .name = "weight",
	  .value = "W",
	  .help = "share of new connections under maglev, 0..65535",
	  .field = MLB_F_NODE_WEIGHT,
	  .offset = offsetof(struct mlb_node, weight),
	  .max = MLB_WEIGHT_MAX },
	{ .type = ARG_WORD,
	  .name = "state",
	  .value = "STATE",
	  .help = "active, drain, maintenance or dead",
	  .field = MLB_F_NODE_STATE,
	  .offset = offsetof(struct mlb_node, state),
	  .words = node_state_words },
	{ .type = ARG_FLAG,
	  .name = "self",
	  .help = "the node is this host",
	  .field = MLB_F_NODE_SELF },
	{}
};

const struct arg node_set_args[] = {
	{ .type = ARG_U16,
	  .name = "node",
	  .value = "ID",
	  .help = "number of the node",
	  .flags = ARG_POSITIONAL,
	  .field = MLB_F_NODE_ID,
	  .offset = offsetof(struct mlb_node, id),
	  .min = 1,
	  .max = MLB_NODE_ID_MAX },
	{ .type = ARG_U32,
	  .name = "weight",
	  .value = "W",
	  .help = "share of new connections under maglev, 0..65535",
	  .field = MLB_F_NODE_WEIGHT,
	  .offset = offsetof(struct mlb_node, weight),
	  .max = MLB_WEIGHT_MAX },
	{ .type = ARG_WORD,
	  .name = "state",
	  .value = "STATE",
	  .help = "active: takes everything; drain: no new connections;\n"
		  "maintenance: no joins either; dead: nothing",
	  .field = MLB_F_NODE_STATE,
	  .offset = offsetof(struct mlb_node, state),
	  .words = node_state_words },
	{}
};

static const struct arg del_args[] = { { .type = ARG_U16,
					 .name = "node",
					 .value = "ID",
					 .help = "number of the node",
					 .flags = ARG_POSITIONAL,
					 .offset =
						 offsetof(struct mlb_node, id),
					 .min = 1,
					 .max = MLB_NODE_ID_MAX },
				       {} };

static const struct arg list_args[] = { {} };

static int prepare_add(struct mlbctl *ctl)
{
	const struct mlb_node *node = ctl->data;

	if (ctl->seen & MLB_F_NODE_ENCAP_PORT && node->encap != MLB_ENCAP_GUE)
		return usage_error(ctl, "port is for \"encap gue\" only");
	return 0;
}

static int add(struct mlbctl *ctl)
{
	struct mlb_node *node = ctl->data;

	node->fields = ctl->seen;
	return mlb_node_add(ctl->mlb, node);
}

static int prepare_set(struct mlbctl *ctl)
{
	if (ctl->seen == MLB_F_NODE_ID)
		return usage_error(ctl, "nothing to change");
	return 0;
}

static int set(struct mlbctl *ctl)
{
	struct mlb_node *node = ctl->data;

	node->fields = ctl->seen;
	return mlb_node_set(ctl->mlb, node);
}

static int del(struct mlbctl *ctl)
{
	const struct mlb_node *node = ctl->data;

	return mlb_node_del(ctl->mlb, node->id);
}

static int list_one(const struct mlb_node *node, void *arg)
{
	struct output *out = arg;

	out_begin(out);
	print_node(out, node);
	out_end(out);
	return 0;
}

static int list(struct mlbctl *ctl)
{
	int ret;

	out_list_begin(&ctl->out);
	ret = mlb_node_each(ctl->mlb, list_one, &ctl->out);
	out_list_end(&ctl->out);
	return ret;
}

static const struct verb verbs[] = {
	{ .name = "add",
	  .help = "add a node",
	  .args = add_args,
	  .size = sizeof(struct mlb_node),
	  .prepare = prepare_add,
	  .run = add },
	{ .name = "set",
	  .help = "change weight or state of a node",
	  .args = node_set_args,
	  .size = sizeof(struct mlb_node),
	  .prepare = prepare_set,
	  .run = set },
	{ .name = "del",
	  .help = "delete a node, its owner and its flow entries",
	  .args = del_args,
	  .size = sizeof(struct mlb_node),
	  .run = del },
	{ .name = "list",
	  .help = "show all nodes",
	  .args = list_args,
	  .run = list },
	{}
};

static const struct hint hints[] = {
	{ EEXIST, "see what there is with \"mlbctl node list\"" },
	{ ENOENT, "see what there is with \"mlbctl node list\"" },
	{ EBUSY, "\"mlbctl service list\" shows the pools" },
	{}
};

static struct command command = {
	.name = "node",
	.help = "members of the cluster",
	.verbs = verbs,
	.hints = hints,
};

MLBCTL_COMMAND(command)
