// SPDX-License-Identifier: GPL-2.0
/*
 * Clients of connections whose node is dead.
 *
 * An RST ends one subflow, and its connection goes on to wait for another for a
 * minute. What ends the connection is MP_FASTCLOSE with the client's key (RFC
 * 8684 3.5). Which connection a packet is of is known from its first subflow's
 * 4-tuple, that the owner has announced with the key, or because this host saw
 * the join of the subflow.
 *
 * A client that only listens sends no packet to be answered. It is made to send
 * one: TCP answers a segment that cannot be right with the numbers that would
 * be (RFC 9293 3.10.7.4).
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "client.h"
#include "flow.h"
#include "net.h"
#include "pool.h"
#include "reset.h"
#include "tunnel.h"

/* Longer than a client's silence is likely to be. */
#define DEAD_LIFE	(600 * HZ)
#define DEAD_AGE_STEP	4096	/* looked at in a second */

/* When the other nodes know it too, to whom the client's answer may come. It is
 * tried again, for a packet may be lost, or a node hold the RST back while it
 * suspects a peer, until its patience (MLB_PEER_PATIENCE_MS) is surely over.
 */
#define DEAD_PROBE_DELAY	(HZ / 20 ?: 1)
#define DEAD_PROBE_AGAIN	(2 * HZ)
#define DEAD_PROBES_MAX		6

/* Clients that one node probes at once, and how long it probes nobody then. */
#define DEAD_PROBE_STEP		128
#define DEAD_PROBE_LOOK		1024	/* most are other nodes' part */
#define DEAD_PROBE_PERIOD	(HZ / 100 ?: 1)

static const struct rhashtable_params dead_tuple_params = {
	.head_offset = offsetof(struct mlb_client, by_tuple),
	.key_offset = offsetof(struct mlb_client, tuple),
	.key_len = sizeof_field(struct mlb_client, tuple),
	.automatic_shrinking = true,
};

static const struct rhashtable_params dead_token_params = {
	.head_offset = offsetof(struct mlb_client, by_token),
	.key_offset = offsetof(struct mlb_client, token),
	.key_len = sizeof_field(struct mlb_client, token),
	.automatic_shrinking = true,
};

/**
 * mlb_client_new() - remember how to tell a client
 * @tuple: the first subflow
 * @key: the client's key, MLB_MPTCP_KEY_LEN bytes
 * @token: the connection's token
 * @node: its node
 * @gfp: what the context allows
 *
 * Return: what kfree() or an owner entry takes; NULL without memory.
 */
struct mlb_client *mlb_client_new(const struct mlb_tuple *tuple,
				  const u8 *key, u32 token, u16 node,
				  gfp_t gfp)
{
	struct mlb_client *client = kzalloc(sizeof(*client), gfp);

	if (!client)
		return NULL;
	client->tuple = *tuple;
	memcpy(client->key, key, sizeof(client->key));
	client->token = token;
	client->node = node;
	return client;
}

static void dead_unlink(struct mlb_net *mn, struct mlb_client *client)
{
	lockdep_assert_held(&mn->dead.lock);

	rhashtable_remove_fast(&mn->dead.by_tuple, &client->by_tuple,
			       dead_tuple_params);
	rhashtable_remove_fast(&mn->dead.by_token, &client->by_token,
			       dead_token_params);
	list_del(&client->list);
	WRITE_ONCE(mn->dead.count, mn->dead.count - 1);
	mlb_count(mn, DEAD_FORGOTTEN);
	kfree_rcu(client, rcu);
}

/* Of two uses of a 4-tuple or a token, that which came first stays. */
static int dead_insert(struct mlb_net *mn, struct mlb_client *client)
{
	struct mlb_dead *dead = &mn->dead;
	int err;

	lockdep_assert_held(&dead->lock);

	err = rhashtable_lookup_insert_fast(&dead->by_tuple, &client->by_tuple,
					    dead_tuple_params);
	if (err)
		return err;
	err = rhashtable_lookup_insert_fast(&dead->by_token, &client->by_token,
					    dead_token_params);
	if (err)
		rhashtable_remove_fast(&dead->by_tuple, &client->by_tuple,
				       dead_tuple_params);
	return err;
}

static struct mlb_client *dead_oldest(struct mlb_dead *dead)
{
	return list_first_entry_or_null(&dead->list, struct mlb_client, list) ?:
	       list_first_entry_or_null(&dead->fresh, struct mlb_client, list);
}

