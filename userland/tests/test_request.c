// SPDX-License-Identifier: GPL-2.0
/*
 * If this fails, a refusal is shown without its reason or at the wrong place,
 * or a change is reported done that was not.
 */
#include "fake.h"

static void done(void **state)
{
	struct fake *fake = *state;
	struct mlb_node node = {
		.fields = MLB_F_NODE_WEIGHT | MLB_F_NODE_STATE |
			  MLB_F_NODE_LATER,
		.id = 7,
		.weight = 9,
		.state = MLB_NODE_STATE_DRAIN,
	};
	struct nlattr *tb[MLB_A_NODE_MAX + 1];
	struct nlmsghdr *nlh;

	/* Left over from a request that was given up. */
	fake_send_ack(fake, 0, -EBUSY);
	fake_send_ack(fake, 1, 0);
	assert_int_equal(mlb_node_set(fake->mlb, &node), 0);
	assert_int_equal(mlb_last_error(fake->mlb)->code, 0);

	nlh = fake_request(fake);
	assert_int_equal(genlmsg_hdr(nlh)->cmd, MLB_CMD_NODE_SET);
	assert_true(nlh->nlmsg_flags & NLM_F_ACK);
	assert_int_equal(
		nlmsg_parse(nlh, GENL_HDRLEN, tb, MLB_A_NODE_MAX, NULL), 0);
	assert_int_equal(nla_get_u16(tb[MLB_A_NODE_ID]), 7);
	assert_int_equal(nla_get_u32(tb[MLB_A_NODE_WEIGHT]), 9);
	assert_int_equal(nla_get_u32(tb[MLB_A_NODE_STATE]),
			 MLB_NODE_STATE_DRAIN);
	assert_non_null(tb[MLB_A_NODE_LATER]);
	assert_null(tb[MLB_A_NODE_ADDR]);
	assert_null(tb[MLB_A_NODE_SELF]);
}

static void refused_with_text(void **state)
{
	struct fake *fake = *state;
	const struct mlb_error *error = mlb_last_error(fake->mlb);
	struct nl_msg *msg = fake_ack(1, -EBUSY, NLM_F_ACK_TLVS);

	nla_put_string(msg, NLMSGERR_ATTR_MSG, "a service names the node");
	nla_put_u32(msg, NLMSGERR_ATTR_OFFS, NLMSG_HDRLEN + GENL_HDRLEN);
	fake_send(fake, msg);
	assert_int_equal(mlb_node_del(fake->mlb, 3), -EBUSY);
	assert_int_equal(error->code, EBUSY);
	assert_true(error->kernel);
	assert_string_equal(error->text, "a service names the node");
	assert_string_equal(error->attr, "id");
	assert_int_equal(error->index, 0);
}

static void refused_without_text(void **state)
{
	struct fake *fake = *state;
	const struct mlb_error *error = mlb_last_error(fake->mlb);

	fake_send_ack(fake, 1, -EPERM);
	assert_int_equal(mlb_owner_flush(fake->mlb, 0), -EPERM);
	assert_string_equal(error->text, strerror(EPERM));
	assert_null(error->attr);
	assert_int_equal(error->index, MLB_NO_INDEX);
}

static void missing_attribute(void **state)
{
	struct fake *fake = *state;
	struct nl_msg *msg = fake_ack(1, -EINVAL, NLM_F_ACK_TLVS);

	nla_put_u32(msg, NLMSGERR_ATTR_MISS_TYPE, MLB_A_NODE_ADDR);
	fake_send(fake, msg);
	assert_int_equal(mlb_node_add(fake->mlb, &(struct mlb_node){ .id = 1 }),
			 -EINVAL);
	assert_string_equal(mlb_last_error(fake->mlb)->text, "addr is missing");
	assert_string_equal(mlb_last_error(fake->mlb)->attr, "addr");
}

