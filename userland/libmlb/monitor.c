// SPDX-License-Identifier: GPL-2.0
/* Events by multicast. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>

#include "internal.h"

/* Datagrams read in one call, so that a flood does not keep the caller here. */
#define READ_BURST 64

/* Holds some 100,000 owner events; more than rmem_max only for the privileged. */
#define RECV_BUFFER (8 * 1024 * 1024)

struct mlb_monitor {
	struct mlb *mlb;
};

/* What is handed to the caller for each message. */
struct sink {
	enum mlb_event_type type;
	mlb_event_fn *fn;
	void *arg;
};

static int resolve_group(struct mlb *mlb, const char *family, const char *group)
{
	int id = genl_ctrl_resolve_grp(mlb->sock, family, group);

	if (id >= 0)
		return id;
	return id == -NLE_OBJ_NOTFOUND ? -ENOENT : -EPROTO;
}

static int join(struct mlb *mlb, int group)
{
	if (setsockopt(mlb->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		       sizeof(group)))
		return -errno;
	return 0;
}

/*
 * All groups are resolved before the first is joined: an event must not come
 * in between the question for the next group's number and its answer. The
 * controller's own group comes first, so that an unload is never missed.
 */
static int subscribe(struct mlb *mlb, unsigned int groups)
{
	int ids[3], n = 0, ret = 0;

	ids[n++] = resolve_group(mlb, "nlctrl", "notify");
	if (groups & MLB_GROUP_OWNER)
		ids[n++] = resolve_group(mlb, MLB_FAMILY_NAME, MLB_MCGRP_OWNER);
	if (groups & MLB_GROUP_EVENT)
		ids[n++] = resolve_group(mlb, MLB_FAMILY_NAME, MLB_MCGRP_EVENT);

	for (int i = 0; i < n && !ret; i++)
		ret = ids[i] < 0 ? ids[i] : 0;
	for (int i = 0; i < n && !ret; i++)
		ret = join(mlb, ids[i]);
	return ret;
}

int mlb_monitor_open(struct mlb_monitor **monitor, unsigned int groups)
{
	const int size = RECV_BUFFER;
	struct mlb_monitor *m;
	int ret;

	*monitor = NULL;
	if (!groups || groups & ~(MLB_GROUP_OWNER | MLB_GROUP_EVENT))
		return -EINVAL;

	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	ret = mlb_handle_new(&m->mlb);
	if (ret)
		goto err;

	/* A small buffer only means that events are lost, and told so, sooner. */
	if (setsockopt(m->mlb->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) &&
	    setsockopt(m->mlb->fd, SOL_SOCKET, SO_RCVBUF, &size,
		       sizeof(size))) {
		ret = -errno;
		goto err;
	}

	ret = subscribe(m->mlb, groups);
	if (ret)
		goto err;

	*monitor = m;
	return 0;

err:
	mlb_monitor_close(m);
	return ret;
}

void mlb_monitor_close(struct mlb_monitor *monitor)
{
	if (!monitor)
		return;
	mlb_close(monitor->mlb);
	free(monitor);
}

int mlb_monitor_fd(const struct mlb_monitor *monitor)
{
	return monitor->mlb->fd;
}

static int owner_event(const struct mlb_owner *owner, void *arg)
{
	const struct sink *sink = arg;
	struct mlb_event event = { .type = sink->type, .owner = *owner };

	return sink->fn(&event, sink->arg);
}

static int config_event(struct nlmsghdr *nlh, struct sink *sink)
{
	struct mlb_event event = { .type = sink->type };
	int ret = mlb_config_decode(nlh, &event.config);

	return ret ? ret : sink->fn(&event, sink->arg);
}

static int node_event(struct nlmsghdr *nlh, struct sink *sink)
{
	struct mlb_event event = { .type = sink->type };
	int ret = mlb_node_decode(nlh, &event.node);

	return ret ? ret : sink->fn(&event, sink->arg);
}

static int service_event(struct nlmsghdr *nlh, struct sink *sink)
{
	struct mlb_event event = { .type = sink->type };
	uint16_t ids[MLB_NODE_ID_MAX];
	int ret = mlb_service_decode(nlh, &event.service, ids);

	return ret ? ret : sink->fn(&event, sink->arg);
}

