// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "local_addr.h"

/* As the module finds it out for its own socket. */
bool local_addr(const struct mlb_addr *addr)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_addr = addr->v4 };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_addr = addr->v6 };
	int fd = socket(addr->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool missing;

	if (fd < 0)
		return true;
	missing = (addr->family == AF_INET ?
			   bind(fd, (struct sockaddr *)&v4, sizeof(v4)) :
			   bind(fd, (struct sockaddr *)&v6, sizeof(v6))) &&
		  errno == EADDRNOTAVAIL;
	close(fd);
	return !missing;
}
