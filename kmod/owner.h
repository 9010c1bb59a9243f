/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_OWNER_H
#define _MLB_OWNER_H

#include <linux/atomic.h>
#include <linux/rhashtable.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct mlb_net;

/* Where an entry came from, and so who may remove it. */
enum mlb_owner_origin {
	MLB_OWNER_NETLINK,	/* an announcement of its owner */
	MLB_OWNER_LOCAL,	/* a connection of this host */
	MLB_OWNER_SEEN,		/* a plain node's handshake */
	MLB_OWNER_CACHED,	/* a peer's answer; ages, may be evicted */
};

#define MLB_OWNER_CPU_UNKNOWN	U16_MAX

/**
 * struct mlb_owner - which node, and which CPU there, holds a connection
 * @hash: in &mlb_owner_table.hash
 * @token: token of the connection, host order (RFC 8684 3.2)
 * @node: node id; the node may be gone meanwhile
 * @cpu: CPU that took the first subflow, or MLB_OWNER_CPU_UNKNOWN
 * @born: jiffies when the entry was made, or last used for a cached one
 * @origin: enum mlb_owner_origin
 * @list: in &mlb_owner_table.local or .cached
 * @rcu: delays freeing
 */
struct mlb_owner {
	struct rhash_head hash;
	u32 token;
	u16 node;
	u16 cpu;
	u32 born;
	u8 origin;
	u16 rival;
	struct list_head list;
	struct rcu_head rcu;
};

static_assert(sizeof(struct mlb_owner) <= 64);

/**
 * struct mlb_owner_table - token -> owner
 * @hash: the entries; read inside rcu_read_lock()
 * @lock: taken to change anything here
 * @count: entries
 * @n_cached: those made from answers
 * @local: entries of this host's connections; changed under &mlb_learn.lock
 *	too, so its holder may walk the list without @lock
 * @cached: entries made from answers, least recently made first
 * @per_node: entries of each node id
 */
struct mlb_owner_table {
	struct rhashtable hash;
	spinlock_t lock;	/* see struct mlb_net */
	u32 count;
	u32 n_cached;
	struct list_head local;
	struct list_head cached;
	u32 *per_node;
};

extern const struct rhashtable_params mlb_owner_params;

/**
 * mlb_owner_find() - look a token up
 *
 * Return: the entry, valid inside rcu_read_lock(); NULL when the token is not
 * in the table.
 */
struct mlb_owner *mlb_owner_find(struct mlb_net *mn, u32 token);

int mlb_owner_insert(struct mlb_net *mn, u32 token, u16 node, u16 cpu,
		     enum mlb_owner_origin origin, bool replace);
bool mlb_owner_remove(struct mlb_net *mn, u32 token);
void mlb_owner_remove_local(struct mlb_net *mn, struct mlb_owner *owner);
u32 mlb_owner_room(struct mlb_net *mn);
void mlb_owner_purge(struct mlb_net *mn, u16 node);
void mlb_owner_used(struct mlb_owner *owner);
void mlb_owner_age(struct mlb_net *mn);

int mlb_owner_net_init(struct mlb_net *mn);
void mlb_owner_net_exit(struct mlb_net *mn);

int mlb_owner_module_init(void);
void mlb_owner_module_exit(void);

#endif
