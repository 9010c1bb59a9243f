// SPDX-License-Identifier: GPL-2.0
/* A handle: one generic netlink socket and what it last failed with. */
#include <errno.h>
#include <stdlib.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>

#include "internal.h"

/* Room for a full batch of owner entries, which is the largest request. */
#define SEND_BUFFER (256 * 1024)

int mlb_handle_new(struct mlb **mlb)
{
	struct mlb *m = calloc(1, sizeof(*m));
	const int on = 1;
	int ret;

	*mlb = NULL;
	if (!m)
		return -ENOMEM;
	mlb_error_clear(m);

	m->sock = nl_socket_alloc();
	if (!m->sock) {
		free(m);
		return -ENOMEM;
	}

	/* The error of the system call is still in errno: libnl's is coarser. */
	errno = 0;
	if (nl_connect(m->sock, NETLINK_GENERIC) ||
	    nl_socket_set_buffer_size(m->sock, 0, SEND_BUFFER)) {
		ret = errno ? -errno : -EPROTO;
		goto err;
	}
	m->fd = nl_socket_get_fd(m->sock);

	/* Refusals with text, and without an echo of a long request. */
	if (setsockopt(m->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) ||
	    setsockopt(m->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on))) {
		ret = -errno;
		goto err;
	}

	m->family = genl_ctrl_resolve(m->sock, MLB_FAMILY_NAME);
	if (m->family < 0) {
		ret = m->family == -NLE_OBJ_NOTFOUND ? -ENOENT : -EPROTO;
		goto err;
	}

	*mlb = m;
	return 0;

err:
	mlb_close(m);
	return ret;
}

int mlb_open(struct mlb **mlb)
{
	return mlb_handle_new(mlb);
}

int mlb_set_timeout(struct mlb *mlb, unsigned int ms)
{
	struct timeval wait = { .tv_sec = ms / 1000,
				.tv_usec = ms % 1000 * 1000 };

	if (setsockopt(mlb->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)))
		return mlb_error_local(mlb, errno, NULL);
	return 0;
}

void mlb_close(struct mlb *mlb)
{
	if (!mlb)
		return;
	nl_socket_free(mlb->sock);
	free(mlb);
}

const struct mlb_error *mlb_last_error(const struct mlb *mlb)
{
	return &mlb->error;
}
