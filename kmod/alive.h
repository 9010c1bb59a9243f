/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_ALIVE_H
#define _MLB_ALIVE_H

#include <linux/bitops.h>
#include <linux/jiffies.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <uapi/linux/mlb.h>

#include "watch.h"

struct mlb_net;
struct mlb_node;
struct mlb_tunmsg;

/**
 * struct mlb_alive - telling the peers that this host lives, and hearing them
 * @timer: sends and judges; the only writer of what follows while it runs
 * @last: jiffies of its last run
 * @pace: ms from one run to the next; while @repeats is not 0 what peers were
 *	told before, if that is shorter
 * @repeats: how often a changed interval is told at the old pace
 * @lock: to write @suspects
 * @suspects: ids of the nodes that are suspect, or dead; read by the scheduler
 * @dead: ids of those that are dead, or about to be, and perhaps still in pools;
 *	written under &mlb_net.lock
 */
struct mlb_alive {
	struct timer_list timer;
	unsigned long last;
	u16 pace;
	u8 repeats;
	spinlock_t lock;	/* see struct mlb_net */
	DECLARE_BITMAP(suspects, MLB_NODE_ID_MAX + 1);
	DECLARE_BITMAP(dead, MLB_NODE_ID_MAX + 1);
};

/**
 * struct mlb_peer_life - what is known of a peer's life
 * @heard: jiffies when anything authenticated came from it; 0 before
 * @said: what its last ALIVE says, see alive.c; 0 when there is nothing to
 *	expect of it
 * @watch: what the timer makes of that
 *
 * The first two are written by whoever receives.
 */
struct mlb_peer_life {
	unsigned long heard;
	u32 said;
	struct mlb_watch watch;
};

/**
 * mlb_alive_heard() - something authenticated came from a peer
 *
 * Called for each packet, so it writes once a jiffy at most.
 */
static inline void mlb_alive_heard(struct mlb_peer_life *life)
{
	unsigned long now = jiffies ?: 1;

	if (READ_ONCE(life->heard) != now)
		WRITE_ONCE(life->heard, now);
}

/* Whether an answer of the peer is worth waiting for. */
static inline bool mlb_alive_answers(const struct mlb_peer_life *life)
{
	return !READ_ONCE(life->watch.unheard);
}

bool mlb_alive_silent(const struct mlb_node *node, u32 *ms);
void mlb_alive_rcv(struct mlb_net *mn, struct mlb_node *sender,
		   const struct mlb_tunmsg *msg);
void mlb_alive_start(struct mlb_net *mn);
void mlb_alive_set(struct mlb_net *mn, u16 interval, u8 multiplier);
void mlb_alive_dead(struct mlb_net *mn, const struct mlb_node *node);
void mlb_alive_back(struct mlb_net *mn, const struct mlb_node *node);
void mlb_alive_forget(struct mlb_net *mn, u16 id);

void mlb_alive_net_init(struct mlb_net *mn);
void mlb_alive_net_exit(struct mlb_net *mn);

#endif
