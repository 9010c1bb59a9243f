/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_RESET_H
#define _MLB_RESET_H

#include <linux/skbuff.h>

struct mlb_client;
struct mlb_net;
struct mlb_packet;
struct mlb_tuple;

void mlb_reset_send(struct mlb_net *mn, const struct sk_buff *skb,
		    const struct mlb_packet *pkt);
void mlb_reset_fastclose(struct mlb_net *mn, const struct sk_buff *skb,
			 const struct mlb_packet *pkt,
			 struct mlb_client *client);
void mlb_reset_join(struct mlb_net *mn, const struct sk_buff *skb,
		    const struct mlb_packet *pkt);
void mlb_reset_probe(struct mlb_net *mn, const struct mlb_tuple *tuple);

#endif
