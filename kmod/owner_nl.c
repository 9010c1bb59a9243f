// SPDX-License-Identifier: GPL-2.0
/*
 * Owner entries over netlink, many in a message.
 */
#include <linux/ktime.h>
#include <net/ipv6.h>

#include "net.h"
#include "netlink.h"
#include "node.h"
#include "owner.h"

/* Inside rcu_read_lock(). */
static int client_put(struct sk_buff *skb, const struct mlb_owner *owner)
{
	const struct mlb_client *client = rcu_dereference(owner->client);
	const struct mlb_tuple *t;
	struct nlattr *nest;

	if (!client)
		return 0;
	t = &client->tuple;
	nest = nla_nest_start(skb, MLB_A_OWNER_ENTRY_CLIENT);
	if (!nest)
		return -EMSGSIZE;
	if (mlb_nl_put_addr(skb, MLB_A_CLIENT_SADDR, &t->saddr) ||
	    mlb_nl_put_addr(skb, MLB_A_CLIENT_DADDR, &t->daddr) ||
	    nla_put_u16(skb, MLB_A_CLIENT_SPORT, ntohs(t->sport)) ||
	    nla_put_u16(skb, MLB_A_CLIENT_DPORT, ntohs(t->dport)) ||
	    nla_put(skb, MLB_A_CLIENT_KEY, sizeof(client->key), client->key))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int owner_put(struct sk_buff *skb, u32 token, u16 node, u16 cpu,
		     u16 rival, bool seen)
{
	return nla_put_u32(skb, MLB_A_OWNER_ENTRY_TOKEN, token) ?:
	       nla_put_u16(skb, MLB_A_OWNER_ENTRY_NODE, node) ?:
	       (cpu == MLB_OWNER_CPU_UNKNOWN ? 0 :
		nla_put_u32(skb, MLB_A_OWNER_ENTRY_CPU, cpu)) ?:
	       (rival ? nla_put_u16(skb, MLB_A_OWNER_ENTRY_RIVAL, rival) : 0) ?:
	       (seen ? nla_put_flag(skb, MLB_A_OWNER_ENTRY_SEEN) : 0);
}

/* As far as 32 bits go, which a connection can outlive: 49 days. */
static u32 owner_age_ms(const struct mlb_owner *owner)
{
	u32 born = READ_ONCE(owner->born);	/* before the clock is */
	u32 age = (u32)ktime_get_seconds() - born;

	return min_t(u64, (u64)age * MSEC_PER_SEC, U32_MAX);
}

static int owner_put_entry(struct sk_buff *skb, const struct mlb_owner *owner)
{
	struct nlattr *nest = nla_nest_start(skb, MLB_A_OWNER_ENTRY);

	if (!nest)
		return -EMSGSIZE;
	if (owner_put(skb, owner->token, owner->node, READ_ONCE(owner->cpu),
		      READ_ONCE(owner->rival),
		      owner->origin == MLB_OWNER_SEEN) ||
	    (owner->origin == MLB_OWNER_LOCAL &&
	     nla_put_flag(skb, MLB_A_OWNER_ENTRY_LOCAL)) ||
	    nla_put_u32(skb, MLB_A_OWNER_ENTRY_AGE,
			owner_age_ms(owner)) ||
	    client_put(skb, owner)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

void mlb_owner_batch_init(struct mlb_owner_batch *batch, struct mlb_net *mn,
			  u8 cmd)
{
	*batch = (struct mlb_owner_batch) { .mn = mn, .cmd = cmd };
}

/**
 * mlb_owner_batch_send() - send what is left in a batch
 * @batch: the batch
 *
 * Process context.
 */
void mlb_owner_batch_send(struct mlb_owner_batch *batch)
{
	if (!batch->skb)
		return;
	genlmsg_end(batch->skb, batch->hdr);
	mlb_nl_multicast(batch->mn, batch->skb, MLB_NLGRP_OWNER);
	batch->skb = NULL;
}

/* Who begins to have a token may have to share it, and knows its client. */
static int owner_batch_put_entry(struct mlb_owner_batch *batch, u32 token,
				 u16 node, u16 cpu)
{
	struct mlb_owner *owner = NULL;
	int err;

	rcu_read_lock();
	if (batch->cmd == MLB_CMD_OWNER_ADD_NTF)
		owner = mlb_owner_find(batch->mn, token);
	if (owner && owner->node != node)
		owner = NULL;
	err = owner_put(batch->skb, token, node, cpu,
			owner ? READ_ONCE(owner->rival) : 0, batch->seen) ?:
	      (owner ? client_put(batch->skb, owner) : 0);
	rcu_read_unlock();
	return err;
}

static bool owner_batch_put(struct mlb_owner_batch *batch, u32 token, u16 node,
			    u16 cpu)
{
	struct nlattr *nest = nla_nest_start(batch->skb, MLB_A_OWNER_ENTRY);

	if (!nest)
		return false;
	if (owner_batch_put_entry(batch, token, node, cpu)) {
		nla_nest_cancel(batch->skb, nest);
		return false;
	}
	nla_nest_end(batch->skb, nest);
	return true;
}

/**
 * mlb_owner_batch_add() - tell the owner group about a token
 * @batch: the batch
 * @token: the token
 * @node: its owner
 * @cpu: CPU that took the first subflow, or MLB_OWNER_CPU_UNKNOWN
 *
 * Sends the batch when it is full. Process context. When memory is short the
 * listeners are not told of this token; they see it in a dump.
 */
void mlb_owner_batch_add(struct mlb_owner_batch *batch, u32 token, u16 node,
			 u16 cpu)
{
	if (batch->skb && owner_batch_put(batch, token, node, cpu))
		return;
	mlb_owner_batch_send(batch);
	if (!mlb_nl_has_listeners(batch->mn, MLB_NLGRP_OWNER))
		return;
	batch->skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!batch->skb)
		return;
	batch->hdr = genlmsg_put(batch->skb, 0, 0, &mlb_nl_family, 0,
				 batch->cmd);
	if (WARN_ON_ONCE(!batch->hdr ||
			 !owner_batch_put(batch, token, node, cpu))) {
		nlmsg_free(batch->skb);
		batch->skb = NULL;
	}
}

int mlb_nl_owner_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct mlb_owner *owner;
	struct sk_buff *reply;
	int err = -EMSGSIZE;
	void *hdr;

	if (mlb_nl_missing(info, MLB_A_OWNER_TOKEN, "the token is missing"))
		return -EINVAL;
	reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_put_reply(reply, info, &mlb_nl_family, 0,
				MLB_CMD_OWNER_GET);
	if (!hdr)
		goto err_free;
	rcu_read_lock();
	owner = mlb_owner_find(mn, nla_get_u32(info->attrs[MLB_A_OWNER_TOKEN]));
	err = owner ? owner_put_entry(reply, owner) : -ENOENT;
	rcu_read_unlock();
	if (err) {
		if (err == -ENOENT)
			NL_SET_ERR_MSG(info->extack, "the token is not in the owner table");
		goto err_free;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);

err_free:
	nlmsg_free(reply);
	return err;
}

int mlb_nl_owner_walk_start(struct netlink_callback *cb)
{
	struct mlb_net *mn = mlb_net(sock_net(cb->skb->sk));

	return mlb_nl_walk_start(cb, &mn->owners.hash);
}

static int owner_dump_one(struct sk_buff *skb, struct netlink_callback *cb,
			  const void *object)
{
	struct nlattr *node = genl_info_dump(cb)->attrs[MLB_A_OWNER_NODE];
	const struct mlb_owner *owner = object;

	/* Where it is the rival, the node has announced the token as well. */
	if (node && nla_get_u16(node) != owner->node &&
	    nla_get_u16(node) != READ_ONCE(owner->rival))
		return 0;
	return owner_put_entry(skb, owner);
}

int mlb_nl_owner_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	void *hdr;
	int len;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &mlb_nl_family, NLM_F_MULTI, MLB_CMD_OWNER_GET);
	if (!hdr)
		return -EMSGSIZE;
	len = skb->len;
	mlb_nl_walk_dump(skb, cb, owner_dump_one);
	if (skb->len == len) {
		genlmsg_cancel(skb, hdr);
		return 0;
	}
	genl_dump_check_consistent(cb, hdr);
	genlmsg_end(skb, hdr);
	return skb->len;
}

