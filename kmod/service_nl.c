// SPDX-License-Identifier: GPL-2.0
/*
 * Services over netlink.
 */
#include <linux/bitmap.h>
#include <linux/slab.h>

#include "net.h"
#include "netlink.h"
#include "node.h"
#include "service.h"

/* @cb: of a dump, or NULL */
static int service_fill(struct sk_buff *skb, const struct mlb_service *svc,
			u8 cmd, u32 portid, u32 seq,
			struct netlink_callback *cb)
{
	void *hdr;

	hdr = genlmsg_put(skb, portid, seq, &mlb_nl_family,
			  cb ? NLM_F_MULTI : 0, cmd);
	if (!hdr)
		return -EMSGSIZE;
	if (cb)
		genl_dump_check_consistent(cb, hdr);
	if (mlb_nl_put_addr(skb, MLB_A_SERVICE_ADDR, &svc->key.addr) ||
	    nla_put_u16(skb, MLB_A_SERVICE_PORT, ntohs(svc->key.port)) ||
	    nla_put_u32(skb, MLB_A_SERVICE_SCHEDULER, svc->scheduler))
		goto cancel;
	for (unsigned int i = 0; i < svc->n_nodes; i++)
		if (nla_put_u16(skb, MLB_A_SERVICE_NODE, svc->nodes[i]))
			goto cancel;
	genlmsg_end(skb, hdr);
	return 0;
cancel:
	genlmsg_cancel(skb, hdr);
	return -EMSGSIZE;
}

static struct sk_buff *service_msg(const struct mlb_service *svc)
{
	return genlmsg_new(GENLMSG_DEFAULT_SIZE +
			   svc->n_nodes * nla_total_size(sizeof(u16)),
			   GFP_KERNEL);
}

/* Caller must hold &mlb_net.lock. */
static void service_notify(struct mlb_net *mn, const struct mlb_service *svc,
			   u8 cmd)
{
	struct sk_buff *skb;

	if (!mlb_nl_has_listeners(mn, MLB_NLGRP_EVENT))
		return;
	skb = service_msg(svc);
	if (!skb)
		return;
	if (service_fill(skb, svc, cmd, 0, 0, NULL)) {
		nlmsg_free(skb);
		return;
	}
	mlb_nl_multicast(mn, skb, MLB_NLGRP_EVENT);
}

static int service_key(struct genl_info *info, struct mlb_service_key *key)
{
	struct nlattr **attrs = info->attrs;

	if (mlb_nl_missing(info, MLB_A_SERVICE_ADDR,
			   "the service's address is missing") ||
	    mlb_nl_missing(info, MLB_A_SERVICE_PORT,
			   "the service's port is missing"))
		return -EINVAL;
	memset(key, 0, sizeof(*key));
	key->port = htons(nla_get_u16(attrs[MLB_A_SERVICE_PORT]));
	return mlb_nl_get_addr(attrs[MLB_A_SERVICE_ADDR], &key->addr,
			       info->extack);
}

/* The service that a request names. Caller must hold &mlb_net.lock. */
static struct mlb_service *service_of_request(struct mlb_net *mn,
					      struct genl_info *info)
{
	struct mlb_service_key key;
	struct mlb_service *svc;
	int err = service_key(info, &key);

	if (err)
		return ERR_PTR(err);
	rcu_read_lock();
	svc = mlb_service_find(mn, &key.addr, key.port);
	rcu_read_unlock();	/* services go under the lock alone */
	if (!svc) {
		NL_SET_ERR_MSG(info->extack, "there is no such service");
		return ERR_PTR(-ENOENT);
	}
	return svc;
}

/*
 * The pool that a request names, in ascending order. Caller must hold
 * &mlb_net.lock and frees @nodes.
 */
static int service_nodes(struct mlb_net *mn, struct genl_info *info,
			 u16 **nodes, unsigned int *n)
{
	unsigned long *named;
	struct nlattr *attr;
	unsigned int id;
	int rem, err;

	*n = 0;
	*nodes = NULL;
	named = bitmap_zalloc(MLB_NODE_ID_MAX + 1, GFP_KERNEL);
	if (!named)
		return -ENOMEM;
	nla_for_each_attr_type(attr, MLB_A_SERVICE_NODE,
			       genlmsg_data(info->genlhdr),
			       genlmsg_len(info->genlhdr), rem) {
		err = -EINVAL;
		id = nla_get_u16(attr);		/* in range by policy */
		if (!mlb_node_find(mn, id)) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "the pool names a node that does not exist; add the node first");
			goto out;
		}
		if (__test_and_set_bit(id, named)) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "the pool names a node twice");
			goto out;
		}
		(*n)++;
	}
	*nodes = kvcalloc(*n + 1, sizeof(**nodes), GFP_KERNEL);
	err = -ENOMEM;
	if (!*nodes)
		goto out;
	*n = 0;
	for_each_set_bit(id, named, MLB_NODE_ID_MAX + 1)
		(*nodes)[(*n)++] = id;
	err = 0;
