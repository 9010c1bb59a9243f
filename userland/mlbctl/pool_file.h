/* SPDX-License-Identifier: GPL-2.0 */
/* All groups and pools, as their lists print them. */
#ifndef MLBCTL_POOL_FILE_H
#define MLBCTL_POOL_FILE_H

#include "args.h"
#include "libmlb.h"

struct pool_file {
	struct mlb_pools pools;
	struct mlb_group *groups;
	size_t room_groups;
	struct mlb_group_pool *entries;
	size_t room_entries;
};

/**
 * pool_file_read() - read all lines of a file, "-" for standard input
 * @error: where what is wrong is written, ARGS_ERROR_SIZE bytes
 *
 * Return: whether all of it is good. @file is to be freed in any case.
 */
bool pool_file_read(struct pool_file *file, const char *path, char *error);
void pool_file_free(struct pool_file *file);

#endif /* MLBCTL_POOL_FILE_H */
