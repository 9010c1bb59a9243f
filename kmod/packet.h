/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_PACKET_H
#define _MLB_PACKET_H

#include <linux/skbuff.h>

#include "option.h"
#include "tuple.h"

struct mlb_net;
struct mlb_service;
struct tcphdr;

/**
 * struct mlb_packet - a packet about a flow of a service, as far as steering
 *	cares
 * @svc: the service, valid inside rcu_read_lock()
 * @tuple: the flow; for an ICMP error that of the segment it is about, turned
 *	round
 * @thoff: offset of the TCP or ICMP header from skb->data
 * @seq: sequence number
 * @ack_seq: acknowledgment number
 * @optlen: bytes of TCP options
 * @syn: SYN without ACK
 * @ack: ACK without SYN
 * @closing: FIN or RST is set
 * @icmp: an ICMP error; what is told of TCP is 0
 * @mp_known: @mp has been filled
 * @mp: MPTCP option, see mlb_packet_options()
 */
struct mlb_packet {
	struct mlb_service *svc;
	struct mlb_tuple tuple;
	unsigned int thoff;
	__be32 seq;
	__be32 ack_seq;
	u8 optlen;
	bool syn;
	bool ack;
	bool closing;
	bool icmp;
	bool mp_known;
	struct mlb_mptcp mp;
};

bool mlb_packet_parse(struct mlb_net *mn, const struct sk_buff *skb, u8 pf,
		      struct mlb_packet *pkt);
void mlb_packet_options(const struct sk_buff *skb, struct mlb_packet *pkt);
void mlb_packet_count_bad(struct mlb_net *mn, const struct sk_buff *skb,
			  const struct mlb_packet *pkt);
void mlb_packet_write(struct sk_buff *skb, struct tcphdr *th, unsigned int off,
		      const u8 *bytes, unsigned int len);
bool mlb_packet_clear_token(struct sk_buff *skb, const struct mlb_packet *pkt);

#endif
