// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family: what its objects' files share, settings and counters.
 * The shape of messages is in include/netlink/mlb.yaml, their meaning here and
 * in the *_nl.c beside each object.
 */
#include <crypto/sha2.h>
#include <linux/inet.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "net.h"
#include "netlink.h"
#include "tunnel.h"
#include "walk.h"

/* A dump lets others run after so many objects. */
#define WALK_REST	256

/* Shorter intervals, in ms, would be finer than the clocks of most kernels. */
#define CONFIG_ALIVE_MIN	10

static bool netlink_gone;

/* Whether to make a message for a multicast group at all. */
bool mlb_nl_has_listeners(struct mlb_net *mn, unsigned int group)
{
	return !READ_ONCE(netlink_gone) &&
	       genl_has_listeners(&mlb_nl_family, mn->net, group);
}

/**
 * mlb_nl_multicast() - send a notification
 * @mn: the namespace
 * @skb: the message; taken
 * @group: MLB_NLGRP_OWNER or MLB_NLGRP_EVENT
 *
 * Any context but a hard interrupt.
 */
void mlb_nl_multicast(struct mlb_net *mn, struct sk_buff *skb,
		      unsigned int group)
{
	rcu_read_lock();	/* see mlb_netlink_unregister() */
	if (READ_ONCE(netlink_gone))
		nlmsg_free(skb);
	else
		genlmsg_multicast_netns(&mlb_nl_family, mn->net, skb, 0, group,
					GFP_ATOMIC);
	rcu_read_unlock();
}

/**
 * mlb_nl_walk_start() - begin the dump of a table
 * @cb: the dump
 * @table: the table
 *
 * mlb_nl_walk_done() ends it.
 */
int mlb_nl_walk_start(struct netlink_callback *cb, struct rhashtable *table)
{
	struct mlb_nl_walk *walk = kzalloc(sizeof(*walk), GFP_KERNEL);

	if (!walk)
		return -ENOMEM;
	rhashtable_walk_enter(table, &walk->iter);
	cb->seq = 1;
	cb->prev_seq = 1;
	cb->args[0] = (long)walk;
	return 0;
}

int mlb_nl_walk_done(struct netlink_callback *cb)
{
	struct mlb_nl_walk *walk = (struct mlb_nl_walk *)cb->args[0];

	rhashtable_walk_exit(&walk->iter);
	kfree(walk);
	return 0;
}

/**
 * mlb_nl_walk_dump() - fill one message of a dump
 * @skb: the message
 * @cb: the dump, begun by mlb_nl_walk_start()
 * @fill: writes one object; called inside rcu_read_lock()
 *
 * A table that was resized meanwhile may show objects twice, and one whose
 * next object went may pass over others of the bucket; the message says so
 * (NLM_F_DUMP_INTR).
 *
 * Return: bytes written, 0 at the end, or a negative errno.
 */
int mlb_nl_walk_dump(struct sk_buff *skb, struct netlink_callback *cb,
		     mlb_nl_fill_t fill)
{
	struct mlb_nl_walk *walk = (struct mlb_nl_walk *)cb->args[0];
	unsigned int n = 0;
	void *object;
	int err = 0;
	bool anew;

	if (walk->done)
		return 0;
	anew = mlb_walk_start(&walk->iter);
	object = rhashtable_walk_peek(&walk->iter);
	if (walk->next && (anew || object != walk->next))
		cb->seq++;
	while (object) {
		if (IS_ERR(object)) {
			cb->seq++;
		} else {
			err = fill(skb, cb, object);
			if (err)
				break;
		}
		/* A filter may let nothing of a large table through. */
		if (++n % WALK_REST == 0 && !IS_ERR(object)) {
			const void *last = object;

			rhashtable_walk_stop(&walk->iter);
			cond_resched();
			anew = mlb_walk_start(&walk->iter);
			object = rhashtable_walk_peek(&walk->iter);
			if (anew || object != last) {
				cb->seq++;	/* it went, or all moved */
				continue;
			}
		}
		object = rhashtable_walk_next(&walk->iter);
	}
	walk->done = !object;
	walk->next = object;
	rhashtable_walk_stop(&walk->iter);
	return skb->len ?: err;
}

