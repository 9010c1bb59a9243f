/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_OPTION_H
#define _MLB_OPTION_H

#include <linux/types.h>

/* TCP options fill at most what a data offset of 15 leaves (RFC 9293 3.1). */
#define MLB_OPTION_SPACE	40

/**
 * enum mlb_mptcp_kind - what the MPTCP options of a segment make of it
 * @MLB_MPTCP_NONE: plain TCP, or a segment that changes no ownership, or
 *	MP_CAPABLE flags with which the stack falls back to plain TCP
 * @MLB_MPTCP_CAPABLE: SYN that opens a connection (RFC 8684 3.1); also of a
 *	later version than 1, which the stack answers with version 1
 * @MLB_MPTCP_KEYS: third packet of the handshake, with both keys; @peer_key,
 *	@key
 * @MLB_MPTCP_JOIN: SYN that adds a subflow (RFC 8684 3.2); @token, @token_at
 * @MLB_MPTCP_VERSION: SYN with MP_CAPABLE of version 0, or of a later one in
 *	a form that version 1 has not; the stack answers it as plain TCP
 * @MLB_MPTCP_BAD: the options lie about their length, or contradict each
 *	other; to be steered as plain TCP
 */
enum mlb_mptcp_kind {
	MLB_MPTCP_NONE,
	MLB_MPTCP_CAPABLE,
	MLB_MPTCP_KEYS,
	MLB_MPTCP_JOIN,
	MLB_MPTCP_VERSION,
	MLB_MPTCP_BAD,
};

/**
 * struct mlb_mptcp - the outcome of mlb_option_parse()
 * @kind: see above; the other members mean something only as said there
 * @token: token of the connection to join, host order
 * @token_at: offset of the token in the options
 * @peer_key: key of the receiver of the segment, that is of the server, as
 *	the eight bytes stand in the option
 * @key: key of the sender, that is of the client, likewise
 */
struct mlb_mptcp {
	enum mlb_mptcp_kind kind;
	u32 token;
	u8 token_at;
	u8 peer_key[8];
	u8 key[8];
};

/**
 * mlb_option_parse() - find the MPTCP option of a client's segment
 * @opt: the options, behind the fixed TCP header
 * @len: their bytes, at most MLB_OPTION_SPACE; 0 for none
 * @syn: the segment has SYN set (and not ACK: servers' segments never come)
 * @mp: where the outcome is written
 *
 * Never reads past @opt + @len, whatever the bytes say.
 */
void mlb_option_parse(const u8 *opt, unsigned int len, bool syn,
		      struct mlb_mptcp *mp);

#endif