out:
	bitmap_free(named);
	return err;
}

int mlb_nl_service_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct mlb_service *svc;
	struct sk_buff *reply;
	int err = -ENOMEM;

	mutex_lock(&mn->lock);
	svc = service_of_request(mn, info);
	if (IS_ERR(svc)) {
		err = PTR_ERR(svc);
		goto unlock;
	}
	reply = service_msg(svc);
	if (!reply)
		goto unlock;
	err = service_fill(reply, svc, MLB_CMD_SERVICE_GET, info->snd_portid,
			   info->snd_seq, NULL);
	if (err) {
		nlmsg_free(reply);
		goto unlock;
	}
	err = genlmsg_reply(reply, info);
unlock:
	mutex_unlock(&mn->lock);
	return err;
}

int mlb_nl_service_walk_start(struct netlink_callback *cb)
{
	struct mlb_net *mn = mlb_net(sock_net(cb->skb->sk));

	cb->min_dump_alloc = GENLMSG_DEFAULT_SIZE +
			     MLB_NODE_ID_MAX * nla_total_size(sizeof(u16));
	return mlb_nl_walk_start(cb, &mn->services);
}

static int service_dump_one(struct sk_buff *skb, struct netlink_callback *cb,
			    const void *object)
{
	return service_fill(skb, object, MLB_CMD_SERVICE_GET,
			    NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			    cb);
}

int mlb_nl_service_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return mlb_nl_walk_dump(skb, cb, service_dump_one);
}

int mlb_nl_service_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct nlattr **attrs = info->attrs;
	u8 scheduler = MLB_SCHEDULER_LOCAL;
	struct mlb_service_key key;
	u16 *nodes = NULL;
	unsigned int n;
	int err;

	err = service_key(info, &key) ?:
	      mlb_nl_judge_unicast(attrs[MLB_A_SERVICE_ADDR], &key.addr,
				   info->extack);
	if (err)
		return err;
	if (attrs[MLB_A_SERVICE_SCHEDULER])
		scheduler = nla_get_u32(attrs[MLB_A_SERVICE_SCHEDULER]);

	mutex_lock(&mn->lock);
	if (mlb_node_has_addr(mn, &key.addr)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[MLB_A_SERVICE_ADDR],
				    "the address is a node's; a service needs one of its own");
		err = -EADDRINUSE;
		goto unlock;
	}
	err = service_nodes(mn, info, &nodes, &n) ?:
	      mlb_service_add(mn, &key, scheduler, nodes, n, info->extack);
	if (!err)
		service_notify(mn, service_of_request(mn, info),
			       MLB_CMD_SERVICE_NTF);
unlock:
	mutex_unlock(&mn->lock);
	kvfree(nodes);
	return err;
}

int mlb_nl_service_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct nlattr **attrs = info->attrs;
	struct mlb_service *svc;
	u16 *nodes = NULL;
	unsigned int n;
	u8 scheduler;
	int err;

	if (attrs[MLB_A_SERVICE_NODE] && attrs[MLB_A_SERVICE_ALL_NODES]) {
		NL_SET_ERR_MSG(info->extack, "the pool is either some nodes or all");
		return -EINVAL;
	}
	mutex_lock(&mn->lock);
	svc = service_of_request(mn, info);
	if (IS_ERR(svc)) {
		err = PTR_ERR(svc);
		goto unlock;
	}
	scheduler = attrs[MLB_A_SERVICE_SCHEDULER] ?
		    nla_get_u32(attrs[MLB_A_SERVICE_SCHEDULER]) :
		    svc->scheduler;
	err = service_nodes(mn, info, &nodes, &n);
	if (err)
		goto unlock;
	if (n || attrs[MLB_A_SERVICE_ALL_NODES])
		err = mlb_service_set(mn, svc, scheduler, nodes, n);
	else
		err = mlb_service_set(mn, svc, scheduler, svc->nodes,
				      svc->n_nodes);
	if (!err)
		service_notify(mn, service_of_request(mn, info),
			       MLB_CMD_SERVICE_NTF);
unlock:
	mutex_unlock(&mn->lock);
	kvfree(nodes);
	return err;
}

int mlb_nl_service_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct mlb_service *svc;
	int err = 0;

	mutex_lock(&mn->lock);
	svc = service_of_request(mn, info);
	if (IS_ERR(svc)) {
		err = PTR_ERR(svc);
	} else {
		service_notify(mn, svc, MLB_CMD_SERVICE_DEL_NTF);
		mlb_service_del(mn, svc);
	}
	mutex_unlock(&mn->lock);
	return err;
}
