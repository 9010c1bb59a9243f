// SPDX-License-Identifier: GPL-2.0
/*
 * What the MPTCP options of a client's segment ask for. The rules are those
 * of the stack that will take the segment (net/mptcp/options.c), because a
 * segment steered as something else than what its node makes of it is a lost
 * subflow. They differ where the stack takes the first of several
 * contradicting options: such a segment is malformed here, and goes where
 * plain TCP goes.
 */
#include <linux/bits.h>
#include <linux/string.h>

#include "option.h"

/* RFC 9293 3.2 */
#define KIND_EOL		0
#define KIND_NOP		1
#define KIND_MPTCP		30	/* RFC 8684 3 */

#define SUBTYPE_MP_CAPABLE	0
#define SUBTYPE_MP_JOIN		1

/* RFC 8684 3.1; version 0 (RFC 6824) sent the key in the SYN already. */
#define CAPABLE_SYN_LEN		4
#define CAPABLE_SYN_V0_LEN	12
#define CAPABLE_ACK_LEN		20
#define CAPABLE_DATA_LEN	22
#define CAPABLE_DATA_CSUM_LEN	24
#define CAPABLE_KEY		4	/* offset of the sender's key */
#define CAPABLE_PEER_KEY	12

#define CAPABLE_VERSION		1
#define CAPABLE_VERSION_MASK	0x0f
#define CAPABLE_EXTENSIBILITY	BIT(6)
#define CAPABLE_CRYPTO_MASK	0x1f
#define CAPABLE_CRYPTO_SHA256	0x01

/* RFC 8684 3.2 */
#define JOIN_SYN_LEN		12
#define JOIN_TOKEN		4	/* offset */

/* Any other algorithm, and bit B, make the receiver fall back (RFC 8684 3.1). */
static bool capable_flags_usable(u8 flags)
{
	return (flags & CAPABLE_CRYPTO_MASK) == CAPABLE_CRYPTO_SHA256 &&
	       !(flags & CAPABLE_EXTENSIBILITY);
}

/*
 * The stack answers a SYN of a later version with its own, as RFC 8684 3.1
 * asks for, as long as it looks like one of version 1.
 */
static enum mlb_mptcp_kind parse_capable_syn(const u8 *opt, unsigned int len)
{
	u8 version = opt[2] & CAPABLE_VERSION_MASK;

	if (version < CAPABLE_VERSION)
		return len == CAPABLE_SYN_LEN || len == CAPABLE_SYN_V0_LEN ?
		       MLB_MPTCP_VERSION : MLB_MPTCP_BAD;
	if (len != CAPABLE_SYN_LEN)
		return version > CAPABLE_VERSION ?
		       MLB_MPTCP_VERSION : MLB_MPTCP_BAD;
	return capable_flags_usable(opt[3]) ?
	       MLB_MPTCP_CAPABLE : MLB_MPTCP_NONE;
}

/*
 * By the third packet version 1 has been agreed on: what claims another has
 * no keys that the stack would look at.
 */
static enum mlb_mptcp_kind parse_capable_ack(const u8 *opt, unsigned int len,
					     struct mlb_mptcp *mp)
{
	if ((opt[2] & CAPABLE_VERSION_MASK) != CAPABLE_VERSION)
		return MLB_MPTCP_NONE;
	if (len != CAPABLE_ACK_LEN && len != CAPABLE_DATA_LEN &&
	    len != CAPABLE_DATA_CSUM_LEN)
		return MLB_MPTCP_BAD;
	if (!capable_flags_usable(opt[3]))
		return MLB_MPTCP_NONE;

	memcpy(mp->peer_key, opt + CAPABLE_PEER_KEY, sizeof(mp->peer_key));
	memcpy(mp->key, opt + CAPABLE_KEY, sizeof(mp->key));
	return MLB_MPTCP_KEYS;
}

/* Only the SYN names the connection; the third packet carries an HMAC. */
static enum mlb_mptcp_kind parse_join(const u8 *opt, unsigned int len,
				      bool syn, struct mlb_mptcp *mp)
{
	if (!syn)
		return MLB_MPTCP_NONE;
	if (len != JOIN_SYN_LEN)
		return MLB_MPTCP_BAD;

	opt += JOIN_TOKEN;
	mp->token = (u32)opt[0] << 24 | opt[1] << 16 | opt[2] << 8 | opt[3];
	return MLB_MPTCP_JOIN;
}

void mlb_option_parse(const u8 *opt, unsigned int len, bool syn,
		      struct mlb_mptcp *mp)
{
	enum mlb_mptcp_kind kind = MLB_MPTCP_NONE;
	bool seen = false;
	const u8 *first = opt;
	unsigned int size;

	memset(mp, 0, sizeof(*mp));

	for (; len; opt += size, len -= size) {
		if (opt[0] == KIND_EOL)
			break;
		size = 1;
		if (opt[0] == KIND_NOP)
			continue;
		if (len < 2)
			goto bad;
		size = opt[1];
		if (size < 2 || size > len)
			goto bad;
		if (opt[0] != KIND_MPTCP)
			continue;
		if (size < 3)
			goto bad;

		switch (opt[2] >> 4) {
		case SUBTYPE_MP_CAPABLE:
			if (seen)
				goto bad;
			kind = syn ? parse_capable_syn(opt, size) :
				     parse_capable_ack(opt, size, mp);
			break;
		case SUBTYPE_MP_JOIN:
			if (seen)
				goto bad;
			kind = parse_join(opt, size, syn, mp);
			mp->token_at = opt - first + JOIN_TOKEN;
			break;
		default:
			continue;
		}
		if (kind == MLB_MPTCP_BAD)
			goto bad;
		seen = true;
	}

	mp->kind = kind;
	return;
bad:
	mp->kind = MLB_MPTCP_BAD;
}
