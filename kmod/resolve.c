// SPDX-License-Identifier: GPL-2.0
/*
 * Asking the peers who has a token or a flow, while its packets wait.
 *
 * Works as neighbour resolution does. The first packet of a key sends a query
 * to the node that most likely has it, or to all; half of the time later all
 * are asked (again, for a query may be lost); at the end, or when all have said
 * that they do not have it, the packets go to the local stack, and for a second
 * no packet of that key is asked for. A peer that is silent is asked, too, but
 * not waited for.
 *
 * A packet for which there is no room or no rate is dropped and not given to
 * the local stack: TCP sends it again, while an RST could not be taken back. So
 * is at the end that of a flow or join that a peer may have which has not
 * answered, or has been silent for less than ten seconds.
 */
#include <linux/hashtable.h>
#include <linux/jhash.h>
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/sock.h>

#include "net.h"
#include "node.h"
#include "owner.h"
#include "peers.h"
#include "pending.h"
#include "resolve.h"
#include "steer.h"
#include "syn.h"
#include "trace.h"
#include "tunnel.h"

#define RESOLVE_PARKED_MAX	4096	/* packets in a namespace */
#define RESOLVE_PARKED_BYTES	(16 << 20)	/* their memory */
#define RESOLVE_PENDING_MAX	8192	/* keys, negative ones with them */
#define RESOLVE_NEGATIVE_LIFE	HZ

/* How long a packet of a dead node's client may wait for a node that is slow to
 * answer, while so few are parked: it may be all that the client ever sends.
 */
#define RESOLVE_PATIENCE	(HZ / 2)
#define RESOLVE_PATIENCE_PARKED	(RESOLVE_PARKED_MAX / 2)

/* Half of the resolve timeout: once for the first query, once for the second. */
static unsigned long resolve_phase(const struct mlb_net *mn)
{
	return msecs_to_jiffies(READ_ONCE(mn->config.resolve_timeout) / 2);
}

static void resolve_make_key(struct mlb_resolve_key *key, enum mlb_tunmsg_kind kind,
			     u32 token, const struct mlb_tuple *tuple)
{
	memset(key, 0, sizeof(*key));
	key->kind = kind;
	if (kind == MLB_TUNMSG_TOKEN)
		key->token = token;
	else
		key->tuple = *tuple;
}

static struct hlist_head *resolve_bucket(struct mlb_net *mn,
					 const struct mlb_resolve_key *key)
{
	u32 hash = jhash(key, sizeof(*key), (u32)net_hash_mix(mn->net));

	return &mn->resolve.hash[hash >> (32 - MLB_RESOLVE_BITS)];
}

static struct mlb_pending *resolve_find(struct mlb_net *mn,
					const struct mlb_resolve_key *key)
{
	struct mlb_pending *pending;

	lockdep_assert_held(&mn->resolve.lock);

	hlist_for_each_entry(pending, resolve_bucket(mn, key), hash)
		if (!memcmp(&pending->key, key, sizeof(*key)))
			return pending;
	return NULL;
}

static bool resolve_allow(struct mlb_net *mn, struct mlb_rate *rate,
			  unsigned int messages, unsigned int reserve)
{
	lockdep_assert_held(&mn->resolve.lock);

	return mlb_rate_allow(rate, READ_ONCE(mn->config.resolve_rate),
			      messages, reserve);
}

static void resolve_arm(struct mlb_net *mn)
{
	struct mlb_resolve *res = &mn->resolve;
	struct mlb_pending *a, *b;
	unsigned long next;

	lockdep_assert_held(&res->lock);

	a = list_first_entry_or_null(&res->asking, struct mlb_pending, list);
	b = list_first_entry_or_null(&res->negative, struct mlb_pending, list);
	if (!a && !b)
		return;
	next = a ? a->deadline : b->deadline;
	if (a && b && time_before(b->deadline, next))
		next = b->deadline;
	if (!timer_pending(&res->timer) ||
	    time_before(next, res->timer.expires))
		mod_timer(&res->timer, next);
}

