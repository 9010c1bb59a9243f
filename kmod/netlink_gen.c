// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	include/netlink/mlb.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/mlb.h>

/* Integer value ranges */
static const struct netlink_range_validation mlb_a_config_resolve_rate_range = {
	.min	= 1ULL,
	.max	= 10000000ULL,
};

static const struct netlink_range_validation mlb_a_config_max_flows_range = {
	.min	= 1ULL,
	.max	= 67108864ULL,
};

static const struct netlink_range_validation mlb_a_config_max_owners_range = {
	.min	= 1ULL,
	.max	= 67108864ULL,
};

static const struct netlink_range_validation mlb_a_node_weight_range = {
	.max	= MLB_WEIGHT_MAX,
};

/* Common nested types */
const struct nla_policy mlb_client_nl_policy[MLB_A_CLIENT_KEY + 1] = {
	[MLB_A_CLIENT_SADDR] = { .type = NLA_BINARY, },
	[MLB_A_CLIENT_DADDR] = { .type = NLA_BINARY, },
	[MLB_A_CLIENT_SPORT] = { .type = NLA_U16, },
	[MLB_A_CLIENT_DPORT] = { .type = NLA_U16, },
	[MLB_A_CLIENT_KEY] = NLA_POLICY_EXACT_LEN(MLB_MPTCP_KEY_LEN),
};

