/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_NETLINK_H
#define _MLB_NETLINK_H

#include <linux/in6.h>
#include <linux/rhashtable.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

struct mlb_net;

extern struct genl_family mlb_nl_family;

/**
 * struct mlb_nl_walk - a dump of a hash table
 * @iter: where it stands
 * @next: the object that did not fit into the last message, to compare only
 * @done: the whole table was seen
 */
struct mlb_nl_walk {
	struct rhashtable_iter iter;
	const void *next;
	bool done;
};

/* Writes one object, or says -EMSGSIZE when there is no room for it. */
typedef int (*mlb_nl_fill_t)(struct sk_buff *skb, struct netlink_callback *cb,
			     const void *object);

int mlb_nl_walk_start(struct netlink_callback *cb, struct rhashtable *table);
int mlb_nl_walk_dump(struct sk_buff *skb, struct netlink_callback *cb,
		     mlb_nl_fill_t fill);

int mlb_nl_get_addr(const struct nlattr *attr, struct in6_addr *addr,
		    struct netlink_ext_ack *extack);
int mlb_nl_judge_unicast(const struct nlattr *attr,
			 const struct in6_addr *addr,
			 struct netlink_ext_ack *extack);
int mlb_nl_put_addr(struct sk_buff *skb, int type, const struct in6_addr *addr);

/* Whether an attribute that is needed is missing; then the request is told so
 * by @msg, a string literal.
 */
#define mlb_nl_missing(info, type, msg) ({			\
	struct genl_info *__info = (info);			\
	bool __missing = !__info->attrs[type];			\
								\
	if (__missing)						\
		NL_SET_ERR_MSG(__info->extack, msg);		\
	__missing;						\
})

void mlb_nl_multicast(struct mlb_net *mn, struct sk_buff *skb,
		      unsigned int group);
bool mlb_nl_has_listeners(struct mlb_net *mn, unsigned int group);
void mlb_netlink_limit(struct mlb_net *mn, enum mlb_table table, u32 limit);

/* Owner entries on their way to the owner group, many in a message. */
struct mlb_owner_batch {
	struct mlb_net *mn;
	struct sk_buff *skb;
	void *hdr;
	u8 cmd;
	bool seen;	/* they are of MLB_OWNER_SEEN */
};

void mlb_owner_batch_init(struct mlb_owner_batch *batch, struct mlb_net *mn,
			  u8 cmd);
void mlb_owner_batch_add(struct mlb_owner_batch *batch, u32 token, u16 node,
			 u16 cpu);
void mlb_owner_batch_send(struct mlb_owner_batch *batch);

int mlb_netlink_register(void);
void mlb_netlink_unregister(void);

#endif
