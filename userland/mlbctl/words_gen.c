// SPDX-License-Identifier: GPL-2.0
/* Do not edit: generated from include/netlink/mlb.yaml. */
#include "text.h"

const char *const encap_words[] = {
	[MLB_ENCAP_MLB] = "mlb",
	[MLB_ENCAP_IPIP] = "ipip",
	[MLB_ENCAP_GUE] = "gue",
	NULL,
};

const char *const verdict_words[] = {
	[MLB_VERDICT_LOCAL] = "local",
	[MLB_VERDICT_REMOTE] = "remote",
	[MLB_VERDICT_ASK] = "ask",
	[MLB_VERDICT_DROP] = "drop",
	[MLB_VERDICT_RESET] = "reset",
	NULL,
};

const char *const rule_words[] = {
	[MLB_RULE_FLOW] = "flow",
	[MLB_RULE_JOIN] = "join",
	[MLB_RULE_NEW] = "new",
	[MLB_RULE_SOCKET] = "socket",
	[MLB_RULE_UNKNOWN] = "unknown",
	[MLB_RULE_RESOLVED] = "resolved",
	[MLB_RULE_UNCLAIMED] = "unclaimed",
	[MLB_RULE_TUNNEL] = "tunnel",
	NULL,
};

const char *const reason_words[] = {
	[MLB_REASON_FLOW_ENTRY] = "flow-entry",
	[MLB_REASON_TOKEN_LOCAL] = "token-local",
	[MLB_REASON_TOKEN_OWNER] = "token-owner",
	[MLB_REASON_TOKEN_UNKNOWN] = "token-unknown",
	[MLB_REASON_TOKEN_ZERO] = "token-zero",
	[MLB_REASON_TOKEN_CONTESTED] = "token-contested",
	[MLB_REASON_OWNER_STATE] = "owner-state",
	[MLB_REASON_NO_SELF] = "no-self",
	[MLB_REASON_SCHEDULER_LOCAL] = "scheduler-local",
	[MLB_REASON_SCHEDULER_MAGLEV] = "scheduler-maglev",
	[MLB_REASON_NO_NODE] = "no-node",
	[MLB_REASON_SOCKET] = "socket",
	[MLB_REASON_SYN_COOKIE] = "syn-cookie",
	[MLB_REASON_SYN_FORWARDED] = "syn-forwarded",
	[MLB_REASON_PLAIN_NODE] = "plain-node",
	[MLB_REASON_FLOW_UNKNOWN] = "flow-unknown",
	[MLB_REASON_TIME_WAIT] = "time-wait",
	[MLB_REASON_NO_PEERS] = "no-peers",
	[MLB_REASON_SCHEDULER_PAST] = "scheduler-past",
	[MLB_REASON_PEERS_SILENT] = "peers-silent",
	[MLB_REASON_GROUP_REFUSED] = "group-refused",
	[MLB_REASON_OWNER_DEAD] = "owner-dead",
	[MLB_REASON_GROUP_WAITS] = "group-waits",
	NULL,
};

const char *const reason_texts[] = {
	[MLB_REASON_FLOW_ENTRY] = "the flow table names the node",
	[MLB_REASON_TOKEN_LOCAL] = "the connection is on this host",
	[MLB_REASON_TOKEN_OWNER] = "the owner table names the node",
	[MLB_REASON_TOKEN_UNKNOWN] = "the owner table does not have the token",
	[MLB_REASON_TOKEN_ZERO] = "token 0 is of no connection",
	[MLB_REASON_TOKEN_CONTESTED] = "two nodes announced the token",
	[MLB_REASON_OWNER_STATE] = "the state of the owner admits no joins",
	[MLB_REASON_NO_SELF] = "no node is this host",
	[MLB_REASON_SCHEDULER_LOCAL] = "the service keeps new connections where they arrive",
	[MLB_REASON_SCHEDULER_MAGLEV] = "consistent hashing over the pool",
	[MLB_REASON_NO_NODE] = "no node of the pool takes new connections",
	[MLB_REASON_SOCKET] = "a socket has the flow",
	[MLB_REASON_SYN_COOKIE] = "the acknowledgment is of a SYN cookie of this host",
	[MLB_REASON_SYN_FORWARDED] = "its SYN went to the node a moment ago",
	[MLB_REASON_PLAIN_NODE] = "consistent hashing names a node without mlb, and there is no peer to ask",
	[MLB_REASON_FLOW_UNKNOWN] = "no flow entry and no socket",
	[MLB_REASON_TIME_WAIT] = "only a socket in TIME_WAIT is left of the flow",
	[MLB_REASON_NO_PEERS] = "there is no peer to ask",
	[MLB_REASON_SCHEDULER_PAST] = "consistent hashing over the pool, past a suspect node",
	[MLB_REASON_PEERS_SILENT] = "no peer that could be asked is heard",
	[MLB_REASON_GROUP_REFUSED] = "no node of the pool for the client's group takes new connections",
	[MLB_REASON_OWNER_DEAD] = "the node that had the connection is dead",
	[MLB_REASON_GROUP_WAITS] = "no node of the pool for the client's group takes new connections yet",
	NULL,
};
