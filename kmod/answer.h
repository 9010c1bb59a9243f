/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_ANSWER_H
#define _MLB_ANSWER_H

#include <linux/spinlock.h>

#include "rate.h"
#include "tunhdr.h"

struct mlb_net;
struct mlb_node;

/**
 * struct mlb_answers - how many answers may still be sent
 * @lock: taken for @rate
 * @rate: of answers
 */
struct mlb_answers {
	spinlock_t lock;	/* see struct mlb_net */
	struct mlb_rate rate;
};

void mlb_answer_query(struct mlb_net *mn, struct mlb_node *sender,
		      const struct mlb_tunmsg *msg);
void mlb_answer_gone(struct mlb_net *mn, const struct mlb_tuple *tuple);
void mlb_answer_net_init(struct mlb_net *mn);

#endif
