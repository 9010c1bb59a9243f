/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_PEERS_H
#define _MLB_PEERS_H

#include "node.h"
#include "tunhdr.h"

/* Whether the node can be asked for a token or a flow. */
static inline bool mlb_peer_asked(const struct mlb_node *node)
{
	return !node->self && mlb_node_is_peer(node) &&
	       mlb_node_reachable(node);
}

/* Whether its answer is waited for: not while it is silent. */
static inline bool mlb_peer_awaited(const struct mlb_node *node)
{
	return mlb_peer_asked(node) && mlb_alive_answers(&node->life);
}

/*
 * For so long a node that is not heard, or does not hear, may only be slow: the
 * RST that nobody else has the flow or join would end a connection that it has,
 * or a path of one. Long enough for any engine to say that it is dead, short
 * enough for clients where there is none.
 */
#define MLB_PEER_PATIENCE_MS	10000

/* Whether that it does not answer means nothing yet. */
static inline bool mlb_peer_missed(const struct mlb_node *node)
{
	return mlb_peer_asked(node) && !mlb_peer_awaited(node) &&
	       READ_ONCE(node->life.watch.missing) < MLB_PEER_PATIENCE_MS;
}

/*
 * Whether an answer of it that has not come is late or lost: it lives, and the
 * RST that nobody else has the flow or join would end a connection that it has,
 * or a path of one.
 */
static inline bool mlb_peer_owes(const struct mlb_node *node)
{
	return mlb_peer_awaited(node) && READ_ONCE(node->life.said);
}

/**
 * struct mlb_peers - the peers that a question to all goes to
 * @asked: how many there are
 * @awaited: of these, how many are heard
 * @missed: of the others, how many may only be slow
 */
struct mlb_peers {
	unsigned int asked;
	unsigned int awaited;
	unsigned int missed;
};

struct mlb_peers mlb_peers_count(struct mlb_net *mn);
unsigned int mlb_peers_tell(struct mlb_net *mn, enum mlb_tuntype type,
			    const struct mlb_tunmsg *msg);

#endif
