// SPDX-License-Identifier: GPL-2.0
/*
 * The rules that say where a packet goes. The first that matches decides:
 *
 *   flow	the flow is known: its node; but a SYN with MP_JOIN whose token
 *		is known, or that comes to a flow with other packets, goes by
 *		the token, for the 4-tuple may be in use anew
 *   join	SYN with MP_JOIN: the owner of its token, or ask for it
 *   new	any other SYN: the scheduler's choice
 *   socket	a socket, or a SYN cookie, of this host has the flow
 *   unknown	where the scheduler sent the SYN a moment ago, or ask for it
 *
 * Nothing is changed here, so the same code answers "mlbctl explain".
 */
#include <net/sock.h>

#include "decide.h"
#include "flow.h"
#include "net.h"
#include "node.h"
#include "owner.h"
#include "peers.h"
#include "service.h"
#include "socket.h"
#include "syn.h"
#include "tunnel.h"

static void decide(struct mlb_decision *d, enum mlb_verdict verdict,
		   enum mlb_rule rule, enum mlb_reason reason,
		   struct mlb_node *node)
{
	d->verdict = verdict;
	d->rule = rule;
	d->reason = reason;
	d->node = node;
}

/* To ask, or the local stack when nobody would answer; says which. What a silent
 * node may have gets no RST from here.
 */
static bool decide_ask(struct mlb_net *mn, struct mlb_decision *d,
		       enum mlb_rule rule, enum mlb_reason reason,
		       struct mlb_node *hint)
{
	struct mlb_peers peers = mlb_peers_count(mn);

	d->peers = peers.asked;
	if (peers.awaited)
		decide(d, MLB_VERDICT_ASK, rule, reason, hint);
	else if (peers.missed && !d->sk)
		decide(d, MLB_VERDICT_DROP, rule, MLB_REASON_PEERS_SILENT,
		       NULL);
	else
		decide(d, MLB_VERDICT_LOCAL, rule, peers.asked ?
		       MLB_REASON_PEERS_SILENT : MLB_REASON_NO_PEERS, NULL);
	return peers.awaited;
}

static bool decide_flow(struct mlb_net *mn, const struct mlb_packet *pkt,
			struct mlb_decision *d)
{
	struct mlb_flow *flow = mlb_flow_find(mn, &pkt->tuple);
	struct mlb_node *node;

	if (!flow)
		return false;
	node = mlb_node_find(mn, flow->node);
	if (unlikely(!node || node->self || !mlb_node_reachable(node))) {
		/* Perhaps all that tells whose flow it was. */
		if (!flow->token || !mlb_dead_has_token(mn, flow->token))
			d->stale = flow;
		return false;
	}
	/* A SYN that opens the 4-tuple of a closing flow anew is not part of
	 * it; any other is for TCP at the flow's node to judge, which knows
	 * the sequence numbers (RFC 9293 3.10.7.4).
	 */
	if (pkt->syn && READ_ONCE(flow->state) == MLB_FLOW_STATE_CLOSING) {
		d->stale = flow;
		return false;
	}
	d->flow = flow;
	decide(d, MLB_VERDICT_REMOTE, MLB_RULE_FLOW, MLB_REASON_FLOW_ENTRY,
	       node);
	return true;
}

/* Whether the token alone decides. */
static bool decide_token(struct mlb_net *mn, const struct mlb_packet *pkt,
			 struct mlb_decision *d)
{
	struct mlb_owner *owner = mlb_owner_find(mn, pkt->mp.token);
	struct mlb_node *node;

