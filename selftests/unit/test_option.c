// SPDX-License-Identifier: GPL-2.0
/*
 * When one of these fails, joins or new connections go to a node that takes
 * them for something else and refuses them, or a crafted segment makes the
 * module read what is not its own.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "option.h"

#define SYN	true
#define ACK	false

#define MSS		2, 4, 0x05, 0xb4
#define NOP		1
#define EOL		0
#define SACK_OK		4, 2
#define STAMP		8, 10, 1, 2, 3, 4, 5, 6, 7, 8
#define CAPABLE(v, f)	30, 4, (v), (f)
#define CLIENT_KEY	0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18
#define SERVER_KEY	0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8
#define KEYS(len)	30, (len), 0x01, 0x01, CLIENT_KEY, SERVER_KEY
#define JOIN		30, 12, 0x10, 7, 0xfe, 0xdc, 0xba, 0x98, 1, 2, 3, 4
#define JOIN_ACK	30, 24, 0x10, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, \
			12, 13, 14, 15, 16, 17, 18, 19, 20
#define DSS_ACK		30, 8, 0x20, 0x01, 9, 9, 9, 9
#define RM_ADDR		30, 4, 0x40, 3

static const u8 client_key[] = { CLIENT_KEY };
static const u8 server_key[] = { SERVER_KEY };

static const struct packet {
	const char *what;
	bool syn;
	enum mlb_mptcp_kind kind;
	unsigned int len;
	u8 opt[MLB_OPTION_SPACE];
} packets[] = {
#define P(what, syn, kind, ...) \
	{ what, syn, MLB_MPTCP_##kind, sizeof((u8[]){ __VA_ARGS__ }), \
	  { __VA_ARGS__ } }
	{ "no options", SYN, MLB_MPTCP_NONE, 0, { 0 } },
	P("plain SYN", SYN, NONE, MSS, SACK_OK, STAMP, NOP, 3, 3, 7),
	P("only padding", SYN, NONE, NOP, NOP, NOP, NOP),
	P("only an end", SYN, NONE, EOL),
	P("one NOP", SYN, NONE, NOP),
	P("unknown option of no bytes", SYN, NONE, 253, 2),
	P("TCP MD5 fills it", SYN, NONE, NOP, NOP, 19, 18, 1, 2, 3, 4, 5, 6, 7,
	  8, 9, 10, 11, 12, 13, 14, 15, 16),

	P("MP_CAPABLE as Linux sends it", SYN, CAPABLE, MSS, SACK_OK, STAMP,
	  NOP, 3, 3, 7, CAPABLE(0x01, 0x01)),
	P("MP_CAPABLE alone", SYN, CAPABLE, CAPABLE(0x01, 0x01)),
	P("MP_CAPABLE, checksum and C flag", SYN, CAPABLE, CAPABLE(0x01, 0xa1)),
	P("MP_CAPABLE of a later version", SYN, CAPABLE, CAPABLE(0x02, 0x01)),
	P("MP_CAPABLE of version 8", SYN, CAPABLE, CAPABLE(0x08, 0x01)),
	P("MP_CAPABLE of the last version", SYN, CAPABLE, CAPABLE(0x0f, 0x01)),
	P("MP_CAPABLE without an algorithm", SYN, NONE, CAPABLE(0x01, 0x00)),
	P("MP_CAPABLE with algorithm G", SYN, NONE, CAPABLE(0x01, 0x02)),
	P("MP_CAPABLE with algorithms G and H", SYN, NONE, CAPABLE(0x01, 0x03)),
	P("MP_CAPABLE with algorithms D and H", SYN, NONE, CAPABLE(0x01, 0x11)),
	P("MP_CAPABLE with bit B", SYN, NONE, CAPABLE(0x01, 0x41)),
	P("version 0 in the form of version 1", SYN, VERSION,
	  CAPABLE(0x00, 0x01)),
	P("version 0 with its key", SYN, VERSION, 30, 12, 0x00, 0x01,
	  CLIENT_KEY),
	P("version 0 that lies about its length", SYN, BAD, 30, 11, 0x00, 0x01,
	  1, 2, 3, 4, 5, 6, 7),
	P("later version in another form", SYN, VERSION, 30, 12, 0x02, 0x01,
	  CLIENT_KEY),
	P("MP_CAPABLE of 3 bytes", SYN, BAD, 30, 3, 0x01),
	P("MP_CAPABLE of 5 bytes", SYN, BAD, 30, 5, 0x01, 0x01, 0),
	P("MP_CAPABLE of a SYN/ACK in a SYN", SYN, BAD, 30, 12, 0x01, 0x01,
	  SERVER_KEY),
	P("third packet's MP_CAPABLE in a SYN", SYN, BAD, KEYS(20)),

	P("third packet", ACK, KEYS, NOP, NOP, STAMP, KEYS(20)),
	P("third packet with data", ACK, KEYS, KEYS(22), 0x05, 0x00),
	P("third packet with data and checksum", ACK, KEYS, KEYS(24), 0x05,
	  0x00, 0xbe, 0xef),
	P("third packet, C flag", ACK, KEYS, 30, 20, 0x01, 0x21, CLIENT_KEY,
	  SERVER_KEY),
	P("third packet and RM_ADDR", ACK, KEYS, RM_ADDR, KEYS(20)),
	P("third packet of 21 bytes", ACK, BAD, KEYS(21), 0),
	P("third packet of 23 bytes", ACK, BAD, KEYS(23), 0, 0, 0),
	P("third packet of 25 bytes", ACK, BAD, KEYS(25), 0, 0, 0, 0, 0),
	P("third packet with one key", ACK, BAD, 30, 12, 0x01, 0x01,
	  CLIENT_KEY),
	P("SYN's MP_CAPABLE in an ACK", ACK, BAD, CAPABLE(0x01, 0x01)),
	P("third packet of version 0", ACK, NONE, 30, 20, 0x00, 0x01,
	  CLIENT_KEY, SERVER_KEY),
	P("third packet of version 2", ACK, NONE, 30, 20, 0x02, 0x01,
	  CLIENT_KEY, SERVER_KEY),
	P("third packet with bit B", ACK, NONE, 30, 20, 0x01, 0x41,
	  CLIENT_KEY, SERVER_KEY),
	P("data acknowledged", ACK, NONE, NOP, NOP, STAMP, DSS_ACK),

	P("MP_JOIN as Linux sends it", SYN, JOIN, MSS, SACK_OK, STAMP, NOP, 3,
	  3, 7, JOIN),
	P("MP_JOIN alone", SYN, JOIN, JOIN),
	P("MP_JOIN, backup", SYN, JOIN, 30, 12, 0x11, 7, 0xfe, 0xdc, 0xba,
	  0x98, 1, 2, 3, 4),
	P("MP_JOIN at an odd offset", SYN, JOIN, NOP, JOIN, NOP),
	P("MP_JOIN at the very end", SYN, JOIN, STAMP, STAMP, MSS, MSS, JOIN),
	P("MP_JOIN of 11 bytes", SYN, BAD, 30, 11, 0x10, 7, 1, 2, 3, 4, 5, 6,
	  7),
	P("MP_JOIN of a SYN/ACK in a SYN", SYN, BAD, 30, 16, 0x10, 7, 1, 2, 3,
	  4, 5, 6, 7, 8, 9, 10, 11, 12),
	P("third packet's MP_JOIN in a SYN", SYN, BAD, JOIN_ACK),
	P("SYN's MP_JOIN in an ACK", ACK, NONE, JOIN),
	P("third packet of a join", ACK, NONE, NOP, NOP, STAMP, JOIN_ACK),

	P("two MP_CAPABLE", SYN, BAD, CAPABLE(1, 1), CAPABLE(1, 1)),
	P("two MP_CAPABLE, one of version 0", SYN, BAD, CAPABLE(0, 1),
	  CAPABLE(1, 1)),
	P("two MP_JOIN", SYN, BAD, JOIN, JOIN),
	P("MP_CAPABLE, then MP_JOIN", SYN, BAD, CAPABLE(1, 1), JOIN),
	P("MP_JOIN, then MP_CAPABLE", SYN, BAD, JOIN, CAPABLE(1, 1)),
	P("unusable MP_CAPABLE, then MP_JOIN", SYN, BAD, CAPABLE(1, 0), JOIN),
	P("both keys, then MP_JOIN", ACK, BAD, KEYS(20), JOIN),

	P("MP_JOIN behind the end", SYN, NONE, EOL, JOIN),
	P("second MP_JOIN behind the end", SYN, JOIN, JOIN, EOL, JOIN),
	P("lie behind the end", SYN, CAPABLE, CAPABLE(1, 1), EOL, 2, 0, 0),
	P("other subtypes", SYN, JOIN, RM_ADDR, DSS_ACK, JOIN),
	P("unassigned subtype", SYN, NONE, 30, 3, 0xf0),

	P("option of length 0", SYN, BAD, MSS, 253, 0, JOIN),
	P("option of length 1", SYN, BAD, MSS, 253, 1, JOIN),
	P("MPTCP option of length 0", SYN, BAD, 30, 0, 0x01, 0x01),
	P("MPTCP option of length 1", SYN, BAD, 30, 1, 0x01, 0x01),
	P("MPTCP option without a subtype", SYN, BAD, 30, 2, NOP, NOP),
	P("the same at the very end", SYN, BAD, MSS, 30, 2),
	P("the same before an option that would pass for one", SYN, BAD, 30, 2,
	  253, 3, 0),
	P("kind without a length", SYN, BAD, NOP, NOP, NOP, 30),
	P("option past the end", SYN, BAD, MSS, 253, 4, 0),
	P("option of length 255", SYN, BAD, 253, 255, 0, 0),
	P("MP_CAPABLE, then an option past the end", SYN, BAD, CAPABLE(1, 1),
	  253, 4, 0),
	P("MP_JOIN past the end", SYN, BAD, 30, 12, 0x10, 7, 1, 2, 3, 4, 5, 6,
	  7),
#undef P
};

/* In memory of just its size, so that ASan sees a read past the end. */
static void parse(const u8 *opt, unsigned int len, bool syn,
		  struct mlb_mptcp *mp)
{
	u8 *copy = malloc(len);

