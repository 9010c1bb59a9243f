/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of libmlb share and its users do not see. */
#ifndef LIBMLB_INTERNAL_H
#define LIBMLB_INTERNAL_H

#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "libmlb.h"

/* The kernel makes no netlink message for user space larger than this. */
#define MLB_RECV_SIZE (64 * 1024)

/* A listing up to this size is handed on only when it is known to be whole. */
#define MLB_STAGE_SIZE (1024 * 1024)

/* How often a disturbed listing is asked for before it is handed on as such. */
#define MLB_DUMP_TRIES 5

#define MLB_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * The socket is libnl's; requests and answers go over its descriptor with
 * send() and recv(), because nl_recvmsgs() folds errnos into its own smaller
 * set and drops the error that a dump ends with.
 */
struct mlb {
	struct nl_sock *sock;
	int fd;
	int family;
	uint32_t seq;
	struct mlb_error error;
	_Alignas(struct nlmsghdr) char buf[MLB_RECV_SIZE];
};

/* Names of an attribute set, for errors: names[type] or NULL. */
struct mlb_attr_names {
	const char *const *names;
	size_t n;
};

#define MLB_ATTR_NAMES(array)                                \
	{                                                    \
		.names = (array), .n = MLB_ARRAY_SIZE(array) \
	}

/* Takes one message of an answer; non-zero ends it, as in mlb_node_fn. */
typedef int mlb_msg_fn(struct nlmsghdr *nlh, void *arg);

/* handle.c */
int mlb_handle_new(struct mlb **mlb);

/* error.c: each records the failure and returns -@code. */
void mlb_error_clear(struct mlb *mlb);
int mlb_error_local(struct mlb *mlb, int code, const char *text);
int mlb_error_kernel(struct mlb *mlb, struct nlmsghdr *answer,
		     struct nlmsghdr *request,
		     const struct mlb_attr_names *names);
int mlb_error_done(struct mlb *mlb, struct nlmsghdr *done,
		   struct nlmsghdr *request,
		   const struct mlb_attr_names *names);

/* request.c */
struct nl_msg *mlb_msg_new(struct mlb *mlb, uint8_t cmd, int flags,
			   size_t room);
int mlb_send(struct mlb *mlb, struct nl_msg *msg);
ssize_t mlb_recv(struct mlb *mlb, int flags);
int mlb_do(struct mlb *mlb, struct nl_msg *msg,
	   const struct mlb_attr_names *names, mlb_msg_fn *fn, void *arg);
int mlb_do_free(struct mlb *mlb, struct nl_msg *msg,
		const struct mlb_attr_names *names, mlb_msg_fn *fn, void *arg);

/* dump.c */
int mlb_dump_free(struct mlb *mlb, struct nl_msg *msg,
		  const struct mlb_attr_names *names, mlb_msg_fn *fn,
		  void *arg);

/* attr.c */
int mlb_put_addr(struct nl_msg *msg, int type, const struct mlb_addr *addr);
int mlb_get_addr(const struct nlattr *attr, struct mlb_addr *addr);
bool mlb_get_u16(const struct nlattr *attr, uint16_t *value);
bool mlb_get_u32(const struct nlattr *attr, uint32_t *value);
int mlb_parse(struct nlmsghdr *nlh, struct nlattr **tb, int max);

/* Decoders, shared by requests and events. Return 0 or -EBADMSG. */
int mlb_config_decode(struct nlmsghdr *nlh, struct mlb_config *config);
int mlb_node_decode(struct nlmsghdr *nlh, struct mlb_node *node);
int mlb_service_decode(struct nlmsghdr *nlh, struct mlb_service *service,
		       uint16_t ids[MLB_NODE_ID_MAX]);
int mlb_pools_decode_summary(struct nlmsghdr *nlh,
			     struct mlb_pools_summary *summary);
int mlb_owner_decode_each(struct nlmsghdr *nlh, mlb_owner_fn *fn, void *arg);

#endif /* LIBMLB_INTERNAL_H */
