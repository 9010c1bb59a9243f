/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	include/netlink/mlb.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_MLB_GEN_H
#define _LINUX_MLB_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/mlb.h>

/* Common nested types */
extern const struct nla_policy mlb_client_nl_policy[MLB_A_CLIENT_KEY + 1];
extern const struct nla_policy mlb_group_pool_nl_policy[MLB_A_GROUP_POOL_WAIT + 1];
extern const struct nla_policy mlb_group_prefix_nl_policy[MLB_A_GROUP_PREFIX_GROUP + 1];
extern const struct nla_policy mlb_owner_entry_nl_policy[MLB_A_OWNER_ENTRY_CLIENT + 1];

/* Ops table for mlb */
extern const struct genl_split_ops mlb_nl_ops[25];

int mlb_nl_service_walk_start(struct netlink_callback *cb);
int mlb_nl_owner_walk_start(struct netlink_callback *cb);
int mlb_nl_flow_walk_start(struct netlink_callback *cb);
int mlb_nl_pools_start(struct netlink_callback *cb);
int mlb_nl_walk_done(struct netlink_callback *cb);

int mlb_nl_config_get_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_config_set_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_key_set_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_node_get_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_node_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int mlb_nl_node_add_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_node_set_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_node_del_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_service_get_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_service_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int mlb_nl_service_add_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_service_set_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_service_del_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_owner_get_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_owner_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int mlb_nl_owner_add_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_owner_del_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_owner_flush_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_flow_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int mlb_nl_explain_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_node_probe_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_pools_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int mlb_nl_pools_set_doit(struct sk_buff *skb, struct genl_info *info);
int mlb_nl_owner_end_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	MLB_NLGRP_OWNER,
	MLB_NLGRP_EVENT,
};

#endif /* _LINUX_MLB_GEN_H */