/* One entry of a request; @node is 0 when it is not told. */
struct owner_request {
	u32 token;
	u16 node;
	u16 cpu;
	bool has_client;
	struct mlb_tuple tuple;
	u8 key[MLB_MPTCP_KEY_LEN];
};

static int client_parse(const struct nlattr *attr, struct owner_request *req,
			struct netlink_ext_ack *extack)
{
	struct nlattr *tb[MLB_A_CLIENT_MAX + 1];
	struct mlb_tuple *t = &req->tuple;
	int err;

	err = nla_parse_nested(tb, MLB_A_CLIENT_MAX, attr,
			       mlb_client_nl_policy, extack);
	if (err)
		return err;
	if (!tb[MLB_A_CLIENT_SADDR] || !tb[MLB_A_CLIENT_DADDR] ||
	    !tb[MLB_A_CLIENT_SPORT] || !tb[MLB_A_CLIENT_DPORT] ||
	    !tb[MLB_A_CLIENT_KEY]) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a client needs addresses, ports and a key");
		return -EINVAL;
	}
	err = mlb_nl_get_addr(tb[MLB_A_CLIENT_SADDR], &t->saddr, extack) ?:
	      mlb_nl_get_addr(tb[MLB_A_CLIENT_DADDR], &t->daddr, extack);
	if (err)
		return err;
	if (ipv6_addr_v4mapped(&t->saddr) != ipv6_addr_v4mapped(&t->daddr)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a client's addresses are of two families");
		return -EINVAL;
	}
	t->sport = htons(nla_get_u16(tb[MLB_A_CLIENT_SPORT]));
	t->dport = htons(nla_get_u16(tb[MLB_A_CLIENT_DPORT]));
	memcpy(req->key, nla_data(tb[MLB_A_CLIENT_KEY]), sizeof(req->key));
	req->has_client = true;
	return 0;
}

