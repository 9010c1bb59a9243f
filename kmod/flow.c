// SPDX-License-Identifier: GPL-2.0
/*
 * The flow table: which node has a flow that arrives here.
 *
 * An entry only saves a question to the peers. Losing one, for age or want of
 * room, costs a flow that still lives one round trip and nothing else, so the
 * times below can be short and eviction needs no exact order: the clock
 * algorithm serves.
 */
#include <linux/jhash.h>
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "flow.h"
#include "net.h"
#include "netlink.h"
#include "walk.h"

/* Entries that the hand looks at when a new one wants room. */
#define FLOW_EVICT_SCAN		16

static const unsigned int flow_life[] = {
	[MLB_FLOW_STATE_SYN] = 15 * HZ,
	[MLB_FLOW_STATE_ESTABLISHED] = 300 * HZ,
	[MLB_FLOW_STATE_CLOSING] = 20 * HZ,
};

static struct kmem_cache *flow_cache;

const struct rhashtable_params mlb_flow_params = {
	.head_offset = offsetof(struct mlb_flow, hash),
	.key_offset = offsetof(struct mlb_flow, tuple),
	.key_len = sizeof_field(struct mlb_flow, tuple),
	.automatic_shrinking = true,
};

struct mlb_flow *mlb_flow_find(struct mlb_net *mn,
			       const struct mlb_tuple *tuple)
{
	return rhashtable_lookup(&mn->flows.hash, tuple, mlb_flow_params);
}

/**
 * mlb_flow_sport() - UDP source port for a flow's tunnel packets
 * @tuple: the flow
 *
 * From the dynamic range (RFC 6335 6), so that the cluster network spreads
 * flows over its paths (RFC 6936 6.2, as GUE says).
 */
__be16 mlb_flow_sport(const struct mlb_tuple *tuple)
{
	u32 hash = jhash(tuple, sizeof(*tuple), 0);

	return htons(0xc000 | (hash & 0x3fff));
}

/**
 * mlb_flow_touch() - a packet of the flow came
 * @flow: the flow
 * @syn: it is a SYN
 * @closing: it has FIN or RST
 *
 * Writes only what changes, and the time at most once a second, so that the
 * CPUs which carry a flow do not fight for its cache line. Call inside
 * rcu_read_lock().
 */
void mlb_flow_touch(struct mlb_flow *flow, bool syn, bool closing)
{
	u8 state = READ_ONCE(flow->state);
	u32 expires;

	if (unlikely(closing && state != MLB_FLOW_STATE_CLOSING)) {
		state = MLB_FLOW_STATE_CLOSING;
		WRITE_ONCE(flow->state, state);
	} else if (unlikely(!syn && state == MLB_FLOW_STATE_SYN)) {
		state = MLB_FLOW_STATE_ESTABLISHED;
		WRITE_ONCE(flow->state, state);
	}
	expires = (u32)jiffies + flow_life[state];
	if (unlikely(expires - READ_ONCE(flow->expires) >= HZ))
		WRITE_ONCE(flow->expires, expires);
	if (unlikely(!READ_ONCE(flow->referenced)))
		WRITE_ONCE(flow->referenced, 1);
}

static void flow_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(flow_cache, container_of(rcu, struct mlb_flow, rcu));
}

static void flow_unlink(struct mlb_net *mn, struct mlb_flow *flow)
{
	lockdep_assert_held(&mn->flows.lock);

	rhashtable_remove_fast(&mn->flows.hash, &flow->hash, mlb_flow_params);
	list_del_init(&flow->list);
	mn->flows.count--;
	call_rcu(&flow->rcu, flow_free_rcu);
}

/* There is an entry that will expire. */
static void flow_watch(struct mlb_net *mn)
{
	queue_delayed_work(system_power_efficient_wq, &mn->flows.gc, HZ);
}

static bool flow_expired(const struct mlb_flow *flow)
{
	return (s32)((u32)jiffies - READ_ONCE(flow->expires)) >= 0;
}

/*
 * Move the hand until an entry can go: one that has expired, never got beyond
 * its SYN, is closing, or was not used since the hand came by last; the one
 * where the hand stops otherwise.
 */