	assert_true(copy || !len);
	if (len)
		memcpy(copy, opt, len);
	memset(mp, 0xff, sizeof(*mp));
	mlb_option_parse(copy, len, syn, mp);
	free(copy);
}

static void test_packets(void **state)
{
	const struct packet *p;
	struct mlb_mptcp mp;

	(void)state;
	for (p = packets; p < packets + sizeof(packets) / sizeof(*p); p++) {
		parse(p->opt, p->len, p->syn, &mp);
		if (mp.kind != p->kind)
			fail_msg("%s: kind %d, not %d", p->what, mp.kind,
				 p->kind);
		if (mp.kind == MLB_MPTCP_JOIN)
			assert_int_equal(mp.token, 0xfedcba98);
		if (mp.kind == MLB_MPTCP_KEYS) {
			assert_memory_equal(mp.peer_key, server_key,
					    sizeof(server_key));
			assert_memory_equal(mp.key, client_key,
					    sizeof(client_key));
		}
	}
	print_message("%zu packets\n", sizeof(packets) / sizeof(*p));
}

/*
 * A segment cut anywhere says what its whole options before the cut say, and
 * is malformed when the cut goes through one.
 */
static void test_truncated(void **state)
{
	static const u8 opt[] = { MSS, SACK_OK, STAMP, NOP, 3, 3, 7, JOIN };
	static const bool whole[sizeof(opt) + 1] = {
		[0] = true, [4] = true, [6] = true, [16] = true, [17] = true,
		[20] = true, [32] = true,
	};
	enum mlb_mptcp_kind want;
	struct mlb_mptcp mp;
	unsigned int len;

	(void)state;
	for (len = 0; len <= sizeof(opt); len++) {
		parse(opt, len, true, &mp);
		want = !whole[len] ? MLB_MPTCP_BAD :
		       len == sizeof(opt) ? MLB_MPTCP_JOIN : MLB_MPTCP_NONE;
		assert_int_equal(mp.kind, want);
	}
}

