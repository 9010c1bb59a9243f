/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libmlb: groups of clients, and pools for them
 *
 * A part of libmlb.h, which includes it and says what holds for all calls.
 */
#ifndef LIBMLB_POOLS_H
#define LIBMLB_POOLS_H

#ifndef LIBMLB_H
#error "include libmlb.h"
#endif

/**
 * struct mlb_prefix - a network
 * @addr: its address, no bit set behind the prefix
 * @len: length of the prefix, 0..32 or 0..128
 */
struct mlb_prefix {
	struct mlb_addr addr;
	uint8_t len;
};

/**
 * struct mlb_group - clients that services can have a pool of their own for
 * @id: 1..65535
 * @prefixes: where they are, @n_prefixes of them; IPv4 and IPv6
 *
 * A client is in one group: that of the longest prefix, over all groups, that
 * has its address.
 */
struct mlb_group {
	uint16_t id;
	const struct mlb_prefix *prefixes;
	size_t n_prefixes;
};

/**
 * struct mlb_group_pool - the nodes that do a service's work for a group
 * @vip: the service
 * @group: the group; 0 for every client whose group has no pool of the
 *	service, or who is in none, in the place of the service's own nodes
 * @nodes: ids of the nodes, @n_nodes of them; with none, or while none of
 *	them takes new connections, those are refused with a RST
 * @wait: or, as others will take them soon, left to be tried again
 */
struct mlb_group_pool {
	struct mlb_endpoint vip;
	uint16_t group;
	const uint16_t *nodes;
	size_t n_nodes;
	bool wait;
};

#define MLB_F_POOLS_VERSION (1u << 0)
#define MLB_F_POOLS_PATIENT (1u << 1)

/**
 * struct mlb_pools - all groups, and all pools for them
 * @fields: MLB_F_POOLS_* that are set
 * @version: changes with each change of any of it; in a request, that on which
 *	it rests
 * @groups: those that have prefixes, @n_groups of them
 * @pools: of all services, @n_pools of them
 *
 * MLB_F_POOLS_PATIENT has no member: set, a request takes some milliseconds and
 * no more, and is made as often as it takes.
 */
struct mlb_pools {
	unsigned int fields;
	uint32_t version;
	const struct mlb_group *groups;
	size_t n_groups;
	const struct mlb_group_pool *pools;
	size_t n_pools;
};

/**
 * struct mlb_pools_summary - how many of all that there are
 */
struct mlb_pools_summary {
	uint32_t version;
	uint32_t n_prefixes;
	uint32_t n_pools;
};

/**
 * mlb_pools_set() - replace all groups and all pools for them at once
 *
 * For each packet, what it meets is either as before or as after. Only new
 * connections go by it; those that exist stay where they are. Nodes and
 * services have to be there. Takes some milliseconds for each set of nodes that
 * no pool has had before.
 *
 * Return: -EAGAIN when @pools->version is set, and not the present one;
 * -EINPROGRESS with MLB_F_POOLS_PATIENT when nothing is replaced yet, and the
 * same is to be asked for again.
 */
int mlb_pools_set(struct mlb *mlb, const struct mlb_pools *pools);

/**
 * mlb_pools_get() - all groups and all pools for them
 * @pools: where they are stored, to be freed with mlb_pools_free(); NULL on
 *	failure. Groups are ordered by id; pools by service, then group.
 */
int mlb_pools_get(struct mlb *mlb, struct mlb_pools **pools);
void mlb_pools_free(struct mlb_pools *pools);

#endif /* LIBMLB_POOLS_H */