/* A kernel that does not know NETLINK_CAP_ACK quotes the request first. */
static void uncapped(void **state)
{
	struct fake *fake = *state;
	struct nl_msg *msg = nlmsg_alloc_size(4096);
	struct nlmsgerr err = { .error = -EEXIST };
	char quoted[40] = {};

	assert_non_null(msg);
	err.msg.nlmsg_len = sizeof(err.msg) + sizeof(quoted);
	nlmsg_put(msg, 0, 1, NLMSG_ERROR, 0, NLM_F_ACK_TLVS);
	nlmsg_append(msg, &err, sizeof(err), NLMSG_ALIGNTO);
	nlmsg_append(msg, quoted, sizeof(quoted), NLMSG_ALIGNTO);
	nla_put_string(msg, NLMSGERR_ATTR_MSG, "exists");
	fake_send(fake, msg);
	assert_int_equal(mlb_node_del(fake->mlb, 3), -EEXIST);
	assert_string_equal(mlb_last_error(fake->mlb)->text, "exists");
}

/* Lengths in an answer are not believed. */
static void lying_lengths(void **state)
{
	struct fake *fake = *state;
	struct nlattr lie = { .nla_len = 4000, .nla_type = NLMSGERR_ATTR_MSG };
	struct nl_msg *msg = fake_ack(1, -EBUSY, NLM_F_ACK_TLVS);
	int code = -EBUSY;

	nlmsg_append(msg, &lie, sizeof(lie), NLMSG_ALIGNTO);
	fake_send(fake, msg);
	assert_int_equal(mlb_node_del(fake->mlb, 3), -EBUSY);
	assert_string_equal(mlb_last_error(fake->mlb)->text, strerror(EBUSY));

	/* An offset beyond the request points at nothing. */
	msg = fake_ack(2, -EBUSY, NLM_F_ACK_TLVS);
	nla_put_u32(msg, NLMSGERR_ATTR_OFFS, UINT32_MAX);
	fake_send(fake, msg);
	assert_int_equal(mlb_node_del(fake->mlb, 3), -EBUSY);
	assert_null(mlb_last_error(fake->mlb)->attr);

	/* A quoted length beyond the message. */
	msg = nlmsg_alloc_size(4096);
	nlmsg_put(msg, 0, 3, NLMSG_ERROR, 0, NLM_F_ACK_TLVS);
	nlmsg_append(msg,
		     &(struct nlmsgerr){ .error = -EBUSY,
					 .msg.nlmsg_len = UINT32_MAX },
		     sizeof(struct nlmsgerr), NLMSG_ALIGNTO);
	fake_send(fake, msg);
	assert_int_equal(mlb_node_del(fake->mlb, 3), -EBUSY);

	/* An error message without an error in it. */
	msg = nlmsg_alloc_size(64);
	nlmsg_put(msg, 0, 4, NLMSG_ERROR, 0, 0);
	nlmsg_append(msg, &code, sizeof(code), NLMSG_ALIGNTO);
	fake_send(fake, msg);
	assert_int_equal(mlb_node_del(fake->mlb, 3), -EBADMSG);
	assert_false(mlb_last_error(fake->mlb)->kernel);
}

static struct mlb_owner *owners(size_t n)
{
	struct mlb_owner *entries = calloc(n, sizeof(*entries));

	assert_non_null(entries);
	for (size_t i = 0; i < n; i++) {
		entries[i].token = (uint32_t)i;
		entries[i].node = 2;
		entries[i].cpu = i % 2 ? 3 : MLB_NO_CPU;
	}
	return entries;
}

/* What stands at an entry of a bulk request. */
static uint32_t entry_offset(struct nlmsghdr *nlh, size_t index,
			     struct nlattr **tb)
{
	struct nlattr *attr;
	size_t i = 0;
	int rem;

	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem) {
		assert_int_equal(nla_type(attr), MLB_A_OWNER_ENTRY);
		assert_true(attr->nla_type & NLA_F_NESTED);
		if (i++ == index) {
			nla_parse_nested(tb, MLB_A_OWNER_ENTRY_MAX, attr, NULL);
			return (uint32_t)((char *)attr - (char *)nlh);
		}
	}
	fail_msg("the request has only %zu entries", i);
	return 0;
}

