/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM mlb

#if !defined(_MLB_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _MLB_TRACE_H

#include <linux/tracepoint.h>

#include "steer.h"
#include "tuple.h"

TRACE_DEFINE_ENUM(MLB_RULE_FLOW);
TRACE_DEFINE_ENUM(MLB_RULE_JOIN);
TRACE_DEFINE_ENUM(MLB_RULE_NEW);
TRACE_DEFINE_ENUM(MLB_RULE_SOCKET);
TRACE_DEFINE_ENUM(MLB_RULE_UNKNOWN);
TRACE_DEFINE_ENUM(MLB_RULE_RESOLVED);
TRACE_DEFINE_ENUM(MLB_RULE_UNCLAIMED);
TRACE_DEFINE_ENUM(MLB_RULE_TUNNEL);

#define mlb_show_rule(rule)				\
	__print_symbolic(rule,				\
		{ MLB_RULE_FLOW,	"flow" },	\
		{ MLB_RULE_JOIN,	"join" },	\
		{ MLB_RULE_NEW,		"new" },	\
		{ MLB_RULE_SOCKET,	"socket" },	\
		{ MLB_RULE_UNKNOWN,	"unknown" },	\
		{ MLB_RULE_RESOLVED,	"resolved" },	\
		{ MLB_RULE_UNCLAIMED,	"unclaimed" },	\
		{ MLB_RULE_TUNNEL,	"tunnel" })

/* A packet's way was decided; node 0 is the local stack. */
TRACE_EVENT(mlb_steer,
	TP_PROTO(const struct mlb_tuple *tuple, enum mlb_rule rule, u16 node),
	TP_ARGS(tuple, rule, node),
	TP_STRUCT__entry(
		__array(u8, saddr, 16)
		__array(u8, daddr, 16)
		__field(u16, sport)
		__field(u16, dport)
		__field(u16, node)
		__field(u8, rule)
	),
	TP_fast_assign(
		memcpy(__entry->saddr, &tuple->saddr, 16);
		memcpy(__entry->daddr, &tuple->daddr, 16);
		__entry->sport = ntohs(tuple->sport);
		__entry->dport = ntohs(tuple->dport);
		__entry->node = node;
		__entry->rule = rule;
	),
	TP_printk("src=[%pI6c]:%u dst=[%pI6c]:%u rule=%s node=%u",
		  __entry->saddr, __entry->sport, __entry->daddr,
		  __entry->dport, mlb_show_rule(__entry->rule), __entry->node)
);

/* A packet waits until a peer says whose it is. */
TRACE_EVENT(mlb_park,
	TP_PROTO(const struct mlb_tuple *tuple, u32 token, u16 hint),
	TP_ARGS(tuple, token, hint),
	TP_STRUCT__entry(
		__array(u8, saddr, 16)
		__array(u8, daddr, 16)
		__field(u16, sport)
		__field(u16, dport)
		__field(u32, token)
		__field(u16, hint)
	),
	TP_fast_assign(
		memcpy(__entry->saddr, &tuple->saddr, 16);
		memcpy(__entry->daddr, &tuple->daddr, 16);
		__entry->sport = ntohs(tuple->sport);
		__entry->dport = ntohs(tuple->dport);
		__entry->token = token;
		__entry->hint = hint;
	),
	TP_printk("src=[%pI6c]:%u dst=[%pI6c]:%u token=0x%08x hint=%u",
		  __entry->saddr, __entry->sport, __entry->daddr,
		  __entry->dport, __entry->token, __entry->hint)
);

/* A node became suspect, or is so no more. */
TRACE_EVENT(mlb_suspect,
	TP_PROTO(u16 node, bool suspect, u32 silent, u32 hold),
	TP_ARGS(node, suspect, silent, hold),
	TP_STRUCT__entry(
		__field(u16, node)
		__field(bool, suspect)
		__field(u32, silent)
		__field(u32, hold)
	),
	TP_fast_assign(
		__entry->node = node;
		__entry->suspect = suspect;
		__entry->silent = silent;
		__entry->hold = hold;
	),
	TP_printk("node=%u suspect=%d silent=%ums hold=%ums", __entry->node,
		  __entry->suspect, __entry->silent, __entry->hold)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
