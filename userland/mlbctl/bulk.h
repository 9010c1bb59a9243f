/* SPDX-License-Identifier: GPL-2.0 */
/* Owner entries from standard input. */
#ifndef MLBCTL_BULK_H
#define MLBCTL_BULK_H

#include "args.h"
#include "libmlb.h"

struct bulk {
	struct mlb_owner *entries;
	size_t *lines; /* on which each of them stood, from 1 */
	size_t n;
	size_t room;
};

/**
 * bulk_read() - read all lines, each as args say
 * @error: where what is wrong is written, ARGS_ERROR_SIZE bytes
 *
 * Empty lines and lines that start with # are passed over. A token that comes
 * twice is an error.
 *
 * Return: whether all of it is good. @bulk is to be freed in any case.
 */
bool bulk_read(struct bulk *bulk, FILE *from, const struct arg *args,
	       char *error);

void bulk_free(struct bulk *bulk);

#endif /* MLBCTL_BULK_H */