/* The second message is refused at its third entry. */
static void bulk(void **state)
{
	struct fake *fake = *state;
	const struct mlb_error *error = mlb_last_error(fake->mlb);
	struct nlattr *tb[MLB_A_OWNER_ENTRY_MAX + 1];
	const size_t n = MLB_OWNER_BATCH + 10;
	struct mlb_owner *entries = owners(n);
	struct nl_msg *msg = fake_ack(2, -EEXIST, NLM_F_ACK_TLVS);
	struct nlmsghdr *nlh;
	uint32_t offset;
	size_t done;

	/* 28 or 20 bytes an entry; inside the third, at its token. */
	offset = NLMSG_HDRLEN + GENL_HDRLEN + 20 + 28 + NLA_HDRLEN;
	nla_put_u32(msg, NLMSGERR_ATTR_OFFS, offset);
	nla_put_string(msg, NLMSGERR_ATTR_MSG, "the token has an entry");
	fake_send_ack(fake, 1, 0);
	fake_send(fake, msg);

	assert_int_equal(mlb_owner_add(fake->mlb, entries, n, 0, &done),
			 -EEXIST);
	assert_int_equal(done, MLB_OWNER_BATCH);
	assert_int_equal(error->index, MLB_OWNER_BATCH + 2);
	assert_null(error->attr);
	assert_string_equal(error->text, "the token has an entry");

	nlh = fake_request(fake);
	assert_int_equal(genlmsg_hdr(nlh)->cmd, MLB_CMD_OWNER_ADD);
	assert_null(nlmsg_find_attr(nlh, GENL_HDRLEN, MLB_A_OWNER_REPLACE));
	entry_offset(nlh, MLB_OWNER_BATCH - 1, tb);
	assert_int_equal(nla_get_u32(tb[MLB_A_OWNER_ENTRY_TOKEN]),
			 MLB_OWNER_BATCH - 1);
	assert_int_equal(nla_get_u16(tb[MLB_A_OWNER_ENTRY_NODE]), 2);
	assert_int_equal(nla_get_u32(tb[MLB_A_OWNER_ENTRY_CPU]), 3);
	entry_offset(nlh, 0, tb);
	assert_null(tb[MLB_A_OWNER_ENTRY_CPU]);
	nlh = fake_request(fake);
	assert_int_equal(entry_offset(nlh, 2, tb), offset - NLA_HDRLEN);
	assert_int_equal(nla_get_u32(tb[MLB_A_OWNER_ENTRY_TOKEN]),
			 MLB_OWNER_BATCH + 2);

	fake_send_ack(fake, 3, 0);
	assert_int_equal(mlb_owner_add(fake->mlb, entries, 1, MLB_OWNER_REPLACE,
				       &done),
			 0);
	assert_int_equal(done, 1);
	nlh = fake_request(fake);
	assert_non_null(nlmsg_find_attr(nlh, GENL_HDRLEN, MLB_A_OWNER_REPLACE));
	free(entries);
}

static void send_ended(struct fake *fake, uint32_t seq, uint32_t ended,
		       uint32_t gone, uint32_t detached)
{
	struct nl_msg *msg = fake_msg(seq, 0, MLB_CMD_OWNER_END);

	nla_put_u32(msg, MLB_A_OWNER_ENDED, ended);
	nla_put_u32(msg, MLB_A_OWNER_GONE, gone);
	nla_put_u32(msg, MLB_A_OWNER_DETACHED, detached);
	fake_send(fake, msg);
	fake_send_ack(fake, seq, 0);
}