/**
 * mlb_nl_get_addr() - read an address attribute
 * @attr: 4 or 16 bytes
 * @addr: the address, IPv4 as ::ffff:a.b.c.d
 * @extack: why not
 *
 * Return: 0 or -EINVAL.
 */
int mlb_nl_get_addr(const struct nlattr *attr, struct in6_addr *addr,
		    struct netlink_ext_ack *extack)
{
	if (nla_len(attr) == sizeof(struct in_addr)) {
		ipv6_addr_set_v4mapped(nla_get_in_addr(attr), addr);
		return 0;
	}
	if (nla_len(attr) != sizeof(struct in6_addr)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "an address has 4 or 16 bytes");
		return -EINVAL;
	}
	*addr = nla_get_in6_addr(attr);
	if (ipv6_addr_v4mapped(addr)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "write a mapped IPv4 address as IPv4");
		return -EINVAL;
	}
	return 0;
}

/**
 * mlb_nl_judge_unicast() - whether hosts can be reached at an address
 * @attr: the attribute that is blamed
 * @addr: the address
 * @extack: why not
 *
 * Return: 0 or -EINVAL.
 */
int mlb_nl_judge_unicast(const struct nlattr *attr,
			 const struct in6_addr *addr,
			 struct netlink_ext_ack *extack)
{
	bool ipv4 = ipv6_addr_v4mapped(addr);
	__be32 v4 = ipv4 ? addr->s6_addr32[3] : 0;
	int type = ipv6_addr_type(addr);

	if (ipv4 ? ipv4_is_zeronet(v4) : type == IPV6_ADDR_ANY)
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the address is unspecified");
	else if (ipv4 ? ipv4_is_multicast(v4) : type & IPV6_ADDR_MULTICAST)
		NL_SET_ERR_MSG_ATTR(extack, attr, "the address is multicast");
	else if (ipv4 ? ipv4_is_loopback(v4) : type & IPV6_ADDR_LOOPBACK)
		NL_SET_ERR_MSG_ATTR(extack, attr, "the address is loopback");
	else if (ipv4 && ipv4_is_lbcast(v4))
		NL_SET_ERR_MSG_ATTR(extack, attr, "the address is broadcast");
	else if (!ipv4 && type & IPV6_ADDR_LINKLOCAL)
		NL_SET_ERR_MSG_ATTR(extack, attr, "the address is link-local");
	else
		return 0;
	return -EINVAL;
}

int mlb_nl_put_addr(struct sk_buff *skb, int type, const struct in6_addr *addr)
{
	if (ipv6_addr_v4mapped(addr))
		return nla_put_in_addr(skb, type, addr->s6_addr32[3]);
	return nla_put_in6_addr(skb, type, addr);
}

