// SPDX-License-Identifier: GPL-2.0
/*
 * Learning which tokens this host owns, and when it owns them no more.
 *
 * The third packet of a handshake carries the server's key (RFC 8684 3.1), of
 * which the token is a digest. Whether TCP and MPTCP accepted the packet is
 * known a moment later, and MPTCP is asked then: what is forged or refused
 * never reaches the owner table. The end of a connection raises no event that
 * a module may hear, so MPTCP is asked again each second.
 */
#include <crypto/sha2.h>
#include <linux/slab.h>
#include <net/sock.h>

#include "learn.h"
#include "net.h"
#include "netlink.h"
#include "node.h"
#include "option.h"
#include "owner.h"
#include "selftest.h"
#include "tunnel.h"

/* Handshakes that may wait for confirmation in a namespace. */
#define LEARN_MAX		16384

/* TCP takes the packet at once unless the socket is busy; ask again a few
 * times, then give up.
 */
#define LEARN_TRIES		4

#define LEARN_WITHDRAW_PERIOD	HZ

struct mlb_handshake {
	struct llist_node fresh;
	struct list_head waiting;
	u8 key[8];
	u16 cpu;
	u8 tries;
	unsigned long due;	/* jiffies of the next try */
	struct mlb_tuple tuple;
	u8 client_key[8];
};

/* Exported to GPL modules by net/mptcp/token.c, declared in a private header.
 * struct mptcp_sock begins with its struct sock; the caller gets a reference.
 */
struct mptcp_sock;
struct mptcp_sock *mptcp_token_get_sock(struct net *net, u32 token);

/**
 * mlb_token_sock() - this host's connection of a token
 * @mn: the namespace
 * @token: the token
 *
 * Any context but a hard interrupt.
 *
 * Return: its MPTCP socket with a reference; NULL when there is none.
 */
struct sock *mlb_token_sock(struct mlb_net *mn, u32 token)
{
	return (struct sock *)mptcp_token_get_sock(mn->net, token);
}

/**
 * mlb_token_is_local() - whether this host has the connection of a token
 * @mn: the namespace
 * @token: the token
 *
 * Any context but a hard interrupt.
 */
bool mlb_token_is_local(struct mlb_net *mn, u32 token)
{
	struct sock *sk = mlb_token_sock(mn, token);

	if (!sk)
		return false;
	sock_put(sk);
	return true;
}

/**
 * mlb_learn_handshake() - the third packet of a handshake goes to TCP
 * @mn: the namespace
 * @tuple: its flow
 * @mp: its option, MLB_MPTCP_KEYS
 *
 * Softirq context, on the CPU that takes the first subflow.
 */
void mlb_learn_handshake(struct mlb_net *mn, const struct mlb_tuple *tuple,
			 const struct mlb_mptcp *mp)
{
	struct mlb_learn *learn = &mn->learn;
	struct mlb_handshake *hs;

	if (atomic_inc_return(&learn->n) > LEARN_MAX)
		goto drop;
	hs = kmalloc(sizeof(*hs), GFP_ATOMIC);
	if (!hs)
		goto drop;
	memcpy(hs->key, mp->peer_key, sizeof(hs->key));
	memcpy(hs->client_key, mp->key, sizeof(hs->client_key));
	hs->tuple = *tuple;
	hs->cpu = raw_smp_processor_id();
	hs->tries = 0;
	hs->due = jiffies;
	if (llist_add(&hs->fresh, &learn->fresh))
		mod_delayed_work(system_power_efficient_wq, &learn->confirm, 1);
	return;
drop:
	atomic_dec(&learn->n);
	mlb_count(mn, LEARN_DROPPED);
}

/**
 * mlb_token_of_key() - the token of a connection
 * @key: the server's key, 8 bytes as they stand in the option
 *
 * Its SHA-256's most significant 32 bits (RFC 8684 3.2). 0 is not used.
 *
 * Return: the token, host order.
 */
u32 mlb_token_of_key(const u8 *key)
{
	u8 digest[SHA256_DIGEST_SIZE];

	sha256(key, 8, digest);
	return (u32)digest[0] << 24 | digest[1] << 16 | digest[2] << 8 |
	       digest[3];
}

/**
 * mlb_learn_seen() - a handshake's third packet goes to a node without mlb
 * @mn: the namespace
 * @key: the server's key, 8 bytes as they stand in the option
 * @node: id of the node
 *
 * Nobody here can confirm it: a stranger can plant tokens, which no connection
 * has and which age, and cannot displace what is known. Softirq context.
 */
void mlb_learn_seen(struct mlb_net *mn, const u8 *key, u16 node)
{
	u32 token = mlb_token_of_key(key);

	if (token && !mlb_owner_insert(mn, token, node, MLB_OWNER_CPU_UNKNOWN,
				       MLB_OWNER_SEEN, false))
		mlb_count(mn, OWNER_SEEN);
}

static u16 learn_self(struct mlb_net *mn)
{
	struct mlb_tunnel *tun;
	u16 self = 0;

	rcu_read_lock();
	tun = rcu_dereference(mn->tunnel);
	if (tun)
		self = tun->self;
	rcu_read_unlock();
	return self;
}

/* So that the client can be told should this host die. */
static void learn_client(struct mlb_net *mn, const struct mlb_handshake *hs,
			 u32 token, u16 self)
{
	struct mlb_client *client;

	if (!READ_ONCE(mn->config.fastclose))
		return;
	client = mlb_client_new(&hs->tuple, hs->client_key, token, self,
				GFP_KERNEL);
	if (client)
		mlb_owner_set_client(mn, client);
}

