// SPDX-License-Identifier: GPL-2.0
/* Ending all connections of this host. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

struct tokens {
	struct mlb_owner *entries;
	size_t n;
	size_t room;
};

static int find_self(const struct mlb_node *node, void *arg)
{
	uint16_t *self = arg;

	if (node->fields & MLB_F_NODE_SELF)
		*self = node->id;
	return 0;
}

static int keep_local(const struct mlb_owner *owner, void *arg)
{
	struct tokens *tokens = arg;

	if (!owner->local)
		return 0;
	if (tokens->n == tokens->room) {
		size_t room = tokens->room ? 2 * tokens->room : 1024;
		struct mlb_owner *entries = reallocarray(
			tokens->entries, room, sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		tokens->entries = entries;
		tokens->room = room;
	}
	tokens->entries[tokens->n++] =
		(struct mlb_owner){ .token = owner->token };
	return 0;
}

/*
 * A listing that others have disturbed may lack some: those are in another,
 * which has only what goes on, and what has ended within the last second. So is
 * what was beside a token that another node has meanwhile.
 */
int mlb_owner_end_all(struct mlb *mlb, struct mlb_ended *ended)
{
	uint16_t self = 0;
	int listed, ret;

	*ended = (struct mlb_ended){};
	ret = mlb_node_each(mlb, find_self, &self);
	if (ret || !self)
		return ret;
	for (int tries = 0; tries < MLB_DUMP_TRIES; tries++) {
		struct mlb_ended before = *ended;
		struct tokens tokens = {};

		listed = mlb_owner_each(mlb, self, keep_local, &tokens);
		ret = listed;
		if (!listed || listed == -EAGAIN) {
			ret = mlb_owner_end(mlb, tokens.entries, tokens.n,
					    ended);
			ended->ended += before.ended;
		}
		free(tokens.entries);
		if (ret ? ret != -EPERM : !listed)
			return ret;
	}
	return ret ? ret :
		     mlb_error_local(mlb, EAGAIN,
				     "the table changed each time it was listed: some may go on");
}
