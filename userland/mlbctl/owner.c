// SPDX-License-Identifier: GPL-2.0
/* mlbctl owner: which node holds which connection. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bulk.h"
#include "mlbctl.h"
#include "parse.h"
#include "print.h"

#define SEEN_CPU (1u << 0)

/* The entry is first, so that a line of input is parsed by the same table. */
struct owner_args {
	struct mlb_owner one;
	struct bulk bulk;
};

/* clang-format off */
#define TOKEN_ARG(more)							\
	{ .type = ARG_TOKEN,						\
	  .name = "token",						\
	  .value = "TOKEN",						\
	  .help = "of the connection, 0x and hexadecimal, or decimal",	\
	  .flags = ARG_POSITIONAL | (more),				\
	  .offset = offsetof(struct mlb_owner, token) }

#define NODE_ARG(text, more)						\
	{ .type = ARG_U16,						\
	  .name = "node",						\
	  .value = "ID",						\
	  .help = text,							\
	  .flags = (more),						\
	  .offset = offsetof(struct mlb_owner, node),			\
	  .min = 1,							\
	  .max = MLB_NODE_ID_MAX }
/* clang-format on */

static const struct arg add_args[] = {
	TOKEN_ARG(ARG_OR_STDIN),
	NODE_ARG("the node that holds it", ARG_REQUIRED),
	{ .type = ARG_U32,
	  .name = "cpu",
	  .value = "N",
	  .help = "the CPU there that took the first subflow",
	  .field = SEEN_CPU,
	  .offset = offsetof(struct mlb_owner, cpu),
	  .max = MLB_NO_CPU - 1 },
	{ .type = ARG_CLIENT,
	  .name = "client",
	  .value = "FLOW,KEY",
	  .help = "its first subflow, SRC:PORT-VIP:PORT, and the client's key",
	  .offset = offsetof(struct mlb_owner, client) },
	{}
};

static const struct arg withdraw_args[] = {
	TOKEN_ARG(ARG_OR_STDIN),
	NODE_ARG("the node that has it no more", ARG_REQUIRED),
	{}
};

static const struct arg del_args[] = { TOKEN_ARG(ARG_OR_STDIN), {} };

struct end_args {
	const char *which;
	bool all;
	struct bulk bulk;
};

static const struct arg end_args[] = {
	{ .type = ARG_STRING,
	  .name = "token",
	  .value = "TOKEN,...|all",
	  .help = "of connections of this host, or all that it has",
	  .flags = ARG_POSITIONAL | ARG_OR_STDIN,
	  .offset = offsetof(struct end_args, which) },
	{}
};

static const struct arg get_args[] = { TOKEN_ARG(0), {} };

static const struct arg node_args[] = {
	NODE_ARG("only the entries of this node", 0),
	{}
};

#define SEEN_KEYS (1u << 1)

static const struct arg list_args[] = {
	NODE_ARG("only the entries of this node", 0),
	{ .type = ARG_FLAG,
	  .name = "keys",
	  .help = "show the clients' keys, too, with which anybody can end their\n"
		  "connections",
	  .field = SEEN_KEYS },
	{}
};

static void stdin_help(FILE *to)
{
	help_text(to, "-", 25,
		  "lines of standard input, each written as above;\n"
		  "all are checked before the first is sent");
}

static void end_help(FILE *to)
{
	help_text(to, "-", 25, "tokens of standard input, one a line");
}

/* One entry from the command line is a bulk of one. */
static const struct mlb_owner *entries_of(const struct mlbctl *ctl, size_t *n)
{
	struct owner_args *args = ctl->data;

	if (ctl->seen & ARG_SEEN_STDIN) {
		*n = args->bulk.n;
		return args->bulk.entries;
	}
	*n = 1;
	return &args->one;
}

static int prepare(struct mlbctl *ctl)
{
	struct owner_args *args = ctl->data;
	char error[ARGS_ERROR_SIZE];

	if (!(ctl->seen & ARG_SEEN_STDIN)) {
		if (!(ctl->seen & SEEN_CPU))
			args->one.cpu = MLB_NO_CPU;
		return 0;
	}
	if (!bulk_read(&args->bulk, stdin, ctl->verb->args, error))
		return usage_error(ctl, "%s", error);
	return 0;
}

static void release(struct mlbctl *ctl)
{
	struct owner_args *args = ctl->data;

	bulk_free(&args->bulk);
	free((void *)(uintptr_t)args->one.client);
}

