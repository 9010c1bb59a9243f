// SPDX-License-Identifier: GPL-2.0
/* mlbctl service: the virtual addresses that the cluster serves. */
#include <errno.h>

#include "mlbctl.h"
#include "nouns.h"
#include "print.h"

/* clang-format off */
#define VIP_ARG								\
	{ .type = ARG_ENDPOINT,						\
	  .name = "service",						\
	  .value = "VIP:PORT",						\
	  .help = "virtual address and TCP port, IPv6 as [ADDR]:PORT",	\
	  .flags = ARG_POSITIONAL,					\
	  .offset = offsetof(struct service_args, service.vip) }
/* clang-format on */

/* For add and set, which differ in what they do without a keyword. */
const struct arg service_change_args[] = {
	VIP_ARG,
	{ .type = ARG_WORD,
	  .name = "sched",
	  .value = "local|maglev",
	  .help = "local: a new connection stays on the node it reached;\n"
		  "maglev: weighted consistent hashing over the pool",
	  .field = MLB_F_SERVICE_SCHEDULER,
	  .offset = offsetof(struct service_args, service.scheduler),
	  .words = scheduler_words },
	{ .type = ARG_NODES,
	  .name = "nodes",
	  .value = "ID,...",
	  .help = "the pool, or \"all\" for every node",
	  .field = MLB_F_SERVICE_NODES,
	  .offset = offsetof(struct service_args, nodes) },
	{}
};

const struct arg service_del_args[] = { VIP_ARG, {} };
static const struct arg list_args[] = { {} };

static const struct mlb_service *service_of(struct mlbctl *ctl)
{
	struct service_args *args = ctl->data;

	args->service.fields = ctl->seen;
	args->service.nodes = args->nodes.id;
	args->service.n_nodes = args->nodes.n;
	return &args->service;
}

static int add(struct mlbctl *ctl)
{
	return mlb_service_add(ctl->mlb, service_of(ctl));
}

static int prepare_set(struct mlbctl *ctl)
{
	if (!ctl->seen)
		return usage_error(ctl, "nothing to change");
	return 0;
}

static int set(struct mlbctl *ctl)
{
	return mlb_service_set(ctl->mlb, service_of(ctl));
}

static int del(struct mlbctl *ctl)
{
	return mlb_service_del(ctl->mlb, &service_of(ctl)->vip);
}

static int list_one(const struct mlb_service *service, void *arg)
{
	struct output *out = arg;

	out_begin(out);
	print_service(out, service);
	out_end(out);
	return 0;
}

static int list(struct mlbctl *ctl)
{
	int ret;

	out_list_begin(&ctl->out);
	ret = mlb_service_each(ctl->mlb, list_one, &ctl->out);
	out_list_end(&ctl->out);
	return ret;
}

static const struct verb verbs[] = {
	{ .name = "add",
	  .help = "serve an address and port",
	  .args = service_change_args,
	  .size = sizeof(struct service_args),
	  .run = add },
	{ .name = "set",
	  .help = "change scheduler or pool; what is not named stays",
	  .args = service_change_args,
	  .size = sizeof(struct service_args),
	  .prepare = prepare_set,
	  .run = set },
	{ .name = "del",
	  .help = "stop serving, and delete the flow entries",
	  .args = service_del_args,
	  .size = sizeof(struct service_args),
	  .run = del },
	{ .name = "list",
	  .help = "show all services",
	  .args = list_args,
	  .run = list },
	{}
};

static const struct hint hints[] = {
	{ EEXIST, "see what there is with \"mlbctl service list\"" },
	{ ENOENT, "see what there is with \"mlbctl service list\" and "
		  "\"mlbctl node list\"" },
	{}
};

static struct command command = {
	.name = "service",
	.help = "virtual addresses that the cluster serves",
	.verbs = verbs,
	.hints = hints,
};

MLBCTL_COMMAND(command)