/* Every length that a single MPTCP option can claim, in room for 40 bytes. */
static void test_lengths(void **state)
{
	u8 opt[MLB_OPTION_SPACE] = { 30 };
	enum mlb_mptcp_kind want;
	struct mlb_mptcp mp;
	unsigned int len;

	(void)state;
	for (len = 0; len < 256; len++) {
		opt[1] = len;

		opt[2] = 0x01;
		opt[3] = 0x01;
		parse(opt, sizeof(opt), true, &mp);
		assert_int_equal(mp.kind, len == 4 ? MLB_MPTCP_CAPABLE :
						     MLB_MPTCP_BAD);
		parse(opt, sizeof(opt), false, &mp);
		want = len == 20 || len == 22 || len == 24 ? MLB_MPTCP_KEYS :
							     MLB_MPTCP_BAD;
		assert_int_equal(mp.kind, want);

		opt[2] = 0x10;
		parse(opt, sizeof(opt), true, &mp);
		assert_int_equal(mp.kind, len == 12 ? MLB_MPTCP_JOIN :
						      MLB_MPTCP_BAD);
		parse(opt, sizeof(opt), false, &mp);
		want = len < 3 || len > sizeof(opt) ? MLB_MPTCP_BAD :
						      MLB_MPTCP_NONE;
		assert_int_equal(mp.kind, want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests_name("option", tests, NULL, NULL);
}