static int config_fill(struct sk_buff *skb, struct mlb_net *mn, u8 cmd,
		       u32 portid, u32 seq)
{
	const struct mlb_config *config = &mn->config;
	const struct mlb_key *key;
	void *hdr;
	int err;

	hdr = genlmsg_put(skb, portid, seq, &mlb_nl_family, 0, cmd);
	if (!hdr)
		return -EMSGSIZE;
	err = nla_put_u32(skb, MLB_A_CONFIG_RESOLVE_TIMEOUT,
			  READ_ONCE(config->resolve_timeout)) ?:
	      nla_put_u32(skb, MLB_A_CONFIG_RESOLVE_RATE,
			  READ_ONCE(config->resolve_rate)) ?:
	      nla_put_u32(skb, MLB_A_CONFIG_MAX_FLOWS,
			  READ_ONCE(config->max_flows)) ?:
	      nla_put_u32(skb, MLB_A_CONFIG_MAX_OWNERS,
			  READ_ONCE(config->max_owners)) ?:
	      nla_put_u16(skb, MLB_A_CONFIG_PORT, READ_ONCE(config->port)) ?:
	      nla_put_u32(skb, MLB_A_CONFIG_FLOWS,
			  READ_ONCE(mn->flows.count)) ?:
	      nla_put_u32(skb, MLB_A_CONFIG_OWNERS,
			  READ_ONCE(mn->owners.count)) ?:
	      nla_put_u32(skb, MLB_A_CONFIG_PARKED,
			  READ_ONCE(mn->resolve.n_parked)) ?:
	      nla_put_u32(skb, MLB_A_CONFIG_ALIVE_INTERVAL,
			  READ_ONCE(config->alive_interval)) ?:
	      nla_put_u32(skb, MLB_A_CONFIG_ALIVE_MULTIPLIER,
			  READ_ONCE(config->alive_multiplier)) ?:
	      nla_put_u32(skb, MLB_A_CONFIG_FASTCLOSE,
			  READ_ONCE(config->fastclose)) ?:
	      nla_put_u32(skb, MLB_A_CONFIG_DEAD, READ_ONCE(mn->dead.count));
	rcu_read_lock();
	key = rcu_dereference(mn->key);
	if (!err && key)
		err = nla_put(skb, MLB_A_CONFIG_KEY_ID, sizeof(key->id),
			      key->id);
	rcu_read_unlock();
	if (err) {
		genlmsg_cancel(skb, hdr);
		return err;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

int mlb_nl_config_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct sk_buff *reply;
	int err;

	reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	err = config_fill(reply, mn, MLB_CMD_CONFIG_GET, info->snd_portid,
			  info->snd_seq);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	return genlmsg_reply(reply, info);
}

static void config_notify(struct mlb_net *mn)
{
	struct sk_buff *skb;

	if (!mlb_nl_has_listeners(mn, MLB_NLGRP_EVENT))
		return;
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return;
	if (config_fill(skb, mn, MLB_CMD_CONFIG_NTF, 0, 0)) {
		nlmsg_free(skb);
		return;
	}
	mlb_nl_multicast(mn, skb, MLB_NLGRP_EVENT);
}

/* Entries are made by packets, whose memory is charged to nobody: the owner of
 * a user namespace may not have more of them than the default.
 */
static int config_judge_limit(const struct sk_buff *skb,
			      const struct nlattr *attr,
			      struct netlink_ext_ack *extack)
{
	if (!attr || nla_get_u32(attr) <= MLB_LIMIT_DEFAULT ||
	    netlink_capable(skb, CAP_NET_ADMIN))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "more than 1048576 needs the real CAP_NET_ADMIN");
	return -EPERM;
}

static int config_judge_alive(const struct nlattr *attr,
			      struct netlink_ext_ack *extack)
{
	u32 interval = attr ? nla_get_u32(attr) : 0;

	if (!interval || interval >= CONFIG_ALIVE_MIN)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "alive-interval is 10 to 10000 ms, or 0 for off");
	return -ERANGE;
}

static void config_set_alive(struct mlb_net *mn, struct nlattr **attrs)
{
	u16 interval = attrs[MLB_A_CONFIG_ALIVE_INTERVAL] ?
		       nla_get_u32(attrs[MLB_A_CONFIG_ALIVE_INTERVAL]) :
		       mn->config.alive_interval;
	u8 multiplier = attrs[MLB_A_CONFIG_ALIVE_MULTIPLIER] ?
			nla_get_u32(attrs[MLB_A_CONFIG_ALIVE_MULTIPLIER]) :
			mn->config.alive_multiplier;

	mlb_alive_set(mn, interval, multiplier);
}