/* The entry's packets are not parked any more. */
static void resolve_unpark(struct mlb_net *mn, struct mlb_pending *pending)
{
	struct sk_buff *skb;

	lockdep_assert_held(&mn->resolve.lock);

	mn->resolve.n_parked -= skb_queue_len(&pending->queue);
	skb_queue_walk(&pending->queue, skb)
		mn->resolve.parked_bytes -= skb->truesize;
}

static void resolve_unlink(struct mlb_net *mn, struct mlb_pending *pending)
{
	lockdep_assert_held(&mn->resolve.lock);

	hlist_del(&pending->hash);
	list_del(&pending->list);
	mn->resolve.n_pending--;
	resolve_unpark(mn, pending);
}

/* Give an entry its next deadline and its place in a list. */
static void resolve_enqueue(struct mlb_pending *pending, struct list_head *list,
			    unsigned long life)
{
	struct mlb_pending *last;

	pending->deadline = jiffies + life;
	/* The last may be later when resolve-timeout was lowered just now, or
	 * for an entry whose timer was late; that one then waits as long.
	 */
	if (!list_empty(list)) {
		last = list_last_entry(list, struct mlb_pending, list);
		if (time_after(last->deadline, pending->deadline))
			pending->deadline = last->deadline;
	}
	list_add_tail(&pending->list, list);
}

/* What an entry asks; its queries and the answers to them are made of it. */
static void resolve_fill(struct mlb_tunmsg *msg,
			 const struct mlb_pending *pending)
{
	*msg = (struct mlb_tunmsg) {
		.nonce = pending->nonce,
		.kind = pending->key.kind,
		.token = htonl(pending->key.token),
		.tuple = pending->key.tuple,
		.seq = pending->seq,
		.ack = pending->ack,
	};
}

/* Send a query to one node, or to all peers; inside rcu_read_lock(). */
static void resolve_ask(struct mlb_net *mn, const struct mlb_tunmsg *msg,
			struct mlb_node *hint)
{
	unsigned int n;

	if (hint)
		n = mlb_tunnel_send_msg(mn, hint, MLB_TUNTYPE_QUERY, msg);
	else
		n = mlb_peers_tell(mn, MLB_TUNTYPE_QUERY, msg);
	mlb_count_add(mn, RESOLVE_QUERY_TX, n);
}

/* Whether a node that has what an entry asks for takes what waits there. */
static bool resolve_admits(const struct mlb_pending *pending,
			   const struct mlb_node *node)
{
	return pending->key.kind != MLB_TUNMSG_TOKEN ||
	       mlb_node_takes_joins(node);
}

static void resolve_park(struct mlb_net *mn, struct mlb_pending *pending,
			 struct sk_buff *skb, mlb_okfn okfn)
{
	lockdep_assert_held(&mn->resolve.lock);

	/* That of a bridge, or of a tunnel that hands packets to the hooks of
	 * IP itself, is not for packets that came another way.
	 */
	pending->okfn[skb_queue_len(&pending->queue)] = okfn;
	dev_hold(skb->dev);
	skb_dst_force(skb);
	__skb_queue_tail(&pending->queue, skb);
	mn->resolve.n_parked++;
	mn->resolve.parked_bytes += skb->truesize;
	mlb_count(mn, RESOLVE_PARKED);
}

/* Make room for a new question by forgetting the oldest negative one. */
static bool resolve_make_room(struct mlb_net *mn)
{
	struct mlb_pending *oldest;

	if (mn->resolve.n_pending < RESOLVE_PENDING_MAX)
		return true;
	oldest = list_first_entry_or_null(&mn->resolve.negative,
					  struct mlb_pending, list);
	if (!oldest)
		return false;
	resolve_unlink(mn, oldest);
	kfree(oldest);
	return true;
}

/**
 * mlb_resolve_packet() - let a packet wait until a peer says whose it is
 * @mn: the namespace
 * @skb: the packet
 * @state: of the hook that it is in
 * @question: what to ask
 *
 * Softirq context, inside rcu_read_lock().
 *
 * Return: NF_STOLEN when the packet waits, NF_ACCEPT when the local stack is
 * to answer it, NF_DROP.
 */