/**
 * mlb_dead_add() - a node that has a connection dies
 * @mn: the namespace
 * @client: the connection's client; taken
 *
 * As many are kept as there may be owners. Process context.
 */
void mlb_dead_add(struct mlb_net *mn, struct mlb_client *client)
{
	bool probe = READ_ONCE(mn->config.fastclose) == MLB_FASTCLOSE_PROBE;
	struct mlb_dead *dead = &mn->dead;
	struct mlb_client *oldest;
	int err;

	client->died = (u32)jiffies;
	client->due = (u32)jiffies + DEAD_PROBE_DELAY;
	spin_lock_bh(&dead->lock);
	oldest = dead_oldest(dead);
	if (oldest && dead->count >= READ_ONCE(mn->config.max_owners))
		dead_unlink(mn, oldest);
	err = dead_insert(mn, client);
	if (!err) {
		/* Its turn comes before those that are to be tried again. */
		if (probe)
			list_add(&client->list, &dead->fresh);
		else
			list_add_tail(&client->list, &dead->list);
		WRITE_ONCE(dead->count, dead->count + 1);
		mlb_count(mn, DEAD_KEPT);
	}
	spin_unlock_bh(&dead->lock);
	if (err) {
		kfree(client);
		return;
	}
	queue_delayed_work(system_power_efficient_wq, &dead->age, HZ);
}

/**
 * mlb_dead_probe() - all clients of a node that is dead have been added
 * @mn: the namespace
 *
 * Process context.
 */
void mlb_dead_probe(struct mlb_net *mn)
{
	if (READ_ONCE(mn->config.fastclose) == MLB_FASTCLOSE_PROBE)
		mod_delayed_work(system_power_efficient_wq, &mn->dead.probe,
				 DEAD_PROBE_DELAY);
}

/* Those of the node leave one of the lists, in pieces that keep the lock short. */
static void dead_forget(struct mlb_net *mn, struct list_head *list, u16 node)
{
	struct mlb_client *client;
	LIST_HEAD(all);

	spin_lock_bh(&mn->dead.lock);
	list_splice_init(list, &all);
	spin_unlock_bh(&mn->dead.lock);
	while (!list_empty(&all)) {
		spin_lock_bh(&mn->dead.lock);
		for (unsigned int n = 0; n < 64 && !list_empty(&all); n++) {
			client = list_first_entry(&all, struct mlb_client,
						  list);
			if (client->node == node)
				dead_unlink(mn, client);
			else
				list_move_tail(&client->list, list);
		}
		spin_unlock_bh(&mn->dead.lock);
		cond_resched();
	}
}

/**
 * mlb_dead_forget() - a node is dead no more, and speaks for itself
 * @mn: the namespace
 * @node: the node
 *
 * Process context.
 */
void mlb_dead_forget(struct mlb_net *mn, u16 node)
{
	dead_forget(mn, &mn->dead.fresh, node);
	dead_forget(mn, &mn->dead.list, node);
}

/**
 * mlb_dead_find() - whether a flow that nobody has is of a dead node
 * @mn: the namespace
 * @tuple: the flow
 *
 * Return: its connection's client, valid inside rcu_read_lock(); or NULL.
 */
struct mlb_client *mlb_dead_find(struct mlb_net *mn,
				 const struct mlb_tuple *tuple)
{
	struct mlb_client *client;
	const struct mlb_flow *flow;

	if (likely(!READ_ONCE(mn->dead.count)) ||
	    !READ_ONCE(mn->config.fastclose))
		return NULL;
	client = rhashtable_lookup(&mn->dead.by_tuple, tuple,
				   dead_tuple_params);
	if (client)
		return client;
	flow = mlb_flow_find(mn, tuple);
	if (!flow || !flow->token)
		return NULL;
	return rhashtable_lookup(&mn->dead.by_token, &flow->token,
				 dead_token_params);
}

/* Whether a dead node had the connection of a token. Inside rcu_read_lock(). */
bool mlb_dead_has_token(struct mlb_net *mn, u32 token)
{
	return READ_ONCE(mn->dead.count) &&
	       rhashtable_lookup(&mn->dead.by_token, &token,
				 dead_token_params);
}

