// SPDX-License-Identifier: GPL-2.0
/*
 * Services and their pools.
 */
#include <linux/slab.h>

#include "net.h"
#include "node.h"
#include "pools.h"
#include "service.h"
#include "steer.h"
#include "walk.h"

/* In a namespace. Each may have a pool of its own, which is not small. */
#define SERVICES_MAX	4096

const struct rhashtable_params mlb_service_params = {
	.head_offset = offsetof(struct mlb_service, hash),
	.key_offset = offsetof(struct mlb_service, key),
	.key_len = sizeof_field(struct mlb_service, key),
	.automatic_shrinking = true,
};

/**
 * mlb_service_pool() - the nodes that a new connection may go to
 * @mn: the namespace
 * @svc: its service
 * @saddr: its client
 * @group: set to the group that the client is in, or 0
 *
 * Return: the pool, valid inside rcu_read_lock(); NULL when there are no nodes.
 */
const struct mlb_pool *mlb_service_pool(struct mlb_net *mn,
					const struct mlb_service *svc,
					const struct in6_addr *saddr,
					u16 *group)
{
	const struct mlb_pool *pool = mlb_pools_find(mn, svc, saddr, group);

	if (pool)
		return pool;
	return svc->n_nodes ? rcu_dereference(svc->pool) :
			      rcu_dereference(mn->pool);
}

static struct mlb_service *service_create(struct mlb_net *mn,
					  const struct mlb_service_key *key,
					  u8 scheduler, const u16 *nodes,
					  unsigned int n)
{
	struct mlb_service *svc;

	svc = kvzalloc(struct_size(svc, nodes, n), GFP_KERNEL_ACCOUNT);
	if (!svc)
		return NULL;
	svc->key = *key;
	svc->scheduler = scheduler;
	svc->n_nodes = n;
	memcpy(svc->nodes, nodes, n * sizeof(*nodes));
	if (n) {
		struct mlb_pool *pool = mlb_pool_build(mn, nodes, n,
						       false);

		if (!pool) {
			kvfree(svc);
			return NULL;
		}
		RCU_INIT_POINTER(svc->pool, pool);
	}
	return svc;
}

/* @svc is not published, or not any more. */
static void service_free(struct mlb_net *mn, struct mlb_service *svc)
{
	mlb_pool_free(mlb_dereference(mn, svc->pool));
	kvfree_rcu(svc, rcu);
}

static int service_hook(struct mlb_net *mn)
{
	int err = mlb_steer_hook(mn);

	if (err)
		return err;
	err = mlb_synack_hook(mn);
	if (err)
		mlb_steer_unhook(mn);
	return err;
}

static void service_unhook(struct mlb_net *mn)
{
	mlb_synack_unhook(mn);
	mlb_steer_unhook(mn);
}

/**
 * mlb_service_add() - begin to serve an address and port
 * @mn: the namespace
 * @key: address and port, already judged
 * @scheduler: enum mlb_scheduler
 * @nodes: ids of the pool, ascending, all of them nodes
 * @n: how many; 0 for every node
 * @extack: why not
 *
 * Caller must hold &mlb_net.lock.
 *
 * Return: 0 or a negative errno.
 */
int mlb_service_add(struct mlb_net *mn, const struct mlb_service_key *key,
		    u8 scheduler, const u16 *nodes, unsigned int n,
		    struct netlink_ext_ack *extack)
{
	struct mlb_service *svc;
	int err;

	lockdep_assert_held(&mn->lock);

	if (mn->n_services >= SERVICES_MAX) {
		NL_SET_ERR_MSG(extack, "there are too many services");
		return -ENOSPC;
	}
	svc = service_create(mn, key, scheduler, nodes, n);
	if (!svc)
		return -ENOMEM;
	if (!mn->n_services) {
		err = service_hook(mn);
		if (err) {
			NL_SET_ERR_MSG(extack, "cannot hook into the packet path");
			goto err_free;
		}
	}
	err = rhashtable_lookup_insert_fast(&mn->services, &svc->hash,
					    mlb_service_params);
	if (err) {
		if (err == -EEXIST)
			NL_SET_ERR_MSG(extack, "the service exists already");
		goto err_unhook;
	}
	mn->n_services++;
	return 0;

err_unhook:
	if (!mn->n_services)
		service_unhook(mn);
err_free:
	service_free(mn, svc);
	return err;
}