int mlb_nl_config_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct nlattr **attrs = info->attrs;
	struct mlb_config *config = &mn->config;
	int err;

	err = config_judge_limit(skb, attrs[MLB_A_CONFIG_MAX_OWNERS],
				 info->extack) ?:
	      config_judge_limit(skb, attrs[MLB_A_CONFIG_MAX_FLOWS],
				 info->extack) ?:
	      config_judge_alive(attrs[MLB_A_CONFIG_ALIVE_INTERVAL],
				 info->extack);
	if (err)
		return err;

	mutex_lock(&mn->lock);
	/* Only the port can be refused now, so it goes first. */
	if (attrs[MLB_A_CONFIG_PORT]) {
		u16 port = nla_get_u16(attrs[MLB_A_CONFIG_PORT]);

		err = mlb_tunnel_move(mn, port, info->extack);
		if (err)
			goto unlock;
		WRITE_ONCE(config->port, port);
	}
	if (attrs[MLB_A_CONFIG_RESOLVE_TIMEOUT])
		WRITE_ONCE(config->resolve_timeout,
			   nla_get_u32(attrs[MLB_A_CONFIG_RESOLVE_TIMEOUT]));
	if (attrs[MLB_A_CONFIG_RESOLVE_RATE])
		WRITE_ONCE(config->resolve_rate,
			   nla_get_u32(attrs[MLB_A_CONFIG_RESOLVE_RATE]));
	if (attrs[MLB_A_CONFIG_MAX_OWNERS])
		WRITE_ONCE(config->max_owners,
			   nla_get_u32(attrs[MLB_A_CONFIG_MAX_OWNERS]));
	if (attrs[MLB_A_CONFIG_MAX_FLOWS]) {
		WRITE_ONCE(config->max_flows,
			   nla_get_u32(attrs[MLB_A_CONFIG_MAX_FLOWS]));
		mlb_flow_trim(mn);
	}
	if (attrs[MLB_A_CONFIG_FASTCLOSE])
		WRITE_ONCE(config->fastclose,
			   nla_get_u32(attrs[MLB_A_CONFIG_FASTCLOSE]));
	config_set_alive(mn, attrs);
	config_notify(mn);
unlock:
	mutex_unlock(&mn->lock);
	return err;
}

/* Keys for different ends must not be derivable from each other. */
static void key_derive(const char *label, const u8 *secret, unsigned int len,
		       u8 digest[SHA256_DIGEST_SIZE])
{
	u8 buf[16 + MLB_KEY_LEN_MAX] = {};

	strscpy(buf, label, 16);
	memcpy(buf + 16, secret, len);
	sha256(buf, 16 + len, digest);
	memzero_explicit(buf, sizeof(buf));
}

/* The same words on nodes of either byte order. */
static void key_siphash(siphash_key_t *key,
			const u8 digest[SHA256_DIGEST_SIZE])
{
	__le64 words[2];

	memcpy(words, digest, sizeof(words));
	key->key[0] = le64_to_cpu(words[0]);
	key->key[1] = le64_to_cpu(words[1]);
	memzero_explicit(words, sizeof(words));
}

int mlb_nl_key_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct nlattr *attr = info->attrs[MLB_A_CONFIG_KEY];
	u8 digest[SHA256_DIGEST_SIZE];
	struct mlb_key *key, *old;

	if (mlb_nl_missing(info, MLB_A_CONFIG_KEY, "the key is missing"))
		return -EINVAL;
	if (nla_len(attr) < MLB_KEY_LEN_MIN ||
	    nla_len(attr) > MLB_KEY_LEN_MAX) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "a cluster key has 16 to 64 bytes");
		return -EINVAL;
	}
	key = kzalloc(sizeof(*key), GFP_KERNEL);
	if (!key)
		return -ENOMEM;
	key_derive("mlb tunnel mac", nla_data(attr), nla_len(attr), digest);
	key_siphash(&key->mac, digest);
	key_derive("mlb scheduler", nla_data(attr), nla_len(attr), digest);
	key_siphash(&key->hash, digest);
	key_derive("mlb key id", nla_data(attr), nla_len(attr), digest);
	memcpy(key->id, digest, sizeof(key->id));
	memzero_explicit(digest, sizeof(digest));
	memzero_explicit(nla_data(attr), nla_len(attr));

	mutex_lock(&mn->lock);
	old = rcu_replace_pointer(mn->key, key, lockdep_is_held(&mn->lock));
	mlb_alive_start(mn);
	config_notify(mn);
	mutex_unlock(&mn->lock);
	if (old) {
		synchronize_net();
		kfree_sensitive(old);
	}
	return 0;
}