static int bulk_refused(const struct mlbctl *ctl)
{
	const struct mlb_error *error = mlb_last_error(ctl->mlb);
	const struct owner_args *args = ctl->data;
	int ret = refused(ctl);

	if (ctl->seen & ARG_SEEN_STDIN && error->index < args->bulk.n)
		fprintf(stderr, "mlbctl: line %zu: token 0x%08x\n",
			args->bulk.lines[error->index],
			args->bulk.entries[error->index].token);
	return ret;
}

/*
 * A message is taken whole or not at all, but many entries need several. What
 * was added had not been there before, except as a peer's answer that the
 * kernel had kept and can ask for again: deleting it leaves nothing behind.
 */
static int add(struct mlbctl *ctl)
{
	const struct mlb_owner *entries;
	size_t n, done;
	int ret;

	entries = entries_of(ctl, &n);
	if (!mlb_owner_add(ctl->mlb, entries, n, 0, &done))
		return 0;
	ret = bulk_refused(ctl);
	if (done && mlb_owner_del(ctl->mlb, entries, done, NULL))
		fprintf(stderr,
			"mlbctl: %zu entries before it were added and could not be taken back: %s\n",
			done, mlb_last_error(ctl->mlb)->text);
	return ret;
}

static int first_done(struct mlbctl *ctl, size_t done, const char *how)
{
	int ret = bulk_refused(ctl);

	if (done)
		fprintf(stderr, "mlbctl: the first %zu entries are %s\n", done,
			how);
	return ret;
}

static int replace(struct mlbctl *ctl)
{
	const struct mlb_owner *entries;
	size_t n, done;

	entries = entries_of(ctl, &n);
	if (!mlb_owner_add(ctl->mlb, entries, n, MLB_OWNER_REPLACE, &done))
		return 0;
	return first_done(ctl, done, "in place");
}

static int announce(struct mlbctl *ctl)
{
	const struct mlb_owner *entries;
	size_t n, done;

	entries = entries_of(ctl, &n);
	if (!mlb_owner_add(ctl->mlb, entries, n, MLB_OWNER_ANNOUNCE, &done))
		return 0;
	return first_done(ctl, done, "announced");
}

/* What was not there does not keep the others from being withdrawn. */
static int withdraw(struct mlbctl *ctl)
{
	const struct mlb_owner *entries;
	size_t n, done;

	entries = entries_of(ctl, &n);
	if (!mlb_owner_withdraw(ctl->mlb, entries, n, &done))
		return 0;
	return first_done(ctl, done < n ? done : 0, "withdrawn");
}

static int del(struct mlbctl *ctl)
{
	const struct mlb_owner *entries;
	size_t n, done;

	entries = entries_of(ctl, &n);
	if (!mlb_owner_del(ctl->mlb, entries, n, &done))
		return 0;
	return first_done(ctl, done, "deleted");
}

/* Each is put where a line of standard input would be. */
static bool take_tokens(struct bulk *bulk, char *list)
{
	size_t room = 1;
	char *rest;

	for (const char *c = list; *c; c++)
		room += *c == ',';
	bulk->entries = calloc(room, sizeof(*bulk->entries));
	if (!bulk->entries)
		return false;
	for (char *word = list; word; word = rest) {
		rest = strchr(word, ',');
		if (rest)
			*rest++ = '\0';
		if (!parse_token(word, &bulk->entries[bulk->n].token))
			return false;
		bulk->n++;
	}
	return true;
}

static int end_prepare(struct mlbctl *ctl)
{
	struct end_args *args = ctl->data;
	char error[ARGS_ERROR_SIZE];
	char *list;
	bool good;

	if (ctl->seen & ARG_SEEN_STDIN)
		return bulk_read(&args->bulk, stdin, del_args, error) ?
			       0 :
			       usage_error(ctl, "%s", error);
	args->all = !strcmp(args->which, "all");
	if (args->all)
		return 0;
	list = strdup(args->which);
	good = list && take_tokens(&args->bulk, list);
	free(list);
	return good ? 0 :
		      usage_error(ctl, "\"%s\" is neither tokens nor \"all\"",
				  args->which);
}

static void end_release(struct mlbctl *ctl)
{
	struct end_args *args = ctl->data;

	bulk_free(&args->bulk);
}

static void print_ended(struct output *out, const struct mlb_ended *ended)
{
	out_begin(out);
	out_uint(out, "ended", "ended", ended->ended, NULL);
	out_uint(out, "gone", "gone", ended->gone, NULL);
	out_uint(out, "detached", "detached", ended->detached, NULL);
	out_end(out);
}

