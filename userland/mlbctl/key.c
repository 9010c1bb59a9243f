// SPDX-License-Identifier: GPL-2.0
/* mlbctl key: the cluster key. */
#include <string.h>

#include "key_file.h"
#include "mlbctl.h"

struct key_args {
	const char *path;
	size_t len;
	uint8_t key[MLB_KEY_LEN_MAX];
};

static const struct arg set_args[] = {
	{ .type = ARG_STRING,
	  .name = "file",
	  .value = "FILE",
	  .help = "16 to 64 bytes, all of which count, also a newline at the end;\n"
		  "only its owner may read or write it",
	  .flags = ARG_POSITIONAL,
	  .offset = offsetof(struct key_args, path) },
	{}
};

static int prepare(struct mlbctl *ctl)
{
	struct key_args *args = ctl->data;
	const char *wrong = key_file_read(args->path, args->key, &args->len);

	if (wrong)
		return usage_error(ctl, "%s: %s", args->path, wrong);
	return 0;
}

static int set(struct mlbctl *ctl)
{
	const struct key_args *args = ctl->data;

	return mlb_key_set(ctl->mlb, args->key, args->len);
}

static void release(struct mlbctl *ctl)
{
	explicit_bzero(ctl->data, sizeof(struct key_args));
}

static const struct verb verbs[] = {
	{ .name = "set",
	  .help = "set the key that all nodes of the cluster share",
	  .args = set_args,
	  .size = sizeof(struct key_args),
	  .prepare = prepare,
	  .run = set,
	  .release = release },
	{}
};

static struct command command = {
	.name = "key",
	.help = "cluster key",
	.verbs = verbs,
};

MLBCTL_COMMAND(command)
