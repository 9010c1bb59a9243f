/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values as they are written on the command line. All of it is strict: nothing
 * before or after the value, no sign, no overflow.
 *
 * The functions that return text return NULL when the value is good, or what
 * is wrong with it, to follow the value in a sentence.
 */
#ifndef MLBCTL_PARSE_H
#define MLBCTL_PARSE_H

#include "libmlb.h"

struct node_list {
	size_t n;
	uint16_t id[MLB_NODE_ID_MAX];
};

bool parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *out);
bool parse_token(const char *s, uint32_t *out);
const char *parse_addr(const char *s, struct mlb_addr *out);
const char *parse_endpoint(const char *s, struct mlb_endpoint *out);
const char *parse_flow(const char *s, struct mlb_endpoint *src,
		       struct mlb_endpoint *dst);
/* SRC:PORT-VIP:PORT,KEY; the caller frees it. */
const char *parse_client(const char *s, const struct mlb_client **out);
const char *parse_prefix(const char *s, struct mlb_prefix *out);
/* PREFIX,...; the caller frees the array. */
const char *parse_prefix_list(const char *s, struct mlb_prefix **out,
			      size_t *n);
const char *parse_node_list(const char *s, struct node_list *out);
/* ID,... or "none", which gives an empty list. */
const char *parse_pool_nodes(const char *s, struct node_list *out);

#endif /* MLBCTL_PARSE_H */