/* Of all that there are, some have always ended meanwhile. */
static int end(struct mlbctl *ctl)
{
	struct end_args *args = ctl->data;
	struct mlb_ended ended;
	int ret;

	if (args->all)
		ret = mlb_owner_end_all(ctl->mlb, &ended);
	else
		ret = mlb_owner_end(ctl->mlb, args->bulk.entries, args->bulk.n,
				    &ended);
	if (!ret || ended.ended)
		print_ended(&ctl->out, &ended);
	if (ret) {
		size_t i = mlb_last_error(ctl->mlb)->index;

		ret = refused(ctl);
		if (i < args->bulk.n)
			fprintf(stderr, "mlbctl: token 0x%08x\n",
				args->bulk.entries[i].token);
		return ret;
	}
	if (ended.detached)
		fprintf(stderr,
			"mlbctl: connections that no application holds go on: %" PRIu64
			"; it has not accepted them yet, or has closed them\n",
			ended.detached);
	if (ended.gone && !args->all)
		fprintf(stderr,
			"mlbctl: tokens of no connection of this host: %" PRIu64
			"\n",
			ended.gone);
	return ended.detached || (ended.gone && !args->all) ? EXIT_REFUSED : 0;
}

static int list_one(const struct mlb_owner *owner, void *arg)
{
	struct mlbctl *ctl = arg;

	out_begin(&ctl->out);
	print_owner(&ctl->out, owner, ctl->seen & SEEN_KEYS);
	out_end(&ctl->out);
	return 0;
}

static int list(struct mlbctl *ctl)
{
	const struct mlb_owner *filter = ctl->data;
	int ret;

	out_list_begin(&ctl->out);
	ret = mlb_owner_each(ctl->mlb, filter->node, list_one, ctl);
	out_list_end(&ctl->out);
	return ret;
}

static int get(struct mlbctl *ctl)
{
	struct mlb_owner *owner = ctl->data;
	int ret = mlb_owner_get(ctl->mlb, owner->token, owner);

	return ret ? ret : list_one(owner, ctl);
}

static int flush(struct mlbctl *ctl)
{
	const struct mlb_owner *filter = ctl->data;

	return mlb_owner_flush(ctl->mlb, filter->node);
}

static const struct verb verbs[] = {
	{ .name = "add",
	  .help = "add entries of other nodes; none may exist",
	  .args = add_args,
	  .size = sizeof(struct owner_args),
	  .prepare = prepare,
	  .run = add,
	  .release = release,
	  .more_help = stdin_help },
	{ .name = "replace",
	  .help = "add entries of other nodes, or change those that exist",
	  .args = add_args,
	  .size = sizeof(struct owner_args),
	  .prepare = prepare,
	  .run = replace,
	  .release = release,
	  .more_help = stdin_help },
	{ .name = "announce",
	  .help = "add entries of other nodes; one that exists at another node\n"
		  "is contested, and joins to it are refused",
	  .args = add_args,
	  .size = sizeof(struct owner_args),
	  .prepare = prepare,
	  .run = announce,
	  .release = release,
	  .more_help = stdin_help },
	{ .name = "withdraw",
	  .help = "take announcements of nodes back; what was contested is the\n"
		  "other node's then",
	  .args = withdraw_args,
	  .size = sizeof(struct owner_args),
	  .prepare = prepare,
	  .run = withdraw,
	  .release = release,
	  .more_help = stdin_help },
	{ .name = "del",
	  .help = "delete entries of other nodes",
	  .args = del_args,
	  .size = sizeof(struct owner_args),
	  .prepare = prepare,
	  .run = del,
	  .release = release,
	  .more_help = stdin_help },
	{ .name = "end",
	  .help = "end connections of this host; their clients and the server's\n"
		  "application are told at once",
	  .args = end_args,
	  .size = sizeof(struct end_args),
	  .prepare = end_prepare,
	  .run = end,
	  .release = end_release,
	  .more_help = end_help },
	{ .name = "get",
	  .help = "show one entry",
	  .args = get_args,
	  .size = sizeof(struct mlb_owner),
	  .run = get },
	{ .name = "list",
	  .help = "show the owner table",
	  .args = list_args,
	  .size = sizeof(struct mlb_owner),
	  .run = list },
	{ .name = "flush",
	  .help = "delete every entry of other nodes",
	  .args = node_args,
	  .size = sizeof(struct mlb_owner),
	  .run = flush },
	{}
};

static const struct hint hints[] = {
	{ EEXIST,
	  "\"mlbctl owner replace\" overwrites, \"announce\" contests" },
	{ ENOSPC, "the limit is \"mlbctl set max-owners\"" },
	{}
};

static struct command command = {
	.name = "owner",
	.help = "owner table: which node holds which connection",
	.verbs = verbs,
	.hints = hints,
};

MLBCTL_COMMAND(command)
