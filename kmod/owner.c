// SPDX-License-Identifier: GPL-2.0
/*
 * The owner table: which node holds the connection of a token.
 *
 * Tokens are unique on each host only, and an announcement takes a while to
 * reach everybody: so two nodes may claim one token. The entry then names the
 * first as its node and the other as its rival, and joins are refused until
 * one of them gives the token up, which leaves it to the other.
 */
#include <linux/ktime.h>
#include <linux/slab.h>

#include "net.h"
#include "netlink.h"
#include "owner.h"

/* How a claim over netlink meets an entry that exists. */
enum owner_how { OWNER_ADD, OWNER_REPLACE, OWNER_ANNOUNCE };

/* What becomes of a claim when there is an entry. */
enum owner_claim {
	CLAIM_REFUSED,	/* the entry stays as it is */
	CLAIM_KNOWN,	/* the entry says so already */
	CLAIM_CONTESTS,	/* the entry gets a rival */
	CLAIM_TAKES,	/* the entry gives way */
};

static struct kmem_cache *owner_cache;

const struct rhashtable_params mlb_owner_params = {
	.head_offset = offsetof(struct mlb_owner, hash),
	.key_offset = offsetof(struct mlb_owner, token),
	.key_len = sizeof_field(struct mlb_owner, token),
	.automatic_shrinking = true,
};

struct mlb_owner *mlb_owner_find(struct mlb_net *mn, u32 token)
{
	return rhashtable_lookup(&mn->owners.hash, &token, mlb_owner_params);
}

/* Return: the entry, valid under the lock; NULL when there is none. */
struct mlb_owner *mlb_owner_locked(struct mlb_net *mn, u32 token)
{
	struct mlb_owner *owner;

	lockdep_assert_held(&mn->owners.lock);

	rcu_read_lock();
	owner = mlb_owner_find(mn, token);
	rcu_read_unlock();	/* only the lock's holder frees it */
	return owner;
}

static struct mlb_owner *owner_new(u32 token, u16 node, u16 cpu,
				   enum mlb_owner_origin origin, gfp_t gfp)
{
	struct mlb_owner *owner = kmem_cache_zalloc(owner_cache, gfp);

	if (!owner)
		return NULL;
	owner->token = token;
	owner->node = node;
	owner->cpu = cpu;
	owner->origin = origin;
	owner->born = ktime_get_seconds();
	return owner;
}

static void owner_free_now(void *ptr, void *arg)
{
	struct mlb_owner *owner = ptr;

	kfree(rcu_access_pointer(owner->client));
	kmem_cache_free(owner_cache, owner);
}

static void owner_free_rcu(struct rcu_head *rcu)
{
	owner_free_now(container_of(rcu, struct mlb_owner, rcu), NULL);
}

/* Out of every list; readers may still have it. */
void mlb_owner_free(struct mlb_owner *owner)
{
	call_rcu(&owner->rcu, owner_free_rcu);
}

static bool owner_ages(const struct mlb_owner *owner)
{
	return owner->origin == MLB_OWNER_CACHED ||
	       owner->origin == MLB_OWNER_SEEN;
}

/* The list and the counts of an entry that has come into the table. */
static void owner_count(struct mlb_net *mn, struct mlb_owner *owner)
{
	struct mlb_owner_table *table = &mn->owners;

	lockdep_assert_held(&table->lock);

	table->count++;
	table->n_aging += owner_ages(owner);
	table->per_node[owner->node]++;
	switch (owner->origin) {
	case MLB_OWNER_LOCAL:
		list_add_tail(&owner->list, &table->local);
		break;
	case MLB_OWNER_CACHED:
		list_add_tail(&owner->list, &table->cached);
		break;
	case MLB_OWNER_SEEN:
		list_add_tail(&owner->list, &table->fresh);
		mlb_owner_tell(mn);
		break;
	default:
		INIT_LIST_HEAD(&owner->list);
		return;		/* stays until it is told to go */
	}
	mlb_learn_watch(mn);
}