	d->owner = owner;
	if (owner && READ_ONCE(owner->rival)) {
		decide(d, MLB_VERDICT_LOCAL, MLB_RULE_JOIN,
		       MLB_REASON_TOKEN_CONTESTED, NULL);
		return true;
	}
	if (owner && owner->origin != MLB_OWNER_LOCAL) {
		node = mlb_node_find(mn, READ_ONCE(owner->node));
		if (node && !node->self && mlb_node_takes_joins(node))
			decide(d, MLB_VERDICT_REMOTE, MLB_RULE_JOIN,
			       MLB_REASON_TOKEN_OWNER, node);
		else
			decide(d, MLB_VERDICT_LOCAL, MLB_RULE_JOIN,
			       MLB_REASON_OWNER_STATE, NULL);
		return true;
	}
	if (owner || mlb_token_is_local(mn, pkt->mp.token)) {
		/* What was known of the 4-tuple is over. */
		d->stale = mlb_flow_find(mn, &pkt->tuple);
		decide(d, MLB_VERDICT_LOCAL, MLB_RULE_JOIN,
		       MLB_REASON_TOKEN_LOCAL, NULL);
		return true;
	}
	if (mlb_dead_has_token(mn, pkt->mp.token)) {
		decide(d, MLB_VERDICT_RESET, MLB_RULE_JOIN,
		       MLB_REASON_OWNER_DEAD, NULL);
		return true;
	}
	return false;
}

static void decide_join(struct mlb_net *mn, const struct mlb_packet *pkt,
			struct mlb_decision *d)
{
	struct mlb_flow *flow;

	if (decide_token(mn, pkt, d))
		return;
	/* A SYN that is sent again goes where it went. What has carried other
	 * packets is an older flow, and tells nothing about the token.
	 */
	flow = mlb_flow_find(mn, &pkt->tuple);
	if (flow && READ_ONCE(flow->state) != MLB_FLOW_STATE_ESTABLISHED &&
	    decide_flow(mn, pkt, d))
		return;
	if (!pkt->mp.token)	/* peers refuse to be asked for it */
		decide(d, MLB_VERDICT_LOCAL, MLB_RULE_JOIN,
		       MLB_REASON_TOKEN_ZERO, NULL);
	else
		decide_ask(mn, d, MLB_RULE_JOIN, MLB_REASON_TOKEN_UNKNOWN,
			   NULL);
}

/* The scheduler's choice for a new connection. */
static void decide_new(struct mlb_net *mn, const struct mlb_packet *pkt,
		       struct mlb_decision *d)
{
	struct mlb_tunnel *tun = rcu_dereference(mn->tunnel);
	struct mlb_node *self = tun ? mlb_node_find(mn, tun->self) : NULL;
	const struct mlb_pool *pool;
	enum mlb_reason reason;
	struct mlb_node *node;
	bool past;
	u16 id;

	if (!self) {
		decide(d, MLB_VERDICT_LOCAL, MLB_RULE_NEW, MLB_REASON_NO_SELF,
		       NULL);
		return;
	}
	pool = mlb_service_pool(mn, pkt->svc, &pkt->tuple.saddr, &d->group);
	if (!pool) {	/* the self node is just being added */
		decide(d, MLB_VERDICT_LOCAL, MLB_RULE_NEW, MLB_REASON_NO_NODE,
		       NULL);
		return;
	}
	/* ECMP has balanced, and this host may serve. */
	if (pkt->svc->scheduler == MLB_SCHEDULER_LOCAL &&
	    mlb_node_takes_new(self) && mlb_pool_has_node(pool, self->id)) {
		decide(d, MLB_VERDICT_LOCAL, MLB_RULE_NEW,
		       MLB_REASON_SCHEDULER_LOCAL, NULL);
		return;
	}
	id = mlb_pool_schedule(mn, pool, &pkt->tuple, &past);
	reason = past ? MLB_REASON_SCHEDULER_PAST : MLB_REASON_SCHEDULER_MAGLEV;
	node = id ? mlb_node_find(mn, id) : NULL;
	/* This host may serve the others, and not this client. */
	if (!node && pool->wait)
		decide(d, MLB_VERDICT_DROP, MLB_RULE_NEW,
		       MLB_REASON_GROUP_WAITS, NULL);
	else if (!node && pool->strict)
		decide(d, MLB_VERDICT_RESET, MLB_RULE_NEW,
		       MLB_REASON_GROUP_REFUSED, NULL);
	else if (!node)
		decide(d, MLB_VERDICT_LOCAL, MLB_RULE_NEW, MLB_REASON_NO_NODE,
		       NULL);
	else if (node->self)
		decide(d, MLB_VERDICT_LOCAL, MLB_RULE_NEW, reason, NULL);
	else
		decide(d, MLB_VERDICT_REMOTE, MLB_RULE_NEW, reason, node);
}

