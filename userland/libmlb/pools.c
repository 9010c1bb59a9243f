// SPDX-License-Identifier: GPL-2.0
/* Groups of clients, and the pools that services have for them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static const char *const pools_attrs[] = {
	[MLB_A_POOLS_PREFIX] = "prefix",
	[MLB_A_POOLS_POOL] = "pool",
	[MLB_A_POOLS_VERSION] = "version",
};

static const struct mlb_attr_names pools_names = MLB_ATTR_NAMES(pools_attrs);

/*
 * A nest with address, length and group; and one of a pool, which can wait, but
 * for its nodes.
 */
#define PREFIX_ROOM (NLA_HDRLEN + NLA_HDRLEN + 16 + 2 * (NLA_HDRLEN + 4))
#define POOL_ROOM (PREFIX_ROOM + NLA_HDRLEN)

/* The default buffer takes a few thousand prefixes only. */
#define SEND_BUFFER (16 * 1024 * 1024)

static int put_group(struct nl_msg *msg, const struct mlb_group *group)
{
	for (size_t i = 0; i < group->n_prefixes; i++) {
		const struct mlb_prefix *prefix = &group->prefixes[i];
		struct nlattr *nest = nla_nest_start(msg, MLB_A_POOLS_PREFIX);

		if (!nest ||
		    mlb_put_addr(msg, MLB_A_GROUP_PREFIX_ADDR, &prefix->addr))
			return -1;
		NLA_PUT_U8(msg, MLB_A_GROUP_PREFIX_LEN, prefix->len);
		NLA_PUT_U16(msg, MLB_A_GROUP_PREFIX_GROUP, group->id);
		nla_nest_end(msg, nest);
	}
	return 0;

nla_put_failure:
	return -1;
}

static int put_pool(struct nl_msg *msg, const struct mlb_group_pool *pool)
{
	struct nlattr *nest = nla_nest_start(msg, MLB_A_POOLS_POOL);

	if (!nest || mlb_put_addr(msg, MLB_A_GROUP_POOL_ADDR, &pool->vip.addr))
		return -1;
	NLA_PUT_U16(msg, MLB_A_GROUP_POOL_PORT, pool->vip.port);
	if (pool->group)
		NLA_PUT_U16(msg, MLB_A_GROUP_POOL_GROUP, pool->group);
	for (size_t i = 0; i < pool->n_nodes; i++)
		NLA_PUT_U16(msg, MLB_A_GROUP_POOL_NODE, pool->nodes[i]);
	if (pool->wait)
		NLA_PUT_FLAG(msg, MLB_A_GROUP_POOL_WAIT);
	nla_nest_end(msg, nest);
	return 0;

nla_put_failure:
	return -1;
}

static int put_all(struct nl_msg *msg, const struct mlb_pools *pools)
{
	if (pools->fields & MLB_F_POOLS_VERSION &&
	    nla_put_u32(msg, MLB_A_POOLS_VERSION, pools->version) < 0)
		return -1;
	if (pools->fields & MLB_F_POOLS_PATIENT &&
	    nla_put_flag(msg, MLB_A_POOLS_PATIENT) < 0)
		return -1;
	for (size_t i = 0; i < pools->n_groups; i++)
		if (put_group(msg, &pools->groups[i]))
			return -1;
	for (size_t i = 0; i < pools->n_pools; i++)
		if (put_pool(msg, &pools->pools[i]))
			return -1;
	return 0;
}

static size_t room_of(const struct mlb_pools *pools)
{
	size_t room = 64;

	for (size_t i = 0; i < pools->n_groups; i++)
		room += pools->groups[i].n_prefixes * PREFIX_ROOM;
	for (size_t i = 0; i < pools->n_pools; i++)
		room += POOL_ROOM + pools->pools[i].n_nodes * (NLA_HDRLEN + 4);
	return room;
}