static int pools_event(struct nlmsghdr *nlh, struct sink *sink)
{
	struct mlb_event event = { .type = sink->type };
	int ret = mlb_pools_decode_summary(nlh, &event.pools);

	return ret ? ret : sink->fn(&event, sink->arg);
}

static int limit_event(struct nlmsghdr *nlh, struct sink *sink)
{
	struct mlb_event event = { .type = sink->type };
	struct nlattr *tb[MLB_A_EVENT_MAX + 1];
	uint32_t table;
	int ret = mlb_parse(nlh, tb, MLB_A_EVENT_MAX);

	if (ret)
		return ret;
	if (!mlb_get_u32(tb[MLB_A_EVENT_TABLE], &table) ||
	    !mlb_get_u32(tb[MLB_A_EVENT_LIMIT], &event.limit.limit))
		return -EBADMSG;
	event.limit.table = table;
	return sink->fn(&event, sink->arg);
}

static int plain_event(enum mlb_event_type type, struct sink *sink)
{
	struct mlb_event event = { .type = type };

	return sink->fn(&event, sink->arg);
}

static int family_event(struct nlmsghdr *nlh, int family, struct sink *sink)
{
	struct nlattr *tb[CTRL_ATTR_MAX + 1];
	uint16_t id;

	if (mlb_parse(nlh, tb, CTRL_ATTR_MAX) ||
	    genlmsg_hdr(nlh)->cmd != CTRL_CMD_DELFAMILY ||
	    !mlb_get_u16(tb[CTRL_ATTR_FAMILY_ID], &id) || id != family)
		return 0;
	return plain_event(MLB_EVENT_UNLOADED, sink);
}

static int dispatch(struct nlmsghdr *nlh, int family, struct sink *sink)
{
	if (nlh->nlmsg_type == GENL_ID_CTRL)
		return family_event(nlh, family, sink);
	if (nlh->nlmsg_type != family || !genlmsg_valid_hdr(nlh, 0))
		return 0;

	switch (genlmsg_hdr(nlh)->cmd) {
	case MLB_CMD_CONFIG_NTF:
		sink->type = MLB_EVENT_CONFIG;
		return config_event(nlh, sink);
	case MLB_CMD_NODE_NTF:
		sink->type = MLB_EVENT_NODE;
		return node_event(nlh, sink);
	case MLB_CMD_NODE_DEL_NTF:
		sink->type = MLB_EVENT_NODE_DEL;
		return node_event(nlh, sink);
	case MLB_CMD_SERVICE_NTF:
		sink->type = MLB_EVENT_SERVICE;
		return service_event(nlh, sink);
	case MLB_CMD_SERVICE_DEL_NTF:
		sink->type = MLB_EVENT_SERVICE_DEL;
		return service_event(nlh, sink);
	case MLB_CMD_OWNER_ADD_NTF:
		sink->type = MLB_EVENT_OWNER_ADD;
		return mlb_owner_decode_each(nlh, owner_event, sink);
	case MLB_CMD_OWNER_DEL_NTF:
		sink->type = MLB_EVENT_OWNER_DEL;
		return mlb_owner_decode_each(nlh, owner_event, sink);
	case MLB_CMD_POOLS_NTF:
		sink->type = MLB_EVENT_POOLS;
		return pools_event(nlh, sink);
	case MLB_CMD_LIMIT_EVENT:
		sink->type = MLB_EVENT_LIMIT;
		return limit_event(nlh, sink);
	default:
		return 0;
	}
}

int mlb_monitor_read(struct mlb_monitor *monitor, mlb_event_fn *fn, void *arg)
{
	struct sink sink = { .fn = fn, .arg = arg };
	struct mlb *mlb = monitor->mlb;
	int ret = 0;

	for (int i = 0; i < READ_BURST && !ret; i++) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)mlb->buf;
		ssize_t n = mlb_recv(mlb, MSG_DONTWAIT);
		int rem = (int)n;

		if (n == -EAGAIN)
			return 0;
		if (n == -ENOBUFS) {
			ret = plain_event(MLB_EVENT_LOST, &sink);
			continue;
		}
		if (n < 0)
			return (int)n;
		for (; !ret && nlmsg_ok(nlh, rem); nlh = nlmsg_next(nlh, &rem))
			ret = dispatch(nlh, mlb->family, &sink);
	}
	return ret;
}
