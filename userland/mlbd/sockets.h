/* SPDX-License-Identifier: GPL-2.0 */
/* TCP connections of this host. */
#ifndef MLBD_SOCKETS_H
#define MLBD_SOCKETS_H

#include <stdatomic.h>

#include "libmlb.h"

/**
 * sockets_count() - how many connections clients have with services
 * @services: sorted by this call
 *
 * Each subflow of Multipath TCP is one, and so is a handshake that is not over;
 * one that only waits for late packets (TIME_WAIT), or for the peer's FIN with no
 * socket left, is not, nor is one of this host with itself. Takes long with many;
 * for a worker.
 *
 * Return: 0 or a negative errno.
 */
int sockets_count(struct mlb_endpoint *services, size_t n, uint64_t *count);

/**
 * struct sockets_ended - what has become of connections that were to end
 * @ended: peer and application have been told
 * @left: after a failure, those that are left
 */
struct sockets_ended {
	uint64_t ended;
	uint64_t left;
};

/**
 * sockets_end() - reset those that sockets_count() counts
 * @services: sorted by this call
 * @stop: once it is set no more are
 *
 * To a client with Multipath TCP that is the end of a subflow, not of the
 * connection. For a worker.
 *
 * Return: 0 or a negative errno: -EOPNOTSUPP from a kernel that cannot (without
 * CONFIG_INET_DIAG_DESTROY).
 */
int sockets_end(struct mlb_endpoint *services, size_t n,
		const atomic_bool *stop, struct sockets_ended *ended);

#endif /* MLBD_SOCKETS_H */
