/* SPDX-License-Identifier: GPL-2.0 */
/* TCP connections of this host. */
#ifndef MLBD_SOCKETS_H
#define MLBD_SOCKETS_H

#include "libmlb.h"

/**
 * sockets_count() - how many connections clients have with services
 * @services: sorted by this call
 *
 * Each subflow of Multipath TCP is one, and so is a handshake that is not over;
 * one that only waits for late packets (TIME_WAIT) is not, nor is one of this
 * host with itself. Takes long with many; for a worker.
 *
 * Return: 0 or a negative errno.
 */
int sockets_count(struct mlb_endpoint *services, size_t n, uint64_t *count);

#endif /* MLBD_SOCKETS_H */
