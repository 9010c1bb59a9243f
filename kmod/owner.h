/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_OWNER_H
#define _MLB_OWNER_H

#include <linux/atomic.h>
#include <linux/rhashtable.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct mlb_client;
struct mlb_net;

/* Where an entry came from, and so who may remove it. */
enum mlb_owner_origin {
	MLB_OWNER_NETLINK,	/* an announcement of its owner */
	MLB_OWNER_LOCAL,	/* a connection of this host */
	MLB_OWNER_CACHED,	/* a peer's answer; ages, may be evicted */
	MLB_OWNER_SEEN,		/* a plain node's handshake; the same */
};

#define MLB_OWNER_CPU_UNKNOWN	U16_MAX

/**
 * struct mlb_owner - which node, and which CPU there, holds a connection
 * @hash: in &mlb_owner_table.hash
 * @token: token of the connection, host order (RFC 8684 3.2)
 * @node: node id; the node may be gone meanwhile
 * @cpu: CPU that took the first subflow, or MLB_OWNER_CPU_UNKNOWN
 * @rival: another node that claims the token too, or 0; while there is one,
 *	nobody can tell whose connection a join means, and it is refused
 * @born: ktime_get_seconds() when the entry was made, or last used if it ages
 * @origin: enum mlb_owner_origin
 * @told: listeners know this entry of MLB_OWNER_SEEN
 * @client: how to tell the client when the node is dead, or NULL
 * @list: in the list of &mlb_owner_table for its origin, later in .gone; an
 *	entry of MLB_OWNER_NETLINK is in none
 * @rcu: delays freeing
 *
 * @cpu, @rival, @born and @client may change under readers. @told and @list are
 * for the holder of &mlb_owner_table.lock. The rest does not change.
 */
struct mlb_owner {
	struct rhash_head hash;
	u32 token;
	u16 node;
	u16 cpu;
	u16 rival;
	u8 origin;
	u8 told;
	u32 born;
	struct mlb_client __rcu *client;
	struct list_head list;
	struct rcu_head rcu;
};

static_assert(sizeof(struct mlb_owner) <= 64);

/**
 * struct mlb_owner_table - token -> owner
 * @hash: the entries; read inside rcu_read_lock()
 * @lock: taken to change anything here
 * @count: entries
 * @n_aging: those made from answers or handshakes, which make room
 * @n_gone: entries in @gone
 * @local: entries of this host's connections; changed under &mlb_learn.lock
 *	too, so its holder may walk the list without @lock
 * @cached: entries made from answers; the first was made, or looked at to see
 *	whether it is still used, longest ago
 * @seen: entries made from handshakes that listeners were told of, likewise
 * @fresh: those that they were not told of yet
 * @gone: entries that have left @seen and the table, to be told and freed
 * @tell: tells the listeners of @gone and @fresh
 * @per_node: entries of each node id
 */
struct mlb_owner_table {
	struct rhashtable hash;
	spinlock_t lock;	/* see struct mlb_net */
	u32 count;
	u32 n_aging;
	u32 n_gone;
	struct list_head local;
	struct list_head cached;
	struct list_head seen;
	struct list_head fresh;
	struct list_head gone;
	struct delayed_work tell;
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
int mlb_owner_announce(struct mlb_net *mn, u32 token, u16 node, u16 cpu);
int mlb_owner_withdraw(struct mlb_net *mn, u32 token, u16 node);
bool mlb_owner_remove(struct mlb_net *mn, u32 token);
void mlb_owner_remove_local(struct mlb_net *mn, struct mlb_owner *owner);
void mlb_owner_set_client(struct mlb_net *mn, struct mlb_client *client);
u32 mlb_owner_room(struct mlb_net *mn);

/* owner_age.c */
void mlb_owner_purge(struct mlb_net *mn, u16 node, bool dead);
void mlb_owner_used(struct mlb_owner *owner);
bool mlb_owner_age(struct mlb_net *mn);

/* Between the two files; caller must hold &mlb_owner_table.lock. */
struct mlb_owner *mlb_owner_locked(struct mlb_net *mn, u32 token);
void mlb_owner_unlink(struct mlb_net *mn, struct mlb_owner *owner);
void mlb_owner_end(struct mlb_net *mn, struct mlb_owner *owner);
void mlb_owner_free(struct mlb_owner *owner);
bool mlb_owner_make_room(struct mlb_net *mn, enum mlb_owner_origin origin);
void mlb_owner_tell(struct mlb_net *mn);
void mlb_owner_age_net_init(struct mlb_net *mn);
void mlb_owner_age_net_exit(struct mlb_net *mn);

int mlb_owner_net_init(struct mlb_net *mn);
void mlb_owner_net_exit(struct mlb_net *mn);

int mlb_owner_module_init(void);
void mlb_owner_module_exit(void);

#endif
