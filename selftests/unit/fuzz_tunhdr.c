// SPDX-License-Identifier: GPL-2.0
/*
 * A tunnel packet from anywhere: what is accepted must be just what this
 * module would have written itself, and its MAC must hold every bit of it.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tunhdr.h"

/* The input in order; what is missing at its end is zero. */
struct input {
	struct mlb_tunhdr th;
	struct mlb_tunmsg msg;
	struct mlb_tuple tuple;
	siphash_key_t key;
	u16 receiver;
	u16 bit;
} __packed;

static void check(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static bool all_zero(const void *data, size_t len)
{
	const u8 *p = data;

	while (len--)
		if (*p++)
			return false;
	return true;
}

static void check_header(const struct mlb_tunhdr *th, enum mlb_tuntype *type)
{
	struct mlb_tunhdr again;
	u16 sender = 0;
	int err;

	*type = MLB_TUNTYPE_IPV4;
	err = mlb_tunhdr_parse(th, type, &sender);
	check(err == 0 || err == -EPROTO, "parse gives 0 or EPROTO");
	if (err)
		return;
	check(sender, "an accepted sender is a node");
	mlb_tunhdr_fill(&again, *type, sender);
	again.mac = th->mac;
	check(!memcmp(th, &again, sizeof(again)), "accepted is as written");
}

/* Whether nothing is left of it once all that a sender may set is taken out. */
static bool message_is_good(struct mlb_tunmsg msg, enum mlb_tuntype type)
{
	bool answer = type == MLB_TUNTYPE_ANSWER;

	if (!answer && type != MLB_TUNTYPE_QUERY)
		return false;
	switch (msg.kind) {
	case MLB_TUNMSG_TOKEN:
		if (!msg.token)
			return false;
		msg.token = 0;
		break;
	case MLB_TUNMSG_FLOW:
		memset(&msg.tuple, 0, sizeof(msg.tuple));
		if (!answer) {
			msg.seq = 0;
			msg.ack = 0;
		}
		break;
	case MLB_TUNMSG_PROBE:
		if (answer && msg.hold == MLB_TUNMSG_NO)
			return false;
		break;
	case MLB_TUNMSG_ALIVE:
		if (!answer || msg.hold == MLB_TUNMSG_WEAK || msg.nonce ||
		    msg.cpu || msg.node || be32toh(msg.interval) > 10000 ||
		    !msg.multiplier || be32toh(msg.multiplier) > 255)
			return false;
		msg.interval = 0;
		msg.multiplier = 0;
		break;
	default:
		return false;
	}
	if (answer) {
		if (msg.hold > MLB_TUNMSG_YES)
			return false;
		msg.hold = 0;
		msg.cpu = 0;
		msg.node = 0;
	}
	msg.nonce = 0;
	msg.kind = 0;
	return all_zero(&msg, sizeof(msg));
}

static void check_message(const struct mlb_tunmsg *msg, enum mlb_tuntype type)
{
	check(mlb_tunmsg_valid(msg, type) == message_is_good(*msg, type),
	      "a message is good, or not");
}

/* One bit of what the MAC covers, chosen by the input. */
static void check_mac(const struct input *in)
{
	const size_t head = offsetof(struct mlb_tunhdr, mac);
	siphash_key_t key = in->key;
	struct mlb_tunmsg msg = in->msg;
	struct mlb_tuple tuple = in->tuple;
	struct mlb_tunhdr th = in->th;
	u16 receiver = in->receiver;
	unsigned int byte = in->bit / 8;
	u8 mask = 1 << in->bit % 8;
	__be64 flow, message;

	flow = mlb_tunhdr_mac_flow(&th, receiver, &tuple, &key);
	message = mlb_tunhdr_mac_msg(&th, receiver, &msg, &key);
	check(flow != message, "flow and message differ");

	byte %= head + sizeof(receiver) + sizeof(tuple);
	if (byte < head)
		((u8 *)&th)[byte] ^= mask;
	else if (byte < head + sizeof(receiver))
		((u8 *)&receiver)[byte - head] ^= mask;
	else
		((u8 *)&tuple)[byte - head - sizeof(receiver)] ^= mask;
	check(mlb_tunhdr_mac_flow(&th, receiver, &tuple, &key) != flow,
	      "another flow has another MAC");

	th = in->th;
	receiver = in->receiver;
	byte = in->bit / 8 % (head + sizeof(receiver) + sizeof(msg));
	if (byte < head)
		((u8 *)&th)[byte] ^= mask;
	else if (byte < head + sizeof(receiver))
		((u8 *)&receiver)[byte - head] ^= mask;
	else
		((u8 *)&msg)[byte - head - sizeof(receiver)] ^= mask;
	check(mlb_tunhdr_mac_msg(&th, receiver, &msg, &key) != message,
	      "another message has another MAC");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum mlb_tuntype type;
	struct mlb_tunhdr *th;
	struct mlb_tunmsg *msg;
	struct input in;

	if (size > sizeof(in))
		return 0;
	memset(&in, 0, sizeof(in));
	memcpy(&in, data, size);

	/* Each in memory of just its size, for ASan. */
	th = malloc(sizeof(*th));
	msg = malloc(sizeof(*msg));
	if (!th || !msg)
		abort();
	memcpy(th, &in.th, sizeof(*th));
	memcpy(msg, &in.msg, sizeof(*msg));
	check_header(th, &type);
	check_message(msg, type);
	check_mac(&in);
	free(msg);
	free(th);
	return 0;
}
