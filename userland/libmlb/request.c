// SPDX-License-Identifier: GPL-2.0
/* One request, its answer and its acknowledgement. */
#include <errno.h>
#include <string.h>

#include "internal.h"

/*
 * A message with room for so many bytes of attributes, or NULL with the error
 * recorded. The caller frees it, or gives it to a *_free function.
 */
struct nl_msg *mlb_msg_new(struct mlb *mlb, uint8_t cmd, int flags, size_t room)
{
	struct nl_msg *msg;

	mlb_error_clear(mlb);
	msg = nlmsg_alloc_size(NLMSG_HDRLEN + GENL_HDRLEN + room);
	if (!msg ||
	    !genlmsg_put(msg, NL_AUTO_PORT, 0, mlb->family, 0,
			 NLM_F_REQUEST | flags, cmd, MLB_FAMILY_VERSION)) {
		nlmsg_free(msg);
		mlb_error_local(mlb, ENOMEM, NULL);
		return NULL;
	}
	return msg;
}

/* Each sending has a number of its own, so that a retry is told apart. */
int mlb_send(struct mlb *mlb, struct nl_msg *msg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	ssize_t n;

	nlh->nlmsg_seq = ++mlb->seq;
	do {
		n = send(mlb->fd, nlh, nlh->nlmsg_len, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return mlb_error_local(mlb, errno, NULL);
	return 0;
}

/* One datagram from the kernel into mlb->buf: its length or -errno. */
ssize_t mlb_recv(struct mlb *mlb, int flags)
{
	for (;;) {
		struct sockaddr_nl from = {};
		struct iovec iov = { mlb->buf, sizeof(mlb->buf) };
		struct msghdr mh = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &iov,
			.msg_iovlen = 1,
		};
		ssize_t n = recvmsg(mlb->fd, &mh, flags);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			/* Only a handle with a limit ever waits in vain. */
			if (errno == EAGAIN && !(flags & MSG_DONTWAIT))
				return mlb_error_local(
					mlb, ETIMEDOUT,
					"the kernel does not answer");
			return mlb_error_local(mlb, errno, NULL);
		}
		if (!n)
			return mlb_error_local(mlb, ECONNRESET, NULL);
		/* Another process can send to this socket too. */
		if (from.nl_pid)
			continue;
		if (mh.msg_flags & MSG_TRUNC)
			return mlb_error_local(
				mlb, EMSGSIZE,
				"the kernel's message is larger than this program expects");
		return n;
	}
}

/*
 * Send a request and read until its acknowledgement. fn, if any, gets each
 * message of the answer; what it returns, if not 0, is returned unless the
 * kernel refused.
 */
int mlb_do(struct mlb *mlb, struct nl_msg *msg,
	   const struct mlb_attr_names *names, mlb_msg_fn *fn, void *arg)
{
	struct nlmsghdr *request = nlmsg_hdr(msg), *nlh;
	const struct nlmsgerr *err;
	ssize_t n;
	int ret, rem, result = 0;

	request->nlmsg_flags |= NLM_F_ACK;
	ret = mlb_send(mlb, msg);
	if (ret)
		return ret;

	for (;;) {
		n = mlb_recv(mlb, 0);
		if (n < 0)
			return (int)n;
		rem = (int)n;
		for (nlh = (struct nlmsghdr *)mlb->buf; nlmsg_ok(nlh, rem);
		     nlh = nlmsg_next(nlh, &rem)) {
			if (nlh->nlmsg_seq != mlb->seq)
				continue;
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				err = NLMSG_DATA(nlh);
				if (NLMSG_PAYLOAD(nlh, 0) < sizeof(*err))
					return mlb_error_local(mlb, EBADMSG,
							       NULL);
				if (err->error)
					return mlb_error_kernel(mlb, nlh,
								request, names);
				if (result < 0)
					return mlb_error_local(mlb, -result,
							       NULL);
				return result;
			}
			if (fn && !result && nlh->nlmsg_type == mlb->family)
				result = fn(nlh, arg);
		}
	}
}

int mlb_do_free(struct mlb *mlb, struct nl_msg *msg,
		const struct mlb_attr_names *names, mlb_msg_fn *fn, void *arg)
{
	int ret = mlb_do(mlb, msg, names, fn, arg);

	nlmsg_free(msg);
	return ret;
}
