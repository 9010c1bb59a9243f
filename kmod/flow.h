/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_FLOW_H
#define _MLB_FLOW_H

#include <linux/rhashtable.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <uapi/linux/mlb.h>

#include "tuple.h"

struct mlb_net;

/**
 * struct mlb_flow - which node has a flow that arrives here
 *
 * There is none for flows whose socket is on this host: the socket is the
 * state.
 *
 * @hash: in &mlb_flow_table.hash
 * @tuple: the flow
 * @node: node id; the node may be gone meanwhile
 * @token: of its connection, where fastclose is on and its join came by; or 0
 * @sport: UDP source port of its tunnel packets
 * @state: enum mlb_flow_state
 * @referenced: a packet came since the clock hand last passed
 * @expires: jiffies, low 32 bits
 * @list: in &mlb_flow_table.clock
 * @rcu: delays freeing
 */
struct mlb_flow {
	struct rhash_head hash;
	struct mlb_tuple tuple;
	u32 token;
	u16 node;
	__be16 sport;
	u8 state;
	u8 referenced;
	u32 expires;
	struct list_head list;
	struct rcu_head rcu;
};

static_assert(sizeof(struct mlb_flow) <= 128);

/**
 * struct mlb_flow_table - flows of other nodes that arrive here
 * @hash: the entries; read inside rcu_read_lock()
 * @lock: taken to change anything here
 * @clock: every entry, in the order in which the hand comes by
 * @count: entries
 * @gc: removes what has expired
 */
struct mlb_flow_table {
	struct rhashtable hash;
	spinlock_t lock;	/* see struct mlb_net */
	struct list_head clock;
	u32 count;
	struct delayed_work gc;
};

extern const struct rhashtable_params mlb_flow_params;

/**
 * mlb_flow_find() - look a flow up
 *
 * Return: the entry, valid inside rcu_read_lock(); NULL when it is not known.
 */
struct mlb_flow *mlb_flow_find(struct mlb_net *mn,
			       const struct mlb_tuple *tuple);

void mlb_flow_insert(struct mlb_net *mn, const struct mlb_tuple *tuple,
		     u16 node, enum mlb_flow_state state, u32 token);
void mlb_flow_remove(struct mlb_net *mn, struct mlb_flow *flow);
void mlb_flow_touch(struct mlb_flow *flow, bool syn, bool closing);
void mlb_flow_trim(struct mlb_net *mn);
void mlb_flow_purge_node(struct mlb_net *mn, u16 node);
void mlb_flow_purge_service(struct mlb_net *mn, const struct in6_addr *addr,
			    __be16 port);
__be16 mlb_flow_sport(const struct mlb_tuple *tuple);

int mlb_flow_net_init(struct mlb_net *mn);
void mlb_flow_net_exit(struct mlb_net *mn);

int mlb_flow_module_init(void);
void mlb_flow_module_exit(void);

#endif