const struct nla_policy mlb_group_pool_nl_policy[MLB_A_GROUP_POOL_WAIT + 1] = {
	[MLB_A_GROUP_POOL_ADDR] = { .type = NLA_BINARY, },
	[MLB_A_GROUP_POOL_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[MLB_A_GROUP_POOL_GROUP] = NLA_POLICY_MIN(NLA_U16, 1),
	[MLB_A_GROUP_POOL_NODE] = NLA_POLICY_RANGE(NLA_U16, 1, MLB_NODE_ID_MAX),
	[MLB_A_GROUP_POOL_WAIT] = { .type = NLA_FLAG, },
};

const struct nla_policy mlb_group_prefix_nl_policy[MLB_A_GROUP_PREFIX_GROUP + 1] = {
	[MLB_A_GROUP_PREFIX_ADDR] = { .type = NLA_BINARY, },
	[MLB_A_GROUP_PREFIX_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
	[MLB_A_GROUP_PREFIX_GROUP] = NLA_POLICY_MIN(NLA_U16, 1),
};

const struct nla_policy mlb_owner_entry_nl_policy[MLB_A_OWNER_ENTRY_CLIENT + 1] = {
	[MLB_A_OWNER_ENTRY_TOKEN] = { .type = NLA_U32, },
	[MLB_A_OWNER_ENTRY_NODE] = NLA_POLICY_RANGE(NLA_U16, 1, MLB_NODE_ID_MAX),
	[MLB_A_OWNER_ENTRY_CPU] = { .type = NLA_U32, },
	[MLB_A_OWNER_ENTRY_LOCAL] = { .type = NLA_FLAG, },
	[MLB_A_OWNER_ENTRY_AGE] = { .type = NLA_U32, },
	[MLB_A_OWNER_ENTRY_RIVAL] = { .type = NLA_U16, },
	[MLB_A_OWNER_ENTRY_SEEN] = { .type = NLA_FLAG, },
	[MLB_A_OWNER_ENTRY_CLIENT] = NLA_POLICY_NESTED(mlb_client_nl_policy),
};

/* MLB_CMD_CONFIG_SET - do */
static const struct nla_policy mlb_config_set_nl_policy[MLB_A_CONFIG_FASTCLOSE + 1] = {
	[MLB_A_CONFIG_RESOLVE_TIMEOUT] = NLA_POLICY_RANGE(NLA_U32, 2, 1000),
	[MLB_A_CONFIG_RESOLVE_RATE] = NLA_POLICY_FULL_RANGE(NLA_U32, &mlb_a_config_resolve_rate_range),
	[MLB_A_CONFIG_MAX_FLOWS] = NLA_POLICY_FULL_RANGE(NLA_U32, &mlb_a_config_max_flows_range),
	[MLB_A_CONFIG_MAX_OWNERS] = NLA_POLICY_FULL_RANGE(NLA_U32, &mlb_a_config_max_owners_range),
	[MLB_A_CONFIG_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[MLB_A_CONFIG_ALIVE_INTERVAL] = NLA_POLICY_MAX(NLA_U32, 10000),
	[MLB_A_CONFIG_ALIVE_MULTIPLIER] = NLA_POLICY_RANGE(NLA_U32, 2, 255),
	[MLB_A_CONFIG_FASTCLOSE] = NLA_POLICY_MAX(NLA_U32, 2),
};

/* MLB_CMD_KEY_SET - do */
static const struct nla_policy mlb_key_set_nl_policy[MLB_A_CONFIG_KEY + 1] = {
	[MLB_A_CONFIG_KEY] = { .type = NLA_BINARY, },
};

/* MLB_CMD_NODE_GET - do */
static const struct nla_policy mlb_node_get_nl_policy[MLB_A_NODE_ID + 1] = {
	[MLB_A_NODE_ID] = NLA_POLICY_RANGE(NLA_U16, 1, MLB_NODE_ID_MAX),
};

/* MLB_CMD_NODE_ADD - do */
static const struct nla_policy mlb_node_add_nl_policy[MLB_A_NODE_LATER + 1] = {
	[MLB_A_NODE_ID] = NLA_POLICY_RANGE(NLA_U16, 1, MLB_NODE_ID_MAX),
	[MLB_A_NODE_ADDR] = { .type = NLA_BINARY, },
	[MLB_A_NODE_WEIGHT] = NLA_POLICY_FULL_RANGE(NLA_U32, &mlb_a_node_weight_range),
	[MLB_A_NODE_STATE] = NLA_POLICY_MAX(NLA_U32, 3),
	[MLB_A_NODE_SELF] = { .type = NLA_FLAG, },
	[MLB_A_NODE_ENCAP] = NLA_POLICY_MAX(NLA_U32, 2),
	[MLB_A_NODE_ENCAP_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[MLB_A_NODE_LATER] = { .type = NLA_FLAG, },
};

/* MLB_CMD_NODE_SET - do */
static const struct nla_policy mlb_node_set_nl_policy[MLB_A_NODE_LATER + 1] = {
	[MLB_A_NODE_ID] = NLA_POLICY_RANGE(NLA_U16, 1, MLB_NODE_ID_MAX),
	[MLB_A_NODE_WEIGHT] = NLA_POLICY_FULL_RANGE(NLA_U32, &mlb_a_node_weight_range),
	[MLB_A_NODE_STATE] = NLA_POLICY_MAX(NLA_U32, 3),
	[MLB_A_NODE_LATER] = { .type = NLA_FLAG, },
};

/* MLB_CMD_NODE_DEL - do */
static const struct nla_policy mlb_node_del_nl_policy[MLB_A_NODE_ID + 1] = {
	[MLB_A_NODE_ID] = NLA_POLICY_RANGE(NLA_U16, 1, MLB_NODE_ID_MAX),
};

/* MLB_CMD_SERVICE_GET - do */
static const struct nla_policy mlb_service_get_nl_policy[MLB_A_SERVICE_PORT + 1] = {
	[MLB_A_SERVICE_ADDR] = { .type = NLA_BINARY, },
	[MLB_A_SERVICE_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
};

/* MLB_CMD_SERVICE_ADD - do */
static const struct nla_policy mlb_service_add_nl_policy[MLB_A_SERVICE_NODE + 1] = {
	[MLB_A_SERVICE_ADDR] = { .type = NLA_BINARY, },
	[MLB_A_SERVICE_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[MLB_A_SERVICE_SCHEDULER] = NLA_POLICY_MAX(NLA_U32, 1),
	[MLB_A_SERVICE_NODE] = NLA_POLICY_RANGE(NLA_U16, 1, MLB_NODE_ID_MAX),
};

/* MLB_CMD_SERVICE_SET - do */
static const struct nla_policy mlb_service_set_nl_policy[MLB_A_SERVICE_ALL_NODES + 1] = {
	[MLB_A_SERVICE_ADDR] = { .type = NLA_BINARY, },
	[MLB_A_SERVICE_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[MLB_A_SERVICE_SCHEDULER] = NLA_POLICY_MAX(NLA_U32, 1),
	[MLB_A_SERVICE_NODE] = NLA_POLICY_RANGE(NLA_U16, 1, MLB_NODE_ID_MAX),
	[MLB_A_SERVICE_ALL_NODES] = { .type = NLA_FLAG, },
};

/* MLB_CMD_SERVICE_DEL - do */
static const struct nla_policy mlb_service_del_nl_policy[MLB_A_SERVICE_PORT + 1] = {
	[MLB_A_SERVICE_ADDR] = { .type = NLA_BINARY, },
	[MLB_A_SERVICE_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
};

/* MLB_CMD_OWNER_GET - do */
static const struct nla_policy mlb_owner_get_do_nl_policy[MLB_A_OWNER_TOKEN + 1] = {
	[MLB_A_OWNER_NODE] = NLA_POLICY_RANGE(NLA_U16, 1, MLB_NODE_ID_MAX),
	[MLB_A_OWNER_TOKEN] = { .type = NLA_U32, },
};

/* MLB_CMD_OWNER_GET - dump */
static const struct nla_policy mlb_owner_get_dump_nl_policy[MLB_A_OWNER_TOKEN + 1] = {
	[MLB_A_OWNER_NODE] = NLA_POLICY_RANGE(NLA_U16, 1, MLB_NODE_ID_MAX),
	[MLB_A_OWNER_TOKEN] = { .type = NLA_U32, },
};

/* MLB_CMD_OWNER_ADD - do */
static const struct nla_policy mlb_owner_add_nl_policy[MLB_A_OWNER_ANNOUNCE + 1] = {
	[MLB_A_OWNER_ENTRY] = NLA_POLICY_NESTED(mlb_owner_entry_nl_policy),
	[MLB_A_OWNER_REPLACE] = { .type = NLA_FLAG, },
	[MLB_A_OWNER_ANNOUNCE] = { .type = NLA_FLAG, },
};

/* MLB_CMD_OWNER_DEL - do */
static const struct nla_policy mlb_owner_del_nl_policy[MLB_A_OWNER_ENTRY + 1] = {
	[MLB_A_OWNER_ENTRY] = NLA_POLICY_NESTED(mlb_owner_entry_nl_policy),
};

/* MLB_CMD_OWNER_FLUSH - do */
static const struct nla_policy mlb_owner_flush_nl_policy[MLB_A_OWNER_NODE + 1] = {
	[MLB_A_OWNER_NODE] = NLA_POLICY_RANGE(NLA_U16, 1, MLB_NODE_ID_MAX),
};

/* MLB_CMD_FLOW_GET - dump */
static const struct nla_policy mlb_flow_get_nl_policy[MLB_A_FLOW_DPORT + 1] = {
	[MLB_A_FLOW_DADDR] = { .type = NLA_BINARY, },
	[MLB_A_FLOW_DPORT] = { .type = NLA_U16, },
};

/* MLB_CMD_EXPLAIN - do */
static const struct nla_policy mlb_explain_nl_policy[MLB_A_EXPLAIN_TOKEN + 1] = {
	[MLB_A_EXPLAIN_SADDR] = { .type = NLA_BINARY, },
	[MLB_A_EXPLAIN_DADDR] = { .type = NLA_BINARY, },
	[MLB_A_EXPLAIN_SPORT] = { .type = NLA_U16, },
	[MLB_A_EXPLAIN_DPORT] = { .type = NLA_U16, },
	[MLB_A_EXPLAIN_SYN] = { .type = NLA_FLAG, },
	[MLB_A_EXPLAIN_TOKEN] = { .type = NLA_U32, },
};

/* MLB_CMD_NODE_PROBE - do */
static const struct nla_policy mlb_node_probe_nl_policy[MLB_A_NODE_ID + 1] = {
	[MLB_A_NODE_ID] = NLA_POLICY_RANGE(NLA_U16, 1, MLB_NODE_ID_MAX),
};

/* MLB_CMD_POOLS_SET - do */
static const struct nla_policy mlb_pools_set_nl_policy[MLB_A_POOLS_PATIENT + 1] = {
	[MLB_A_POOLS_PREFIX] = NLA_POLICY_NESTED(mlb_group_prefix_nl_policy),
	[MLB_A_POOLS_POOL] = NLA_POLICY_NESTED(mlb_group_pool_nl_policy),
	[MLB_A_POOLS_VERSION] = { .type = NLA_U32, },
	[MLB_A_POOLS_PATIENT] = { .type = NLA_FLAG, },
};

/* MLB_CMD_OWNER_END - do */
static const struct nla_policy mlb_owner_end_nl_policy[MLB_A_OWNER_ENTRY + 1] = {
	[MLB_A_OWNER_ENTRY] = NLA_POLICY_NESTED(mlb_owner_entry_nl_policy),
};

/* Ops table for mlb */
const struct genl_split_ops mlb_nl_ops[25] = {
	{
		.cmd	= MLB_CMD_CONFIG_GET,
		.doit	= mlb_nl_config_get_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MLB_CMD_CONFIG_SET,
		.doit		= mlb_nl_config_set_doit,
		.policy		= mlb_config_set_nl_policy,
		.maxattr	= MLB_A_CONFIG_FASTCLOSE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MLB_CMD_KEY_SET,
		.doit		= mlb_nl_key_set_doit,
		.policy		= mlb_key_set_nl_policy,
		.maxattr	= MLB_A_CONFIG_KEY,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MLB_CMD_NODE_GET,
		.doit		= mlb_nl_node_get_doit,
		.policy		= mlb_node_get_nl_policy,
		.maxattr	= MLB_A_NODE_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= MLB_CMD_NODE_GET,
		.dumpit	= mlb_nl_node_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= MLB_CMD_NODE_ADD,
		.doit		= mlb_nl_node_add_doit,
		.policy		= mlb_node_add_nl_policy,
		.maxattr	= MLB_A_NODE_LATER,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MLB_CMD_NODE_SET,
		.doit		= mlb_nl_node_set_doit,
		.policy		= mlb_node_set_nl_policy,
		.maxattr	= MLB_A_NODE_LATER,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MLB_CMD_NODE_DEL,
		.doit		= mlb_nl_node_del_doit,
		.policy		= mlb_node_del_nl_policy,
		.maxattr	= MLB_A_NODE_ID,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MLB_CMD_SERVICE_GET,
		.doit		= mlb_nl_service_get_doit,
		.policy		= mlb_service_get_nl_policy,
		.maxattr	= MLB_A_SERVICE_PORT,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= MLB_CMD_SERVICE_GET,
		.start	= mlb_nl_service_walk_start,
		.dumpit	= mlb_nl_service_get_dumpit,
		.done	= mlb_nl_walk_done,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= MLB_CMD_SERVICE_ADD,
		.doit		= mlb_nl_service_add_doit,
		.policy		= mlb_service_add_nl_policy,
		.maxattr	= MLB_A_SERVICE_NODE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MLB_CMD_SERVICE_SET,
		.doit		= mlb_nl_service_set_doit,
		.policy		= mlb_service_set_nl_policy,
		.maxattr	= MLB_A_SERVICE_ALL_NODES,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MLB_CMD_SERVICE_DEL,
		.doit		= mlb_nl_service_del_doit,
		.policy		= mlb_service_del_nl_policy,
		.maxattr	= MLB_A_SERVICE_PORT,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MLB_CMD_OWNER_GET,
		.doit		= mlb_nl_owner_get_doit,
		.policy		= mlb_owner_get_do_nl_policy,
		.maxattr	= MLB_A_OWNER_TOKEN,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MLB_CMD_OWNER_GET,
		.start		= mlb_nl_owner_walk_start,
		.dumpit		= mlb_nl_owner_get_dumpit,
		.done		= mlb_nl_walk_done,
		.policy		= mlb_owner_get_dump_nl_policy,
		.maxattr	= MLB_A_OWNER_TOKEN,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= MLB_CMD_OWNER_ADD,
		.doit		= mlb_nl_owner_add_doit,
		.policy		= mlb_owner_add_nl_policy,
		.maxattr	= MLB_A_OWNER_ANNOUNCE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MLB_CMD_OWNER_DEL,
		.doit		= mlb_nl_owner_del_doit,
		.policy		= mlb_owner_del_nl_policy,
		.maxattr	= MLB_A_OWNER_ENTRY,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MLB_CMD_OWNER_FLUSH,
		.doit		= mlb_nl_owner_flush_doit,
		.policy		= mlb_owner_flush_nl_policy,
		.maxattr	= MLB_A_OWNER_NODE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MLB_CMD_FLOW_GET,
		.start		= mlb_nl_flow_walk_start,
		.dumpit		= mlb_nl_flow_get_dumpit,
		.done		= mlb_nl_walk_done,
		.policy		= mlb_flow_get_nl_policy,
		.maxattr	= MLB_A_FLOW_DPORT,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= MLB_CMD_EXPLAIN,
		.doit		= mlb_nl_explain_doit,
		.policy		= mlb_explain_nl_policy,
		.maxattr	= MLB_A_EXPLAIN_TOKEN,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= MLB_CMD_STATS_GET,
		.doit	= mlb_nl_stats_get_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MLB_CMD_NODE_PROBE,
		.doit		= mlb_nl_node_probe_doit,
		.policy		= mlb_node_probe_nl_policy,
		.maxattr	= MLB_A_NODE_ID,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= MLB_CMD_POOLS_GET,
		.start	= mlb_nl_pools_start,
		.dumpit	= mlb_nl_pools_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= MLB_CMD_POOLS_SET,
		.doit		= mlb_nl_pools_set_doit,
		.policy		= mlb_pools_set_nl_policy,
		.maxattr	= MLB_A_POOLS_PATIENT,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MLB_CMD_OWNER_END,
		.doit		= mlb_nl_owner_end_doit,
		.policy		= mlb_owner_end_nl_policy,
		.maxattr	= MLB_A_OWNER_ENTRY,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
};

