/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_KERNEL_H
#define _UNIT_LINUX_KERNEL_H

#include <endian.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define cpu_to_be16(x)	htobe16(x)
#define cpu_to_be32(x)	htobe32(x)
#define cpu_to_be64(x)	htobe64(x)
#define be16_to_cpu(x)	be16toh(x)
#define be32_to_cpu(x)	be32toh(x)
#define be64_to_cpu(x)	be64toh(x)

#define htons(x)	htobe16(x)
#define ntohs(x)	be16toh(x)
#define ntohl(x)	be32toh(x)

#endif