unsigned int mlb_resolve_packet(struct mlb_net *mn, struct sk_buff *skb,
				const struct nf_hook_state *state,
				const struct mlb_question *question)
{
	struct mlb_resolve *res = &mn->resolve;
	struct mlb_node *hint = NULL;
	struct mlb_pending *pending;
	unsigned int peers = question->peers;
	unsigned int verdict = NF_DROP;
	struct mlb_resolve_key key;
	struct mlb_tunmsg msg;

	resolve_make_key(&key, question->kind, question->token,
			 &question->tuple);
	if (question->hint) {
		hint = mlb_node_find(mn, question->hint);
		if (hint && !mlb_peer_awaited(hint))
			hint = NULL;
	}
	if (hint)
		peers = 1;

	spin_lock_bh(&res->lock);
	pending = resolve_find(mn, &key);
	if (pending && pending->state == PENDING_NEGATIVE) {
		if (time_before(jiffies, pending->deadline)) {
			spin_unlock_bh(&res->lock);
			mlb_count(mn, RESOLVE_NEGATIVE);
			mlb_count(mn, STEER_UNCLAIMED);
			return NF_ACCEPT;
		}
		resolve_unlink(mn, pending);
		kfree(pending);
		pending = NULL;
	}
	if (res->n_parked >= RESOLVE_PARKED_MAX ||
	    res->parked_bytes + skb->truesize > RESOLVE_PARKED_BYTES) {
		mlb_count(mn, RESOLVE_DROP_FULL);
		goto unlock;
	}
	if (pending) {
		if (skb_queue_len(&pending->queue) >= MLB_PENDING_PACKETS) {
			mlb_count(mn, RESOLVE_DROP_KEY);
			goto unlock;
		}
		if (!pending->ack) {	/* for the second query */
			pending->seq = question->seq;
			pending->ack = question->ack;
		}
		trace_mlb_park(&question->tuple, question->token, 0);
		resolve_park(mn, pending, skb, state->okfn);
		verdict = NF_STOLEN;
		goto unlock;
	}

	if (!resolve_make_room(mn)) {
		mlb_count(mn, RESOLVE_DROP_FULL);
		goto unlock;
	}
	/* An eighth of the rate is all that ICMP may use, and questions to
	 * one node do not wait for those to all.
	 */
	if (question->icmp && !resolve_allow(mn, &res->icmp, 8 * peers, 0)) {
		mlb_count(mn, RESOLVE_DROP_ICMP);
		goto unlock;
	}
	if (!resolve_allow(mn, hint ? &res->hinted : &res->queries, peers, 0)) {
		mlb_count(mn, RESOLVE_DROP_RATE);
		goto unlock;
	}
	pending = kzalloc(struct_size(pending, waits, question->peers),
			  GFP_ATOMIC);
	if (!pending) {
		mlb_count(mn, RESOLVE_DROP_FULL);
		goto unlock;
	}
	pending->max_waits = question->peers;
	pending->key = key;
	pending->state = PENDING_FIRST;
	pending->asked = jiffies;
	get_random_bytes(&pending->nonce, sizeof(pending->nonce));
	pending->seq = question->seq;
	pending->ack = question->ack;
	__skb_queue_head_init(&pending->queue);
	pending->weak_self = question->weak_self;
	if (!question->weak_self)
		pending->weak_node = question->fallback;
	if (hint)
		mlb_pending_await(pending, hint);
	else
		mlb_pending_await_all(mn, pending);
	hlist_add_head(&pending->hash, resolve_bucket(mn, &key));
	resolve_enqueue(pending, &res->asking, resolve_phase(mn));
	res->n_pending++;
	trace_mlb_park(&question->tuple, question->token, hint ? hint->id : 0);
	resolve_park(mn, pending, skb, state->okfn);
	resolve_fill(&msg, pending);
	resolve_arm(mn);
	mlb_count(mn, RESOLVE_STARTED);
	spin_unlock_bh(&res->lock);

	resolve_ask(mn, &msg, hint);
	return NF_STOLEN;

unlock:
	spin_unlock_bh(&res->lock);
	return verdict;
}

/* Give packets that nobody claimed, or that their owner must not take, to the
 * local stack.
 */