static int owner_parse(const struct nlattr *attr, struct owner_request *req,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[MLB_A_OWNER_ENTRY_MAX + 1];
	int err;

	memset(req, 0, sizeof(*req));
	err = nla_parse_nested(tb, MLB_A_OWNER_ENTRY_MAX, attr,
			       mlb_owner_entry_nl_policy, extack);
	if (err)
		return err;
	if (tb[MLB_A_OWNER_ENTRY_LOCAL] || tb[MLB_A_OWNER_ENTRY_AGE] ||
	    tb[MLB_A_OWNER_ENTRY_RIVAL] || tb[MLB_A_OWNER_ENTRY_SEEN]) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "an entry has an attribute that only answers have");
		return -EINVAL;
	}
	req->token = tb[MLB_A_OWNER_ENTRY_TOKEN] ?
		     nla_get_u32(tb[MLB_A_OWNER_ENTRY_TOKEN]) : 0;
	if (!req->token) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a token is missing or 0, which no connection has");
		return -EINVAL;
	}
	req->node = tb[MLB_A_OWNER_ENTRY_NODE] ?
		    nla_get_u16(tb[MLB_A_OWNER_ENTRY_NODE]) : 0;
	req->cpu = MLB_OWNER_CPU_UNKNOWN;
	if (tb[MLB_A_OWNER_ENTRY_CPU]) {
		u32 cpu = nla_get_u32(tb[MLB_A_OWNER_ENTRY_CPU]);

		if (cpu >= MLB_OWNER_CPU_UNKNOWN) {
			NL_SET_ERR_MSG_ATTR(extack, tb[MLB_A_OWNER_ENTRY_CPU],
					    "a CPU's number is out of range");
			return -ERANGE;
		}
		req->cpu = cpu;
	}
	if (tb[MLB_A_OWNER_ENTRY_CLIENT])
		return client_parse(tb[MLB_A_OWNER_ENTRY_CLIENT], req, extack);
	return 0;
}

