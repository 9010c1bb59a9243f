// SPDX-License-Identifier: GPL-2.0
/* The owner table: single entries, listings and bulk changes. */
#include <errno.h>
#include <string.h>

#include "internal.h"

/* An entry at fault has no name: mlb_error.index tells which it is. */
static const char *const owner_attrs[] = {
	[MLB_A_OWNER_NODE] = "node",
	[MLB_A_OWNER_TOKEN] = "token",
};

static const struct mlb_attr_names owner_names = MLB_ATTR_NAMES(owner_attrs);

/* A nest with token, node and cpu, and one with a client. */
#define ENTRY_ROOM (NLA_HDRLEN + 3 * (NLA_HDRLEN + 4))
#define CLIENT_ROOM (NLA_HDRLEN + 2 * (NLA_HDRLEN + 16) + 3 * (NLA_HDRLEN + 8))

static int decode_client(struct nlattr *nest, struct mlb_client *client)
{
	struct nlattr *tb[MLB_A_CLIENT_MAX + 1], *key;

	memset(client, 0, sizeof(*client));
	if (nla_parse_nested(tb, MLB_A_CLIENT_MAX, nest, NULL) < 0 ||
	    !tb[MLB_A_CLIENT_SADDR] || !tb[MLB_A_CLIENT_DADDR] ||
	    mlb_get_addr(tb[MLB_A_CLIENT_SADDR], &client->src.addr) ||
	    mlb_get_addr(tb[MLB_A_CLIENT_DADDR], &client->dst.addr) ||
	    !mlb_get_u16(tb[MLB_A_CLIENT_SPORT], &client->src.port) ||
	    !mlb_get_u16(tb[MLB_A_CLIENT_DPORT], &client->dst.port))
		return -EBADMSG;
	key = tb[MLB_A_CLIENT_KEY];
	if (!key || nla_len(key) != sizeof(client->key))
		return -EBADMSG;
	memcpy(client->key, nla_data(key), sizeof(client->key));
	return 0;
}

static int put_client(struct nl_msg *msg, const struct mlb_client *client)
{
	struct nlattr *nest = nla_nest_start(msg, MLB_A_OWNER_ENTRY_CLIENT);

	if (!nest || mlb_put_addr(msg, MLB_A_CLIENT_SADDR, &client->src.addr) ||
	    mlb_put_addr(msg, MLB_A_CLIENT_DADDR, &client->dst.addr))
		return -1;
	NLA_PUT_U16(msg, MLB_A_CLIENT_SPORT, client->src.port);
	NLA_PUT_U16(msg, MLB_A_CLIENT_DPORT, client->dst.port);
	NLA_PUT(msg, MLB_A_CLIENT_KEY, sizeof(client->key), client->key);
	nla_nest_end(msg, nest);
	return 0;

nla_put_failure:
	return -1;
}

static int decode_entry(struct nlattr *nest, struct mlb_owner *owner,
			struct mlb_client *client)
{
	struct nlattr *tb[MLB_A_OWNER_ENTRY_MAX + 1];

	memset(owner, 0, sizeof(*owner));
	owner->cpu = MLB_NO_CPU;
	if (nla_parse_nested(tb, MLB_A_OWNER_ENTRY_MAX, nest, NULL) < 0 ||
	    !mlb_get_u32(tb[MLB_A_OWNER_ENTRY_TOKEN], &owner->token))
		return -EBADMSG;
	mlb_get_u16(tb[MLB_A_OWNER_ENTRY_NODE], &owner->node);
	mlb_get_u32(tb[MLB_A_OWNER_ENTRY_CPU], &owner->cpu);
	mlb_get_u32(tb[MLB_A_OWNER_ENTRY_AGE], &owner->age);
	mlb_get_u16(tb[MLB_A_OWNER_ENTRY_RIVAL], &owner->rival);
	owner->local = tb[MLB_A_OWNER_ENTRY_LOCAL];
	owner->seen = tb[MLB_A_OWNER_ENTRY_SEEN];
	if (!tb[MLB_A_OWNER_ENTRY_CLIENT])
		return 0;
	owner->client = client;
	return decode_client(tb[MLB_A_OWNER_ENTRY_CLIENT], client);
}

