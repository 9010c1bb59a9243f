// SPDX-License-Identifier: GPL-2.0
/*
 * When one of these fails, nodes do not understand each other, or take packets
 * that no node of their cluster sent.
 */
#include "unit.h"

#include <linux/errno.h>
#include <linux/in.h>
#include <linux/kernel.h>
#include <stdlib.h>
#include <string.h>

#include "tunhdr.h"

#define QUERY_SHAPE	0x23
#define DATA_SHAPE	0x03

static const enum mlb_tuntype types[] = {
	MLB_TUNTYPE_IPV4, MLB_TUNTYPE_IPV6, MLB_TUNTYPE_QUERY,
	MLB_TUNTYPE_ANSWER,
};

/* Key 00 01 .. 0f, as the SipHash paper has it. */
static const siphash_key_t key = {
	{ 0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL }
};

static void fill_bytes(void *to, size_t len, u8 first)
{
	u8 *p = to;

	while (len--)
		*p++ = first++;
}

/* Every byte differs from its neighbours, so that none can be misplaced. */
static void fill_input(struct mlb_tunhdr *th, enum mlb_tuntype type,
		       struct mlb_tuple *tuple, struct mlb_tunmsg *msg)
{
	mlb_tunhdr_fill(th, type, 0x0102);
	fill_bytes(tuple, sizeof(*tuple), 0x40);
	fill_bytes(msg, sizeof(*msg), 0x80);
}

static void flip(void *data, unsigned int bit)
{
	((u8 *)data)[bit / 8] ^= 1 << bit % 8;
}

/* Outputs for the inputs "", 00, 00 01 ...: vectors.h of the reference code. */
static void test_siphash_reference(void **state)
{
	static const struct {
		unsigned int len;
		u64 hash;
	} vectors[] = {
		{ 0, 0x726fdb47dd0e0e31ULL }, { 1, 0x74f839c593dc67fdULL },
		{ 2, 0x0d6c8009d9a94f5aULL }, { 15, 0xa129ca6149be45e5ULL },
		{ 16, 0x3f2acc7f57c29bdbULL }, { 17, 0x699ae9f52cbe4794ULL },
	};
	unsigned int i;
	u8 in[64];

	(void)state;
	fill_bytes(in, sizeof(in), 0);
	for (i = 0; i < ARRAY_SIZE(vectors); i++)
		assert_true(siphash(in, vectors[i].len, &key) ==
			    vectors[i].hash);
}

static void test_bytes_on_the_wire(void **state)
{
	static const u8 want[][16] = {
		[MLB_TUNTYPE_IPV4]   = { 0x03, 4, 0, 0, 0x01, 0x02, 1 },
		[MLB_TUNTYPE_IPV6]   = { 0x03, 41, 0, 0, 0x01, 0x02, 1 },
		[MLB_TUNTYPE_QUERY]  = { 0x23, 1, 0, 0, 0x01, 0x02, 1 },
		[MLB_TUNTYPE_ANSWER] = { 0x23, 2, 0, 0, 0x01, 0x02, 1 },
	};
	struct mlb_tunhdr th;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		memset(&th, 0xff, sizeof(th));
		mlb_tunhdr_fill(&th, types[i], 0x0102);
		assert_memory_equal(&th, want[types[i]], sizeof(th));
	}
}

static void test_parse_what_was_filled(void **state)
{
	struct mlb_tunhdr th;
	enum mlb_tuntype type;
	unsigned int i, id;
	u16 sender;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		for (id = 1; id < 65536; id++) {
			mlb_tunhdr_fill(&th, types[i], id);
			assert_int_equal(mlb_tunhdr_parse(&th, &type, &sender),
					 0);
			assert_int_equal(type, types[i]);
			assert_int_equal(sender, id);
		}
		mlb_tunhdr_fill(&th, types[i], 0);
		assert_int_equal(mlb_tunhdr_parse(&th, &type, &sender),
				 -EPROTO);
	}
}

static bool shape_known(u8 shape, u8 type)
{
	return (shape == DATA_SHAPE &&
		(type == IPPROTO_IPIP || type == IPPROTO_IPV6)) ||
	       (shape == QUERY_SHAPE && (type == 1 || type == 2));
}