/* Counts of several messages are added up, up to one that is refused. */
static void end(void **state)
{
	struct fake *fake = *state;
	struct nlattr *tb[MLB_A_OWNER_ENTRY_MAX + 1];
	const size_t n = MLB_OWNER_BATCH + 10;
	struct mlb_owner *entries = owners(n);
	struct mlb_ended ended = { .ended = 77 };
	struct nlmsghdr *nlh;

	send_ended(fake, 1, MLB_OWNER_BATCH - 3, 2, 1);
	send_ended(fake, 2, 7, 3, 0);
	assert_int_equal(mlb_owner_end(fake->mlb, entries, n, &ended), 0);
	assert_int_equal(ended.ended, MLB_OWNER_BATCH + 4);
	assert_int_equal(ended.gone, 5);
	assert_int_equal(ended.detached, 1);
	nlh = fake_request(fake);
	assert_int_equal(genlmsg_hdr(nlh)->cmd, MLB_CMD_OWNER_END);
	entry_offset(nlh, 1, tb);
	assert_int_equal(nla_get_u32(tb[MLB_A_OWNER_ENTRY_TOKEN]), 1);
	assert_null(tb[MLB_A_OWNER_ENTRY_NODE]);
	assert_null(tb[MLB_A_OWNER_ENTRY_CPU]);
	fake_request(fake);

	send_ended(fake, 3, MLB_OWNER_BATCH, 0, 0);
	fake_send_ack(fake, 4, -EPERM);
	assert_int_equal(mlb_owner_end(fake->mlb, entries, n, &ended), -EPERM);
	assert_int_equal(ended.ended, MLB_OWNER_BATCH);
	fake_request(fake);
	fake_request(fake);
	free(entries);
}

static void send_node(struct fake *fake, uint32_t seq, uint16_t id, bool self)
{
	struct nl_msg *msg = fake_msg(seq, NLM_F_MULTI, MLB_CMD_NODE_GET);

	nla_put_u16(msg, MLB_A_NODE_ID, id);
	if (self)
		nla_put_flag(msg, MLB_A_NODE_SELF);
	fake_send(fake, msg);
}

static void send_entry(struct fake *fake, uint32_t seq, int flags,
		       uint32_t token, bool local)
{
	struct nl_msg *msg =
		fake_msg(seq, NLM_F_MULTI | flags, MLB_CMD_OWNER_GET);
	struct nlattr *nest = nla_nest_start(msg, MLB_A_OWNER_ENTRY);

	nla_put_u32(msg, MLB_A_OWNER_ENTRY_TOKEN, token);
	nla_put_u16(msg, MLB_A_OWNER_ENTRY_NODE, 4);
	if (local)
		nla_put_flag(msg, MLB_A_OWNER_ENTRY_LOCAL);
	nla_nest_end(msg, nest);
	fake_send(fake, msg);
}

/* Those of the node that is this host, and of these its own ones. */
static void end_all(void **state)
{
	struct fake *fake = *state;
	struct nlattr *tb[MLB_A_OWNER_ENTRY_MAX + 1];
	struct mlb_ended ended;
	struct nlmsghdr *nlh;

	send_node(fake, 1, 3, false);
	send_node(fake, 1, 4, true);
	send_node(fake, 1, 5, false);
	fake_send_done(fake, 1, 0, NULL);
	send_entry(fake, 2, 0, 0x10, true);
	send_entry(fake, 2, 0, 0x20, false);
	send_entry(fake, 2, 0, 0x30, true);
	fake_send_done(fake, 2, 0, NULL);
	send_ended(fake, 3, 2, 0, 0);
	assert_int_equal(mlb_owner_end_all(fake->mlb, &ended), 0);
	assert_int_equal(ended.ended, 2);
	fake_request(fake);
	nlh = fake_request(fake);
	assert_int_equal(nla_get_u16(nlmsg_find_attr(nlh, GENL_HDRLEN,
						     MLB_A_OWNER_NODE)),
			 4);
	nlh = fake_request(fake);
	entry_offset(nlh, 1, tb);
	assert_int_equal(nla_get_u32(tb[MLB_A_OWNER_ENTRY_TOKEN]), 0x30);

	/* A host that is no node has none; nor does it ask. */
	send_node(fake, 4, 3, false);
	fake_send_done(fake, 4, 0, NULL);
	assert_int_equal(mlb_owner_end_all(fake->mlb, &ended), 0);
	assert_int_equal(ended.ended, 0);
}

/* A listing of one entry, as whole or as disturbed each time it is made. */
static uint32_t send_listing(struct fake *fake, uint32_t seq, bool disturbed)
{
	uint32_t end = disturbed ? seq + MLB_DUMP_TRIES : seq + 1;

	for (; seq < end; seq++) {
		send_entry(fake, seq, disturbed ? NLM_F_DUMP_INTR : 0, seq,
			   true);
		fake_send_done(fake, seq, 0, NULL);
	}
	return seq;
}