static void flow_evict(struct mlb_net *mn)
{
	struct mlb_flow *flow = NULL;
	unsigned int n;

	lockdep_assert_held(&mn->flows.lock);

	for (n = 0; n < FLOW_EVICT_SCAN; n++) {
		flow = list_first_entry(&mn->flows.clock, struct mlb_flow,
					list);
		if (flow_expired(flow) || !READ_ONCE(flow->referenced) ||
		    READ_ONCE(flow->state) != MLB_FLOW_STATE_ESTABLISHED)
			break;
		WRITE_ONCE(flow->referenced, 0);
		list_move_tail(&flow->list, &mn->flows.clock);
	}
	mlb_count(mn, FLOW_EVICTED);
	flow_unlink(mn, flow);
}

/**
 * mlb_flow_insert() - remember which node has a flow
 * @mn: the namespace
 * @tuple: the flow
 * @node: node that has it
 * @state: MLB_FLOW_STATE_SYN when nothing but a SYN was seen
 * @token: token of its connection, or 0
 *
 * Replaces what was remembered of the flow. When the table is full another
 * entry goes. Softirq or process context.
 */
void mlb_flow_insert(struct mlb_net *mn, const struct mlb_tuple *tuple,
		     u16 node, enum mlb_flow_state state, u32 token)
{
	u32 max = READ_ONCE(mn->config.max_flows);
	struct mlb_flow *flow, *old;
	bool full = false;
	int err;

	flow = kmem_cache_alloc(flow_cache, GFP_ATOMIC);
	if (!flow) {
		mlb_count(mn, FLOW_FAILED);
		return;
	}
	flow->tuple = *tuple;
	flow->token = READ_ONCE(mn->config.fastclose) ? token : 0;
	flow->node = node;
	flow->sport = mlb_flow_sport(tuple);
	flow->state = state;
	flow->referenced = 0;
	flow->expires = (u32)jiffies + flow_life[state];

	spin_lock_bh(&mn->flows.lock);
	rcu_read_lock();
	old = mlb_flow_find(mn, tuple);
	rcu_read_unlock();	/* only the lock's holder frees it */
	if (old) {
		mlb_count(mn, FLOW_REMOVED);
		flow_unlink(mn, old);
	}
	if (mn->flows.count >= max) {
		full = true;
		flow_evict(mn);
	}
	err = rhashtable_insert_fast(&mn->flows.hash, &flow->hash,
				     mlb_flow_params);
	if (!err) {
		list_add_tail(&flow->list, &mn->flows.clock);
		mn->flows.count++;
		flow_watch(mn);
	}
	spin_unlock_bh(&mn->flows.lock);

	if (err) {
		kmem_cache_free(flow_cache, flow);
		mlb_count(mn, FLOW_FAILED);
	} else {
		mlb_count(mn, FLOW_CREATED);
	}
	if (full)
		mlb_netlink_limit(mn, MLB_TABLE_FLOW, max);
}

/**
 * mlb_flow_remove() - forget a flow
 * @mn: the namespace
 * @flow: what mlb_flow_find() gave, in the same rcu_read_lock()
 *
 * Does nothing when another has removed it meanwhile.
 */
void mlb_flow_remove(struct mlb_net *mn, struct mlb_flow *flow)
{
	spin_lock_bh(&mn->flows.lock);
	if (!list_empty(&flow->list)) {
		mlb_count(mn, FLOW_REMOVED);
		flow_unlink(mn, flow);
	}
	spin_unlock_bh(&mn->flows.lock);
}

/**
 * mlb_flow_trim() - evict what is over a lowered max-flows
 * @mn: the namespace
 *
 * Process context.
 */
void mlb_flow_trim(struct mlb_net *mn)
{
	u32 max = READ_ONCE(mn->config.max_flows);
	bool over = true;

	while (over) {
		spin_lock_bh(&mn->flows.lock);
		for (unsigned int n = 0; n < 64 && over; n++) {
			over = mn->flows.count > max;
			if (over)
				flow_evict(mn);
		}
		spin_unlock_bh(&mn->flows.lock);
		cond_resched();
	}
}

