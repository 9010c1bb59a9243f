/* SPDX-License-Identifier: GPL-2.0 */
/*
 * packet.c, in a namespace that has but services on every address, at two
 * ports, and counters.
 */
#ifndef _PACKET_UNIT_H
#define _PACKET_UNIT_H

#include <limits.h>
#include <linux/build_bug.h>
#include <linux/in.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/types.h>

#include "tuple.h"

#define _MLB_NET_H
#define _MLB_SERVICE_H

#define UNIT_PORT	443
#define UNIT_PORT_TOO	80

enum mlb_counter {
#define MLB_COUNTER(name) MLB_CNT_##name,
#include "stats_gen.h"
#undef MLB_COUNTER
	MLB_CNT_MAX
};

struct mlb_service {
	__be16 port;
};

struct mlb_net {
	struct mlb_service services[2];
	unsigned int counts[MLB_CNT_MAX];
};

#define UNIT_NET { .services = { { htons(UNIT_PORT) }, \
				 { htons(UNIT_PORT_TOO) } } }

#define mlb_count(mn, name)	((mn)->counts[MLB_CNT_##name]++)

static inline struct mlb_service *mlb_service_find(struct mlb_net *mn,
						   const struct in6_addr *addr,
						   __be16 port)
{
	(void)addr;
	for (unsigned int i = 0; i < ARRAY_SIZE(mn->services); i++)
		if (mn->services[i].port == port)
			return &mn->services[i];
	return NULL;
}

#include "packet.c"

#endif