static void resolve_release(struct mlb_net *mn, struct sk_buff_head *queue,
			    const mlb_okfn *okfn, bool claimed)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(queue))) {
		struct net_device *dev = skb->dev;

		if (claimed)
			mlb_count(mn, STEER_REFUSED_STATE);
		else
			mlb_count(mn, STEER_UNCLAIMED);
		mlb_steer_continue(mn, skb, *okfn++);
		dev_put(dev);
	}
}

/* Send packets to the node that has them; inside rcu_read_lock(). */
static void resolve_deliver(struct mlb_net *mn, struct mlb_pending *pending,
			    struct mlb_node *node, bool claimed)
{
	struct sk_buff *skb;

	if (claimed)
		mlb_count(mn, RESOLVE_FOUND);
	else
		mlb_count(mn, RESOLVE_TIMEOUT);
	while ((skb = __skb_dequeue(&pending->queue))) {
		struct net_device *dev = skb->dev;

		mlb_steer_found(mn, skb, node, pending->key.kind, claimed);
		dev_put(dev);
	}
	kfree(pending);
}

/* Drop the packets of an entry that there was no rate to ask for, or that a
 * node may have which has not answered.
 */
static void resolve_drop(struct mlb_net *mn, struct mlb_pending *pending,
			 bool unanswered)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(&pending->queue))) {
		if (unanswered)
			mlb_count(mn, RESOLVE_DROP_UNANSWERED);
		else
			mlb_count(mn, RESOLVE_DROP_RATE);
		dev_put(skb->dev);
		kfree_skb(skb);
	}
	kfree(pending);
}

/* Take the packets out and remember that nobody serves the key. */
static void resolve_refuse(struct mlb_net *mn, struct mlb_pending *pending,
			   struct sk_buff_head *queue)
{
	lockdep_assert_held(&mn->resolve.lock);

	resolve_unpark(mn, pending);
	__skb_queue_head_init(queue);
	skb_queue_splice_init(&pending->queue, queue);
	pending->state = PENDING_NEGATIVE;
	list_del(&pending->list);
	resolve_enqueue(pending, &mn->resolve.negative, RESOLVE_NEGATIVE_LIFE);
	resolve_arm(mn);
}

/* Ask all, for the second time or after one; lets the lock go. */
static void resolve_again(struct mlb_net *mn, struct mlb_pending *pending)
	__releases(&mn->resolve.lock)
{
	struct mlb_resolve *res = &mn->resolve;
	unsigned int peers = mlb_peers_count(mn).asked;
	struct mlb_tunmsg msg;
	bool allowed;

	pending->state = PENDING_AGAIN;
	list_del(&pending->list);
	resolve_enqueue(pending, &res->asking, resolve_phase(mn));
	resolve_arm(mn);
	resolve_fill(&msg, pending);
	/* When many ask, first questions matter more. */
	allowed = peers && resolve_allow(mn, &res->queries, peers, 4);
	if (allowed && !pending->asked_all)
		mlb_pending_await_all(mn, pending);
	spin_unlock_bh(&res->lock);

	if (allowed)
		resolve_ask(mn, &msg, NULL);
}

/* Whether the packets of a flow that a slow node may have are worth more time:
 * they are a dead node's client's, if it is not the 4-tuple's next use.
 */
static bool resolve_patient(struct mlb_net *mn,
			    const struct mlb_pending *pending)
{
	lockdep_assert_held(&mn->resolve.lock);

	return mn->resolve.n_parked <= RESOLVE_PATIENCE_PARKED &&
	       time_before(jiffies, pending->asked + RESOLVE_PATIENCE) &&
	       !mlb_pending_all_answered(mn, pending) &&
	       mlb_dead_find(mn, &pending->key.tuple);
}

/* Whether the 4-tuple's last use is a dead node's connection: TIME_WAIT elsewhere
 * waits for FINs only, and keeps all else from an answer.
 */
static bool resolve_outlived(struct mlb_net *mn,
			     const struct mlb_pending *pending)
{
	return pending->key.kind == MLB_TUNMSG_FLOW && pending->ack &&
	       mlb_dead_find(mn, &pending->key.tuple);
}

