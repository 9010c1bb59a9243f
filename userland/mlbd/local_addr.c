// SPDX-License-Identifier: GPL-2.0
#include <ifaddrs.h>
#include <string.h>

#include "local_addr.h"

static bool same(const struct sockaddr *a, const struct mlb_addr *b)
{
	union {
		const struct sockaddr *any;
		const struct sockaddr_in *v4;
		const struct sockaddr_in6 *v6;
	} sa = { a };

	if (!a || a->sa_family != b->family)
		return false;
	return b->family == AF_INET ?
		       sa.v4->sin_addr.s_addr == b->v4.s_addr :
		       IN6_ARE_ADDR_EQUAL(&sa.v6->sin6_addr, &b->v6);
}

bool local_addr(const struct mlb_addr *addr)
{
	struct ifaddrs *all;
	bool found = false;

	if (getifaddrs(&all))
		return true;
	for (struct ifaddrs *i = all; i && !found; i = i->ifa_next)
		found = same(i->ifa_addr, addr);
	freeifaddrs(all);
	return found;
}