static void test_parse_every_shape_and_type(void **state)
{
	unsigned int shape, proto, known = 0;
	struct mlb_tunhdr th;
	enum mlb_tuntype type;
	u16 sender;

	(void)state;
	mlb_tunhdr_fill(&th, MLB_TUNTYPE_IPV4, 1);
	for (shape = 0; shape < 256; shape++) {
		for (proto = 0; proto < 256; proto++) {
			th.shape = shape;
			th.type = proto;
			assert_int_equal(mlb_tunhdr_parse(&th, &type, &sender),
					 shape_known(shape, proto) ? 0 :
								     -EPROTO);
			known += shape_known(shape, proto);
		}
	}
	assert_int_equal(known, ARRAY_SIZE(types));
}

/* No single bit outside of the sender and the MAC may be wrong. */
static void test_parse_refuses_faults(void **state)
{
	const unsigned int sender_bit =
		8 * offsetof(struct mlb_tunhdr, sender);
	unsigned int i, bit, value;
	struct mlb_tunhdr th;
	enum mlb_tuntype type;
	u16 sender;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		for (bit = 0; bit < 8 * sizeof(th); bit++) {
			bool free_bit = (bit >= sender_bit &&
					 bit < sender_bit + 16) ||
					bit >= 64;

			mlb_tunhdr_fill(&th, types[i], 0xa5a5);
			flip(&th, bit);
			assert_int_equal(mlb_tunhdr_parse(&th, &type, &sender),
					 free_bit ? 0 : -EPROTO);
		}
		for (value = 0; value < 256; value++) {
			mlb_tunhdr_fill(&th, types[i], 1);
			th.version = value;
			assert_int_equal(mlb_tunhdr_parse(&th, &type, &sender),
					 value == 1 ? 0 : -EPROTO);
			mlb_tunhdr_fill(&th, types[i], 1);
			th.zero = value;
			assert_int_equal(mlb_tunhdr_parse(&th, &type, &sender),
					 value ? -EPROTO : 0);
		}
	}
}

/* The input as tunhdr.h words it, put together byte by byte. */
static u64 mac_by_hand(const struct mlb_tunhdr *th, u16 receiver,
		       const void *body, size_t len, size_t padded,
		       const siphash_key_t *k)
{
	u8 in[96] = { 0 };
	unsigned int i;

	for (i = 0; i < 8; i++)
		in[i] = ((const u8 *)th)[i];
	in[8] = receiver >> 8;
	in[9] = receiver & 0xff;
	for (i = 0; i < len; i++)
		in[10 + i] = ((const u8 *)body)[i];
	return siphash(in, padded, k);
}

static void test_mac_is_siphash_of_the_fields(void **state)
{
	struct mlb_tunhdr th;
	struct mlb_tuple tuple;
	struct mlb_tunmsg msg;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		fill_input(&th, types[i], &tuple, &msg);
		assert_true(be64_to_cpu(mlb_tunhdr_mac_flow(&th, 0x0304, &tuple,
							    &key)) ==
			    mac_by_hand(&th, 0x0304, &tuple, 36, 48, &key));
		assert_true(be64_to_cpu(mlb_tunhdr_mac_msg(&th, 0x0304, &msg,
							   &key)) ==
			    mac_by_hand(&th, 0x0304, &msg, 64, 80, &key));
	}
}

/*
 * Nodes of two releases must agree. Computed by "openssl mac SIPHASH", whose
 * output is little-endian, over
 * 03 04 00 00 01 02 01 00 | 03 04 | 40 .. 63 | 00 00, and
 * 23 01 00 00 01 02 01 00 | 03 04 | 80 .. bf | 00 00 00 00 00 00.
 */
static void test_mac_bytes_stay(void **state)
{
	static const u8 want_flow[] = { 0xa4, 0xca, 0xcc, 0x83,
					0x51, 0x64, 0x0b, 0x54 };
	static const u8 want_msg[] = { 0x68, 0xa3, 0x29, 0x28,
				       0x6f, 0x38, 0xbe, 0x96 };
	struct mlb_tunhdr th;
	struct mlb_tuple tuple;
	struct mlb_tunmsg msg;
	__be64 mac;

	(void)state;
	fill_input(&th, MLB_TUNTYPE_IPV4, &tuple, &msg);
	mac = mlb_tunhdr_mac_flow(&th, 0x0304, &tuple, &key);
	assert_memory_equal(&mac, want_flow, sizeof(mac));

	fill_input(&th, MLB_TUNTYPE_QUERY, &tuple, &msg);
	mac = mlb_tunhdr_mac_msg(&th, 0x0304, &msg, &key);
	assert_memory_equal(&mac, want_msg, sizeof(mac));
}