/* What is told is told under the lock: nobody hears of a token's end, from
 * learn_withdraw_tokens(), before he hears of the token.
 */
static void learn_confirm(struct work_struct *work)
{
	struct mlb_learn *learn = container_of(to_delayed_work(work),
					       struct mlb_learn, confirm);
	struct mlb_net *mn = container_of(learn, struct mlb_net, learn);
	struct mlb_handshake *hs, *tmp;
	unsigned long next = jiffies + MAX_JIFFY_OFFSET;
	struct mlb_owner_batch batch;
	u16 self;

	llist_for_each_entry_safe(hs, tmp, llist_del_all(&learn->fresh), fresh)
		list_add(&hs->waiting, &learn->waiting);

	mlb_owner_batch_init(&batch, mn, MLB_CMD_OWNER_ADD_NTF);
	mutex_lock(&learn->lock);
	self = learn_self(mn);
	list_for_each_entry_safe(hs, tmp, &learn->waiting, waiting) {
		u32 token;

		if (time_before(jiffies, hs->due))
			goto wait;
		token = mlb_token_of_key(hs->key);
		if (self && mlb_token_is_local(mn, token)) {
			if (!mlb_owner_insert(mn, token, self, hs->cpu,
					      MLB_OWNER_LOCAL, true)) {
				mlb_count(mn, OWNER_LEARNT);
				learn_client(mn, hs, token, self);
				mlb_owner_batch_add(&batch, token, self,
						    hs->cpu);
			}
		} else if (self && ++hs->tries < LEARN_TRIES) {
			hs->due = jiffies +
				  (msecs_to_jiffies(4) << (2 * hs->tries));
			goto wait;
		} else {
			mlb_count(mn, LEARN_UNCONFIRMED);
		}
		list_del(&hs->waiting);
		kfree(hs);
		atomic_dec(&learn->n);
		cond_resched();
		continue;
wait:
		if (time_before(hs->due, next))
			next = hs->due;
	}
	mlb_owner_batch_send(&batch);
	mutex_unlock(&learn->lock);

	/* Does nothing when a handshake came meanwhile: that is due sooner. */
	if (!list_empty(&learn->waiting))
		queue_delayed_work(system_power_efficient_wq, &learn->confirm,
				   max_t(long, next - jiffies, 1));
}

static void learn_withdraw_tokens(struct mlb_net *mn, bool all)
{
	struct mlb_owner *owner, *tmp;
	struct mlb_owner_batch batch;

	mlb_owner_batch_init(&batch, mn, MLB_CMD_OWNER_DEL_NTF);
	mutex_lock(&mn->learn.lock);
	list_for_each_entry_safe(owner, tmp, &mn->owners.local, list) {
		if (all || !mlb_token_is_local(mn, owner->token)) {
			mlb_count(mn, OWNER_WITHDRAWN);
			mlb_owner_batch_add(&batch, owner->token, owner->node,
					    owner->cpu);
			mlb_owner_remove_local(mn, owner);
		}
		cond_resched();
	}
	mlb_owner_batch_send(&batch);
	mutex_unlock(&mn->learn.lock);
}

static void learn_withdraw(struct work_struct *work)
{
	struct mlb_learn *learn = container_of(to_delayed_work(work),
					       struct mlb_learn, withdraw);
	struct mlb_net *mn = container_of(learn, struct mlb_net, learn);

	if (!mlb_selftest_holds())
		learn_withdraw_tokens(mn, false);
	if (mlb_owner_age(mn) || !list_empty(&mn->owners.local))
		mlb_learn_watch(mn);
}

/**
 * mlb_learn_watch() - there is an entry that will have to go some day
 * @mn: the namespace
 *
 * Any context but a hard interrupt.
 */
void mlb_learn_watch(struct mlb_net *mn)
{
	queue_delayed_work(system_power_efficient_wq, &mn->learn.withdraw,
			   LEARN_WITHDRAW_PERIOD);
}

/**
 * mlb_learn_forget() - withdraw every token, as this host is no node any more
 * @mn: the namespace
 *
 * Process context; the tunnel has been unpublished and readers waited for.
 */
void mlb_learn_forget(struct mlb_net *mn)
{
	learn_withdraw_tokens(mn, true);
}

void mlb_learn_net_init(struct mlb_net *mn)
{
	init_llist_head(&mn->learn.fresh);
	INIT_LIST_HEAD(&mn->learn.waiting);
	atomic_set(&mn->learn.n, 0);
	mutex_init(&mn->learn.lock);
	INIT_DELAYED_WORK(&mn->learn.confirm, learn_confirm);
	INIT_DELAYED_WORK(&mn->learn.withdraw, learn_withdraw);
}

/* No packet comes any more: the hook is gone and its readers have left. */
void mlb_learn_net_exit(struct mlb_net *mn)
{
	struct mlb_handshake *hs, *tmp;

	cancel_delayed_work_sync(&mn->learn.withdraw);
	cancel_delayed_work_sync(&mn->learn.confirm);
	llist_for_each_entry_safe(hs, tmp, llist_del_all(&mn->learn.fresh),
				  fresh)
		kfree(hs);
	list_for_each_entry_safe(hs, tmp, &mn->learn.waiting, waiting)
		kfree(hs);
}
