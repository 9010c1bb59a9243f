// SPDX-License-Identifier: GPL-2.0
/*
 * Groups of clients and pools for them over netlink.
 */
#include <linux/bitmap.h>
#include <linux/slab.h>

#include "net.h"
#include "netlink.h"
#include "node.h"
#include "pools.h"

/* In a namespace. */
#define PREFIXES_MAX	65536
#define ENTRIES_MAX	16384

/* One request on its way. */
struct pools_request {
	struct mlb_net *mn;
	struct genl_info *info;
	struct mlb_pools *pools;
	unsigned long *groups;	/* that have prefixes */
	unsigned long *named;	/* nodes of a pool */
	u16 *nodes;
};

static int prefix_parse(struct genl_info *info, const struct nlattr *attr,
			struct mlb_prefix *prefix)
{
	struct nlattr *tb[MLB_A_GROUP_PREFIX_MAX + 1];
	struct netlink_ext_ack *extack = info->extack;
	bool ipv4;
	int err;

	err = nla_parse_nested(tb, MLB_A_GROUP_PREFIX_MAX, attr,
			       mlb_group_prefix_nl_policy, extack);
	if (err)
		return err;
	if (!tb[MLB_A_GROUP_PREFIX_ADDR] || !tb[MLB_A_GROUP_PREFIX_LEN] ||
	    !tb[MLB_A_GROUP_PREFIX_GROUP]) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a prefix needs an address, a length and a group");
		return -EINVAL;
	}
	err = mlb_nl_get_addr(tb[MLB_A_GROUP_PREFIX_ADDR], &prefix->addr,
			      extack);
	if (err)
		return err;
	ipv4 = ipv6_addr_v4mapped(&prefix->addr);
	prefix->len = nla_get_u8(tb[MLB_A_GROUP_PREFIX_LEN]);
	prefix->group = nla_get_u16(tb[MLB_A_GROUP_PREFIX_GROUP]);
	if (ipv4 && prefix->len > 32) {
		NL_SET_ERR_MSG_ATTR(extack, tb[MLB_A_GROUP_PREFIX_LEN],
				    "an IPv4 prefix has 32 bits at most");
		return -EINVAL;
	}
	if (ipv4)
		prefix->len += MLB_PREFIX_IPV4_LEN;
	if (!mlb_prefix_is_network(prefix)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a prefix has bits set behind its length");
		return -EINVAL;
	}
	return 0;
}

/* The last attribute that says the same, which another did before. */
static int prefix_twice(struct pools_request *req,
			const struct mlb_prefix *twice)
{
	const struct nlattr *attr, *last = NULL;
	struct mlb_prefix prefix;
	int rem;

	nla_for_each_attr_type(attr, MLB_A_POOLS_PREFIX,
			       genlmsg_data(req->info->genlhdr),
			       genlmsg_len(req->info->genlhdr), rem)
		if (!prefix_parse(req->info, attr, &prefix) &&
		    !mlb_prefix_cmp(&prefix, twice))
			last = attr;
	NL_SET_ERR_MSG_ATTR(req->info->extack, last,
			    "a prefix is given twice; it is of one group");
	return -EEXIST;
}

static int prefixes_parse(struct pools_request *req)
{
	struct mlb_pools *pools = req->pools;
	const struct mlb_prefix *twice;
	struct nlattr *attr;
	int rem, err;

	nla_for_each_attr_type(attr, MLB_A_POOLS_PREFIX,
			       genlmsg_data(req->info->genlhdr),
			       genlmsg_len(req->info->genlhdr), rem) {
		struct mlb_prefix *prefix =
			&pools->prefixes[pools->n_prefixes++];

		err = prefix_parse(req->info, attr, prefix);
		if (err)
			return err;
		__set_bit(prefix->group, req->groups);
	}
	twice = mlb_pools_order_prefixes(pools);
	return twice ? prefix_twice(req, twice) : 0;
}

