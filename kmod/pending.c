// SPDX-License-Identifier: GPL-2.0
/*
 * Who was asked a question, and has not answered yet. Under &mlb_resolve.lock,
 * inside rcu_read_lock().
 */
#include "net.h"
#include "peers.h"
#include "pending.h"

/**
 * mlb_pending_await() - a node was asked
 * @pending: the question
 * @node: the node
 */
void mlb_pending_await(struct mlb_pending *pending,
		       const struct mlb_node *node)
{
	if (pending->n_waits < pending->max_waits)
		pending->waits[pending->n_waits++] = node->id;
	else
		pending->more = true;
}

/**
 * mlb_pending_await_all() - all peers were asked
 * @mn: the namespace
 * @pending: the question
 */
void mlb_pending_await_all(struct mlb_net *mn, struct mlb_pending *pending)
{
	struct mlb_node *node;
	unsigned long id;

	pending->asked_all = true;
	pending->n_waits = 0;
	pending->more = false;
	xa_for_each(&mn->nodes, id, node)
		if (mlb_peer_asked(node))
			mlb_pending_await(pending, node);
}

/**
 * mlb_pending_answered() - a node has answered
 * @pending: the question
 * @id: the node
 */
void mlb_pending_answered(struct mlb_pending *pending, u16 id)
{
	for (unsigned int i = 0; i < pending->n_waits; i++) {
		if (pending->waits[i] == id) {
			pending->waits[i] = pending->waits[--pending->n_waits];
			return;
		}
	}
}

/**
 * mlb_pending_all_answered() - whether nobody is left who may answer
 * @mn: the namespace
 * @pending: the question
 *
 * Who is silent is not waited for.
 */
bool mlb_pending_all_answered(struct mlb_net *mn,
			      const struct mlb_pending *pending)
{
	struct mlb_node *node;

	for (unsigned int i = 0; i < pending->n_waits; i++) {
		node = mlb_node_find(mn, pending->waits[i]);
		if (node && mlb_peer_awaited(node))
			return false;
	}
	return !pending->more;
}

/**
 * mlb_pending_misses() - whether a node that is silent, or has not answered in
 * time, may have what nobody else has
 * @mn: the namespace
 * @pending: the question
 */
bool mlb_pending_misses(struct mlb_net *mn, const struct mlb_pending *pending)
{
	struct mlb_node *node;

	for (unsigned int i = 0; i < pending->n_waits; i++) {
		node = mlb_node_find(mn, pending->waits[i]);
		if (node && (mlb_peer_missed(node) || mlb_peer_owes(node)))
			return true;
	}
	return false;
}
