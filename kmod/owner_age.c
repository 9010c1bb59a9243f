// SPDX-License-Identifier: GPL-2.0
/*
 * Owner entries that go by themselves: those made from peers' answers and from
 * the handshakes of nodes without mlb, when no join has used them for long or
 * the table is full, and all of a node that is gone.
 *
 * Nobody but this host knows what it has seen of a node without mlb, so the
 * listeners are told of these entries as of the host's own; by a work, as the
 * entries come and go in softirq.
 */
#include <linux/ktime.h>
#include <linux/workqueue.h>

#include "net.h"
#include "netlink.h"
#include "owner.h"
#include "walk.h"

/* An entry that no join has used for so long is forgotten. A peer can be asked
 * again, a node without mlb cannot.
 */
#define OWNER_CACHED_LIFE	120		/* s */
#define OWNER_SEEN_LIFE		(24 * 3600)

/* Entries of each kind that are looked at in a second. */
#define OWNER_AGE_STEP		1024

/* Each leaves over a small part of what the one before it did. */
#define OWNER_PURGE_WALKS	8

/* Packets evict no more until the listeners know of so many. */
#define OWNER_GONE_MAX		1024

static struct mlb_owner *owner_oldest(struct list_head *list)
{
	return list_first_entry_or_null(list, struct mlb_owner, list);
}

/*
 * Which entry gives way to one of this origin. What a peer said is known to
 * it still, so that goes first; and it takes the place of its like only.
 */
static struct mlb_owner *owner_victim(struct mlb_net *mn,
				      enum mlb_owner_origin origin)
{
	struct mlb_owner_table *table = &mn->owners;
	struct mlb_owner *victim = owner_oldest(&table->cached);

	if (victim || origin == MLB_OWNER_CACHED)
		return victim;
	if (origin == MLB_OWNER_SEEN && table->n_gone >= OWNER_GONE_MAX)
		return NULL;
	return owner_oldest(&table->seen) ?: owner_oldest(&table->fresh);
}

/* Whether an entry of this origin may come into the table. */
bool mlb_owner_make_room(struct mlb_net *mn, enum mlb_owner_origin origin)
{
	struct mlb_owner *victim;

	lockdep_assert_held(&mn->owners.lock);

	if (mn->owners.count < READ_ONCE(mn->config.max_owners))
		return true;
	victim = owner_victim(mn, origin);
	if (!victim)
		return false;
	mlb_owner_unlink(mn, victim);
	mlb_count(mn, OWNER_EVICTED);
	return true;
}

/* Whether an entry went. Only its rival is left of one that had a rival, and of
 * one whose node is dead its client.
 */
static bool owner_purge_one(struct mlb_net *mn, u32 token, u16 node, bool dead)
{
	struct mlb_client *client = NULL;
	struct mlb_owner *owner;
	bool gone = false;

	spin_lock_bh(&mn->owners.lock);
	owner = mlb_owner_locked(mn, token);
	if (owner && (!node || owner->rival == node))
		WRITE_ONCE(owner->rival, 0);
	if (owner && owner->origin != MLB_OWNER_LOCAL &&
	    (!node || owner->node == node)) {
		if (dead)
			client = rcu_replace_pointer(owner->client, NULL,
						     lockdep_is_held(&mn->owners.lock));
		mlb_owner_end(mn, owner);
		gone = true;
	}
	spin_unlock_bh(&mn->owners.lock);
	if (client)
		mlb_dead_add(mn, client);
	return gone;
}