static int compare_macs(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(u64));
}

static void assert_all_differ(u64 *macs, unsigned int n)
{
	unsigned int i;

	qsort(macs, n, sizeof(*macs), compare_macs);
	for (i = 1; i < n; i++)
		assert_true(macs[i] != macs[i - 1]);
	print_message("%u MACs, all different\n", n);
}

/* All that the MAC covers, in one piece that bits can be flipped in. */
struct covered {
	struct mlb_tunhdr th;
	u16 receiver;
	siphash_key_t key;
	union {
		struct mlb_tuple tuple;
		struct mlb_tunmsg msg;
	};
};

static u64 covered_mac(const struct covered *c, bool flow)
{
	return flow ? mlb_tunhdr_mac_flow(&c->th, c->receiver, &c->tuple,
					  &c->key) :
		      mlb_tunhdr_mac_msg(&c->th, c->receiver, &c->msg, &c->key);
}

static void check_flips(const struct covered *c, bool flow)
{
	const struct {
		size_t at, len;
	} parts[] = {
		{ offsetof(struct covered, th),
		  offsetof(struct mlb_tunhdr, mac) },
		{ offsetof(struct covered, receiver), sizeof(u16) },
		{ offsetof(struct covered, key), sizeof(siphash_key_t) },
		{ offsetof(struct covered, tuple),
		  flow ? sizeof(struct mlb_tuple) : sizeof(struct mlb_tunmsg) },
	};
	u64 macs[1 + 8 * sizeof(*c)];
	struct covered flipped;
	unsigned int bit, i, n = 0;

	macs[n++] = covered_mac(c, flow);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		for (bit = 0; bit < 8 * parts[i].len; bit++) {
			flipped = *c;
			flip((u8 *)&flipped + parts[i].at, bit);
			macs[n++] = covered_mac(&flipped, flow);
		}
	}
	assert_all_differ(macs, n);

	flipped = *c;
	flipped.th.mac = ~c->th.mac;
	assert_true(covered_mac(&flipped, flow) == covered_mac(c, flow));
}

static void test_mac_covers_every_bit(void **state)
{
	struct covered c;

	(void)state;
	memset(&c, 0, sizeof(c));
	mlb_tunhdr_fill(&c.th, MLB_TUNTYPE_IPV6, 7);
	c.receiver = 9;
	c.key = key;
	fill_bytes(&c.tuple, sizeof(c.tuple), 0x10);
	check_flips(&c, true);

	mlb_tunhdr_fill(&c.th, MLB_TUNTYPE_ANSWER, 7);
	fill_bytes(&c.msg, sizeof(c.msg), 0x10);
	check_flips(&c, false);
}

/* A header lies behind UDP, where four bytes of alignment are all there is. */
static void test_mac_of_unaligned_packet(void **state)
{
	u64 room[16];
	struct mlb_tunhdr *th = (void *)((u8 *)room + 4);
	struct mlb_tunmsg *msg = (void *)(th + 1);
	struct mlb_tunhdr th_copy;
	struct mlb_tunmsg msg_copy;
	enum mlb_tuntype type;
	u16 sender;

	(void)state;
	mlb_tunhdr_fill(th, MLB_TUNTYPE_QUERY, 3);
	fill_bytes(msg, sizeof(*msg), 0);
	memcpy(&th_copy, th, sizeof(th_copy));
	memcpy(&msg_copy, msg, sizeof(msg_copy));
	th->mac = mlb_tunhdr_mac_msg(th, 4, msg, &key);

	assert_int_equal(mlb_tunhdr_parse(th, &type, &sender), 0);
	assert_true(th->mac == mlb_tunhdr_mac_msg(&th_copy, 4, &msg_copy,
						  &key));
	assert_false(mlb_tunmsg_valid(msg, type));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siphash_reference),
		cmocka_unit_test(test_bytes_on_the_wire),
		cmocka_unit_test(test_parse_what_was_filled),
		cmocka_unit_test(test_parse_every_shape_and_type),
		cmocka_unit_test(test_parse_refuses_faults),
		cmocka_unit_test(test_mac_is_siphash_of_the_fields),
		cmocka_unit_test(test_mac_bytes_stay),
		cmocka_unit_test(test_mac_covers_every_bit),
		cmocka_unit_test(test_mac_of_unaligned_packet),
	};

	return cmocka_run_group_tests_name("tunhdr", tests, NULL, NULL);
}