/**
 * mlb_service_set() - change a service
 * @mn: the namespace
 * @old: the service; freed on success
 * @scheduler: enum mlb_scheduler
 * @nodes: ids of the pool, ascending, all of them nodes
 * @n: how many; 0 for every node
 *
 * Packets see the old service or the new one whole. Caller must hold
 * &mlb_net.lock.
 *
 * Return: 0 or a negative errno.
 */
int mlb_service_set(struct mlb_net *mn, struct mlb_service *old, u8 scheduler,
		    const u16 *nodes, unsigned int n)
{
	struct mlb_service *svc;
	int err;

	lockdep_assert_held(&mn->lock);

	svc = service_create(mn, &old->key, scheduler, nodes, n);
	if (!svc)
		return -ENOMEM;
	err = rhashtable_replace_fast(&mn->services, &old->hash, &svc->hash,
				      mlb_service_params);
	service_free(mn, err ? svc : old);
	return err;
}

/**
 * mlb_service_del() - serve an address and port no more
 * @mn: the namespace
 * @svc: the service; freed
 *
 * Caller must hold &mlb_net.lock.
 */
void mlb_service_del(struct mlb_net *mn, struct mlb_service *svc)
{
	lockdep_assert_held(&mn->lock);

	rhashtable_remove_fast(&mn->services, &svc->hash, mlb_service_params);
	mlb_pools_forget(mn, &svc->key);
	if (!--mn->n_services)
		service_unhook(mn);
	/* A packet that still saw the service may make a flow entry. */
	synchronize_net();
	mlb_flow_purge_service(mn, &svc->key.addr, svc->key.port);
	service_free(mn, svc);
}

/* Call @fn for every service until it says true; says whether one did. */
static bool service_any(struct mlb_net *mn,
			bool (*fn)(struct mlb_service *svc, const void *arg),
			const void *arg)
{
	struct rhashtable_iter iter;
	struct mlb_service *svc;
	bool found = false;

	lockdep_assert_held(&mn->lock);

	rhashtable_walk_enter(&mn->services, &iter);
	mlb_walk_start(&iter);
	while (!found && (svc = rhashtable_walk_next(&iter)))
		found = !IS_ERR(svc) && fn(svc, arg);
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	return found;
}

static bool service_names_node(struct mlb_service *svc, const void *arg)
{
	const u16 id = *(const u16 *)arg;

	for (unsigned int i = 0; i < svc->n_nodes; i++)
		if (svc->nodes[i] == id)
			return true;
	return false;
}

static bool service_has_addr(struct mlb_service *svc, const void *arg)
{
	return ipv6_addr_equal(&svc->key.addr, arg);
}

/* Whether a service names the node, for all clients or for a group. Caller must
 * hold &mlb_net.lock.
 */
bool mlb_service_names_node(struct mlb_net *mn, u16 id)
{
	return service_any(mn, service_names_node, &id) ||
	       mlb_pools_name_node(mn, id);
}

/* Whether it is a service's address. Caller must hold &mlb_net.lock. */
bool mlb_service_has_addr(struct mlb_net *mn, const struct in6_addr *addr)
{
	return service_any(mn, service_has_addr, addr);
}

int mlb_service_net_init(struct mlb_net *mn)
{
	return rhashtable_init(&mn->services, &mlb_service_params);
}

static void service_free_now(void *ptr, void *arg)
{
	struct mlb_service *svc = ptr;

	kvfree(rcu_access_pointer(svc->pool));
	kvfree(svc);
}

/* Nobody reads any more. */
void mlb_service_net_exit(struct mlb_net *mn)
{
	mlb_pools_net_exit(mn);
	rhashtable_free_and_destroy(&mn->services, service_free_now, NULL);
	kvfree(rcu_access_pointer(mn->pool));
}
