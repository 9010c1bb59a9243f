// SPDX-License-Identifier: GPL-2.0
/*
 * Services and their pools.
 */
#include <linux/slab.h>

#include "maglev.h"
#include "net.h"
#include "node.h"
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

u16 mlb_service_schedule(struct mlb_net *mn, const struct mlb_service *svc,
			 const struct mlb_tuple *tuple, bool *past)
{
	const struct mlb_key *key = rcu_dereference(mn->key);
	static const siphash_key_t none;
	const struct mlb_pool *pool;
	u32 hash;
	u16 id, other;

	*past = false;
	pool = svc->n_nodes ? rcu_dereference(svc->pool) :
			      rcu_dereference(mn->pool);
	if (!pool)
		return 0;
	hash = siphash(tuple, sizeof(*tuple), key ? &key->hash : &none);
	id = pool->slots[mlb_maglev_slot(hash, pool->size)];
	if (likely(!test_bit(id, mn->alive.suspects)))
		return id;
	other = mlb_maglev_past(pool->slots, pool->size, hash,
				mn->alive.suspects);
	*past = other;
	return other ?: id;	/* it may only be slow */
}

/* Whether the node is in the service's pool, by name or as any node is. */
bool mlb_service_has_node(const struct mlb_service *svc, u16 id)
{
	for (unsigned int i = 0; i < svc->n_nodes; i++)
		if (svc->nodes[i] == id)
			return true;
	return !svc->n_nodes;
}

/*
 * The pool of some nodes, or of all when @n is 0, as their states and weights
 * are now.
 */
static struct mlb_pool *pool_build(struct mlb_net *mn, const u16 *ids,
				   unsigned int n)
{
	struct mlb_maglev_node *members = NULL;
	struct mlb_maglev_walk *walk = NULL;
	unsigned int n_members = 0, max = n;
	struct mlb_pool *pool = NULL;
	struct mlb_node *node;
	unsigned long id;
	u32 size;

	lockdep_assert_held(&mn->lock);

	if (!n)
		xa_for_each(&mn->nodes, id, node)
			max++;
	members = kvcalloc(max + 1, sizeof(*members), GFP_KERNEL);
	if (!members)
		return NULL;
	for (unsigned int i = 0; i < n; i++) {
		node = mlb_node_find(mn, ids[i]);
		if (node && mlb_node_takes_new(node) && node->weight)
			members[n_members++] = (struct mlb_maglev_node) {
				.id = node->id, .weight = node->weight };
	}
	if (!n)
		xa_for_each(&mn->nodes, id, node)
			if (mlb_node_takes_new(node) && node->weight)
				members[n_members++] = (struct mlb_maglev_node) {
					.id = node->id, .weight = node->weight };

	/* By all that may be members: a drain is not to change the size. */
	size = mlb_maglev_size(max);
	walk = kvcalloc(n_members + 1, sizeof(*walk), GFP_KERNEL);
	pool = kvzalloc(struct_size(pool, slots, size), GFP_KERNEL_ACCOUNT);
	if (walk && pool) {
		pool->size = size;
		mlb_maglev_fill(pool->slots, size, members, n_members, walk);
	} else {
		kvfree(pool);
		pool = NULL;
	}
	kvfree(walk);
	kvfree(members);
	return pool;
}

static void pool_free(struct mlb_pool *pool)
{
	if (pool)
		kvfree_rcu(pool, rcu);
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
		struct mlb_pool *pool = pool_build(mn, nodes, n);

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
	pool_free(mlb_dereference(mn, svc->pool));
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
	return svc->n_nodes && mlb_service_has_node(svc, *(const u16 *)arg);
}

static bool service_has_addr(struct mlb_service *svc, const void *arg)
{
	return ipv6_addr_equal(&svc->key.addr, arg);
}

/* Whether a service names the node. Caller must hold &mlb_net.lock. */
bool mlb_service_names_node(struct mlb_net *mn, u16 id)
{
	return service_any(mn, service_names_node, &id);
}

/* Whether it is a service's address. Caller must hold &mlb_net.lock. */
bool mlb_service_has_addr(struct mlb_net *mn, const struct in6_addr *addr)
{
	return service_any(mn, service_has_addr, addr);
}

/* A new pool that waits to be published. */
struct rebuilt {
	struct list_head list;
	struct mlb_service *svc;	/* NULL: the pool of all nodes */
	struct mlb_pool *pool;
};

static int rebuild_one(struct mlb_net *mn, struct list_head *list,
		       struct mlb_service *svc)
{
	struct rebuilt *r = kmalloc(sizeof(*r), GFP_KERNEL);

	if (!r)
		return -ENOMEM;
	r->svc = svc;
	r->pool = pool_build(mn, svc ? svc->nodes : NULL,
			     svc ? svc->n_nodes : 0);
	if (!r->pool) {
		kfree(r);
		return -ENOMEM;
	}
	list_add(&r->list, list);
	return 0;
}

/**
 * mlb_service_rebuild() - compute all pools anew, as the nodes have changed
 * @mn: the namespace
 *
 * Caller must hold &mlb_net.lock.
 *
 * Return: 0, or -ENOMEM when every pool stays as it was.
 */
int mlb_service_rebuild(struct mlb_net *mn)
{
	struct rhashtable_iter iter;
	struct mlb_service *svc;
	struct rebuilt *r, *tmp;
	LIST_HEAD(list);
	int err;

	lockdep_assert_held(&mn->lock);

	err = rebuild_one(mn, &list, NULL);
	rhashtable_walk_enter(&mn->services, &iter);
	mlb_walk_start(&iter);
	while (!err && (svc = rhashtable_walk_next(&iter))) {
		if (IS_ERR(svc) || !svc->n_nodes)
			continue;
		/* Services change under the lock alone: it stays. */
		rhashtable_walk_stop(&iter);
		err = rebuild_one(mn, &list, svc);
		cond_resched();
		mlb_walk_start(&iter);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);

	list_for_each_entry_safe(r, tmp, &list, list) {
		struct mlb_pool __rcu **pool = r->svc ? &r->svc->pool :
							&mn->pool;

		if (!err)
			r->pool = rcu_replace_pointer(*pool, r->pool,
						      lockdep_is_held(&mn->lock));
		pool_free(r->pool);
		kfree(r);
	}
	return err;
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
	rhashtable_free_and_destroy(&mn->services, service_free_now, NULL);
	kvfree(rcu_access_pointer(mn->pool));
}
