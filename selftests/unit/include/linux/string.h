/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_STRING_H
#define _UNIT_LINUX_STRING_H

#include <string.h>

static inline const void *memchr_inv(const void *start, int c, size_t size)
{
	const unsigned char *p = start;

	for (; size; p++, size--)
		if (*p != (unsigned char)c)
			return p;
	return NULL;
}

#endif
