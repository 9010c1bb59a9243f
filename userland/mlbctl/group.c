// SPDX-License-Identifier: GPL-2.0
/* mlbctl group: clients that services can have pools of their own for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "edit_pools.h"
#include "mlbctl.h"
#include "parse.h"
#include "print.h"

#define SEEN_PREFIX (1u << 0)

struct group_args {
	uint16_t id;
	const char *text;
	struct mlb_prefix *prefixes;
	size_t n;
	struct mlb_prefix *merged; /* with those that are there */
};

/* clang-format off */
#define ID_ARG								\
	{ .type = ARG_U16,						\
	  .name = "group",						\
	  .value = "ID",						\
	  .help = "number of the group, 1..65535",			\
	  .flags = ARG_POSITIONAL,					\
	  .offset = offsetof(struct group_args, id),			\
	  .min = 1,							\
	  .max = UINT16_MAX }

#define PREFIX_ARG(text_, flags_)					\
	{ .type = ARG_STRING,						\
	  .name = "prefix",						\
	  .value = "PREFIX,...",					\
	  .help = text_,						\
	  .flags = flags_,						\
	  .field = SEEN_PREFIX,						\
	  .offset = offsetof(struct group_args, text) }
/* clang-format on */

static const struct arg add_args[] = {
	ID_ARG,
	PREFIX_ARG("networks of clients, IPv4 and IPv6", ARG_REQUIRED),
	{}
};

static const struct arg del_args[] = { ID_ARG,
				       PREFIX_ARG("only these of its networks",
						  0),
				       {} };

static const struct arg list_args[] = { {} };

static int prepare(struct mlbctl *ctl)
{
	struct group_args *args = ctl->data;
	const char *wrong;

	if (!(ctl->seen & SEEN_PREFIX))
		return 0;
	wrong = parse_prefix_list(args->text, &args->prefixes, &args->n);
	if (wrong)
		return usage_error(ctl, "prefix \"%s\" %s", args->text, wrong);
	return 0;
}

static void release(struct mlbctl *ctl)
{
	struct group_args *args = ctl->data;

	free(args->prefixes);
	free(args->merged);
}

static bool same(const struct mlb_prefix *a, const struct mlb_prefix *b)
{
	return a->addr.family == b->addr.family && a->len == b->len &&
	       !memcmp(&a->addr.v6, &b->addr.v6, sizeof(a->addr.v6));
}

static bool named(const struct group_args *args,
		  const struct mlb_prefix *prefix)
{
	for (size_t i = 0; i < args->n; i++)
		if (same(&args->prefixes[i], prefix))
			return true;
	return false;
}

/* A prefix that the group has already is named twice then, which the kernel
 * refuses.
 */
static int add_one(struct edit_pools *edit, void *arg)
{
	struct group_args *args = arg;
	struct mlb_group *group = edit_find_group(edit, args->id);
	size_t n = group ? group->n_prefixes : 0;

	if (!group) {
		group = &edit->groups[edit->n_groups++];
		*group = (struct mlb_group){ .id = args->id };
	}
	free(args->merged);
	args->merged = calloc(n + args->n, sizeof(*args->merged));
	if (!args->merged)
		return -ENOMEM;
	if (n)
		memcpy(args->merged, group->prefixes,
		       n * sizeof(*args->merged));
	memcpy(args->merged + n, args->prefixes,
	       args->n * sizeof(*args->merged));
	group->prefixes = args->merged;
	group->n_prefixes = n + args->n;
	return 0;
}

static int set_one(struct edit_pools *edit, void *arg)
{
	struct group_args *args = arg;
	struct mlb_group *group = edit_find_group(edit, args->id);

	if (!group)
		group = &edit->groups[edit->n_groups++];
	*group = (struct mlb_group){ .id = args->id,
				     .prefixes = args->prefixes,
				     .n_prefixes = args->n };
	return 0;
}

static int say(const char *what)
{
	fprintf(stderr, "mlbctl: %s\n", what);
	return EXIT_REFUSED;
}

static int del_one(struct edit_pools *edit, void *arg)
{
	struct group_args *args = arg;
	struct mlb_group *group = edit_find_group(edit, args->id);
	size_t n = 0;

	if (!group)
		return say("there is no such group");
	if (args->n) {
		free(args->merged);
		args->merged = calloc(group->n_prefixes, sizeof(*args->merged));
		if (!args->merged)
			return -ENOMEM;
		for (size_t i = 0; i < group->n_prefixes; i++)
			if (!named(args, &group->prefixes[i]))
				args->merged[n++] = group->prefixes[i];
		if (group->n_prefixes - n != args->n)
			return say(
				"the group does not have all these prefixes");
		group->prefixes = args->merged;
		group->n_prefixes = n;
	}
	if (!n)
		edit_del_group(edit, group);
	return 0;
}

static int add(struct mlbctl *ctl)
{
	return edit_pools(ctl->mlb, add_one, ctl->data);
}

static int set(struct mlbctl *ctl)
{
	return edit_pools(ctl->mlb, set_one, ctl->data);
}

static int del(struct mlbctl *ctl)
{
	return edit_pools(ctl->mlb, del_one, ctl->data);
}

static int list(struct mlbctl *ctl)
{
	struct mlb_pools *pools;
	int ret = mlb_pools_get(ctl->mlb, &pools);

	if (ret)
		return ret;
	out_list_begin(&ctl->out);
	for (size_t i = 0; i < pools->n_groups; i++) {
		out_begin(&ctl->out);
		print_group(&ctl->out, &pools->groups[i]);
		out_end(&ctl->out);
	}
	out_list_end(&ctl->out);
	mlb_pools_free(pools);
	return 0;
}

static const struct verb verbs[] = {
	{ .name = "add",
	  .help = "add networks to a group, which need not be there",
	  .args = add_args,
	  .size = sizeof(struct group_args),
	  .prepare = prepare,
	  .run = add,
	  .release = release },
	{ .name = "set",
	  .help = "give a group these networks, and no others",
	  .args = add_args,
	  .size = sizeof(struct group_args),
	  .prepare = prepare,
	  .run = set,
	  .release = release },
	{ .name = "del",
	  .help = "delete a group, or networks of it",
	  .args = del_args,
	  .size = sizeof(struct group_args),
	  .prepare = prepare,
	  .run = del,
	  .release = release },
	{ .name = "list",
	  .help = "show all groups",
	  .args = list_args,
	  .run = list },
	{}
};

static const struct hint hints[] = {
	{ EEXIST, "see what there is with \"mlbctl group list\"" },
	{ EINVAL, "\"mlbctl pool list\" shows which groups are in use" },
	{}
};

static struct command command = {
	.name = "group",
	.help = "groups of clients",
	.verbs = verbs,
	.hints = hints,
};

MLBCTL_COMMAND(command)