int mlb_pools_set(struct mlb *mlb, const struct mlb_pools *pools)
{
	struct nl_msg *msg =
		mlb_msg_new(mlb, MLB_CMD_POOLS_SET, 0, room_of(pools));
	const int size = SEND_BUFFER;

	if (!msg)
		return -ENOMEM;
	if (put_all(msg, pools)) {
		nlmsg_free(msg);
		return mlb_error_local(mlb, EMSGSIZE, NULL);
	}
	/* Who is not privileged gets what wmem_max lets him have. */
	if (setsockopt(mlb->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size,
		       sizeof(size)))
		setsockopt(mlb->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return mlb_do_free(mlb, msg, &pools_names, NULL, NULL);
}

int mlb_pools_decode_summary(struct nlmsghdr *nlh,
			     struct mlb_pools_summary *summary)
{
	struct nlattr *tb[MLB_A_POOLS_MAX + 1];
	int ret = mlb_parse(nlh, tb, MLB_A_POOLS_MAX);

	if (ret)
		return ret;
	if (!mlb_get_u32(tb[MLB_A_POOLS_VERSION], &summary->version) ||
	    !mlb_get_u32(tb[MLB_A_POOLS_N_PREFIXES], &summary->n_prefixes) ||
	    !mlb_get_u32(tb[MLB_A_POOLS_N_POOLS], &summary->n_pools))
		return -EBADMSG;
	return 0;
}

/* What mlb_pools_get() gives, the caller's part first. */
struct listing {
	struct mlb_pools pools;
	struct mlb_group *groups;
	struct mlb_group_pool *entries;
	struct mlb_prefix *prefixes; /* of groups[], group behind group */
	uint16_t *nodes; /* of entries[], likewise */

	uint16_t *prefix_group; /* the group of each, while they come */
	size_t n_prefixes, room_prefixes;
	size_t n_entries, room_entries;
	size_t n_nodes, room_nodes;
};

/* Makes room for one more; the array may move. */
static bool grow(void *array, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 64;
	void *moved;

	if (n < *room)
		return true;
	memcpy(&moved, array, sizeof(moved));
	moved = reallocarray(moved, more, size);
	if (!moved)
		return false;
	memcpy(array, &moved, sizeof(moved));
	*room = more;
	return true;
}

static int take_prefix(struct listing *l, struct nlattr *nest)
{
	size_t room = l->room_prefixes;
	struct nlattr *tb[MLB_A_GROUP_PREFIX_MAX + 1];
	struct mlb_prefix *prefix;

	if (!grow(&l->prefix_group, l->n_prefixes, &room, sizeof(uint16_t)) ||
	    !grow(&l->prefixes, l->n_prefixes, &l->room_prefixes,
		  sizeof(*prefix)))
		return -ENOMEM;
	prefix = &l->prefixes[l->n_prefixes];
	if (nla_parse_nested(tb, MLB_A_GROUP_PREFIX_MAX, nest, NULL) < 0 ||
	    !tb[MLB_A_GROUP_PREFIX_ADDR] || !tb[MLB_A_GROUP_PREFIX_LEN] ||
	    mlb_get_addr(tb[MLB_A_GROUP_PREFIX_ADDR], &prefix->addr) ||
	    nla_len(tb[MLB_A_GROUP_PREFIX_LEN]) < 1 ||
	    !mlb_get_u16(tb[MLB_A_GROUP_PREFIX_GROUP],
			 &l->prefix_group[l->n_prefixes]))
		return -EBADMSG;
	prefix->len = nla_get_u8(tb[MLB_A_GROUP_PREFIX_LEN]);
	l->n_prefixes++;
	return 0;
}

static int take_pool(struct listing *l, struct nlattr *nest)
{
	struct nlattr *tb[MLB_A_GROUP_POOL_MAX + 1], *attr;
	struct mlb_group_pool *entry;
	int rem;

	if (!grow(&l->entries, l->n_entries, &l->room_entries, sizeof(*entry)))
		return -ENOMEM;
	entry = &l->entries[l->n_entries];
	memset(entry, 0, sizeof(*entry));
	if (nla_parse_nested(tb, MLB_A_GROUP_POOL_MAX, nest, NULL) < 0 ||
	    !tb[MLB_A_GROUP_POOL_ADDR] ||
	    mlb_get_addr(tb[MLB_A_GROUP_POOL_ADDR], &entry->vip.addr) ||
	    !mlb_get_u16(tb[MLB_A_GROUP_POOL_PORT], &entry->vip.port))
		return -EBADMSG;
	mlb_get_u16(tb[MLB_A_GROUP_POOL_GROUP], &entry->group);
	entry->wait = tb[MLB_A_GROUP_POOL_WAIT];
	nla_for_each_nested(attr, nest, rem) {
		if (nla_type(attr) != MLB_A_GROUP_POOL_NODE)
			continue;
		if (!grow(&l->nodes, l->n_nodes, &l->room_nodes,
			  sizeof(*l->nodes)))
			return -ENOMEM;
		if (!mlb_get_u16(attr, &l->nodes[l->n_nodes]))
			return -EBADMSG;
		l->n_nodes++;
		entry->n_nodes++;
	}
	l->n_entries++;
	return 0;
}

static int take(struct nlmsghdr *nlh, void *arg)
{
	struct mlb_pools_summary summary;
	struct listing *l = arg;
	struct nlattr *attr;
	int rem, ret = mlb_pools_decode_summary(nlh, &summary);

	if (ret)
		return ret;
	l->pools.version = summary.version;
	l->pools.fields = MLB_F_POOLS_VERSION;
	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem) {
		if (nla_type(attr) == MLB_A_POOLS_PREFIX)
			ret = take_prefix(l, attr);
		else if (nla_type(attr) == MLB_A_POOLS_POOL)
			ret = take_pool(l, attr);
		if (ret)
			return ret;
	}
	return 0;
}

