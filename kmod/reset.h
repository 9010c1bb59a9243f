/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_RESET_H
#define _MLB_RESET_H

#include <linux/skbuff.h>

struct mlb_net;
struct mlb_packet;

void mlb_reset_send(struct mlb_net *mn, const struct sk_buff *skb,
		    const struct mlb_packet *pkt, const u8 *opt,
		    unsigned int optlen);

#endif
