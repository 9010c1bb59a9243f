/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_SIPHASH_H
#define _UNIT_LINUX_SIPHASH_H

#include <linux/types.h>

#define SIPHASH_ALIGNMENT	__alignof__(u64)

typedef struct {
	u64 key[2];
} siphash_key_t;

u64 siphash(const void *data, size_t len, const siphash_key_t *key);

#endif
