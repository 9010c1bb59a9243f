/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_NODE_H
#define _MLB_NODE_H

#include <linux/in6.h>
#include <linux/netlink.h>
#include <net/dst_cache.h>
#include <uapi/linux/mlb.h>

#include "alive.h"
#include "net.h"
#include "probe.h"

/**
 * struct mlb_node - a member of the cluster
 * @id: 1 to MLB_NODE_ID_MAX
 * @weight: share of new connections under maglev
 * @state: enum mlb_node_state
 * @self: the member is this host
 * @encap: enum mlb_encap; how packets reach it
 * @encap_port: UDP port of its decapsulator with MLB_ENCAP_GUE
 * @addr: address in the cluster network, IPv4 as ::ffff:a.b.c.d
 * @dst_cache: route to it, per CPU
 * @probe: the last probe of it
 * @life: when it was heard, and whether it is suspect
 *
 * Written under &mlb_net.lock; @weight and @state may change under readers.
 */
struct mlb_node {
	u16 id;
	u16 weight;
	u8 state;
	bool self;
	u8 encap;
	__be16 encap_port;
	struct in6_addr addr;
	struct dst_cache dst_cache;
	struct mlb_probe probe;
	/* Written as packets come, beside what those read. */
	struct mlb_peer_life life ____cacheline_aligned_in_smp;
};

/**
 * mlb_node_find() - look a node up
 *
 * Return: the node, valid inside rcu_read_lock() or under &mlb_net.lock; NULL
 * when there is none.
 */
static inline struct mlb_node *mlb_node_find(struct mlb_net *mn, u16 id)
{
	return xa_load(&mn->nodes, id);
}

/* Whether the node runs mlb, and so can be asked. */
static inline bool mlb_node_is_peer(const struct mlb_node *node)
{
	return node->encap == MLB_ENCAP_MLB;
}

/* Whether packets of existing flows may go to the node. */
static inline bool mlb_node_reachable(const struct mlb_node *node)
{
	return READ_ONCE(node->state) != MLB_NODE_STATE_DEAD;
}

/* Whether the node admits new subflows of connections that it owns. */
static inline bool mlb_node_takes_joins(const struct mlb_node *node)
{
	u8 state = READ_ONCE(node->state);

	return state == MLB_NODE_STATE_ACTIVE || state == MLB_NODE_STATE_DRAIN;
}

/* Whether the node admits new connections. */
static inline bool mlb_node_takes_new(const struct mlb_node *node)
{
	return READ_ONCE(node->state) == MLB_NODE_STATE_ACTIVE;
}

bool mlb_node_has_addr(struct mlb_net *mn, const struct in6_addr *addr);

int mlb_node_add(struct mlb_net *mn, const struct mlb_node *request,
		 struct netlink_ext_ack *extack);
int mlb_node_set(struct mlb_net *mn, struct mlb_node *node, u16 weight,
		 u8 state, struct netlink_ext_ack *extack);
int mlb_node_del(struct mlb_net *mn, struct mlb_node *node,
		 struct netlink_ext_ack *extack);

void mlb_node_event(struct mlb_net *mn, const struct mlb_node *node, u8 cmd,
		    gfp_t gfp);

void mlb_node_net_init(struct mlb_net *mn);
void mlb_node_net_exit(struct mlb_net *mn);

#endif