/* A message carries many entries; fn gets each of them. */
int mlb_owner_decode_each(struct nlmsghdr *nlh, mlb_owner_fn *fn, void *arg)
{
	struct mlb_client client;
	struct mlb_owner owner;
	struct nlattr *attr;
	int rem, ret;

	if (!genlmsg_valid_hdr(nlh, 0))
		return -EBADMSG;
	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem) {
		if (nla_type(attr) != MLB_A_OWNER_ENTRY)
			continue;
		ret = decode_entry(attr, &owner, &client);
		if (!ret)
			ret = fn(&owner, arg);
		if (ret)
			return ret;
	}
	return 0;
}

static int keep_entry(const struct mlb_owner *owner, void *arg)
{
	struct mlb_owner *kept = arg;

	*kept = *owner;
	kept->client = NULL;
	return 0;
}

static int owner_answer(struct nlmsghdr *nlh, void *arg)
{
	return mlb_owner_decode_each(nlh, keep_entry, arg);
}

int mlb_owner_get(struct mlb *mlb, uint32_t token, struct mlb_owner *owner)
{
	struct nl_msg *msg = mlb_msg_new(mlb, MLB_CMD_OWNER_GET, 0,
					 nla_total_size(sizeof(token)));

	if (!msg)
		return -ENOMEM;
	NLA_PUT_U32(msg, MLB_A_OWNER_TOKEN, token);
	return mlb_do_free(mlb, msg, &owner_names, owner_answer, owner);

nla_put_failure:
	nlmsg_free(msg);
	return mlb_error_local(mlb, EMSGSIZE, NULL);
}

struct owner_each {
	mlb_owner_fn *fn;
	void *arg;
};

static int owner_entry(struct nlmsghdr *nlh, void *arg)
{
	const struct owner_each *each = arg;

	return mlb_owner_decode_each(nlh, each->fn, each->arg);
}

/* A request whose only attribute is the node, and that only if it is not 0. */
static struct nl_msg *node_msg(struct mlb *mlb, uint8_t cmd, uint16_t node)
{
	struct nl_msg *msg =
		mlb_msg_new(mlb, cmd, 0, nla_total_size(sizeof(node)));

	if (msg && node && nla_put_u16(msg, MLB_A_OWNER_NODE, node) < 0) {
		nlmsg_free(msg);
		mlb_error_local(mlb, ENOMEM, NULL);
		return NULL;
	}
	return msg;
}

int mlb_owner_each(struct mlb *mlb, uint16_t node, mlb_owner_fn *fn, void *arg)
{
	struct nl_msg *msg = node_msg(mlb, MLB_CMD_OWNER_GET, node);
	struct owner_each each = { fn, arg };

	if (!msg)
		return -ENOMEM;
	return mlb_dump_free(mlb, msg, &owner_names, owner_entry, &each);
}

int mlb_owner_flush(struct mlb *mlb, uint16_t node)
{
	struct nl_msg *msg = node_msg(mlb, MLB_CMD_OWNER_FLUSH, node);

	if (!msg)
		return -ENOMEM;
	return mlb_do_free(mlb, msg, &owner_names, NULL, NULL);
}

/* What a bulk request tells of each entry beside its token, and what of all. */
struct bulk_request {
	uint8_t cmd;
	bool node;
	bool cpu;
	bool client;
	int flag; /* an attribute, or 0 */
	mlb_msg_fn *answer; /* or NULL; gets @arg */
	void *arg;
};

static int put_entry(struct nl_msg *msg, const struct bulk_request *req,
		     const struct mlb_owner *owner)
{
	struct nlattr *nest = nla_nest_start(msg, MLB_A_OWNER_ENTRY);

	if (!nest)
		goto nla_put_failure;
	NLA_PUT_U32(msg, MLB_A_OWNER_ENTRY_TOKEN, owner->token);
	if (req->node)
		NLA_PUT_U16(msg, MLB_A_OWNER_ENTRY_NODE, owner->node);
	if (req->cpu && owner->cpu != MLB_NO_CPU)
		NLA_PUT_U32(msg, MLB_A_OWNER_ENTRY_CPU, owner->cpu);
	if (req->client && owner->client && put_client(msg, owner->client))
		goto nla_put_failure;
	nla_nest_end(msg, nest);
	return 0;

nla_put_failure:
	return -EMSGSIZE;
}