/* The nodes of a pool in ascending order. */
static int pool_nodes(struct pools_request *req, const struct nlattr *pool,
		      unsigned int *n)
{
	struct netlink_ext_ack *extack = req->info->extack;
	const struct nlattr *attr;
	unsigned int id;
	int rem;

	bitmap_zero(req->named, MLB_NODE_ID_MAX + 1);
	nla_for_each_nested(attr, pool, rem) {
		if (nla_type(attr) != MLB_A_GROUP_POOL_NODE)
			continue;
		id = nla_get_u16(attr);		/* in range by policy */
		if (!mlb_node_find(req->mn, id)) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "a pool names a node that does not exist; add the node first");
			return -EINVAL;
		}
		if (__test_and_set_bit(id, req->named)) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "a pool names a node twice");
			return -EINVAL;
		}
	}
	*n = 0;
	for_each_set_bit(id, req->named, MLB_NODE_ID_MAX + 1)
		req->nodes[(*n)++] = id;
	return 0;
}

static int pool_key(struct pools_request *req, const struct nlattr *pool,
		    struct mlb_service_key *key, u16 *group, bool *wait)
{
	struct nlattr *tb[MLB_A_GROUP_POOL_MAX + 1];
	struct netlink_ext_ack *extack = req->info->extack;
	const struct mlb_service *svc;
	int err;

	err = nla_parse_nested(tb, MLB_A_GROUP_POOL_MAX, pool,
			       mlb_group_pool_nl_policy, extack);
	if (err)
		return err;
	if (!tb[MLB_A_GROUP_POOL_ADDR] || !tb[MLB_A_GROUP_POOL_PORT]) {
		NL_SET_ERR_MSG_ATTR(extack, pool,
				    "a pool's service is missing");
		return -EINVAL;
	}
	memset(key, 0, sizeof(*key));
	err = mlb_nl_get_addr(tb[MLB_A_GROUP_POOL_ADDR], &key->addr, extack);
	if (err)
		return err;
	key->port = htons(nla_get_u16(tb[MLB_A_GROUP_POOL_PORT]));
	rcu_read_lock();
	svc = mlb_service_find(req->mn, &key->addr, key->port);
	rcu_read_unlock();	/* services go under the lock alone */
	if (!svc) {
		NL_SET_ERR_MSG_ATTR(extack, pool,
				    "a pool is of a service that does not exist; add the service first");
		return -ENOENT;
	}
	*wait = tb[MLB_A_GROUP_POOL_WAIT];
	*group = tb[MLB_A_GROUP_POOL_GROUP] ?
		 nla_get_u16(tb[MLB_A_GROUP_POOL_GROUP]) : 0;
	if (*group && !test_bit(*group, req->groups)) {
		NL_SET_ERR_MSG_ATTR(extack, pool,
				    "a pool is for a group without prefixes");
		return -EINVAL;
	}
	return 0;
}

static int pool_twice(struct pools_request *req,
		      const struct mlb_group_pool *twice)
{
	const struct nlattr *attr, *last = NULL;
	struct mlb_service_key key;
	bool wait;
	u16 group;
	int rem;

	nla_for_each_attr_type(attr, MLB_A_POOLS_POOL,
			       genlmsg_data(req->info->genlhdr),
			       genlmsg_len(req->info->genlhdr), rem)
		if (!pool_key(req, attr, &key, &group, &wait) &&
		    group == twice->group &&
		    !memcmp(&key, &twice->key, sizeof(key)))
			last = attr;
	NL_SET_ERR_MSG_ATTR(req->info->extack, last,
			    "a service has two pools for one group");
	return -EEXIST;
}

static int pools_parse(struct pools_request *req)
{
	const struct mlb_group_pool *twice;
	struct mlb_service_key key;
	struct nlattr *attr;
	unsigned int n;
	int rem, err;
	u16 group;
	bool wait;

	nla_for_each_attr_type(attr, MLB_A_POOLS_POOL,
			       genlmsg_data(req->info->genlhdr),
			       genlmsg_len(req->info->genlhdr), rem) {
		err = pool_key(req, attr, &key, &group, &wait) ?:
		      pool_nodes(req, attr, &n);
		if (err)
			return err;
		err = mlb_pools_add_pool(req->mn, req->pools, &key, group,
					 req->nodes, n, wait);
		if (err == -ENOSPC)
			NL_SET_ERR_MSG_ATTR(req->info->extack, attr,
					    "there are too many pools of different nodes");
		else if (err == -EINPROGRESS)
			NL_SET_ERR_MSG(req->info->extack,
				       "not all pools are computed; send it again");
		if (err)
			return err;
		cond_resched();
	}
	twice = mlb_pools_order_entries(req->pools);
	return twice ? pool_twice(req, twice) : 0;
}

