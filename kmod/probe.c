// SPDX-License-Identifier: GPL-2.0
/*
 * Whether a node can be reached, and has the same key: a query about nothing,
 * which every peer answers. Nobody waits for the answer in here; user space
 * looks at the node until it shows.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/random.h>

#include "net.h"
#include "node.h"
#include "probe.h"
#include "tunnel.h"

void mlb_probe_init(struct mlb_probe *probe)
{
	spin_lock_init(&probe->lock);
}

/**
 * mlb_probe_send() - ask a node to answer
 * @mn: the namespace
 * @node: the node
 * @extack: why not
 *
 * Forgets the answer to the probe before. Caller must hold &mlb_net.lock.
 *
 * Return: 0 when it was sent, or a negative errno.
 */
int mlb_probe_send(struct mlb_net *mn, struct mlb_node *node,
		   struct netlink_ext_ack *extack)
{
	struct mlb_tunmsg msg = { .kind = MLB_TUNMSG_PROBE };
	struct mlb_probe *probe = &node->probe;
	bool sent;

	lockdep_assert_held(&mn->lock);

	if (node->self) {
		NL_SET_ERR_MSG(extack, "the node is this host");
		return -EINVAL;
	}
	if (!mlb_node_is_peer(node)) {
		NL_SET_ERR_MSG(extack, "the node runs no mlb, and answers nothing");
		return -EOPNOTSUPP;
	}
	if (!rcu_access_pointer(mn->tunnel) || !rcu_access_pointer(mn->key)) {
		NL_SET_ERR_MSG(extack, "no cluster key or self node is set");
		return -ENOTCONN;
	}
	do {
		get_random_bytes(&msg.nonce, sizeof(msg.nonce));
	} while (!msg.nonce);

	spin_lock_bh(&probe->lock);
	probe->nonce = msg.nonce;
	probe->sent = ktime_get_ns();
	WRITE_ONCE(probe->rtt, 0);
	spin_unlock_bh(&probe->lock);

	local_bh_disable();
	rcu_read_lock();
	sent = mlb_tunnel_send_msg(mn, node, MLB_TUNTYPE_QUERY, &msg);
	rcu_read_unlock();
	local_bh_enable();
	if (!sent) {
		NL_SET_ERR_MSG(extack, "there is no route to the node");
		return -EHOSTUNREACH;
	}
	mlb_count(mn, RESOLVE_QUERY_TX);
	return 0;
}

/**
 * mlb_probe_answer() - a peer has answered a probe
 * @mn: the namespace
 * @sender: the peer
 * @msg: the answer, authenticated and valid
 *
 * Softirq context, inside rcu_read_lock().
 */
void mlb_probe_answer(struct mlb_net *mn, struct mlb_node *sender,
		      const struct mlb_tunmsg *msg)
{
	struct mlb_probe *probe = &sender->probe;
	bool awaited;

	mlb_count(mn, RESOLVE_ANSWER_RX);
	spin_lock_bh(&probe->lock);
	awaited = probe->nonce && probe->nonce == msg->nonce;
	if (awaited) {
		u64 took = div_u64(ktime_get_ns() - probe->sent, NSEC_PER_USEC);

		probe->nonce = 0;
		WRITE_ONCE(probe->rtt, clamp_t(u64, took, 1, U32_MAX));
	}
	spin_unlock_bh(&probe->lock);
	if (!awaited)
		mlb_count(mn, RESOLVE_ANSWER_LATE);
}

/**
 * mlb_probe_rtt() - how long a node took to answer the last probe
 * @node: the node
 *
 * Return: microseconds, or 0 when it has not answered.
 */
u32 mlb_probe_rtt(const struct mlb_node *node)
{
	return READ_ONCE(node->probe.rtt);
}