/* Those of an entry that has left the table; frees it. */
static void owner_uncount(struct mlb_net *mn, struct mlb_owner *owner)
{
	struct mlb_owner_table *table = &mn->owners;

	lockdep_assert_held(&table->lock);

	table->count--;
	table->n_aging -= owner_ages(owner);
	table->per_node[owner->node]--;
	list_del(&owner->list);
	if (!owner->told) {
		mlb_owner_free(owner);
		return;
	}
	list_add_tail(&owner->list, &table->gone);
	table->n_gone++;
	mlb_owner_tell(mn);
}

void mlb_owner_unlink(struct mlb_net *mn, struct mlb_owner *owner)
{
	rhashtable_remove_fast(&mn->owners.hash, &owner->hash,
			       mlb_owner_params);
	owner_uncount(mn, owner);
}

static void owner_replace(struct mlb_net *mn, struct mlb_owner *old,
			  struct mlb_owner *owner)
{
	rhashtable_replace_fast(&mn->owners.hash, &old->hash, &owner->hash,
				mlb_owner_params);
	owner_uncount(mn, old);
	owner_count(mn, owner);
}

/*
 * The entry's node has given the token up: it is its rival's now. Without the
 * memory for that nobody has it, and peers can be asked.
 */
void mlb_owner_end(struct mlb_net *mn, struct mlb_owner *owner)
{
	struct mlb_owner *heir = NULL;

	if (owner->rival)
		heir = owner_new(owner->token, owner->rival,
				 MLB_OWNER_CPU_UNKNOWN, MLB_OWNER_NETLINK,
				 GFP_ATOMIC);
	if (heir)
		owner_replace(mn, owner, heir);
	else
		mlb_owner_unlink(mn, owner);
}

/* Of three, the third is only counted: the first two refuse joins as well. */
static void owner_contest(struct mlb_net *mn, struct mlb_owner *old, u16 node)
{
	if (old->rival == node)
		return;
	mlb_count(mn, OWNER_CONFLICT);
	if (!old->rival)
		WRITE_ONCE(old->rival, node);
}

/* A connection of this host is here whatever others say; but they may have it
 * too.
 */
static void owner_take(struct mlb_net *mn, struct mlb_owner *old,
		       struct mlb_owner *owner)
{
	if (owner->origin == MLB_OWNER_LOCAL &&
	    old->origin == MLB_OWNER_NETLINK && old->node != owner->node) {
		mlb_count(mn, OWNER_CONFLICT);
		owner->rival = old->node;
	}
	owner_replace(mn, old, owner);
}

/*
 * What is announced or of this host has been confirmed by its owner's kernel.
 * What is seen has been confirmed by nobody, so it is no claim: else a stranger
 * who forges handshakes could have the joins of others refused.
 */
static enum owner_claim owner_judge(const struct mlb_owner *old,
				    const struct mlb_owner *owner,
				    enum owner_how how)
{
	bool same = old->node == owner->node;

	switch (owner->origin) {
	case MLB_OWNER_CACHED:
		return CLAIM_REFUSED;
	case MLB_OWNER_LOCAL:
		return old->origin == MLB_OWNER_LOCAL ? CLAIM_REFUSED :
							CLAIM_TAKES;
	case MLB_OWNER_SEEN:
		return old->origin == MLB_OWNER_CACHED && same ?
		       CLAIM_TAKES : CLAIM_REFUSED;
	}
	if (how == OWNER_ANNOUNCE && same && old->origin != MLB_OWNER_CACHED)
		return CLAIM_KNOWN;	/* what is seen goes on to age */
	if (owner_ages(old))
		return CLAIM_TAKES;
	if (how == OWNER_ANNOUNCE)
		return CLAIM_CONTESTS;
	return how == OWNER_REPLACE && old->origin != MLB_OWNER_LOCAL ?
	       CLAIM_TAKES : CLAIM_REFUSED;
}

/* Takes @owner, and returns as mlb_owner_insert() does. */
static int owner_claim(struct mlb_net *mn, struct mlb_owner *owner,
		       enum owner_how how)
{
	struct mlb_owner *old;
	int err = 0;

	lockdep_assert_held(&mn->owners.lock);

