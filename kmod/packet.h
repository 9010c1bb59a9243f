/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_PACKET_H
#define _MLB_PACKET_H

#include <linux/skbuff.h>

#include "option.h"
#include "tuple.h"

struct mlb_net;
struct mlb_service;

/**
 * struct mlb_packet - a TCP packet for a service, as far as steering cares
 * @svc: the service, valid inside rcu_read_lock()
 * @tuple: its flow
 * @thoff: offset of the TCP header from skb->data
 * @optlen: bytes of TCP options
 * @syn: SYN without ACK
 * @ack: ACK is set
 * @closing: FIN or RST is set
 */
struct mlb_packet {
	struct mlb_service *svc;
	struct mlb_tuple tuple;
	unsigned int thoff;
	u8 optlen;
	bool syn;
	bool ack;
	bool closing;
};

bool mlb_packet_parse(struct mlb_net *mn, const struct sk_buff *skb, u8 pf,
		      struct mlb_packet *pkt);
void mlb_packet_options(const struct sk_buff *skb,
			const struct mlb_packet *pkt, struct mlb_mptcp *mp);

#endif