/* Whether entries may name the node. Caller must hold &mlb_net.lock. */
static int owner_judge_node(struct mlb_net *mn, u16 id,
			    const struct nlattr *attr,
			    struct netlink_ext_ack *extack)
{
	struct mlb_node *node = id ? mlb_node_find(mn, id) : NULL;

	if (!id)
		NL_SET_ERR_MSG_ATTR(extack, attr, "an entry's node is missing");
	else if (!node)
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "an entry names a node that does not exist; add the node first");
	else if (node->self)
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "an entry names the self node, whose tokens are learnt");
	else if (!mlb_node_reachable(node))
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "an entry names a node that is dead");
	else
		return 0;
	return -EINVAL;
}

/* How entries are added, and what is counted on the way. */
struct owner_add {
	bool replace;
	bool announce;
	unsigned int n;		/* entries */
	unsigned int fresh;	/* of these, that take room */
};

/* Whether an entry can be added. Caller must hold &mlb_net.lock. */
static int owner_judge_add(struct mlb_net *mn, struct owner_add *add,
			   const struct nlattr *attr,
			   struct netlink_ext_ack *extack)
{
	struct owner_request req;
	struct mlb_owner *owner;
	int err;

	err = owner_parse(attr, &req, extack) ?:
	      owner_judge_node(mn, req.node, attr, extack);
	if (err)
		return err;
	rcu_read_lock();
	owner = mlb_owner_find(mn, req.token);
	if (!owner || owner->origin == MLB_OWNER_CACHED ||
	    owner->origin == MLB_OWNER_SEEN)
		add->fresh++;
	else if (!add->announce &&
		 (owner->origin == MLB_OWNER_LOCAL || !add->replace))
		err = -EEXIST;
	rcu_read_unlock();
	add->n++;
	return err;
}

static int owner_add_one(struct mlb_net *mn, const struct owner_add *add,
			 const struct nlattr *attr)
{
	struct mlb_client *client;
	struct owner_request req;
	int err;

	owner_parse(attr, &req, NULL);
	if (add->announce)
		err = mlb_owner_announce(mn, req.token, req.node, req.cpu);
	else
		err = mlb_owner_insert(mn, req.token, req.node, req.cpu,
				       MLB_OWNER_NETLINK, add->replace);
	if (err || !req.has_client || !READ_ONCE(mn->config.fastclose))
		return err;
	client = mlb_client_new(&req.tuple, req.key, req.token, req.node,
				GFP_KERNEL_ACCOUNT);
	if (client)	/* without, its client is told less */
		mlb_owner_set_client(mn, client);
	return 0;
}

/*
 * Judge every entry before the first is added, and the room for all. Should
 * memory run out, or this host's own tokens take the room meanwhile, then what
 * was added is taken back; what it had overwritten is found again by asking.
 * What was announced stays announced.
 */