	old = mlb_owner_locked(mn, owner->token);
	if (!old) {
		if (!mlb_owner_make_room(mn, owner->origin)) {
			err = -ENOSPC;
			goto free;
		}
		err = rhashtable_insert_fast(&mn->owners.hash, &owner->hash,
					     mlb_owner_params);
		if (err)
			goto free;
		owner_count(mn, owner);
		return 0;
	}
	switch (owner_judge(old, owner, how)) {
	case CLAIM_TAKES:
		owner_take(mn, old, owner);
		return 0;
	case CLAIM_CONTESTS:
		owner_contest(mn, old, owner->node);
		break;
	case CLAIM_KNOWN:
		if (owner->cpu != MLB_OWNER_CPU_UNKNOWN)
			WRITE_ONCE(old->cpu, owner->cpu);
		break;
	case CLAIM_REFUSED:
		err = -EEXIST;
	}
free:
	kmem_cache_free(owner_cache, owner);
	return err;
}

static int owner_put(struct mlb_net *mn, u32 token, u16 node, u16 cpu,
		     enum mlb_owner_origin origin, enum owner_how how)
{
	/* Who adds entries pays for them. */
	gfp_t gfp = origin == MLB_OWNER_NETLINK ? GFP_KERNEL_ACCOUNT :
						  GFP_ATOMIC;
	struct mlb_owner *owner = owner_new(token, node, cpu, origin, gfp);
	int err;

	if (!owner)
		return -ENOMEM;
	spin_lock_bh(&mn->owners.lock);
	err = owner_claim(mn, owner, how);
	spin_unlock_bh(&mn->owners.lock);
	if (err == -ENOSPC) {
		mlb_count(mn, OWNER_FULL);
		mlb_netlink_limit(mn, MLB_TABLE_OWNER,
				  READ_ONCE(mn->config.max_owners));
	}
	return err;
}

/**
 * mlb_owner_insert() - make an entry
 * @mn: the namespace
 * @token: the token
 * @node: its owner
 * @cpu: CPU that took the first subflow, or MLB_OWNER_CPU_UNKNOWN
 * @origin: where this is known from; MLB_OWNER_LOCAL needs &mlb_learn.lock
 * @replace: overwrite an entry of MLB_OWNER_NETLINK
 *
 * An entry of MLB_OWNER_CACHED always gives way, and never takes the place of
 * another; one of MLB_OWNER_SEEN gives way to all others, and takes the place
 * of a cached one only. One of MLB_OWNER_LOCAL takes the place of any other
 * node's, which becomes its rival if it was announced. Process context for
 * MLB_OWNER_NETLINK; for others any but a hard interrupt.
 *
 * Return: 0; -EEXIST when there is an entry that does not give way; -ENOSPC
 * when the table is full; -ENOMEM.
 */
int mlb_owner_insert(struct mlb_net *mn, u32 token, u16 node, u16 cpu,
		     enum mlb_owner_origin origin, bool replace)
{
	return owner_put(mn, token, node, cpu, origin,
			 replace ? OWNER_REPLACE : OWNER_ADD);
}

/**
 * mlb_owner_announce() - a node says that it has a connection
 * @mn: the namespace
 * @token: the token of the connection
 * @node: the node
 * @cpu: CPU that took the first subflow, or MLB_OWNER_CPU_UNKNOWN
 *
 * Makes an entry, or the node the rival of another that has one. Process
 * context.
 *
 * Return: 0, -ENOSPC when the table is full, -ENOMEM.
 */
int mlb_owner_announce(struct mlb_net *mn, u32 token, u16 node, u16 cpu)
{
	return owner_put(mn, token, node, cpu, MLB_OWNER_NETLINK,
			 OWNER_ANNOUNCE);
}

/**
 * mlb_owner_withdraw() - a node says that it has a connection no more
 * @mn: the namespace
 * @token: the token of the connection
 * @node: the node
 *
 * Return: 0; -ENOENT when nothing says that the node has it; -EPERM when it is
 * a connection of this host.
 */
