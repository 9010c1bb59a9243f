// SPDX-License-Identifier: GPL-2.0
/*
 * The members of the cluster, as this host knows them.
 */
#include <linux/slab.h>
#include <net/ipv6.h>

#include "flow.h"
#include "net.h"
#include "node.h"
#include "owner.h"
#include "rebuild.h"
#include "service.h"
#include "tunnel.h"

/* Whether it is a node's address. Caller must hold &mlb_net.lock. */
bool mlb_node_has_addr(struct mlb_net *mn, const struct in6_addr *addr)
{
	struct mlb_node *node;
	unsigned long id;

	xa_for_each(&mn->nodes, id, node)
		if (ipv6_addr_equal(&node->addr, addr))
			return true;
	return false;
}

/* Nodes reach each other over one family, and no two share an address. */
static int node_judge_addr(struct mlb_net *mn, const struct in6_addr *addr,
			   struct netlink_ext_ack *extack)
{
	struct mlb_node *node;
	unsigned long id;

	if (mlb_service_has_addr(mn, addr)) {
		NL_SET_ERR_MSG(extack, "the address is a service's; a node needs its own");
		return -EADDRINUSE;
	}
	if (mlb_node_has_addr(mn, addr)) {
		NL_SET_ERR_MSG(extack, "another node has this address");
		return -EADDRINUSE;
	}
	xa_for_each(&mn->nodes, id, node) {
		if (ipv6_addr_v4mapped(&node->addr) !=
		    ipv6_addr_v4mapped(addr)) {
			NL_SET_ERR_MSG(extack, "nodes' addresses are all IPv4 or all IPv6");
			return -EAFNOSUPPORT;
		}
	}
	return 0;
}

static struct mlb_node *node_self(struct mlb_net *mn)
{
	struct mlb_tunnel *tun = mlb_dereference(mn, mn->tunnel);

	return tun ? mlb_node_find(mn, tun->self) : NULL;
}

/* @node is not published, or its readers have been waited for. */
static void node_free(struct mlb_node *node)
{
	dst_cache_destroy(&node->dst_cache);
	kfree(node);
}

/**
 * mlb_node_add() - add a node
 * @mn: the namespace
 * @request: the node as it will be; its address has been judged by itself
 * @extack: why not
 *
 * Caller must hold &mlb_net.lock.
 *
 * Return: 0 or a negative errno.
 */
int mlb_node_add(struct mlb_net *mn, const struct mlb_node *request,
		 struct netlink_ext_ack *extack)
{
	bool self = request->self;
	struct mlb_node *node;
	u16 id = request->id;
	int err;

	lockdep_assert_held(&mn->lock);

	if (mlb_node_find(mn, id)) {
		NL_SET_ERR_MSG(extack, "the node exists already");
		return -EEXIST;
	}
	if (self && node_self(mn)) {
		NL_SET_ERR_MSG(extack, "another node is self already");
		return -EEXIST;
	}
	err = node_judge_addr(mn, &request->addr, extack);
	if (err)
		return err;

	node = kzalloc(sizeof(*node), GFP_KERNEL_ACCOUNT);
	if (!node)
		return -ENOMEM;
	*node = *request;
	mlb_probe_init(&node->probe);
	mlb_watch_reset(&node->life.watch);
	err = dst_cache_init(&node->dst_cache, GFP_KERNEL);
	if (err)
		goto err_free;
	/* Before the tunnel: who finds the tunnel finds its node. */
	err = xa_err(xa_store(&mn->nodes, id, node, GFP_KERNEL));
	if (err)
		goto err_cache;
	if (self) {
		err = mlb_tunnel_open(mn, id, &node->addr, mn->config.port,
				      extack);
		if (err)
			goto err_erase;
	}
	/* The first is there before a service is. */
	err = rcu_access_pointer(mn->pool) ? 0 : mlb_rebuild_every(mn);
	if (err)
		goto err_close;
	if (node->state == MLB_NODE_STATE_DEAD)
		mlb_alive_dead(mn, node);
	mlb_rebuild(mn, id);
	mlb_alive_start(mn);
	return 0;

err_close:
	if (self)
		mlb_tunnel_close(mn);
err_erase:
	xa_erase(&mn->nodes, id);
	synchronize_net();
	mlb_alive_forget(mn, id);
err_cache:
	dst_cache_destroy(&node->dst_cache);
err_free:
	kfree(node);
	return err;
}