/* What was beside a token that is another node's now ends all the same. */
static void end_all_moved(void **state)
{
	struct fake *fake = *state;
	struct mlb_ended ended;
	uint32_t seq = 2;

	send_node(fake, 1, 4, true);
	fake_send_done(fake, 1, 0, NULL);
	seq = send_listing(fake, seq, false);
	fake_send_ack(fake, seq++, -EPERM);
	seq = send_listing(fake, seq, false);
	send_ended(fake, seq, 1, 0, 0);
	assert_int_equal(mlb_owner_end_all(fake->mlb, &ended), 0);
	assert_int_equal(ended.ended, 1);

	/* But not for ever. */
	send_node(fake, ++seq, 4, true);
	fake_send_done(fake, seq++, 0, NULL);
	for (int i = 0; i < MLB_DUMP_TRIES; i++) {
		seq = send_listing(fake, seq, false);
		fake_send_ack(fake, seq++, -EPERM);
	}
	assert_int_equal(mlb_owner_end_all(fake->mlb, &ended), -EPERM);
	assert_int_equal(ended.ended, 0);
}

/* Nobody is told that all have ended when some may not have been listed. */
static void end_all_disturbed(void **state)
{
	struct fake *fake = *state;
	struct mlb_ended ended;
	uint32_t seq = 2;

	send_node(fake, 1, 4, true);
	fake_send_done(fake, 1, 0, NULL);
	seq = send_listing(fake, seq, true);
	send_ended(fake, seq++, 3, 0, 1);
	seq = send_listing(fake, seq, false);
	send_ended(fake, seq, 2, 4, 0);
	assert_int_equal(mlb_owner_end_all(fake->mlb, &ended), 0);
	assert_int_equal(ended.ended, 5);
	assert_int_equal(ended.gone, 4);
	assert_int_equal(ended.detached, 0);

	send_node(fake, ++seq, 4, true);
	fake_send_done(fake, seq++, 0, NULL);
	for (int i = 0; i < MLB_DUMP_TRIES; i++) {
		seq = send_listing(fake, seq, true);
		send_ended(fake, seq++, 1, 0, 0);
	}
	assert_int_equal(mlb_owner_end_all(fake->mlb, &ended), -EAGAIN);
	assert_int_equal(mlb_last_error(fake->mlb)->code, EAGAIN);
	assert_int_equal(ended.ended, MLB_DUMP_TRIES);

	/* What had ended before a listing that fails is counted once. */
	send_node(fake, seq, 4, true);
	fake_send_done(fake, seq++, 0, NULL);
	seq = send_listing(fake, seq, true);
	send_ended(fake, seq++, 3, 0, 0);
	fake_send_done(fake, seq, -ENOBUFS, NULL);
	assert_int_equal(mlb_owner_end_all(fake->mlb, &ended), -ENOBUFS);
	assert_int_equal(ended.ended, 3);
}

static void answer(void **state)
{
	struct fake *fake = *state;
	struct mlb_owner owner = {};
	struct nlattr *nest;
	struct nl_msg *msg;

	msg = fake_msg(1, 0, MLB_CMD_OWNER_GET);
	nest = nla_nest_start(msg, MLB_A_OWNER_ENTRY);
	nla_put_u32(msg, MLB_A_OWNER_ENTRY_TOKEN, 0xcafe);
	nla_put_u16(msg, MLB_A_OWNER_ENTRY_NODE, 4);
	nla_put_u16(msg, MLB_A_OWNER_ENTRY_RIVAL, 9);
	nla_put_flag(msg, MLB_A_OWNER_ENTRY_LOCAL);
	nla_nest_end(msg, nest);
	fake_send(fake, msg);
	fake_send_ack(fake, 1, 0);
	assert_int_equal(mlb_owner_get(fake->mlb, 0xcafe, &owner), 0);
	assert_int_equal(owner.token, 0xcafe);
	assert_int_equal(owner.node, 4);
	assert_int_equal(owner.cpu, MLB_NO_CPU);
	assert_int_equal(owner.rival, 9);
	assert_true(owner.local);
	assert_false(owner.seen);

	/* An answer that does not make sense is an error, also here. */
	msg = fake_msg(2, 0, MLB_CMD_NODE_GET);
	nla_put_u32(msg, MLB_A_NODE_WEIGHT, 1);
	fake_send(fake, msg);
	fake_send_ack(fake, 2, 0);
	assert_int_equal(mlb_node_get(fake->mlb, 4, &(struct mlb_node){}),
			 -EBADMSG);
	assert_int_equal(mlb_last_error(fake->mlb)->code, EBADMSG);
}

