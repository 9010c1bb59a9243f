/* SPDX-License-Identifier: GPL-2.0 */
/* The file that holds the cluster key. */
#ifndef MLBCTL_KEY_FILE_H
#define MLBCTL_KEY_FILE_H

#include "libmlb.h"

/**
 * key_file_read() - read the cluster key
 * @len: MLB_KEY_LEN_MIN to MLB_KEY_LEN_MAX
 *
 * Return: NULL, or what is wrong with the file, to follow its name.
 */
const char *key_file_read(const char *path, uint8_t key[MLB_KEY_LEN_MAX],
			  size_t *len);

#endif /* MLBCTL_KEY_FILE_H */
