// SPDX-License-Identifier: GPL-2.0
/* mlbctl pool: the nodes that do a service's work for a group of clients. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "edit_pools.h"
#include "mlbctl.h"
#include "parse.h"
#include "pool_file.h"
#include "print.h"

struct pool_args {
	struct mlb_group_pool pool;
	const char *text;
	struct node_list nodes;
	struct pool_file file;
};

/* Not of the message: whether a word was given. */
#define F_WAIT (1u << 0)

/* clang-format off */
#define VIP_ARG								\
	{ .type = ARG_ENDPOINT,						\
	  .name = "service",						\
	  .value = "VIP:PORT",						\
	  .help = "the service, IPv6 as [ADDR]:PORT",			\
	  .flags = ARG_POSITIONAL,					\
	  .offset = offsetof(struct pool_args, pool.vip) }

#define GROUP_ARG							\
	{ .type = ARG_U16,						\
	  .name = "group",						\
	  .value = "ID",						\
	  .help = "for clients of this group; without it, for those whose\n" \
		  "group has no pool of the service, or who are in none", \
	  .offset = offsetof(struct pool_args, pool.group),		\
	  .min = 1,							\
	  .max = UINT16_MAX }
/* clang-format on */

static const struct arg set_args[] = {
	VIP_ARG,
	GROUP_ARG,
	{ .type = ARG_STRING,
	  .name = "nodes",
	  .value = "ID,...",
	  .help = "their nodes, or \"none\" to refuse their connections",
	  .flags = ARG_REQUIRED,
	  .offset = offsetof(struct pool_args, text) },
	{ .type = ARG_FLAG,
	  .name = "wait",
	  .help = "while none of them takes new connections, do not refuse\n"
		  "them but drop their SYNs, which clients send again",
	  .field = F_WAIT },
	{}
};

static const struct arg del_args[] = { VIP_ARG, GROUP_ARG, {} };
static const struct arg list_args[] = { {} };

static const struct arg load_args[] = {
	{ .type = ARG_STRING,
	  .name = "file",
	  .value = "FILE",
	  .help = "lines as \"mlbctl group list\" and \"mlbctl pool list\"\n"
		  "print them, \"-\" for standard input",
	  .flags = ARG_POSITIONAL,
	  .offset = offsetof(struct pool_args, text) },
	{}
};

static int prepare_set(struct mlbctl *ctl)
{
	struct pool_args *args = ctl->data;
	const char *wrong = parse_pool_nodes(args->text, &args->nodes);

	if (wrong)
		return usage_error(ctl, "nodes \"%s\" %s", args->text, wrong);
	args->pool.nodes = args->nodes.id;
	args->pool.n_nodes = args->nodes.n;
	args->pool.wait = ctl->seen & F_WAIT;
	return 0;
}

static int set_one(struct edit_pools *edit, void *arg)
{
	const struct pool_args *args = arg;
	struct mlb_group_pool *pool =
		edit_find_pool(edit, &args->pool.vip, args->pool.group);

	if (!pool)
		pool = &edit->pools[edit->n_pools++];
	*pool = args->pool;
	return 0;
}

static int del_one(struct edit_pools *edit, void *arg)
{
	const struct pool_args *args = arg;
	struct mlb_group_pool *pool =
		edit_find_pool(edit, &args->pool.vip, args->pool.group);

	if (!pool) {
		fputs("mlbctl: the service has no such pool\n", stderr);
		return EXIT_REFUSED;
	}
	edit_del_pool(edit, pool);
	return 0;
}

static int set(struct mlbctl *ctl)
{
	return edit_pools(ctl->mlb, set_one, ctl->data);
}

static int del(struct mlbctl *ctl)
{
	return edit_pools(ctl->mlb, del_one, ctl->data);
}

static int prepare_load(struct mlbctl *ctl)
{
	struct pool_args *args = ctl->data;
	char error[ARGS_ERROR_SIZE];

	if (!strcmp(args->text, "-") && ctl->in_batch)
		return usage_error(ctl, "not in a batch");
	if (!pool_file_read(&args->file, args->text, error))
		return usage_error(ctl, "%s", error);
	return 0;
}

static int load(struct mlbctl *ctl)
{
	const struct pool_args *args = ctl->data;

	return mlb_pools_set(ctl->mlb, &args->file.pools);
}

static void release_load(struct mlbctl *ctl)
{
	struct pool_args *args = ctl->data;

	pool_file_free(&args->file);
}

static int list(struct mlbctl *ctl)
{
	struct mlb_pools *pools;
	int ret = mlb_pools_get(ctl->mlb, &pools);

	if (ret)
		return ret;
	out_list_begin(&ctl->out);
	for (size_t i = 0; i < pools->n_pools; i++) {
		out_begin(&ctl->out);
		print_group_pool(&ctl->out, &pools->pools[i]);
		out_end(&ctl->out);
	}
	out_list_end(&ctl->out);
	mlb_pools_free(pools);
	return 0;
}

static const struct verb verbs[] = {
	{ .name = "set",
	  .help = "say which nodes take new connections of a group",
	  .args = set_args,
	  .size = sizeof(struct pool_args),
	  .prepare = prepare_set,
	  .run = set },
	{ .name = "del",
	  .help = "make no difference any more between the group and others",
	  .args = del_args,
	  .size = sizeof(struct pool_args),
	  .run = del },
	{ .name = "load",
	  .help = "replace all groups and all pools at once",
	  .args = load_args,
	  .size = sizeof(struct pool_args),
	  .prepare = prepare_load,
	  .run = load,
	  .release = release_load },
	{ .name = "list",
	  .help = "show the pools of all services",
	  .args = list_args,
	  .run = list },
	{}
};

static const struct hint hints[] = {
	{ ENOENT, "see what there is with \"mlbctl service list\"" },
	{ EINVAL, "see what there is with \"mlbctl group list\" and "
		  "\"mlbctl node list\"" },
	{}
};

static struct command command = {
	.name = "pool",
	.help = "nodes that services have for groups of clients",
	.verbs = verbs,
	.hints = hints,
};

MLBCTL_COMMAND(command)
