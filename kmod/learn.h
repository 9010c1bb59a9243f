/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_LEARN_H
#define _MLB_LEARN_H

#include <linux/atomic.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

struct mlb_mptcp;
struct mlb_net;
struct mlb_tuple;

/**
 * struct mlb_learn - tokens of connections that this host takes
 * @fresh: handshakes seen and not yet looked at; any context adds
 * @waiting: handshakes that TCP has not confirmed yet; only @confirm uses it
 * @n: handshakes in both
 * @lock: held while this host's tokens change
 * @confirm: asks MPTCP for each handshake, announces what it confirms
 * @withdraw: withdraws the tokens whose connection is gone
 */
struct mlb_learn {
	struct llist_head fresh;
	struct list_head waiting;
	atomic_t n;
	struct mutex lock;	/* see struct mlb_net */
	struct delayed_work confirm;
	struct delayed_work withdraw;
};

void mlb_learn_watch(struct mlb_net *mn);
void mlb_learn_handshake(struct mlb_net *mn, const struct mlb_tuple *tuple,
			 const struct mlb_mptcp *mp);
void mlb_learn_seen(struct mlb_net *mn, const u8 *key, u16 node);
void mlb_learn_forget(struct mlb_net *mn);

u32 mlb_token_of_key(const u8 *key);
struct sock *mlb_token_sock(struct mlb_net *mn, u32 token);
bool mlb_token_is_local(struct mlb_net *mn, u32 token);

void mlb_learn_net_init(struct mlb_net *mn);
void mlb_learn_net_exit(struct mlb_net *mn);

#endif