/* Forget where the connections and flows of a node are that is dead or gone. */
static void node_purge(struct mlb_net *mn, u16 id)
{
	/* A packet that saw the node alive may still make an entry. */
	synchronize_net();
	mlb_owner_purge(mn, id, false);
	mlb_flow_purge_node(mn, id);
}

/*
 * Who finds the node dead is to find its clients, too: else a packet of theirs
 * would get the RST of a flow that nobody ever had, which ends the subflow, and
 * is all that the client ever hears.
 */
static void node_die(struct mlb_net *mn, struct mlb_node *node)
{
	mlb_owner_purge(mn, node->id, true);
	synchronize_net();
	WRITE_ONCE(node->state, MLB_NODE_STATE_DEAD);
	mlb_dead_probe(mn);
	node_purge(mn, node->id);
}

/**
 * mlb_node_set() - change weight and state of a node
 * @mn: the namespace
 * @node: the node
 * @weight: its new weight
 * @state: its new state
 * @extack: why not
 *
 * Pools follow, see mlb_rebuild(); but a dead node gets nothing more at once.
 * Caller must hold &mlb_net.lock.
 *
 * Return: 0, or a negative errno when the node stays as it was.
 */
int mlb_node_set(struct mlb_net *mn, struct mlb_node *node, u16 weight,
		 u8 state, struct netlink_ext_ack *extack)
{
	u8 old_state = node->state;
	bool dies = state == MLB_NODE_STATE_DEAD && old_state != state;

	lockdep_assert_held(&mn->lock);

	if (node->self && state == MLB_NODE_STATE_DEAD) {
		NL_SET_ERR_MSG(extack, "the self node cannot be dead; use maintenance");
		return -EINVAL;
	}
	if (dies)
		mlb_alive_dead(mn, node);
	WRITE_ONCE(node->weight, weight);
	WRITE_ONCE(node->state, dies ? MLB_NODE_STATE_MAINTENANCE : state);
	mlb_rebuild(mn, node->id);
	if (dies) {
		/* By this one the nodes agree which of them probes a client. */
		mlb_rebuild_every(mn);
		node_die(mn, node);
	} else if (old_state == MLB_NODE_STATE_DEAD && old_state != state) {
		mlb_alive_back(mn, node);
		mlb_dead_forget(mn, node->id);
	}
	return 0;
}

/**
 * mlb_node_del() - delete a node with its owner and flow entries
 * @mn: the namespace
 * @node: the node; freed on success
 * @extack: why not
 *
 * Caller must hold &mlb_net.lock.
 *
 * Return: 0, or a negative errno when nothing has changed.
 */
int mlb_node_del(struct mlb_net *mn, struct mlb_node *node,
		 struct netlink_ext_ack *extack)
{
	u8 state = node->state;
	int err;

	lockdep_assert_held(&mn->lock);

	if (mlb_service_names_node(mn, node->id)) {
		NL_SET_ERR_MSG(extack, "a service names the node; change the service first");
		return -EBUSY;
	}
	WRITE_ONCE(node->state, MLB_NODE_STATE_DEAD);
	err = mlb_rebuild_every(mn);	/* no other names it */
	if (err) {
		WRITE_ONCE(node->state, state);
		return err;
	}
	xa_erase(&mn->nodes, node->id);
	if (node->self)
		mlb_tunnel_close(mn);
	node_purge(mn, node->id);
	mlb_dead_forget(mn, node->id);
	mlb_alive_forget(mn, node->id);
	node_free(node);
	return 0;
}

void mlb_node_net_init(struct mlb_net *mn)
{
	xa_init(&mn->nodes);
}

/* Nobody reads any more. */
void mlb_node_net_exit(struct mlb_net *mn)
{
	struct mlb_node *node;
	unsigned long id;

	xa_for_each(&mn->nodes, id, node)
		node_free(node);
	xa_destroy(&mn->nodes);
}
