// SPDX-License-Identifier: GPL-2.0
/*
 * When one of these fails, a node acts on a message that means nothing, or
 * does not hear one that its peers send.
 */
#include "unit.h"

#include <linux/kernel.h>
#include <string.h>

#include "tunhdr.h"

static const enum mlb_tuntype types[] = {
	MLB_TUNTYPE_QUERY, MLB_TUNTYPE_ANSWER,
};

static const u8 kinds[] = {
	MLB_TUNMSG_TOKEN, MLB_TUNMSG_FLOW, MLB_TUNMSG_PROBE,
};

/* Whether the numbers say how often the sender sends, and not where it is. */
static bool alive_numbers(const struct mlb_tunmsg *msg)
{
	u32 multiplier = be32_to_cpu(msg->multiplier);

	return be32_to_cpu(msg->interval) <= 10000 && multiplier >= 1 &&
	       multiplier <= 255;
}

/* As its sender would have made it, answers with all that they may carry. */
static void fill_good(struct mlb_tunmsg *msg, enum mlb_tuntype type, u8 kind)
{
	memset(msg, 0, sizeof(*msg));
	msg->nonce = cpu_to_be64(0x0123456789abcdefULL);
	msg->kind = kind;
	if (type == MLB_TUNTYPE_ANSWER) {
		msg->hold = MLB_TUNMSG_YES;
		msg->cpu = cpu_to_be16(0xffff);
		msg->node = cpu_to_be16(0xffff);
	}
	if (kind == MLB_TUNMSG_TOKEN)
		msg->token = cpu_to_be32(0x80000001);
	else if (kind == MLB_TUNMSG_FLOW)
		memset(&msg->tuple, 0xff, sizeof(msg->tuple));
	if (kind == MLB_TUNMSG_FLOW && type == MLB_TUNTYPE_QUERY) {
		msg->seq = cpu_to_be32(0xffffffff);
		msg->ack = cpu_to_be32(0xffffffff);
	}
}

typedef void check_fn(struct mlb_tunmsg *msg, enum mlb_tuntype type, u8 kind);

static void for_each_good(check_fn *check)
{
	struct mlb_tunmsg msg;
	unsigned int t, k;

	for (t = 0; t < ARRAY_SIZE(types); t++) {
		for (k = 0; k < ARRAY_SIZE(kinds); k++) {
			fill_good(&msg, types[t], kinds[k]);
			assert_true(mlb_tunmsg_valid(&msg, types[t]));
			check(&msg, types[t], kinds[k]);
		}
	}
}

static void check_type(struct mlb_tunmsg *msg, enum mlb_tuntype type, u8 kind)
{
	(void)type;
	(void)kind;
	assert_false(mlb_tunmsg_valid(msg, MLB_TUNTYPE_IPV4));
	assert_false(mlb_tunmsg_valid(msg, MLB_TUNTYPE_IPV6));
	assert_false(mlb_tunmsg_valid(msg, MLB_TUNTYPE_ANSWER + 1));
}

static void test_only_messages(void **state)
{
	(void)state;
	for_each_good(check_type);
}

static void check_kind(struct mlb_tunmsg *msg, enum mlb_tuntype type, u8 kind)
{
	unsigned int value;

	for (value = 0; value < 256; value++) {
		msg->kind = value;
		/*
		 * Another kind asks for what this message leaves zero; but a
		 * probe is a flow of zeroes too. Nobody asks for ALIVE: these
		 * have a nonce.
		 */
		assert_int_equal(mlb_tunmsg_valid(msg, type),
				 value == kind ||
				 (kind == MLB_TUNMSG_PROBE &&
				  value == MLB_TUNMSG_FLOW));
	}
}

static void check_node(struct mlb_tunmsg *msg, enum mlb_tuntype type, u8 kind)
{
	unsigned int value;

	(void)kind;
	for (value = 0; value < 65536; value++) {
		msg->node = cpu_to_be16(value);
		assert_int_equal(mlb_tunmsg_valid(msg, type),
				 type == MLB_TUNTYPE_ANSWER || !value);
	}
}

static void test_node(void **state)
{
	(void)state;
	for_each_good(check_node);
}

/* Only who asks for a flow says which packet made it ask. */
static void check_numbers(struct mlb_tunmsg *msg, enum mlb_tuntype type,
			  u8 kind)
{
	bool may = kind == MLB_TUNMSG_FLOW && type == MLB_TUNTYPE_QUERY;

	msg->seq = cpu_to_be32(1);
	msg->ack = 0;
	assert_int_equal(mlb_tunmsg_valid(msg, type), may);
	msg->seq = 0;
	msg->ack = cpu_to_be32(1);
	assert_int_equal(mlb_tunmsg_valid(msg, type), may);
}

static void test_numbers(void **state)
{
	(void)state;
	for_each_good(check_numbers);
}

static void test_kind(void **state)
{
	(void)state;
	for_each_good(check_kind);
}

static void check_hold(struct mlb_tunmsg *msg, enum mlb_tuntype type, u8 kind)
{
	bool answer = type == MLB_TUNTYPE_ANSWER;
	unsigned int value;

	for (value = 0; value < 256; value++) {
		msg->hold = value;
		assert_int_equal(mlb_tunmsg_valid(msg, type),
				 answer ? value == MLB_TUNMSG_WEAK ||
					  value == MLB_TUNMSG_YES ||
					  (value == MLB_TUNMSG_NO &&
					   kind != MLB_TUNMSG_PROBE) :
					  value == MLB_TUNMSG_NO);
	}
}