int mlb_nl_owner_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct owner_add add = {
		.replace = info->attrs[MLB_A_OWNER_REPLACE],
		.announce = info->attrs[MLB_A_OWNER_ANNOUNCE],
	};
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct netlink_ext_ack *extack = info->extack;
	struct nlattr *attr, *failed = NULL;
	struct owner_request req;
	int rem, err = 0;

	if (mlb_nl_missing(info, MLB_A_OWNER_ENTRY, "no entry is given"))
		return -EINVAL;
	if (add.replace && add.announce) {
		NL_SET_ERR_MSG_ATTR(extack, info->attrs[MLB_A_OWNER_REPLACE],
				    "what is announced replaces nothing");
		return -EINVAL;
	}
	mutex_lock(&mn->lock);
	nla_for_each_attr_type(attr, MLB_A_OWNER_ENTRY,
			       genlmsg_data(info->genlhdr),
			       genlmsg_len(info->genlhdr), rem) {
		err = owner_judge_add(mn, &add, attr, extack);
		if (err)
			goto refused;
	}
	if (add.fresh > mlb_owner_room(mn)) {
		mlb_count_add(mn, OWNER_FULL, add.fresh);
		mlb_netlink_limit(mn, MLB_TABLE_OWNER,
				  READ_ONCE(mn->config.max_owners));
		err = -ENOSPC;
		goto refused;
	}

	nla_for_each_attr_type(attr, MLB_A_OWNER_ENTRY,
			       genlmsg_data(info->genlhdr),
			       genlmsg_len(info->genlhdr), rem) {
		err = owner_add_one(mn, &add, attr);
		if (err) {
			failed = attr;
			break;
		}
	}
	if (!err) {
		mlb_count_add(mn, OWNER_ADDED, add.n);
		goto unlock;
	}
	if (add.announce)
		goto refused;
	nla_for_each_attr_type(attr, MLB_A_OWNER_ENTRY,
			       genlmsg_data(info->genlhdr),
			       genlmsg_len(info->genlhdr), rem) {
		if (attr == failed)
			break;
		owner_parse(attr, &req, NULL);
		mlb_owner_remove(mn, req.token);
	}
refused:
	if (err == -ENOSPC)
		NL_SET_ERR_MSG(extack, "the owner table is full; see max-owners");
	else if (err == -EEXIST)
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a token is in the owner table already");
unlock:
	mutex_unlock(&mn->lock);
	return err;
}

/* Whether an entry can be deleted. What a node withdraws may have gone with
 * the node, or be overwritten: that is known only when it is done.
 */
static int owner_judge_del(struct mlb_net *mn, const struct nlattr *attr,
			   struct netlink_ext_ack *extack)
{
	struct owner_request req;
	struct mlb_owner *owner;
	int err = owner_parse(attr, &req, extack);

	if (err)
		return err;
	rcu_read_lock();
	owner = mlb_owner_find(mn, req.token);
	if (owner && owner->origin == MLB_OWNER_LOCAL &&
	    (!req.node || req.node == owner->node)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a token is of this host; it is withdrawn when its connection ends");
		err = -EPERM;
	} else if (!owner && !req.node) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a token is not in the owner table");
		err = -ENOENT;
	}
	rcu_read_unlock();
	return err;
}

static int owner_del_one(struct mlb_net *mn, const struct nlattr *attr)
{
	struct owner_request req;

	owner_parse(attr, &req, NULL);
	if (req.node)
		return mlb_owner_withdraw(mn, req.token, req.node);
	/* Twice in the request, or aged meanwhile: gone in any case. */
	mlb_owner_remove(mn, req.token);
	return 0;
}

int mlb_nl_owner_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct nlattr *attr, *missed = NULL;
	int rem, err = 0;

	if (mlb_nl_missing(info, MLB_A_OWNER_ENTRY, "no entry is given"))
		return -EINVAL;
	mutex_lock(&mn->lock);
	nla_for_each_attr_type(attr, MLB_A_OWNER_ENTRY,
			       genlmsg_data(info->genlhdr),
			       genlmsg_len(info->genlhdr), rem) {
		err = owner_judge_del(mn, attr, info->extack);
		if (err)
			goto unlock;
	}
	nla_for_each_attr_type(attr, MLB_A_OWNER_ENTRY,
			       genlmsg_data(info->genlhdr),
			       genlmsg_len(info->genlhdr), rem) {
		if (!owner_del_one(mn, attr))
			mlb_count(mn, OWNER_DELETED);
		else if (!missed)
			missed = attr;
	}
	if (missed) {
		NL_SET_ERR_MSG_ATTR(info->extack, missed,
				    "a token is not this node's; the others are withdrawn");
		err = -ENOENT;
	}
unlock:
	mutex_unlock(&mn->lock);
	return err;
}

int mlb_nl_owner_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct nlattr *node = info->attrs[MLB_A_OWNER_NODE];

	mutex_lock(&mn->lock);
	mlb_owner_purge(mn, node ? nla_get_u16(node) : 0, false);
	mutex_unlock(&mn->lock);
	return 0;
}