int mlb_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	static const u8 attr[MLB_CNT_MAX] = {
#define MLB_COUNTER(name) MLB_A_STATS_##name,
#include "stats_gen.h"
#undef MLB_COUNTER
	};
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct sk_buff *reply;
	void *hdr;

	reply = genlmsg_new(MLB_CNT_MAX * nla_total_size_64bit(sizeof(u64)),
			    GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_put_reply(reply, info, &mlb_nl_family, 0,
				MLB_CMD_STATS_GET);
	if (!hdr)
		goto err_size;
	for (unsigned int i = 0; i < MLB_CNT_MAX; i++)
		if (nla_put_u64_64bit(reply, attr[i],
				      mlb_stats_read(mn->stats, i),
				      MLB_A_STATS_PAD))
			goto err_size;
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);

err_size:
	nlmsg_free(reply);
	return -EMSGSIZE;
}

/**
 * mlb_netlink_limit() - tell that a table is full, at most once a second
 * @mn: the namespace
 * @table: which
 * @limit: its limit
 *
 * Softirq or process context.
 */
void mlb_netlink_limit(struct mlb_net *mn, enum mlb_table table, u32 limit)
{
	unsigned long last = READ_ONCE(mn->limit_told[table]);
	struct sk_buff *skb;
	void *hdr;

	/* Not time_before(): it may be weeks ago. */
	if (jiffies - last < HZ ||
	    cmpxchg(&mn->limit_told[table], last, jiffies) != last ||
	    !mlb_nl_has_listeners(mn, MLB_NLGRP_EVENT))
		return;
	skb = genlmsg_new(64, GFP_ATOMIC);
	if (!skb)
		return;
	hdr = genlmsg_put(skb, 0, 0, &mlb_nl_family, 0, MLB_CMD_LIMIT_EVENT);
	if (!hdr || nla_put_u32(skb, MLB_A_EVENT_TABLE, table) ||
	    nla_put_u32(skb, MLB_A_EVENT_LIMIT, limit)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	mlb_nl_multicast(mn, skb, MLB_NLGRP_EVENT);
}

static const struct genl_multicast_group mlb_nl_mcgrps[] = {
	[MLB_NLGRP_OWNER] = { .name = MLB_MCGRP_OWNER,
			      .flags = GENL_MCAST_CAP_NET_ADMIN },
	[MLB_NLGRP_EVENT] = { .name = MLB_MCGRP_EVENT },
};

struct genl_family mlb_nl_family __ro_after_init = {
	.name = MLB_FAMILY_NAME,
	.version = MLB_FAMILY_VERSION,
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	.mcgrps = mlb_nl_mcgrps,
	.n_mcgrps = ARRAY_SIZE(mlb_nl_mcgrps),
};

int __init mlb_netlink_register(void)
{
	return genl_register_split_ops(&mlb_nl_family, mlb_nl_ops,
				       ARRAY_SIZE(mlb_nl_ops));
}

/* Namespaces live on for a moment, and must not use the groups' numbers. */
void mlb_netlink_unregister(void)
{
	WRITE_ONCE(netlink_gone, true);
	synchronize_rcu();
	genl_unregister_family(&mlb_nl_family);
}