/* One walk; says whether it has removed any. */
static bool flow_purge_once(struct mlb_net *mn,
			    bool (*match)(struct mlb_net *mn,
					  const struct mlb_flow *flow,
					  const void *arg),
			    const void *arg)
{
	struct rhashtable_iter iter;
	struct mlb_flow *flow;
	bool removed = false;
	unsigned int n = 0;

	rhashtable_walk_enter(&mn->flows.hash, &iter);
	mlb_walk_start(&iter);
	while ((flow = rhashtable_walk_next(&iter))) {
		if (IS_ERR(flow))
			continue;	/* resized: the walk starts anew */
		if (match(mn, flow, arg)) {
			mlb_flow_remove(mn, flow);
			removed = true;
		}
		if (++n % 256 == 0) {
			rhashtable_walk_stop(&iter);
			cond_resched();
			mlb_walk_start(&iter);
		}
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	return removed;
}

/* One that says whose client is to be told of the node's end goes in time. */
static bool flow_of_node(struct mlb_net *mn, const struct mlb_flow *flow,
			 const void *arg)
{
	return flow->node == *(const u16 *)arg &&
	       !(flow->token && mlb_dead_has_token(mn, flow->token));
}

static bool flow_of_service(struct mlb_net *mn, const struct mlb_flow *flow,
			    const void *arg)
{
	const struct mlb_tuple *vip = arg;

	return flow->tuple.dport == vip->dport &&
	       ipv6_addr_equal(&flow->tuple.daddr, &vip->daddr);
}

/* Forget every flow of a node. Process context. */
void mlb_flow_purge_node(struct mlb_net *mn, u16 node)
{
	/* Until none is left: see mlb_owner_purge(). */
	while (flow_purge_once(mn, flow_of_node, &node))
		;
}

/* Forget every flow of a service. Process context. */
void mlb_flow_purge_service(struct mlb_net *mn, const struct in6_addr *addr,
			    __be16 port)
{
	struct mlb_tuple vip = { .daddr = *addr, .dport = port };

	while (flow_purge_once(mn, flow_of_service, &vip))
		;
}

/* A sixteenth of the table a second, in pieces that keep the lock short. */
static void flow_gc(struct work_struct *work)
{
	struct mlb_net *mn = container_of(to_delayed_work(work), struct mlb_net,
					  flows.gc);
	u32 left, piece;

	for (left = READ_ONCE(mn->flows.count) / 16 + 1; left; left -= piece) {
		piece = min(left, 64U);
		spin_lock_bh(&mn->flows.lock);
		for (u32 i = 0; i < piece; i++) {
			struct mlb_flow *flow;

			flow = list_first_entry_or_null(&mn->flows.clock,
							struct mlb_flow, list);
			if (!flow)
				break;
			if (flow_expired(flow)) {
				mlb_count(mn, FLOW_EXPIRED);
				flow_unlink(mn, flow);
			} else {
				list_move_tail(&flow->list, &mn->flows.clock);
			}
		}
		spin_unlock_bh(&mn->flows.lock);
		cond_resched();
	}
	if (READ_ONCE(mn->flows.count))
		flow_watch(mn);
}

int mlb_flow_net_init(struct mlb_net *mn)
{
	spin_lock_init(&mn->flows.lock);
	INIT_LIST_HEAD(&mn->flows.clock);
	INIT_DEFERRABLE_WORK(&mn->flows.gc, flow_gc);
	return rhashtable_init(&mn->flows.hash, &mlb_flow_params);
}

static void flow_free(void *ptr, void *arg)
{
	kmem_cache_free(flow_cache, ptr);
}

/* No packet comes any more. */
void mlb_flow_net_exit(struct mlb_net *mn)
{
	cancel_delayed_work_sync(&mn->flows.gc);
	rhashtable_free_and_destroy(&mn->flows.hash, flow_free, NULL);
}

int __init mlb_flow_module_init(void)
{
	flow_cache = KMEM_CACHE(mlb_flow, 0);
	return flow_cache ? 0 : -ENOMEM;
}

/* The caller has waited for the last flow_free_rcu(). */
void mlb_flow_module_exit(void)
{
	kmem_cache_destroy(flow_cache);
}
