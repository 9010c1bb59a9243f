// SPDX-License-Identifier: GPL-2.0
/* Services. */
#include <errno.h>
#include <string.h>

#include "internal.h"

static const char *const service_attrs[] = {
	[MLB_A_SERVICE_ADDR] = "addr",		 [MLB_A_SERVICE_PORT] = "port",
	[MLB_A_SERVICE_SCHEDULER] = "scheduler", [MLB_A_SERVICE_NODE] = "node",
	[MLB_A_SERVICE_ALL_NODES] = "all-nodes",
};

static const struct mlb_attr_names service_names =
	MLB_ATTR_NAMES(service_attrs);

/* The pool is decoded into ids, which must outlive service. */
int mlb_service_decode(struct nlmsghdr *nlh, struct mlb_service *service,
		       uint16_t ids[MLB_NODE_ID_MAX])
{
	struct nlattr *tb[MLB_A_SERVICE_MAX + 1], *attr;
	uint32_t scheduler;
	int rem, ret = mlb_parse(nlh, tb, MLB_A_SERVICE_MAX);

	if (ret)
		return ret;

	memset(service, 0, sizeof(*service));
	if (!tb[MLB_A_SERVICE_ADDR] ||
	    mlb_get_addr(tb[MLB_A_SERVICE_ADDR], &service->vip.addr) ||
	    !mlb_get_u16(tb[MLB_A_SERVICE_PORT], &service->vip.port))
		return -EBADMSG;

	service->nodes = ids;
	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem) {
		if (nla_type(attr) != MLB_A_SERVICE_NODE)
			continue;
		if (service->n_nodes == MLB_NODE_ID_MAX ||
		    !mlb_get_u16(attr, &ids[service->n_nodes]))
			return -EBADMSG;
		service->n_nodes++;
	}

	/* No node means every node, if the message speaks of the pool at all. */
	if (mlb_get_u32(tb[MLB_A_SERVICE_SCHEDULER], &scheduler)) {
		service->scheduler = scheduler;
		service->fields = MLB_F_SERVICE_SCHEDULER | MLB_F_SERVICE_NODES;
	}
	return 0;
}

static int send_service(struct mlb *mlb, uint8_t cmd,
			const struct mlb_service *service)
{
	size_t n = service->fields & MLB_F_SERVICE_NODES ? service->n_nodes : 0;
	struct nl_msg *msg =
		mlb_msg_new(mlb, cmd, 0, 128 + n * nla_total_size(2));

	if (!msg)
		return -ENOMEM;
	if (mlb_put_addr(msg, MLB_A_SERVICE_ADDR, &service->vip.addr))
		goto nla_put_failure;
	NLA_PUT_U16(msg, MLB_A_SERVICE_PORT, service->vip.port);
	if (service->fields & MLB_F_SERVICE_SCHEDULER)
		NLA_PUT_U32(msg, MLB_A_SERVICE_SCHEDULER, service->scheduler);
	for (size_t i = 0; i < n; i++)
		NLA_PUT_U16(msg, MLB_A_SERVICE_NODE, service->nodes[i]);
	/* An added service has every node already; a change has to say so. */
	if (cmd == MLB_CMD_SERVICE_SET && !n &&
	    service->fields & MLB_F_SERVICE_NODES)
		NLA_PUT_FLAG(msg, MLB_A_SERVICE_ALL_NODES);
	return mlb_do_free(mlb, msg, &service_names, NULL, NULL);

nla_put_failure:
	nlmsg_free(msg);
	return mlb_error_local(mlb, EMSGSIZE, NULL);
}

int mlb_service_add(struct mlb *mlb, const struct mlb_service *service)
{
	return send_service(mlb, MLB_CMD_SERVICE_ADD, service);
}

int mlb_service_set(struct mlb *mlb, const struct mlb_service *service)
{
	return send_service(mlb, MLB_CMD_SERVICE_SET, service);
}

int mlb_service_del(struct mlb *mlb, const struct mlb_endpoint *vip)
{
	struct mlb_service service = { .vip = *vip };

	return send_service(mlb, MLB_CMD_SERVICE_DEL, &service);
}

struct service_each {
	mlb_service_fn *fn;
	void *arg;
};

static int service_entry(struct nlmsghdr *nlh, void *arg)
{
	const struct service_each *each = arg;
	uint16_t ids[MLB_NODE_ID_MAX];
	struct mlb_service service;
	int ret = mlb_service_decode(nlh, &service, ids);

	return ret ? ret : each->fn(&service, each->arg);
}

int mlb_service_each(struct mlb *mlb, mlb_service_fn *fn, void *arg)
{
	struct nl_msg *msg = mlb_msg_new(mlb, MLB_CMD_SERVICE_GET, 0, 0);
	struct service_each each = { fn, arg };

	if (!msg)
		return -ENOMEM;
	return mlb_dump_free(mlb, msg, &service_names, service_entry, &each);
}
