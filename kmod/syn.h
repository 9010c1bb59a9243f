/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_SYN_H
#define _MLB_SYN_H

#include <linux/siphash.h>

#include "tuple.h"

struct mlb_net;

/**
 * struct mlb_syn_memory - where the scheduler sent the SYNs of late
 * @slots: see syn.c; there from the first service on
 * @key: so that strangers cannot aim at a slot
 */
struct mlb_syn_memory {
	u64 *slots;
	siphash_key_t key;
};

void mlb_syn_remember(struct mlb_net *mn, const struct mlb_tuple *tuple,
		      u16 node);
u16 mlb_syn_recall(struct mlb_net *mn, const struct mlb_tuple *tuple);
void mlb_syn_forget(struct mlb_net *mn, const struct mlb_tuple *tuple,
		    u16 node);

int mlb_syn_begin(struct mlb_net *mn);
void mlb_syn_net_init(struct mlb_net *mn);
void mlb_syn_net_exit(struct mlb_net *mn);

#endif