static void test_hold(void **state)
{
	(void)state;
	for_each_good(check_hold);
}

static void check_cpu(struct mlb_tunmsg *msg, enum mlb_tuntype type, u8 kind)
{
	unsigned int value;

	(void)kind;
	for (value = 0; value < 65536; value++) {
		msg->cpu = cpu_to_be16(value);
		assert_int_equal(mlb_tunmsg_valid(msg, type),
				 type == MLB_TUNTYPE_ANSWER || !value);
	}
}

static void test_cpu(void **state)
{
	(void)state;
	for_each_good(check_cpu);
}

static void check_token(struct mlb_tunmsg *msg, enum mlb_tuntype type, u8 kind)
{
	unsigned int bit;

	msg->token = 0;
	assert_int_equal(mlb_tunmsg_valid(msg, type), kind != MLB_TUNMSG_TOKEN);
	for (bit = 0; bit < 32; bit++) {
		msg->token = cpu_to_be32(1U << bit);
		assert_int_equal(mlb_tunmsg_valid(msg, type),
				 kind == MLB_TUNMSG_TOKEN);
	}
}

static void test_token(void **state)
{
	(void)state;
	for_each_good(check_token);
}

static void check_tuple(struct mlb_tunmsg *msg, enum mlb_tuntype type, u8 kind)
{
	u8 *bytes = (u8 *)msg + offsetof(struct mlb_tunmsg, tuple);
	unsigned int bit;

	for (bit = 0; bit < 8 * sizeof(msg->tuple); bit++) {
		memset(bytes, 0, sizeof(msg->tuple));
		bytes[bit / 8] = 1 << bit % 8;
		assert_int_equal(mlb_tunmsg_valid(msg, type),
				 kind == MLB_TUNMSG_FLOW);
	}
}

static void test_tuple(void **state)
{
	(void)state;
	for_each_good(check_tuple);
}

static void check_zero(struct mlb_tunmsg *msg, enum mlb_tuntype type, u8 kind)
{
	unsigned int bit;

	(void)kind;
	for (bit = 0; bit < 16; bit++) {
		msg->zero = cpu_to_be16(1U << bit);
		assert_false(mlb_tunmsg_valid(msg, type));
	}
}

static void test_reserved(void **state)
{
	(void)state;
	for_each_good(check_zero);
}

static void fill_alive(struct mlb_tunmsg *msg)
{
	memset(msg, 0, sizeof(*msg));
	msg->kind = MLB_TUNMSG_ALIVE;
	msg->hold = MLB_TUNMSG_YES;
	msg->interval = cpu_to_be32(50);
	msg->multiplier = cpu_to_be32(3);
}

/* Nobody asks whether a node lives, and it says nothing else. */
static void test_alive(void **state)
{
	struct mlb_tunmsg msg, good;
	u8 *bytes = (u8 *)&msg;
	unsigned int bit;

	(void)state;
	fill_alive(&good);
	msg = good;
	assert_true(mlb_tunmsg_valid(&msg, MLB_TUNTYPE_ANSWER));
	assert_false(mlb_tunmsg_valid(&msg, MLB_TUNTYPE_QUERY));
	msg.hold = MLB_TUNMSG_NO;
	assert_true(mlb_tunmsg_valid(&msg, MLB_TUNTYPE_ANSWER));
	assert_false(mlb_tunmsg_valid(&msg, MLB_TUNTYPE_QUERY));
	msg.hold = MLB_TUNMSG_WEAK;
	assert_false(mlb_tunmsg_valid(&msg, MLB_TUNTYPE_ANSWER));

	for (bit = 0; bit < 8 * sizeof(msg); bit++) {
		size_t at = bit / 8;

		if (at == offsetof(struct mlb_tunmsg, kind) ||
		    at == offsetof(struct mlb_tunmsg, hold))
			continue;
		msg = good;
		bytes[at] ^= 1 << bit % 8;
		assert_int_equal(mlb_tunmsg_valid(&msg, MLB_TUNTYPE_ANSWER),
				 at >= offsetof(struct mlb_tunmsg, interval) &&
				 at < offsetof(struct mlb_tunmsg, node) &&
				 alive_numbers(&msg));
	}
}

static void test_alive_numbers(void **state)
{
	static const u32 numbers[] = { 0,    1,	    2,	   255, 256, 9999,
				       10000, 10001, 65536, 0xffffffff };
	struct mlb_tunmsg msg;
	unsigned int i, k;

	(void)state;
	fill_alive(&msg);
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		for (k = 0; k < ARRAY_SIZE(numbers); k++) {
			msg.interval = cpu_to_be32(numbers[i]);
			msg.multiplier = cpu_to_be32(numbers[k]);
			assert_int_equal(mlb_tunmsg_valid(&msg,
							  MLB_TUNTYPE_ANSWER),
					 alive_numbers(&msg));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_messages),
		cmocka_unit_test(test_kind),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_node),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_tuple),
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_alive),
		cmocka_unit_test(test_alive_numbers),
	};

	return cmocka_run_group_tests_name("tunmsg", tests, NULL, NULL);
}
