// SPDX-License-Identifier: GPL-2.0
/* mlbctl key: the cluster key. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mlbctl.h"

struct key_args {
	const char *path;
	size_t len;
	uint8_t key[MLB_KEY_LEN_MAX + 1];
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

static const char *check_file(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "is not a regular file";
	if (st->st_mode & (S_IRGRP | S_IROTH))
		return "can be read by others: chmod 600 it, and make a new key if it ever was";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "can be written by others: chmod 600 it";
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return "belongs to another user";
	return NULL;
}

/* Up to one byte more than a key may have, to see that there is none. */
static const char *read_key(int fd, struct key_args *args)
{
	while (args->len < sizeof(args->key)) {
		ssize_t n = read(fd, args->key + args->len,
				 sizeof(args->key) - args->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return strerror(errno);
		if (!n)
			break;
		args->len += (size_t)n;
	}
	if (args->len < MLB_KEY_LEN_MIN)
		return "has less than 16 bytes";
	if (args->len > MLB_KEY_LEN_MAX)
		return "has more than 64 bytes";
	return NULL;
}

/*
 * Looks at the open file and not at the path, which could name another one by
 * then. O_NONBLOCK: opening a FIFO must not wait for its writer.
 */
static int prepare(struct mlbctl *ctl)
{
	struct key_args *args = ctl->data;
	const char *wrong = NULL;
	struct stat st;
	int fd = open(args->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st))
		wrong = strerror(errno);
	if (!wrong)
		wrong = check_file(&st);
	if (!wrong)
		wrong = read_key(fd, args);
	if (fd >= 0)
		close(fd);
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