/*
 * What is not there refuses a message and yet does not end the call: the kernel
 * has done the rest of it. The first is told, at its place in the whole.
 */
static void withdraw(void **state)
{
	struct fake *fake = *state;
	struct nlattr *tb[MLB_A_OWNER_ENTRY_MAX + 1];
	const size_t n = MLB_OWNER_BATCH * 2 + 10;
	struct mlb_owner *entries = owners(n);
	struct nl_msg *msg;
	struct nlmsghdr *nlh;
	size_t done;

	fake_send_ack(fake, 1, 0);
	for (uint32_t seq = 2; seq <= 3; seq++) {
		msg = fake_ack(seq, -ENOENT, NLM_F_ACK_TLVS);
		/* 20 bytes an entry; the token of the third. */
		nla_put_u32(msg, NLMSGERR_ATTR_OFFS,
			    NLMSG_HDRLEN + GENL_HDRLEN + 2 * 20 + NLA_HDRLEN);
		nla_put_string(msg, NLMSGERR_ATTR_MSG, "not there");
		fake_send(fake, msg);
	}
	assert_int_equal(mlb_owner_withdraw(fake->mlb, entries, n, &done),
			 -ENOENT);
	assert_int_equal(done, n);
	assert_int_equal(mlb_last_error(fake->mlb)->index, MLB_OWNER_BATCH + 2);
	assert_string_equal(mlb_last_error(fake->mlb)->text, "not there");
	nlh = fake_request(fake);
	assert_int_equal(genlmsg_hdr(nlh)->cmd, MLB_CMD_OWNER_DEL);
	entry_offset(nlh, 1, tb);
	assert_int_equal(nla_get_u16(tb[MLB_A_OWNER_ENTRY_NODE]), 2);
	assert_null(tb[MLB_A_OWNER_ENTRY_CPU]);
	fake_request(fake);
	nlh = fake_request(fake);
	entry_offset(nlh, 9, tb);
	assert_int_equal(nla_get_u32(tb[MLB_A_OWNER_ENTRY_TOKEN]), n - 1);

	/* Any other refusal does end it. */
	fake_send_ack(fake, 4, -EPERM);
	assert_int_equal(mlb_owner_withdraw(fake->mlb, entries, n, &done),
			 -EPERM);
	assert_int_equal(done, 0);
	fake_request(fake);

	/* A deletion names no node, an announcement both. */
	fake_send_ack(fake, 5, 0);
	fake_send_ack(fake, 6, 0);
	assert_int_equal(mlb_owner_del(fake->mlb, entries, 1, NULL), 0);
	entry_offset(fake_request(fake), 0, tb);
	assert_null(tb[MLB_A_OWNER_ENTRY_NODE]);
	assert_int_equal(mlb_owner_add(fake->mlb, entries, 1,
				       MLB_OWNER_ANNOUNCE, NULL),
			 0);
	nlh = fake_request(fake);
	assert_non_null(
		nlmsg_find_attr(nlh, GENL_HDRLEN, MLB_A_OWNER_ANNOUNCE));
	assert_null(nlmsg_find_attr(nlh, GENL_HDRLEN, MLB_A_OWNER_REPLACE));
	free(entries);
}

static void send_explanation(struct fake *fake, uint32_t seq, int node)
{
	struct nl_msg *msg = fake_msg(seq, 0, MLB_CMD_EXPLAIN);

	nla_put_u32(msg, MLB_A_EXPLAIN_VERDICT, MLB_VERDICT_REMOTE);
	nla_put_u32(msg, MLB_A_EXPLAIN_RULE, MLB_RULE_JOIN);
	if (node >= 0)
		nla_put_u32(msg, MLB_A_EXPLAIN_REASON, MLB_REASON_TOKEN_OWNER);
	if (node > 0)
		nla_put_u16(msg, MLB_A_EXPLAIN_NODE, (uint16_t)node);
	fake_send(fake, msg);
	fake_send_ack(fake, seq, 0);
}

