// SPDX-License-Identifier: GPL-2.0
/*
 * Where the scheduler sent the SYNs of late, so that the packet behind a SYN
 * follows it without a question to the peers.
 *
 * A SYN is what strangers make most cheaply, so it gets no entry in the flow
 * table: it overwrites one word of a table of fixed size. A flood can only make
 * this node forget, and then it asks.
 */
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "net.h"
#include "syn.h"

#define SYN_BITS	16

/* Longer than a SYN/ACK takes to be answered by any client that is there. */
#define SYN_LIFE	(10 * HZ)

/*
 * A word: 32 bits of the flow's hash, 16 of jiffies / 64, 16 of node id. 0 is
 * an empty slot. Each word is written and read at once, so there is no lock.
 */
#define SYN_TICK	64

static u16 syn_now(void)
{
	return jiffies / SYN_TICK;
}

static u64 *syn_slot(const struct mlb_net *mn, const struct mlb_tuple *tuple,
		     u32 *mark)
{
	u64 hash = siphash(tuple, sizeof(*tuple), &mn->syn.key);

	*mark = hash >> 32;
	return &mn->syn.slots[hash & ((1 << SYN_BITS) - 1)];
}

/**
 * mlb_syn_remember() - the scheduler sends a SYN to a node
 * @mn: the namespace
 * @tuple: its flow
 * @node: the node
 *
 * Takes no lock; inside rcu_read_lock().
 */
void mlb_syn_remember(struct mlb_net *mn, const struct mlb_tuple *tuple,
		      u16 node)
{
	u32 mark;
	u64 *slot = syn_slot(mn, tuple, &mark);

	WRITE_ONCE(*slot, (u64)mark << 32 | (u32)syn_now() << 16 | node);
}

/**
 * mlb_syn_recall() - where the flow's SYN went
 * @mn: the namespace
 * @tuple: the flow
 *
 * Takes no lock; inside rcu_read_lock().
 *
 * Return: the node's id; 0 when that is not remembered.
 */
u16 mlb_syn_recall(struct mlb_net *mn, const struct mlb_tuple *tuple)
{
	u32 mark;
	u64 word = READ_ONCE(*syn_slot(mn, tuple, &mark));
	u16 age = syn_now() - (u16)(word >> 16);

	if (word >> 32 != mark || age > SYN_LIFE / SYN_TICK)
		return 0;
	return word;
}

/**
 * mlb_syn_forget() - a node does not have the flow that its SYN began
 * @mn: the namespace
 * @tuple: the flow
 * @node: the node; where another SYN went since is not forgotten
 *
 * Takes no lock; inside rcu_read_lock(). There may be no service yet.
 */
void mlb_syn_forget(struct mlb_net *mn, const struct mlb_tuple *tuple, u16 node)
{
	/* Pairs with mlb_syn_begin(). */
	if (smp_load_acquire(&mn->syn.slots) &&
	    mlb_syn_recall(mn, tuple) == node) {
		u32 mark;

		WRITE_ONCE(*syn_slot(mn, tuple, &mark), 0);
	}
}

void mlb_syn_net_init(struct mlb_net *mn)
{
	get_random_bytes(&mn->syn.key, sizeof(mn->syn.key));
}

/**
 * mlb_syn_begin() - there will be SYNs to remember
 * @mn: the namespace
 *
 * Called before the first service comes; keeps what there is. Process context.
 *
 * Return: 0 or -ENOMEM.
 */
int mlb_syn_begin(struct mlb_net *mn)
{
	u64 *slots;

	lockdep_assert_held(&mn->lock);

	if (mn->syn.slots)
		return 0;
	slots = kvcalloc(1 << SYN_BITS, sizeof(u64), GFP_KERNEL_ACCOUNT);
	/* A peer's word may come before the hook is there. */
	smp_store_release(&mn->syn.slots, slots);
	return slots ? 0 : -ENOMEM;
}

/* Nobody reads any more. */
void mlb_syn_net_exit(struct mlb_net *mn)
{
	kvfree(mn->syn.slots);
}
