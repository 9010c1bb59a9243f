/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_CLIENT_H
#define _MLB_CLIENT_H

#include <linux/rhashtable.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <uapi/linux/mlb.h>

#include "tuple.h"

struct mlb_net;

/**
 * struct mlb_client - how to tell a client that its connection's node is dead
 *
 * An owner entry has one where fastclose is on. When the owner becomes dead the
 * entry goes, and this goes to &mlb_dead.
 *
 * @by_tuple: in &mlb_dead.by_tuple
 * @by_token: in &mlb_dead.by_token
 * @tuple: the connection's first subflow
 * @key: the client's key, as it stands in the option (RFC 8684 3.1)
 * @node: the node
 * @token: token of the connection
 * @died: jiffies when the node became dead
 * @due: jiffies when the client is probed next
 * @probes: how often it was
 * @told: it was answered
 * @list: in one of the lists of &mlb_dead
 * @rcu: delays freeing
 */
struct mlb_client {
	struct rhash_head by_tuple;
	struct rhash_head by_token;
	struct mlb_tuple tuple;
	u8 key[MLB_MPTCP_KEY_LEN];
	u16 node;
	u32 token;
	u32 died;
	u32 due;
	u8 probes;
	bool told;
	struct list_head list;
	struct rcu_head rcu;
};

/**
 * struct mlb_dead - connections of dead nodes
 * @by_tuple: by first subflow; read inside rcu_read_lock()
 * @by_token: by token; the same ones
 * @lock: taken to change anything here
 * @count: how many there are
 * @fresh: whose clients may have to be probed, in the order of @due
 * @list: the others, oldest first
 * @age: removes what has been there for long
 * @probe: makes clients send a packet
 */
struct mlb_dead {
	struct rhashtable by_tuple;
	struct rhashtable by_token;
	spinlock_t lock;	/* see struct mlb_net */
	u32 count;
	struct list_head fresh;
	struct list_head list;
	struct delayed_work age;
	struct delayed_work probe;
};

struct mlb_client *mlb_client_new(const struct mlb_tuple *tuple,
				  const u8 *key, u32 token, u16 node,
				  gfp_t gfp);

void mlb_dead_add(struct mlb_net *mn, struct mlb_client *client);
void mlb_dead_probe(struct mlb_net *mn);
void mlb_dead_forget(struct mlb_net *mn, u16 node);
struct mlb_client *mlb_dead_find(struct mlb_net *mn,
				 const struct mlb_tuple *tuple);
bool mlb_dead_has_token(struct mlb_net *mn, u32 token);

int mlb_dead_net_init(struct mlb_net *mn);
void mlb_dead_net_exit(struct mlb_net *mn);

#endif