static void explain(void **state)
{
	struct fake *fake = *state;
	struct mlb_packet packet = {
		.fields = MLB_F_PACKET_FLOW,
		.src = { .addr = { .family = AF_INET6 }, .port = 1234 },
		.dst = { .addr = { .family = AF_INET6 }, .port = 443 },
		.token = 0xbeef,
	};
	struct nlattr *tb[MLB_A_EXPLAIN_MAX + 1];
	struct mlb_explanation answer;

	packet.src.addr.v6.s6_addr[15] = 1;
	send_explanation(fake, 1, 3);
	assert_int_equal(mlb_explain(fake->mlb, &packet, &answer), 0);
	assert_int_equal(answer.verdict, MLB_VERDICT_REMOTE);
	assert_int_equal(answer.rule, MLB_RULE_JOIN);
	assert_int_equal(answer.reason, MLB_REASON_TOKEN_OWNER);
	assert_int_equal(answer.node, 3);
	nlmsg_parse(fake_request(fake), GENL_HDRLEN, tb, MLB_A_EXPLAIN_MAX,
		    NULL);
	assert_int_equal(nla_len(tb[MLB_A_EXPLAIN_SADDR]), 16);
	assert_int_equal(((uint8_t *)nla_data(tb[MLB_A_EXPLAIN_SADDR]))[15], 1);
	assert_int_equal(nla_len(tb[MLB_A_EXPLAIN_DADDR]), 16);
	assert_int_equal(nla_get_u16(tb[MLB_A_EXPLAIN_SPORT]), 1234);
	assert_int_equal(nla_get_u16(tb[MLB_A_EXPLAIN_DPORT]), 443);
	assert_null(tb[MLB_A_EXPLAIN_SYN]);
	assert_null(tb[MLB_A_EXPLAIN_TOKEN]);

	packet.fields = MLB_F_PACKET_FLOW | MLB_F_PACKET_SYN;
	send_explanation(fake, 2, 0);
	assert_int_equal(mlb_explain(fake->mlb, &packet, &answer), 0);
	assert_int_equal(answer.node, 0);
	nlmsg_parse(fake_request(fake), GENL_HDRLEN, tb, MLB_A_EXPLAIN_MAX,
		    NULL);
	assert_non_null(tb[MLB_A_EXPLAIN_SYN]);
	assert_null(tb[MLB_A_EXPLAIN_TOKEN]);

	/* A token alone is a join of unknown addresses. */
	packet.fields = MLB_F_PACKET_TOKEN;
	send_explanation(fake, 3, 3);
	assert_int_equal(mlb_explain(fake->mlb, &packet, &answer), 0);
	nlmsg_parse(fake_request(fake), GENL_HDRLEN, tb, MLB_A_EXPLAIN_MAX,
		    NULL);
	assert_non_null(tb[MLB_A_EXPLAIN_SYN]);
	assert_int_equal(nla_get_u32(tb[MLB_A_EXPLAIN_TOKEN]), 0xbeef);
	assert_null(tb[MLB_A_EXPLAIN_SADDR]);
	assert_null(tb[MLB_A_EXPLAIN_DPORT]);

	/* Half an answer is none. */
	send_explanation(fake, 4, -1);
	assert_int_equal(mlb_explain(fake->mlb, &packet, &answer), -EBADMSG);
}

