// SPDX-License-Identifier: GPL-2.0
/*
 * The nodes tell each other that they live, faster than the cluster's engine
 * finds out that one does not. As in BFD (RFC 5880), each message says how
 * often its sender sends and after how many missing ones it is to be missed,
 * and whether it hears the receiver. A peer that is silent for that long, or
 * that does not hear this host, is suspect.
 *
 * Only a peer that has said how often it sends is watched: one that is older,
 * or has this turned off, is never suspect. A last message takes it back.
 *
 * A message can be recorded and played again within the cluster network, as
 * any packet of the tunnel can. Who is there can make a dead node look alive,
 * or a node suspect that once was deaf, and stop it as easily by other means.
 */
#include <linux/minmax.h>

#include "alive.h"
#include "net.h"
#include "netlink.h"
#include "node.h"
#include "trace.h"
#include "tunnel.h"

/* &mlb_peer_life.said: one word, so that it is read whole. */
#define SAID_INTERVAL(said)	((said) >> 16)
#define SAID_MULTIPLIER(said)	((said) >> 8 & 0xff)
#define SAID_DEAF		BIT(0)

static u32 alive_said(u32 interval, u32 multiplier, bool deaf)
{
	return interval ? interval << 16 | multiplier << 8 | deaf : 0;
}

/**
 * mlb_alive_silent() - since when a node was not heard
 * @node: the node
 * @ms: where that is written
 *
 * Return: false when it has never been.
 */
bool mlb_alive_silent(const struct mlb_node *node, u32 *ms)
{
	unsigned long heard = READ_ONCE(node->life.heard);

	if (!heard)
		return false;
	/* A packet may come meanwhile; and a year of silence is but 24 days. */
	*ms = jiffies_to_msecs(clamp_t(long, jiffies - heard, 0,
				       msecs_to_jiffies(INT_MAX)));
	return true;
}

/**
 * mlb_alive_rcv() - a peer says that it lives
 * @mn: the namespace
 * @sender: the peer
 * @msg: the message, authenticated and valid
 *
 * Softirq context, inside rcu_read_lock().
 */
void mlb_alive_rcv(struct mlb_net *mn, struct mlb_node *sender,
		   const struct mlb_tunmsg *msg)
{
	u32 said = alive_said(ntohl(msg->interval), ntohl(msg->multiplier),
			      msg->hold == MLB_TUNMSG_NO);

	mlb_count(mn, ALIVE_RX);
	if (READ_ONCE(sender->life.said) != said)
		WRITE_ONCE(sender->life.said, said);
}

/* The timer and who changes the node may both find that something has changed:
 * the last to look sees it all, and at no moment is a dead node not marked.
 */
static void alive_mark(struct mlb_net *mn, const struct mlb_node *node)
{
	struct mlb_alive *alive = &mn->alive;

	spin_lock_bh(&alive->lock);
	assign_bit(node->id, alive->suspects,
		   READ_ONCE(node->life.watch.suspect) ||
		   test_bit(node->id, alive->dead));
	spin_unlock_bh(&alive->lock);
}

static void alive_changed(struct mlb_net *mn, struct mlb_node *node)
{
	alive_mark(mn, node);
	if (node->life.watch.suspect)
		mlb_count(mn, NODE_SUSPECT);
	else
		mlb_count(mn, NODE_RESTORED);
	trace_mlb_suspect(node->id, node->life.watch.suspect,
			  node->life.watch.silence, node->life.watch.hold);
	mlb_node_event(mn, node, MLB_CMD_NODE_NTF, GFP_ATOMIC);
}

/*
 * When this CPU stood still, what the peers sent lies in a backlog and gets
 * its turn before the next tick: a late tick counts as one in time.
 */
static void alive_judge(struct mlb_net *mn, struct mlb_node *node, u32 passed)
{
	unsigned long heard = READ_ONCE(node->life.heard);
	struct mlb_watch *watch = &node->life.watch;
	u32 said = READ_ONCE(node->life.said);
	bool was = watch->suspect;
	u32 since;

	if (heard && mlb_watch_heard(heard, jiffies) != heard)
		cmpxchg(&node->life.heard, heard,
			mlb_watch_heard(heard, jiffies));
	/* Without an interval of its own this host does not judge others. */
	if (!READ_ONCE(mn->config.alive_interval) || !mlb_node_reachable(node))
		said = 0;
	if (said && mlb_alive_silent(node, &since)) {
		unsigned long most = msecs_to_jiffies(mn->alive.pace) + 1;

		mlb_watch_tick(watch, passed, jiffies_to_msecs(most), since,
			       SAID_INTERVAL(said) * SAID_MULTIPLIER(said),
			       said & SAID_DEAF);
	} else {
		mlb_watch_reset(watch);
		if (READ_ONCE(node->life.said))
			WRITE_ONCE(node->life.said, 0);
	}
	if (watch->suspect != was)
		alive_changed(mn, node);
}