/* Nobody surely has it: use a weak answer, or give up; lets the lock go. */
static void resolve_end(struct mlb_net *mn, struct mlb_pending *pending)
	__releases(&mn->resolve.lock)
{
	struct mlb_resolve *res = &mn->resolve;
	struct mlb_node *node = NULL;
	struct sk_buff_head queue;
	mlb_okfn okfn[MLB_PENDING_PACKETS];
	bool missed;

	if (pending->weak_node && !resolve_outlived(mn, pending))
		node = mlb_node_find(mn, pending->weak_node);
	if (node && (node->self || !mlb_node_reachable(node)))
		node = NULL;
	if (node && resolve_admits(pending, node)) {
		resolve_unlink(mn, pending);
		spin_unlock_bh(&res->lock);
		resolve_deliver(mn, pending, node, mlb_node_is_peer(node));
		return;
	}
	missed = !node && !pending->weak_self &&
		 mlb_pending_misses(mn, pending);
	if (missed && resolve_patient(mn, pending)) {
		pending->state = PENDING_AGAIN;
		list_del(&pending->list);
		resolve_enqueue(pending, &res->asking, resolve_phase(mn));
		resolve_arm(mn);
		spin_unlock_bh(&res->lock);
		return;
	}
	if (missed || (!node && !pending->asked_all)) {
		resolve_unlink(mn, pending);
		spin_unlock_bh(&res->lock);
		if (missed)
			mlb_count(mn, RESOLVE_TIMEOUT);
		resolve_drop(mn, pending, missed);
		return;
	}
	memcpy(okfn, pending->okfn, sizeof(okfn));
	resolve_refuse(mn, pending, &queue);
	spin_unlock_bh(&res->lock);

	if (node)
		mlb_count(mn, RESOLVE_FOUND);
	else
		mlb_count(mn, RESOLVE_TIMEOUT);
	resolve_release(mn, &queue, okfn, node);
}

/*
 * The time of the first entry of either list is over: ask again, give up, or
 * forget. Inside rcu_read_lock().
 *
 * Returns false when nothing was due; the timer is set then.
 */
static bool resolve_step(struct mlb_net *mn)
{
	struct mlb_resolve *res = &mn->resolve;
	struct mlb_pending *pending;

	spin_lock_bh(&res->lock);
	pending = list_first_entry_or_null(&res->negative, struct mlb_pending,
					   list);
	if (pending && time_after_eq(jiffies, pending->deadline)) {
		resolve_unlink(mn, pending);
		spin_unlock_bh(&res->lock);
		kfree(pending);
		return true;
	}

	pending = list_first_entry_or_null(&res->asking, struct mlb_pending,
					   list);
	if (!pending || time_before(jiffies, pending->deadline)) {
		resolve_arm(mn);
		spin_unlock_bh(&res->lock);
		return false;
	}

	/* Those that are left may have become silent meanwhile. */
	if (pending->state == PENDING_FIRST &&
	    !(pending->asked_all && mlb_pending_all_answered(mn, pending))) {
		resolve_again(mn, pending);
		return true;
	}

	/* This CPU has stood still, and answers may lie in its backlog. */
	if (pending->state == PENDING_AGAIN &&
	    time_after(jiffies, pending->deadline + 1)) {
		pending->state = PENDING_LATE;
		list_del(&pending->list);
		resolve_enqueue(pending, &res->asking, 2);
		spin_unlock_bh(&res->lock);
		return true;
	}
	resolve_end(mn, pending);
	return true;
}

static void resolve_timer(struct timer_list *timer)
{
	struct mlb_net *mn = timer_container_of(mn, timer, resolve.timer);

	rcu_read_lock();
	while (resolve_step(mn))
		;
	rcu_read_unlock();
}

/* A peer does not have a flow; what says so is of an earlier one. */
static void resolve_gone(struct mlb_net *mn, const struct mlb_node *sender,
			 const struct mlb_tuple *tuple)
{
	struct mlb_flow *flow = mlb_flow_find(mn, tuple);

	if (flow && flow->node == sender->id)
		mlb_flow_remove(mn, flow);
	mlb_syn_forget(mn, tuple, sender->id);
}