/* How packets reach a node goes out with it, and comes back. */
static void encap(void **state)
{
	struct fake *fake = *state;
	struct mlb_node node = {
		.fields = MLB_F_NODE_ID | MLB_F_NODE_ADDR | MLB_F_NODE_ENCAP |
			  MLB_F_NODE_ENCAP_PORT,
		.id = 3,
		.addr = { .family = AF_INET },
		.encap = MLB_ENCAP_GUE,
		.encap_port = 6080,
	}, back;

	fake_send_ack(fake, 1, 0);
	assert_int_equal(mlb_node_add(fake->mlb, &node), 0);
	assert_int_equal(mlb_node_decode(fake_request(fake), &back), 0);
	assert_int_equal(back.fields, node.fields);
	assert_int_equal(back.encap, MLB_ENCAP_GUE);
	assert_int_equal(back.encap_port, 6080);

	node.fields = MLB_F_NODE_ENCAP;
	assert_int_equal(mlb_node_set(fake->mlb, &node), -EINVAL);
}

/* The pool goes as it is: some nodes, or in a change the word for all. */
static void pool(void **state)
{
	struct fake *fake = *state;
	const uint16_t ids[] = { 3, 1 };
	struct mlb_service service = {
		.fields = MLB_F_SERVICE_NODES,
		.vip = { .addr = { .family = AF_INET6 }, .port = 443 },
		.nodes = ids,
		.n_nodes = 2,
	}, back;
	uint16_t got[MLB_NODE_ID_MAX];
	struct nlmsghdr *nlh;

	for (uint32_t seq = 1; seq <= 3; seq++)
		fake_send_ack(fake, seq, 0);

	assert_int_equal(mlb_service_set(fake->mlb, &service), 0);
	nlh = fake_request(fake);
	assert_null(nlmsg_find_attr(nlh, GENL_HDRLEN, MLB_A_SERVICE_ALL_NODES));
	assert_int_equal(mlb_service_decode(nlh, &back, got), 0);
	assert_int_equal(back.n_nodes, 2);
	assert_int_equal(got[0], 3);
	assert_int_equal(got[1], 1);
	assert_int_equal(back.vip.port, 443);
	assert_int_equal(back.vip.addr.family, AF_INET6);

	service.n_nodes = 0;
	assert_int_equal(mlb_service_set(fake->mlb, &service), 0);
	nlh = fake_request(fake);
	assert_non_null(
		nlmsg_find_attr(nlh, GENL_HDRLEN, MLB_A_SERVICE_ALL_NODES));

	service.fields = MLB_F_SERVICE_SCHEDULER;
	assert_int_equal(mlb_service_set(fake->mlb, &service), 0);
	nlh = fake_request(fake);
	assert_null(nlmsg_find_attr(nlh, GENL_HDRLEN, MLB_A_SERVICE_ALL_NODES));
}

/* Refused without asking the kernel: nothing is sent, nothing is awaited. */
static void local_refusals(void **state)
{
	struct fake *fake = *state;
	struct mlb_config config = { .fields = MLB_F_CONFIG_FLOWS };
	struct mlb_node node = { .fields = MLB_F_NODE_ADDR, .id = 1 };
	char key[MLB_KEY_LEN_MAX + 1] = {}, byte;

	assert_int_equal(mlb_config_set(fake->mlb, &config), -EINVAL);
	assert_int_equal(mlb_node_set(fake->mlb, &node), -EINVAL);
	assert_int_equal(mlb_key_set(fake->mlb, key, MLB_KEY_LEN_MIN - 1),
			 -EINVAL);
	assert_int_equal(mlb_key_set(fake->mlb, key, sizeof(key)), -EINVAL);
	assert_false(mlb_last_error(fake->mlb)->kernel);
	assert_true(recv(fake->fd, &byte, 1, MSG_DONTWAIT) < 0);
}

#define FAKE_TEST(f) \
	cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST(done),
		FAKE_TEST(refused_with_text),
		FAKE_TEST(refused_without_text),
		FAKE_TEST(missing_attribute),
		FAKE_TEST(uncapped),
		FAKE_TEST(lying_lengths),
		FAKE_TEST(bulk),
		FAKE_TEST(withdraw),
		FAKE_TEST(end),
		FAKE_TEST(end_all),
		FAKE_TEST(end_all_moved),
		FAKE_TEST(end_all_disturbed),
		FAKE_TEST(answer),
		FAKE_TEST(explain),
		FAKE_TEST(encap),
		FAKE_TEST(pool),
		FAKE_TEST(local_refusals),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