static void dead_age(struct work_struct *work)
{
	struct mlb_dead *dead = container_of(to_delayed_work(work),
					     struct mlb_dead, age);
	struct mlb_net *mn = container_of(dead, struct mlb_net, dead);
	struct mlb_client *client;

	for (unsigned int n = 0; n < DEAD_AGE_STEP; n++) {
		bool old;

		spin_lock_bh(&dead->lock);
		client = list_first_entry_or_null(&dead->list,
						  struct mlb_client, list);
		old = client && (u32)jiffies - client->died > DEAD_LIFE;
		if (old)
			dead_unlink(mn, client);
		spin_unlock_bh(&dead->lock);
		if (!old)
			break;
		cond_resched();
	}
	if (READ_ONCE(dead->count))
		queue_delayed_work(system_power_efficient_wq, &dead->age, HZ);
}

/* Of all nodes that know the client, one does it: that which the hash over
 * those that take new connections names. Inside rcu_read_lock().
 */
static bool dead_is_mine(struct mlb_net *mn, const struct mlb_client *client)
{
	const struct mlb_tunnel *tun = rcu_dereference(mn->tunnel);
	const struct mlb_pool *pool = rcu_dereference(mn->pool);
	bool past;

	return READ_ONCE(mn->config.fastclose) == MLB_FASTCLOSE_PROBE &&
	       tun && pool &&
	       mlb_pool_schedule(mn, pool, &client->tuple, &past) == tun->self;
}

/* The next client whose turn it is; it goes to the end of its list. Otherwise
 * sets in how many jiffies somebody's turn comes, or 0 if nobody's does.
 */
static struct mlb_client *dead_due(struct mlb_dead *dead, unsigned long *wait)
{
	struct mlb_client *client;
	s32 left = 0;

	spin_lock(&dead->lock);
	client = list_first_entry_or_null(&dead->fresh, struct mlb_client,
					  list);
	if (client)
		left = client->due - (u32)jiffies;
	if (left > 0) {
		client = NULL;
	} else if (client) {
		client->due = (u32)jiffies + DEAD_PROBE_AGAIN;
		if (READ_ONCE(client->told) ||
		    ++client->probes == DEAD_PROBES_MAX)
			list_move_tail(&client->list, &dead->list);
		else
			list_move_tail(&client->list, &dead->fresh);
	}
	spin_unlock(&dead->lock);
	*wait = max(left, 0);
	return client;
}

static void dead_probe(struct work_struct *work)
{
	struct mlb_dead *dead = container_of(to_delayed_work(work),
					     struct mlb_dead, probe);
	struct mlb_net *mn = container_of(dead, struct mlb_net, dead);
	unsigned long wait = DEAD_PROBE_PERIOD;
	struct mlb_client *client;
	unsigned int looked = 0, sent = 0;

	rcu_read_lock();
	local_bh_disable();
	while (looked++ < DEAD_PROBE_LOOK && sent < DEAD_PROBE_STEP &&
	       (client = dead_due(dead, &wait))) {
		wait = DEAD_PROBE_PERIOD;
		if (READ_ONCE(client->told) || !dead_is_mine(mn, client))
			continue;
		mlb_reset_probe(mn, &client->tuple);
		mlb_count(mn, DEAD_PROBED);
		sent++;
	}
	local_bh_enable();
	rcu_read_unlock();
	if (wait)
		queue_delayed_work(system_power_efficient_wq, &dead->probe,
				   wait);
}

int mlb_dead_net_init(struct mlb_net *mn)
{
	struct mlb_dead *dead = &mn->dead;
	int err;

	spin_lock_init(&dead->lock);
	INIT_LIST_HEAD(&dead->fresh);
	INIT_LIST_HEAD(&dead->list);
	INIT_DELAYED_WORK(&dead->age, dead_age);
	INIT_DELAYED_WORK(&dead->probe, dead_probe);
	err = rhashtable_init(&dead->by_tuple, &dead_tuple_params);
	if (err)
		return err;
	err = rhashtable_init(&dead->by_token, &dead_token_params);
	if (err)
		rhashtable_destroy(&dead->by_tuple);
	return err;
}

static void dead_free(void *ptr, void *arg)
{
	kfree(ptr);
}

/* Nobody reads any more. */
void mlb_dead_net_exit(struct mlb_net *mn)
{
	cancel_delayed_work_sync(&mn->dead.age);
	cancel_delayed_work_sync(&mn->dead.probe);
	rhashtable_destroy(&mn->dead.by_token);
	rhashtable_free_and_destroy(&mn->dead.by_tuple, dead_free, NULL);
}