/* One walk; returns how many it has removed. */
static unsigned int owner_purge_once(struct mlb_net *mn, u16 node, bool dead)
{
	struct rhashtable_iter iter;
	struct mlb_owner *owner;
	unsigned int removed = 0;
	unsigned int n = 0;

	rhashtable_walk_enter(&mn->owners.hash, &iter);
	mlb_walk_start(&iter);
	while ((owner = rhashtable_walk_next(&iter))) {
		if (IS_ERR(owner))
			continue;	/* resized: the walk starts anew */
		if (!node || owner->node == node ||
		    READ_ONCE(owner->rival) == node)
			removed += owner_purge_one(mn, owner->token, node,
						   dead);
		if (++n % 256 == 0) {
			rhashtable_walk_stop(&iter);
			cond_resched();
			mlb_walk_start(&iter);
		}
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	mlb_count_add(mn, OWNER_DELETED, removed);
	return removed;
}

/**
 * mlb_owner_purge() - remove the claims of other nodes
 * @mn: the namespace
 * @node: only those of this one, or 0
 * @dead: the node dies, and its clients may have to be told
 *
 * Process context. Entries made meanwhile may stay.
 */
void mlb_owner_purge(struct mlb_net *mn, u16 node, bool dead)
{
	unsigned int walks = 0;

	/* A walk that rests behind an entry which it removed counts its
	 * place in the bucket and passes over others, so walk until none is
	 * left; but not for ever, as answers may make new ones all the time.
	 */
	while (owner_purge_once(mn, node, dead) && ++walks < OWNER_PURGE_WALKS)
		;
}

/**
 * mlb_owner_used() - keep an entry that ages, for a join has just used it
 * @owner: the entry
 *
 * Call inside rcu_read_lock().
 */
void mlb_owner_used(struct mlb_owner *owner)
{
	if (owner->origin == MLB_OWNER_CACHED ||
	    owner->origin == MLB_OWNER_SEEN)
		WRITE_ONCE(owner->born, (u32)ktime_get_seconds());
}

/* Those in use move to the end of the list. */
static void owner_age_list(struct mlb_net *mn, struct list_head *list,
			   u32 life)
{
	struct mlb_owner *owner;
	u32 born;

	lockdep_assert_held(&mn->owners.lock);

	for (unsigned int n = 0; n < OWNER_AGE_STEP; n++) {
		owner = owner_oldest(list);
		if (!owner)
			return;
		/* Before the clock: a packet may use it meanwhile. */
		born = READ_ONCE(owner->born);
		if ((u32)ktime_get_seconds() - born > life)
			mlb_owner_end(mn, owner);
		else
			list_move_tail(&owner->list, list);
	}
}

/**
 * mlb_owner_age() - remove entries that age and are not used any more
 * @mn: the namespace
 *
 * Looks at a bounded number. Call it each second.
 *
 * Return: whether there are any left.
 */
bool mlb_owner_age(struct mlb_net *mn)
{
	bool left;

	spin_lock_bh(&mn->owners.lock);
	owner_age_list(mn, &mn->owners.cached, OWNER_CACHED_LIFE);
	owner_age_list(mn, &mn->owners.seen, OWNER_SEEN_LIFE);
	left = mn->owners.n_aging;
	spin_unlock_bh(&mn->owners.lock);
	return left;
}

static void owner_tell_gone(struct mlb_net *mn, struct list_head *gone)
{
	struct mlb_owner *owner, *tmp;
	struct mlb_owner_batch batch;

	mlb_owner_batch_init(&batch, mn, MLB_CMD_OWNER_DEL_NTF);
	batch.seen = true;
	list_for_each_entry_safe(owner, tmp, gone, list) {
		mlb_owner_batch_add(&batch, owner->token, owner->node,
				    MLB_OWNER_CPU_UNKNOWN);
		mlb_owner_free(owner);
		cond_resched();
	}
	mlb_owner_batch_send(&batch);
}

/* Entries may leave @fresh, which only this function knows, until the lock is
 * taken; nobody has heard of those.
 */
static void owner_tell_fresh(struct mlb_net *mn, struct list_head *fresh)
{
	struct mlb_owner_batch batch;
	struct mlb_owner *owner;
	u32 token;
	u16 node;

	mlb_owner_batch_init(&batch, mn, MLB_CMD_OWNER_ADD_NTF);
	batch.seen = true;
	for (;;) {
		spin_lock_bh(&mn->owners.lock);
		owner = owner_oldest(fresh);
		if (!owner)
			break;
		owner->told = 1;
		list_move_tail(&owner->list, &mn->owners.seen);
		token = owner->token;
		node = owner->node;
		spin_unlock_bh(&mn->owners.lock);

		mlb_owner_batch_add(&batch, token, node,
				    MLB_OWNER_CPU_UNKNOWN);
		cond_resched();
	}
	spin_unlock_bh(&mn->owners.lock);
	mlb_owner_batch_send(&batch);
}

/*
 * Both lists are taken at one moment, and the entries that had gone until then
 * are told first: a token that is seen again comes after its own end.
 */
static void owner_tell(struct work_struct *work)
{
	struct mlb_owner_table *table = container_of(to_delayed_work(work),
						     struct mlb_owner_table,
						     tell);
	struct mlb_net *mn = container_of(table, struct mlb_net, owners);
	LIST_HEAD(fresh);
	LIST_HEAD(gone);

	spin_lock_bh(&table->lock);
	list_splice_init(&table->gone, &gone);
	list_splice_init(&table->fresh, &fresh);
	table->n_gone = 0;
	spin_unlock_bh(&table->lock);

	owner_tell_gone(mn, &gone);
	owner_tell_fresh(mn, &fresh);
}

/* There is something to tell the listeners; soon, and many in a message. */
void mlb_owner_tell(struct mlb_net *mn)
{
	queue_delayed_work(system_power_efficient_wq, &mn->owners.tell, 1);
}

void mlb_owner_age_net_init(struct mlb_net *mn)
{
	INIT_LIST_HEAD(&mn->owners.cached);
	INIT_LIST_HEAD(&mn->owners.seen);
	INIT_LIST_HEAD(&mn->owners.fresh);
	INIT_LIST_HEAD(&mn->owners.gone);
	INIT_DELAYED_WORK(&mn->owners.tell, owner_tell);
}

/* Nobody changes the table any more. */
void mlb_owner_age_net_exit(struct mlb_net *mn)
{
	struct mlb_owner *owner, *tmp;

	cancel_delayed_work_sync(&mn->owners.tell);
	list_for_each_entry_safe(owner, tmp, &mn->owners.gone, list)
		mlb_owner_free(owner);
}
