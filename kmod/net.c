// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a namespace's state.
 */
#include "net.h"
#include "node.h"
#include "rebuild.h"
#include "service.h"
#include "steer.h"
#include "syn.h"
#include "tunnel.h"

unsigned int mlb_net_id __read_mostly;

static const struct mlb_config net_defaults = {
	.resolve_timeout = MLB_DEFAULT_RESOLVE_TIMEOUT,
	.resolve_rate = MLB_DEFAULT_RESOLVE_RATE,
	.max_flows = MLB_LIMIT_DEFAULT,
	.max_owners = MLB_LIMIT_DEFAULT,
	.port = MLB_DEFAULT_PORT,
	.alive_interval = MLB_DEFAULT_ALIVE_INTERVAL,
	.alive_multiplier = MLB_DEFAULT_ALIVE_MULTIPLIER,
};

static int __net_init net_init(struct net *net)
{
	struct mlb_net *mn = mlb_net(net);
	int err;

	mn->net = net;
	mn->config = net_defaults;
	mn->limit_told[MLB_TABLE_OWNER] = jiffies - HZ;
	mn->limit_told[MLB_TABLE_FLOW] = jiffies - HZ;
	mutex_init(&mn->lock);
	mn->stats = alloc_percpu(struct mlb_stats);
	if (!mn->stats)
		return -ENOMEM;
	mlb_node_net_init(mn);
	mlb_rebuild_net_init(mn);
	err = mlb_service_net_init(mn);
	if (err)
		goto err_stats;
	err = mlb_owner_net_init(mn);
	if (err)
		goto err_services;
	err = mlb_dead_net_init(mn);
	if (err)
		goto err_owners;
	err = mlb_flow_net_init(mn);
	if (err)
		goto err_dead;
	mlb_resolve_net_init(mn);
	mlb_answer_net_init(mn);
	mlb_alive_net_init(mn);
	mlb_learn_net_init(mn);
	mlb_syn_net_init(mn);
	return 0;

err_dead:
	mlb_dead_net_exit(mn);
err_owners:
	mlb_owner_net_exit(mn);
err_services:
	mlb_service_net_exit(mn);
err_stats:
	free_percpu(mn->stats);
	return err;
}

/* Take the ways in away; the core then waits until all readers have left. */
static void __net_exit net_pre_exit(struct net *net)
{
	struct mlb_net *mn = mlb_net(net);

	mutex_lock(&mn->lock);
	if (mn->n_services) {
		mlb_synack_unhook(mn);
		mlb_steer_unhook(mn);
	}
	mlb_tunnel_close(mn);
	mutex_unlock(&mn->lock);
}

static void __net_exit net_exit(struct net *net)
{
	struct mlb_net *mn = mlb_net(net);

	mlb_alive_net_exit(mn);		/* before the nodes, as its timer */
	mlb_resolve_net_exit(mn);	/* its timer makes entries */
	mlb_learn_net_exit(mn);
	mlb_dead_net_exit(mn);		/* its work looks at pools */
	mlb_flow_net_exit(mn);
	mlb_owner_net_exit(mn);
	mlb_rebuild_net_exit(mn);
	mlb_service_net_exit(mn);
	mlb_node_net_exit(mn);
	mlb_syn_net_exit(mn);
	kfree_sensitive(rcu_access_pointer(mn->key));
	free_percpu(mn->stats);
}

/* A device operation and not a subsystem's: mlb0 goes before the core takes
 * the devices of the namespace down.
 */
static struct pernet_operations net_ops = {
	.init = net_init,
	.pre_exit = net_pre_exit,
	.exit = net_exit,
	.id = &mlb_net_id,
	.size = sizeof(struct mlb_net),
};

int __init mlb_net_register(void)
{
	return register_pernet_device(&net_ops);
}

void mlb_net_unregister(void)
{
	unregister_pernet_device(&net_ops);
}