int mlb_owner_withdraw(struct mlb_net *mn, u32 token, u16 node)
{
	struct mlb_owner *owner;
	int err = 0;

	spin_lock_bh(&mn->owners.lock);
	owner = mlb_owner_locked(mn, token);
	if (owner && owner->rival == node)
		WRITE_ONCE(owner->rival, 0);
	else if (!owner || owner->node != node)
		err = -ENOENT;
	else if (owner->origin == MLB_OWNER_LOCAL)
		err = -EPERM;
	else
		mlb_owner_end(mn, owner);
	spin_unlock_bh(&mn->owners.lock);
	return err;
}

/**
 * mlb_owner_remove() - remove the entry of a token, unless it is of this host
 * @mn: the namespace
 * @token: the token
 *
 * Return: whether there was one.
 */
bool mlb_owner_remove(struct mlb_net *mn, u32 token)
{
	struct mlb_owner *owner;

	spin_lock_bh(&mn->owners.lock);
	owner = mlb_owner_locked(mn, token);
	if (owner && owner->origin == MLB_OWNER_LOCAL)
		owner = NULL;
	if (owner)
		mlb_owner_unlink(mn, owner);
	spin_unlock_bh(&mn->owners.lock);
	return owner;
}

/**
 * mlb_owner_remove_local() - a connection of this host has ended
 * @mn: the namespace
 * @owner: its entry; a rival's takes its place
 *
 * Caller must hold &mlb_learn.lock.
 */
void mlb_owner_remove_local(struct mlb_net *mn, struct mlb_owner *owner)
{
	lockdep_assert_held(&mn->learn.lock);

	spin_lock_bh(&mn->owners.lock);
	mlb_owner_end(mn, owner);
	spin_unlock_bh(&mn->owners.lock);
}

/**
 * mlb_owner_set_client() - say how to tell a connection's client
 * @mn: the namespace
 * @client: of the connection; taken
 *
 * Does nothing unless there is an entry of its token and its node, which knows
 * of no client. Process context.
 */
void mlb_owner_set_client(struct mlb_net *mn, struct mlb_client *client)
{
	struct mlb_owner *owner;

	spin_lock_bh(&mn->owners.lock);
	owner = mlb_owner_locked(mn, client->token);
	if (owner && owner->node == client->node &&
	    !rcu_access_pointer(owner->client)) {
		rcu_assign_pointer(owner->client, client);
		client = NULL;
	}
	spin_unlock_bh(&mn->owners.lock);
	kfree(client);
}

/**
 * mlb_owner_room() - how many entries more the table takes
 * @mn: the namespace
 *
 * Return: how many; others may use them up meanwhile.
 */
u32 mlb_owner_room(struct mlb_net *mn)
{
	u32 max = READ_ONCE(mn->config.max_owners);
	u32 kept;

	spin_lock_bh(&mn->owners.lock);
	kept = mn->owners.count - mn->owners.n_aging;
	spin_unlock_bh(&mn->owners.lock);
	return kept < max ? max - kept : 0;
}

int mlb_owner_net_init(struct mlb_net *mn)
{
	int err;

	spin_lock_init(&mn->owners.lock);
	INIT_LIST_HEAD(&mn->owners.local);
	mlb_owner_age_net_init(mn);
	mn->owners.per_node = kvcalloc(MLB_NODE_ID_MAX + 1, sizeof(u32),
				       GFP_KERNEL);
	if (!mn->owners.per_node)
		return -ENOMEM;
	err = rhashtable_init(&mn->owners.hash, &mlb_owner_params);
	if (err)
		kvfree(mn->owners.per_node);
	return err;
}

void mlb_owner_net_exit(struct mlb_net *mn)
{
	mlb_owner_age_net_exit(mn);
	rhashtable_free_and_destroy(&mn->owners.hash, owner_free_now, NULL);
	kvfree(mn->owners.per_node);
}

int __init mlb_owner_module_init(void)
{
	owner_cache = KMEM_CACHE(mlb_owner, 0);
	return owner_cache ? 0 : -ENOMEM;
}

/* The caller has waited for the last owner_free_rcu(). */
void mlb_owner_module_exit(void)
{
	kmem_cache_destroy(owner_cache);
}