static void alive_send(struct mlb_net *mn, struct mlb_node *node)
{
	unsigned long gap =
		msecs_to_jiffies(READ_ONCE(mn->config.alive_interval));
	struct mlb_tunmsg msg = {
		.kind = MLB_TUNMSG_ALIVE,
		.hold = node->life.watch.mute ? MLB_TUNMSG_NO :
						MLB_TUNMSG_YES,
		/* What it really is, where the clock ticks slowly. */
		.interval = htonl(jiffies_to_msecs(gap)),
		.multiplier = htonl(READ_ONCE(mn->config.alive_multiplier)),
	};

	if (mlb_tunnel_send_msg(mn, node, MLB_TUNTYPE_ANSWER, &msg))
		mlb_count(mn, ALIVE_TX);
}

/*
 * Judge all peers and tell them; inside rcu_read_lock().
 *
 * All but the dead are told: this host may be in another state than they are,
 * and a node in maintenance sends others their new connections, too.
 *
 * Returns whether there is anyone to go on for.
 */
static bool alive_tick(struct mlb_net *mn)
{
	struct mlb_alive *alive = &mn->alive;
	u32 passed = jiffies_to_msecs(jiffies - alive->last);
	struct mlb_node *node;
	bool peers = false;
	unsigned long id;

	alive->last = jiffies;
	if (!rcu_access_pointer(mn->tunnel) || !rcu_access_pointer(mn->key))
		return false;
	xa_for_each(&mn->nodes, id, node) {
		if (node->self || !mlb_node_is_peer(node))
			continue;
		peers = true;
		alive_judge(mn, node, passed);
		if (mlb_node_reachable(node))
			alive_send(mn, node);
	}
	return peers;
}

static void alive_timer(struct timer_list *timer)
{
	struct mlb_net *mn = timer_container_of(mn, timer, alive.timer);
	struct mlb_alive *alive = &mn->alive;
	bool peers;

	rcu_read_lock();
	peers = alive_tick(mn);
	rcu_read_unlock();

	if (alive->repeats && !--alive->repeats)
		alive->pace = READ_ONCE(mn->config.alive_interval);
	/* A timer waits for one jiffy more, so as to be never early. */
	if (peers && alive->pace)
		mod_timer(timer, jiffies + msecs_to_jiffies(alive->pace) - 1);
}

/**
 * mlb_alive_start() - there may be a peer to tell now
 * @mn: the namespace
 *
 * Called when a node or the key has come. Caller must hold &mlb_net.lock.
 */
void mlb_alive_start(struct mlb_net *mn)
{
	struct mlb_alive *alive = &mn->alive;

	lockdep_assert_held(&mn->lock);

	if (!timer_delete_sync(&alive->timer))
		alive->last = jiffies;
	if (alive->pace)
		mod_timer(&alive->timer, jiffies);
}

/**
 * mlb_alive_set() - change how often this host tells that it lives
 * @mn: the namespace
 * @interval: ms; 0 for never
 * @multiplier: how many missing messages make it suspect
 *
 * The peers are told some times, as often as they have been told so far: they
 * expect no less before they know. Caller must hold &mlb_net.lock.
 */
void mlb_alive_set(struct mlb_net *mn, u16 interval, u8 multiplier)
{
	struct mlb_alive *alive = &mn->alive;

	lockdep_assert_held(&mn->lock);

	if (interval == mn->config.alive_interval &&
	    multiplier == mn->config.alive_multiplier)
		return;
	timer_delete_sync(&alive->timer);	/* which writes these, too */
	alive->repeats = max(multiplier, mn->config.alive_multiplier);
	WRITE_ONCE(mn->config.alive_interval, interval);
	WRITE_ONCE(mn->config.alive_multiplier, multiplier);
	if (!alive->pace || (interval && interval < alive->pace))
		alive->pace = interval;
	mlb_alive_start(mn);
}

/* A node is dead, and gets no new connection while it still is in a pool. */
void mlb_alive_dead(struct mlb_net *mn, const struct mlb_node *node)
{
	set_bit(node->id, mn->alive.dead);
	alive_mark(mn, node);
}

/* It is dead no more, and judged from now on. */
void mlb_alive_back(struct mlb_net *mn, const struct mlb_node *node)
{
	clear_bit(node->id, mn->alive.dead);
	alive_mark(mn, node);
}

/* A node is gone, and no timer sees it any more. */
void mlb_alive_forget(struct mlb_net *mn, u16 id)
{
	clear_bit(id, mn->alive.dead);
	clear_bit(id, mn->alive.suspects);
}

void mlb_alive_net_init(struct mlb_net *mn)
{
	spin_lock_init(&mn->alive.lock);
	mn->alive.pace = mn->config.alive_interval;
	timer_setup(&mn->alive.timer, alive_timer, 0);
}

/* The tunnel is gone; nobody starts the timer any more. */
void mlb_alive_net_exit(struct mlb_net *mn)
{
	timer_shutdown_sync(&mn->alive.timer);
}