static unsigned int attrs_count(struct genl_info *info, int type)
{
	const struct nlattr *attr;
	unsigned int n = 0;
	int rem;

	nla_for_each_attr_type(attr, type,
			       genlmsg_data(info->genlhdr),
			       genlmsg_len(info->genlhdr), rem)
		n++;
	return n;
}

static int request_begin(struct pools_request *req)
{
	unsigned int n_prefixes, n_entries;

	n_prefixes = attrs_count(req->info, MLB_A_POOLS_PREFIX);
	n_entries = attrs_count(req->info, MLB_A_POOLS_POOL);
	if (n_prefixes > PREFIXES_MAX) {
		NL_SET_ERR_MSG(req->info->extack,
			       "there are too many prefixes");
		return -ENOSPC;
	}
	if (n_entries > ENTRIES_MAX) {
		NL_SET_ERR_MSG(req->info->extack, "there are too many pools");
		return -ENOSPC;
	}
	req->pools = mlb_pools_new(n_prefixes, n_entries,
				   req->info->attrs[MLB_A_POOLS_PATIENT]);
	req->groups = bitmap_zalloc(U16_MAX + 1, GFP_KERNEL);
	req->named = bitmap_zalloc(MLB_NODE_ID_MAX + 1, GFP_KERNEL);
	req->nodes = kvcalloc(MLB_NODE_ID_MAX + 1, sizeof(*req->nodes),
			      GFP_KERNEL);
	return req->pools && req->groups && req->named && req->nodes ?
	       0 : -ENOMEM;
}

static void request_end(struct pools_request *req)
{
	bitmap_free(req->groups);
	bitmap_free(req->named);
	kvfree(req->nodes);
}

static int pools_put_summary(struct sk_buff *skb, struct mlb_net *mn)
{
	const struct mlb_pools *pools = mlb_dereference(mn, mn->pools);
	unsigned int prefixes = 0, entries = 0;

	for (unsigned int i = 0; pools && i < pools->n_prefixes; i++)
		prefixes += pools->prefixes[i].group != 0;
	for (unsigned int i = 0; pools && i < pools->n_entries; i++)
		entries += !pools->entries[i].gone;
	return nla_put_u32(skb, MLB_A_POOLS_VERSION, mn->pools_version) ?:
	       nla_put_u32(skb, MLB_A_POOLS_N_PREFIXES, prefixes) ?:
	       nla_put_u32(skb, MLB_A_POOLS_N_POOLS, entries);
}

/* Caller must hold &mlb_net.lock. */
static void pools_notify(struct mlb_net *mn)
{
	struct sk_buff *skb;
	void *hdr;

	if (!mlb_nl_has_listeners(mn, MLB_NLGRP_EVENT))
		return;
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return;
	hdr = genlmsg_put(skb, 0, 0, &mlb_nl_family, 0, MLB_CMD_POOLS_NTF);
	if (!hdr || pools_put_summary(skb, mn)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	mlb_nl_multicast(mn, skb, MLB_NLGRP_EVENT);
}

int mlb_nl_pools_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *version = info->attrs[MLB_A_POOLS_VERSION];
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct pools_request req = { .mn = mn, .info = info };
	int err;

	mutex_lock(&mn->lock);
	if (version && nla_get_u32(version) != mn->pools_version) {
		NL_SET_ERR_MSG_ATTR(info->extack, version,
				    "groups or pools have changed meanwhile");
		err = -EAGAIN;
		goto unlock;
	}
	err = request_begin(&req) ?: prefixes_parse(&req) ?: pools_parse(&req);
	if (!err) {
		mlb_pools_publish(mn, req.pools);
		pools_notify(mn);
	} else if (req.pools) {
		mlb_pools_discard(mn, req.pools, err == -EINPROGRESS);
	}
	request_end(&req);
unlock:
	mutex_unlock(&mn->lock);
	return err;
}

