// SPDX-License-Identifier: GPL-2.0
/*
 * Answering the peers' questions: what this host has of a token or a flow.
 */
#include <net/sock.h>

#include "answer.h"
#include "net.h"
#include "node.h"
#include "owner.h"
#include "peers.h"
#include "socket.h"
#include "tunnel.h"

static bool answer_allow(struct mlb_net *mn, unsigned int messages,
			 unsigned int reserve)
{
	bool allowed;

	spin_lock_bh(&mn->answers.lock);
	allowed = mlb_rate_allow(&mn->answers.rate,
				 READ_ONCE(mn->config.resolve_rate), messages,
				 reserve);
	spin_unlock_bh(&mn->answers.lock);
	if (!allowed)
		mlb_count(mn, RESOLVE_ANSWER_LIMITED);
	return allowed;
}

/* What this host knows of a token that a peer asks for, written to @answer. */
static void answer_token(struct mlb_net *mn, struct mlb_tunmsg *answer)
{
	u32 token = ntohl(answer->token);
	struct mlb_owner *owner = mlb_owner_find(mn, token);
	struct mlb_node *node;

	if (owner && READ_ONCE(owner->rival))
		return;
	if (mlb_token_is_local(mn, token)) {
		answer->hold = MLB_TUNMSG_YES;
		if (owner && owner->origin == MLB_OWNER_LOCAL)
			answer->cpu = htons(owner->cpu);
	} else if (owner && owner->origin == MLB_OWNER_SEEN) {
		node = mlb_node_find(mn, owner->node);
		if (!node || !mlb_node_reachable(node))
			return;
		/* Nobody has confirmed it: an owner's own word wins. */
		answer->hold = MLB_TUNMSG_WEAK;
		answer->node = htons(node->id);
	}
}

/* Likewise of a flow. */
static void answer_flow(struct mlb_net *mn, struct mlb_tunmsg *answer,
			__be32 seq, __be32 ack)
{
	struct mlb_tunnel *tun = rcu_dereference(mn->tunnel);
	struct net_device *dev = tun ? tun->dev : NULL;
	struct sock *sk = mlb_socket_find(mn, &answer->tuple, dev);
	struct mlb_flow *flow;
	struct mlb_node *node;

	if (sk && mlb_socket_refuses(sk, ack)) {
		sock_gen_put(sk);
	} else if (sk) {
		answer->hold = mlb_socket_is_past(sk) ? MLB_TUNMSG_WEAK :
							MLB_TUNMSG_YES;
		sock_gen_put(sk);
		if (answer->hold == MLB_TUNMSG_YES)
			return;
	}
	if (ack && mlb_socket_cookie(mn, &answer->tuple, seq, ack, dev)) {
		answer->hold = MLB_TUNMSG_YES;
		return;
	}
	flow = mlb_flow_find(mn, &answer->tuple);
	node = flow ? mlb_node_find(mn, flow->node) : NULL;
	if (node && !mlb_node_is_peer(node) && mlb_node_reachable(node)) {
		answer->hold = MLB_TUNMSG_YES;
		answer->node = htons(node->id);
	}
}

/**
 * mlb_answer_query() - a peer asks who has a token or a flow
 * @mn: the namespace
 * @sender: the peer
 * @msg: the query, authenticated and valid
 *
 * Softirq context, inside rcu_read_lock(). Who has nothing says so, too: then
 * nobody waits who asked. Strangers cause most of that, so half of the rate is
 * left to the other answers.
 */
void mlb_answer_query(struct mlb_net *mn, struct mlb_node *sender,
		      const struct mlb_tunmsg *msg)
{
	struct mlb_tunmsg answer = *msg;

	mlb_count(mn, RESOLVE_QUERY_RX);
	answer.cpu = htons(MLB_OWNER_CPU_UNKNOWN);
	answer.seq = 0;
	answer.ack = 0;
	if (msg->kind == MLB_TUNMSG_PROBE)
		answer.hold = MLB_TUNMSG_YES;
	else if (msg->kind == MLB_TUNMSG_TOKEN)
		answer_token(mn, &answer);
	else
		answer_flow(mn, &answer, msg->seq, msg->ack);

	if (answer_allow(mn, 1, answer.hold == MLB_TUNMSG_NO ? 4 : 0) &&
	    mlb_tunnel_send_msg(mn, sender, MLB_TUNTYPE_ANSWER, &answer))
		mlb_count(mn, RESOLVE_ANSWER_TX);
}

/**
 * mlb_answer_gone() - tell the peers that this host does not have a flow
 * @mn: the namespace
 * @tuple: the flow, a packet of which came out of the tunnel
 *
 * Who sent it has an entry of an earlier use of the 4-tuple. Softirq context,
 * inside rcu_read_lock().
 */
void mlb_answer_gone(struct mlb_net *mn, const struct mlb_tuple *tuple)
{
	struct mlb_tunmsg msg = {
		.kind = MLB_TUNMSG_FLOW,
		.hold = MLB_TUNMSG_NO,
		.cpu = htons(MLB_OWNER_CPU_UNKNOWN),
		.tuple = *tuple,
	};

	/* A stranger may cause it, so half of the rate is left to answers. */
	if (answer_allow(mn, mlb_peers_count(mn).asked, 4))
		mlb_peers_tell(mn, MLB_TUNTYPE_ANSWER, &msg);
}

void mlb_answer_net_init(struct mlb_net *mn)
{
	spin_lock_init(&mn->answers.lock);
}