static int send_batch(struct mlb *mlb, const struct bulk_request *req,
		      const struct mlb_owner *entries, size_t n)
{
	struct nl_msg *msg = mlb_msg_new(
		mlb, req->cmd, 0,
		(n + 1) * (ENTRY_ROOM + (req->client ? CLIENT_ROOM : 0)));

	if (!msg)
		return -ENOMEM;
	if (req->flag && nla_put_flag(msg, req->flag)) {
		nlmsg_free(msg);
		return mlb_error_local(mlb, EMSGSIZE, NULL);
	}
	for (size_t i = 0; i < n; i++) {
		if (put_entry(msg, req, &entries[i])) {
			nlmsg_free(msg);
			return mlb_error_local(mlb, EMSGSIZE, NULL);
		}
	}
	return mlb_do_free(mlb, msg, &owner_names, req->answer, req->arg);
}

/* Messages from *at on, until one is refused. */
static int send_all(struct mlb *mlb, const struct bulk_request *req,
		    const struct mlb_owner *entries, size_t n, size_t *at)
{
	int ret = 0;

	mlb_error_clear(mlb);
	while (!ret && *at < n) {
		size_t batch = n - *at < MLB_OWNER_BATCH ? n - *at :
							   MLB_OWNER_BATCH;

		ret = send_batch(mlb, req, entries + *at, batch);
		if (!ret)
			*at += batch;
		else if (mlb->error.index != MLB_NO_INDEX)
			mlb->error.index += *at;
	}
	return ret;
}

int mlb_owner_add(struct mlb *mlb, const struct mlb_owner *entries, size_t n,
		  unsigned int flags, size_t *done)
{
	const struct bulk_request req = {
		.cmd = MLB_CMD_OWNER_ADD,
		.node = true,
		.cpu = true,
		.client = true,
		.flag = flags & MLB_OWNER_ANNOUNCE ? MLB_A_OWNER_ANNOUNCE :
			flags & MLB_OWNER_REPLACE  ? MLB_A_OWNER_REPLACE :
						     0,
	};
	size_t at = 0;
	int ret = send_all(mlb, &req, entries, n, &at);

	if (done)
		*done = at;
	return ret;
}

int mlb_owner_del(struct mlb *mlb, const struct mlb_owner *entries, size_t n,
		  size_t *done)
{
	const struct bulk_request req = { .cmd = MLB_CMD_OWNER_DEL };
	size_t at = 0;
	int ret = send_all(mlb, &req, entries, n, &at);

	if (done)
		*done = at;
	return ret;
}

static int end_answer(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[MLB_A_OWNER_MAX + 1];
	struct mlb_ended *ended = arg;
	uint32_t n;

	if (mlb_parse(nlh, tb, MLB_A_OWNER_MAX))
		return -EBADMSG;
	if (mlb_get_u32(tb[MLB_A_OWNER_ENDED], &n))
		ended->ended += n;
	if (mlb_get_u32(tb[MLB_A_OWNER_GONE], &n))
		ended->gone += n;
	if (mlb_get_u32(tb[MLB_A_OWNER_DETACHED], &n))
		ended->detached += n;
	return 0;
}

int mlb_owner_end(struct mlb *mlb, const struct mlb_owner *entries, size_t n,
		  struct mlb_ended *ended)
{
	const struct bulk_request req = { .cmd = MLB_CMD_OWNER_END,
					  .answer = end_answer,
					  .arg = ended };
	size_t at = 0;

	*ended = (struct mlb_ended){};
	return send_all(mlb, &req, entries, n, &at);
}

/* A message in which something was not there has been done all the same. */
int mlb_owner_withdraw(struct mlb *mlb, const struct mlb_owner *entries,
		       size_t n, size_t *done)
{
	const struct bulk_request req = { .cmd = MLB_CMD_OWNER_DEL,
					  .node = true };
	struct mlb_error first = {};
	size_t at = 0;
	int ret;

	while ((ret = send_all(mlb, &req, entries, n, &at)) == -ENOENT &&
	       mlb->error.kernel) {
		if (!first.code)
			first = mlb->error;
		at += n - at < MLB_OWNER_BATCH ? n - at : MLB_OWNER_BATCH;
	}
	if (done)
		*done = at;
	if (ret || !first.code)
		return ret;
	mlb->error = first;
	return -first.code;
}