/* The prefixes, which came in the order of addresses, by their groups. */
static int sort_groups(struct listing *l)
{
	size_t count[UINT16_MAX + 1] = {}, at = 0, n = 0;
	struct mlb_prefix *sorted;

	for (size_t i = 0; i < l->n_prefixes; i++)
		n += !count[l->prefix_group[i]]++;
	sorted = reallocarray(NULL, l->n_prefixes + 1, sizeof(*sorted));
	l->groups = calloc(n + 1, sizeof(*l->groups));
	if (!sorted || !l->groups) {
		free(sorted);
		return -ENOMEM;
	}
	n = 0;
	for (size_t id = 0; id <= UINT16_MAX; id++) {
		if (!count[id])
			continue;
		l->groups[n++] = (struct mlb_group){
			.id = (uint16_t)id,
			.prefixes = sorted + at,
			.n_prefixes = count[id],
		};
		at += count[id];
		count[id] = at - count[id]; /* where its next one goes */
	}
	for (size_t i = 0; i < l->n_prefixes; i++)
		sorted[count[l->prefix_group[i]]++] = l->prefixes[i];
	free(l->prefixes);
	l->prefixes = sorted;
	l->pools.groups = l->groups;
	l->pools.n_groups = n;
	return 0;
}

static void point_at_nodes(struct listing *l)
{
	const uint16_t *nodes = l->nodes;

	for (size_t i = 0; i < l->n_entries; i++) {
		l->entries[i].nodes = nodes;
		nodes += l->entries[i].n_nodes;
	}
	l->pools.pools = l->entries;
	l->pools.n_pools = l->n_entries;
}

int mlb_pools_get(struct mlb *mlb, struct mlb_pools **pools)
{
	struct nl_msg *msg = mlb_msg_new(mlb, MLB_CMD_POOLS_GET, 0, 0);
	struct listing *l = calloc(1, sizeof(*l));
	int ret;

	*pools = NULL;
	if (!msg || !l) {
		nlmsg_free(msg);
		free(l);
		return mlb_error_local(mlb, ENOMEM, NULL);
	}
	ret = mlb_dump_free(mlb, msg, &pools_names, take, l);
	if (!ret)
		ret = sort_groups(l) ? mlb_error_local(mlb, ENOMEM, NULL) : 0;
	free(l->prefix_group);
	if (ret) {
		mlb_pools_free(&l->pools);
		return ret;
	}
	point_at_nodes(l);
	*pools = &l->pools;
	return 0;
}

void mlb_pools_free(struct mlb_pools *pools)
{
	struct listing *l = (struct listing *)pools;

	if (!l)
		return;
	free(l->groups);
	free(l->entries);
	free(l->prefixes);
	free(l->nodes);
	free(l);
}