int mlb_nl_pools_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = GENLMSG_DEFAULT_SIZE +
			     MLB_NODE_ID_MAX * nla_total_size(sizeof(u16));
	return 0;
}

static int prefix_fill(struct sk_buff *skb, const struct mlb_prefix *prefix)
{
	bool ipv4 = ipv6_addr_v4mapped(&prefix->addr);
	struct nlattr *nest;

	if (!prefix->group)	/* nobody's but pools.c's */
		return 0;
	nest = nla_nest_start(skb, MLB_A_POOLS_PREFIX);
	if (!nest)
		return -EMSGSIZE;
	if (mlb_nl_put_addr(skb, MLB_A_GROUP_PREFIX_ADDR, &prefix->addr) ||
	    nla_put_u8(skb, MLB_A_GROUP_PREFIX_LEN,
		       prefix->len - (ipv4 ? MLB_PREFIX_IPV4_LEN : 0)) ||
	    nla_put_u16(skb, MLB_A_GROUP_PREFIX_GROUP, prefix->group)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int entry_fill(struct sk_buff *skb, const struct mlb_group_pool *entry,
		      const struct mlb_pool *pool)
{
	const u16 *nodes = mlb_pool_nodes(pool);
	struct nlattr *nest;

	if (entry->gone)
		return 0;
	nest = nla_nest_start(skb, MLB_A_POOLS_POOL);
	if (!nest)
		return -EMSGSIZE;
	if (mlb_nl_put_addr(skb, MLB_A_GROUP_POOL_ADDR, &entry->key.addr) ||
	    nla_put_u16(skb, MLB_A_GROUP_POOL_PORT, ntohs(entry->key.port)) ||
	    (entry->group &&
	     nla_put_u16(skb, MLB_A_GROUP_POOL_GROUP, entry->group)))
		goto cancel;
	for (unsigned int i = 0; i < pool->n_nodes; i++)
		if (nla_put_u16(skb, MLB_A_GROUP_POOL_NODE, nodes[i]))
			goto cancel;
	if (pool->wait && nla_put_flag(skb, MLB_A_GROUP_POOL_WAIT))
		goto cancel;
	nla_nest_end(skb, nest);
	return 0;
cancel:
	nla_nest_cancel(skb, nest);
	return -EMSGSIZE;
}

/* Writes what fits, from number @i on; returns the first that did not. */
static unsigned int pools_fill(struct sk_buff *skb, struct mlb_net *mn,
			       unsigned int i)
{
	const struct mlb_pools *pools = mlb_dereference(mn, mn->pools);
	unsigned int n;

	if (!pools)
		return 0;
	n = pools->n_prefixes + pools->n_entries;
	for (; i < n; i++) {
		const struct mlb_group_pool *entry;

		if (i < pools->n_prefixes) {
			if (prefix_fill(skb, &pools->prefixes[i]))
				break;
			continue;
		}
		entry = &pools->entries[i - pools->n_prefixes];
		if (entry_fill(skb, entry,
			       mlb_dereference(mn, pools->sets[entry->set])))
			break;
	}
	return i;
}

/* How many there are to write. */
static unsigned int pools_count(struct mlb_net *mn)
{
	const struct mlb_pools *pools = mlb_dereference(mn, mn->pools);

	return pools ? pools->n_prefixes + pools->n_entries : 0;
}

/* cb->args: the next to write; whether the end was told. */
int mlb_nl_pools_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct mlb_net *mn = mlb_net(sock_net(skb->sk));
	void *hdr;
	int err = 0;

	if (cb->args[1])
		return 0;
	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &mlb_nl_family, NLM_F_MULTI, MLB_CMD_POOLS_GET);
	if (!hdr)
		return -EMSGSIZE;
	mutex_lock(&mn->lock);
	cb->seq = mn->pools_version + 1 ?: 1;
	genl_dump_check_consistent(cb, hdr);
	err = pools_put_summary(skb, mn);
	if (!err) {
		cb->args[0] = pools_fill(skb, mn, cb->args[0]);
		cb->args[1] = cb->args[0] >= pools_count(mn);
	}
	mutex_unlock(&mn->lock);
	if (err) {
		genlmsg_cancel(skb, hdr);
		return err;
	}
	genlmsg_end(skb, hdr);
	return skb->len;
}
