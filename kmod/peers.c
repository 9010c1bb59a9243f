// SPDX-License-Identifier: GPL-2.0
/*
 * The other nodes that run mlb, all at once.
 */
#include "net.h"
#include "peers.h"
#include "tunnel.h"

/**
 * mlb_peers_count() - how many peers a question to all of them goes to
 * @mn: the namespace
 *
 * Inside rcu_read_lock().
 */
struct mlb_peers mlb_peers_count(struct mlb_net *mn)
{
	struct mlb_peers peers = {};
	struct mlb_node *node;
	unsigned long id;

	if (!rcu_access_pointer(mn->tunnel) || !rcu_access_pointer(mn->key))
		return peers;
	xa_for_each(&mn->nodes, id, node) {
		peers.asked += mlb_peer_asked(node);
		peers.awaited += mlb_peer_awaited(node);
		peers.missed += mlb_peer_missed(node);
	}
	return peers;
}

/**
 * mlb_peers_tell() - send a message to all peers
 * @mn: the namespace
 * @type: MLB_TUNTYPE_QUERY or MLB_TUNTYPE_ANSWER
 * @msg: the message
 *
 * Softirq context, inside rcu_read_lock().
 *
 * Return: to how many it was sent.
 */
unsigned int mlb_peers_tell(struct mlb_net *mn, enum mlb_tuntype type,
			    const struct mlb_tunmsg *msg)
{
	struct mlb_node *node;
	unsigned long id;
	unsigned int n = 0;

	xa_for_each(&mn->nodes, id, node)
		n += mlb_peer_asked(node) &&
		     mlb_tunnel_send_msg(mn, node, type, msg);
	return n;
}
