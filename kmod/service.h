/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_SERVICE_H
#define _MLB_SERVICE_H

#include <linux/in6.h>
#include <linux/netlink.h>
#include <linux/rhashtable.h>

#include "net.h"
#include "pool.h"
#include "tuple.h"

/* No padding: hashed and compared as bytes. */
struct mlb_service_key {
	struct in6_addr addr;	/* IPv4 as ::ffff:a.b.c.d */
	__be16 port;
	__be16 zero;
};

/**
 * struct mlb_service - an address and TCP port that the cluster serves
 *
 * Only @pool changes after the service is published; any other change
 * replaces the service, so that a packet sees the old or the new one whole.
 * What it has for groups of clients is in &mlb_net.pools.
 *
 * @hash: in &mlb_net.services
 * @key: virtual address and port
 * @scheduler: enum mlb_scheduler
 * @pool: when @n_nodes is not 0; else &mlb_net.pool serves
 * @rcu: delays freeing
 * @n_nodes: entries of @nodes
 * @nodes: ids of the pool in ascending order
 */
struct mlb_service {
	struct rhash_head hash;
	struct mlb_service_key key;
	u8 scheduler;
	struct mlb_pool __rcu *pool;
	struct rcu_head rcu;
	u16 n_nodes;
	u16 nodes[];
};

extern const struct rhashtable_params mlb_service_params;

/**
 * mlb_service_find() - look a service up
 *
 * Return: the service, valid inside rcu_read_lock() or under &mlb_net.lock;
 * NULL when the address and port are no service.
 */
static inline struct mlb_service *mlb_service_find(struct mlb_net *mn,
						   const struct in6_addr *addr,
						   __be16 port)
{
	struct mlb_service_key key = { .addr = *addr, .port = port };

	return rhashtable_lookup(&mn->services, &key, mlb_service_params);
}

const struct mlb_pool *mlb_service_pool(struct mlb_net *mn,
					const struct mlb_service *svc,
					const struct in6_addr *saddr,
					u16 *group);

int mlb_service_add(struct mlb_net *mn, const struct mlb_service_key *key,
		    u8 scheduler, const u16 *nodes, unsigned int n,
		    struct netlink_ext_ack *extack);
int mlb_service_set(struct mlb_net *mn, struct mlb_service *old, u8 scheduler,
		    const u16 *nodes, unsigned int n);
void mlb_service_del(struct mlb_net *mn, struct mlb_service *svc);

bool mlb_service_names_node(struct mlb_net *mn, u16 id);
bool mlb_service_has_addr(struct mlb_net *mn, const struct in6_addr *addr);

int mlb_service_net_init(struct mlb_net *mn);
void mlb_service_net_exit(struct mlb_net *mn);

#endif