static void decide_syn(struct mlb_net *mn, const struct sk_buff *skb,
		       struct mlb_packet *pkt, struct mlb_decision *d)
{
	mlb_packet_options(skb, pkt);
	if (pkt->mp.kind == MLB_MPTCP_JOIN)
		decide_join(mn, pkt, d);
	else if (!decide_flow(mn, pkt, d))
		decide_new(mn, pkt, d);
}

/* A SYN cookie leaves no socket; its ACK is as good as one. Where there is a
 * TIME_WAIT the stack would give the ACK to that and look for no cookie.
 */
static bool decide_socket(struct mlb_net *mn, const struct mlb_packet *pkt,
			  const struct net_device *dev, struct mlb_decision *d)
{
	d->sk = mlb_socket_find(mn, &pkt->tuple, dev);
	if (d->sk && pkt->ack && mlb_socket_refuses(d->sk, pkt->ack_seq)) {
		sock_gen_put(d->sk);
		d->sk = NULL;
	}
	if (d->sk && !mlb_socket_is_past(d->sk)) {
		decide(d, MLB_VERDICT_LOCAL, MLB_RULE_SOCKET,
		       MLB_REASON_SOCKET, NULL);
		return true;
	}
	if (!d->sk && pkt->ack && !pkt->closing &&
	    mlb_socket_cookie(mn, &pkt->tuple, pkt->seq, pkt->ack_seq, dev)) {
		decide(d, MLB_VERDICT_LOCAL, MLB_RULE_SOCKET,
		       MLB_REASON_SYN_COOKIE, NULL);
		return true;
	}
	return false;
}

static void decide_unknown(struct mlb_net *mn, const struct mlb_packet *pkt,
			   struct mlb_decision *d)
{
	u16 id = mlb_syn_recall(mn, &pkt->tuple);
	struct mlb_node *node = id ? mlb_node_find(mn, id) : NULL;
	struct mlb_decision new = {};

	if (node && !node->self && mlb_node_reachable(node)) {
		decide(d, MLB_VERDICT_REMOTE, MLB_RULE_UNKNOWN,
		       MLB_REASON_SYN_FORWARDED, node);
		return;
	}
	decide_new(mn, pkt, &new);
	/* A flow that is older than the suspicion is not there. */
	if (new.reason == MLB_REASON_SCHEDULER_PAST && new.node &&
	    mlb_node_is_peer(new.node))
		new.node = NULL;
	if (decide_ask(mn, d, MLB_RULE_UNKNOWN, d->sk ?
		       MLB_REASON_TIME_WAIT : MLB_REASON_FLOW_UNKNOWN,
		       new.node))
		return;
	if (d->sk)
		return;
	if (d->verdict == MLB_VERDICT_LOCAL && !pkt->icmp)
		d->dead = mlb_dead_find(mn, &pkt->tuple);
	if (d->dead)
		decide(d, MLB_VERDICT_RESET, MLB_RULE_UNKNOWN,
		       MLB_REASON_OWNER_DEAD, NULL);
	else if (new.node && !mlb_node_is_peer(new.node))
		decide(d, MLB_VERDICT_REMOTE, MLB_RULE_UNKNOWN,
		       MLB_REASON_PLAIN_NODE, new.node);
}

/**
 * mlb_decide() - say where a packet goes
 * @mn: the namespace
 * @skb: the packet; may be NULL if &mlb_packet.mp is known
 * @pkt: what mlb_packet_parse() found; options are read into it when needed
 * @dev: device that it came in on, or NULL
 * @d: the outcome; the caller puts &mlb_decision.sk with sock_gen_put()
 *
 * Softirqs off, inside rcu_read_lock().
 */
void mlb_decide(struct mlb_net *mn, const struct sk_buff *skb,
		struct mlb_packet *pkt, const struct net_device *dev,
		struct mlb_decision *d)
{
	memset(d, 0, sizeof(*d));
	if (pkt->syn)
		decide_syn(mn, skb, pkt, d);
	else if (!decide_flow(mn, pkt, d) && !decide_socket(mn, pkt, dev, d))
		decide_unknown(mn, pkt, d);
}
