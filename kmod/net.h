/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_NET_H
#define _MLB_NET_H

#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <linux/rhashtable.h>
#include <linux/siphash.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <uapi/linux/mlb.h>

#include "alive.h"
#include "answer.h"
#include "client.h"
#include "flow.h"
#include "learn.h"
#include "owner.h"
#include "resolve.h"
#include "stats.h"
#include "syn.h"
#include "synack.h"

struct mlb_pool;
struct mlb_pools;
struct mlb_tunnel;

/**
 * struct mlb_key - what is derived from the cluster key
 * @mac: authenticates tunnel packets
 * @hash: seeds the scheduler's hash, so that strangers cannot aim at a node
 * @id: fingerprint that may be shown
 */
struct mlb_key {
	siphash_key_t mac;
	siphash_key_t hash;
	u8 id[MLB_KEY_ID_LEN];
};

/* Entries that a table may have, unless set otherwise. */
#define MLB_LIMIT_DEFAULT	1048576

/*
 * Settings of a namespace, see "mlbctl set".
 *
 * Written under &mlb_net.lock, read anywhere with READ_ONCE().
 */
struct mlb_config {
	u32 resolve_timeout;
	u32 resolve_rate;
	u32 max_flows;
	u32 max_owners;
	u16 port;
	u16 alive_interval;
	u8 alive_multiplier;
	u8 fastclose;		/* enum mlb_fastclose */
};

/*
 * All state of one network namespace.
 *
 * Lock order:
 *
 *	lock			configuration: nodes, services, key, tunnel
 *	  RTNL			while mlb0 comes and goes
 *	  learn.lock		tokens of this host
 *	    owners.lock		owner table
 *	  flows.lock		flow table
 *	  dead.lock		clients of dead nodes
 *	  resolve.lock		parked packets
 *	  answers.lock		rate of answers
 *	  alive.lock		who is suspect or dead
 *
 * The six spinlocks at the end are leaves, taken with softirqs off; nothing
 * is sent and no other lock of this module is taken under one.
 */
struct mlb_net {
	struct net *net;
	struct mutex lock;		/* configuration, see above */
	struct nf_hook_ops hook_ops[2];	/* IPv4, IPv6; hooked while n_services */

	struct mlb_stats __percpu *stats;
	struct mlb_config config;
	unsigned long limit_told[2];	/* jiffies, by enum mlb_table */

	struct xarray nodes;		/* id -> struct mlb_node */
	struct rhashtable services;
	unsigned int n_services;
	struct mlb_pool __rcu *pool;	/* of services that name no nodes */
	struct mlb_pools __rcu *pools;	/* for groups of clients */
	u32 pools_version;		/* changes with what those hold */
	struct mlb_pools *pools_draft;	/* built for those that come */
	struct delayed_work rebuild;	/* of pools that are stale */
	u64 n_rebuilds;			/* changes of nodes so far */
	struct mlb_key __rcu *key;
	struct mlb_tunnel __rcu *tunnel;	/* while there is a self node */

	struct mlb_owner_table owners;
	struct mlb_dead dead;
	struct mlb_flow_table flows;
	struct mlb_resolve resolve;
	struct mlb_answers answers;
	struct mlb_alive alive;
	struct mlb_learn learn;
	struct mlb_syn_memory syn;
	struct mlb_synack synack;	/* hooked while n_services */
};

extern unsigned int mlb_net_id;

static inline struct mlb_net *mlb_net(struct net *net)
{
	return net_generic(net, mlb_net_id);
}

/* For rcu_dereference_protected() of what &mlb_net.lock guards. */
#define mlb_dereference(mn, p) \
	rcu_dereference_protected(p, lockdep_is_held(&(mn)->lock))

int mlb_net_register(void);
void mlb_net_unregister(void);

#endif