/* A peer surely does not have it; lets the lock go. */
static void resolve_denied(struct mlb_net *mn, struct mlb_pending *pending,
			   const struct mlb_node *sender)
	__releases(&mn->resolve.lock)
{
	mlb_pending_answered(pending, sender->id);
	if (!mlb_pending_all_answered(mn, pending))
		spin_unlock_bh(&mn->resolve.lock);
	else if (pending->asked_all)
		resolve_end(mn, pending);
	else if (pending->state == PENDING_FIRST)
		resolve_again(mn, pending);	/* it was the first choice */
	else
		spin_unlock_bh(&mn->resolve.lock);
}

/**
 * mlb_resolve_answer() - a peer says whether it has a token or a flow
 * @mn: the namespace
 * @sender: the peer
 * @msg: the answer, authenticated and valid
 *
 * Softirq context, inside rcu_read_lock().
 */
void mlb_resolve_answer(struct mlb_net *mn, struct mlb_node *sender,
			const struct mlb_tunmsg *msg)
{
	struct mlb_resolve *res = &mn->resolve;
	bool token = msg->kind == MLB_TUNMSG_TOKEN;
	struct mlb_node *holder = sender;
	struct mlb_pending *pending;
	struct sk_buff_head queue;
	struct mlb_resolve_key key;
	mlb_okfn okfn[MLB_PENDING_PACKETS];

	mlb_count(mn, RESOLVE_ANSWER_RX);
	if (!msg->nonce) {	/* nobody asked */
		if (msg->hold == MLB_TUNMSG_NO &&
		    msg->kind == MLB_TUNMSG_FLOW)
			resolve_gone(mn, sender, &msg->tuple);
		return;
	}
	resolve_make_key(&key, msg->kind, ntohl(msg->token), &msg->tuple);
	if (msg->node) {
		holder = mlb_node_find(mn, ntohs(msg->node));
		if (holder && mlb_node_is_peer(holder))
			holder = NULL;	/* it speaks for itself */
	}

	spin_lock_bh(&res->lock);
	pending = resolve_find(mn, &key);
	if (!pending || pending->state == PENDING_NEGATIVE ||
	    pending->nonce != msg->nonce || !holder ||
	    !mlb_node_reachable(holder)) {
		spin_unlock_bh(&res->lock);
		mlb_count(mn, RESOLVE_ANSWER_LATE);
		return;
	}
	if (msg->hold != MLB_TUNMSG_YES) {
		/* The 4-tuple may be in use anew elsewhere; wait for that. A
		 * TIME_WAIT socket of this host goes first.
		 */
		if (msg->hold == MLB_TUNMSG_WEAK && !pending->weak_self)
			pending->weak_node = holder->id;
		resolve_denied(mn, pending, sender);
		return;
	}
	if (!resolve_admits(pending, holder)) {
		memcpy(okfn, pending->okfn, sizeof(okfn));
		resolve_refuse(mn, pending, &queue);
		spin_unlock_bh(&res->lock);
		mlb_count(mn, RESOLVE_FOUND);
		resolve_release(mn, &queue, okfn, true);
		return;
	}
	resolve_unlink(mn, pending);
	spin_unlock_bh(&res->lock);

	if (token &&
	    !mlb_owner_insert(mn, key.token, holder->id, ntohs(msg->cpu),
			      MLB_OWNER_CACHED, false))
		mlb_count(mn, OWNER_CACHED);
	resolve_deliver(mn, pending, holder, true);
}

void mlb_resolve_net_init(struct mlb_net *mn)
{
	struct mlb_resolve *res = &mn->resolve;

	spin_lock_init(&res->lock);
	hash_init(res->hash);
	INIT_LIST_HEAD(&res->asking);
	INIT_LIST_HEAD(&res->negative);
	timer_setup(&res->timer, resolve_timer, 0);
}

/* The hook and the tunnel are gone; nobody parks or answers any more. */
void mlb_resolve_net_exit(struct mlb_net *mn)
{
	struct mlb_resolve *res = &mn->resolve;
	struct mlb_pending *pending, *tmp;
	struct sk_buff *skb;

	timer_shutdown_sync(&res->timer);

	list_splice_init(&res->negative, &res->asking);
	list_for_each_entry_safe(pending, tmp, &res->asking, list) {
		while ((skb = __skb_dequeue(&pending->queue))) {
			dev_put(skb->dev);
			kfree_skb(skb);
		}
		kfree(pending);
	}
}
