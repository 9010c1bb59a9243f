/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who does which role: from the document, which also says who does it now, and
 * from how the nodes are, to what should be changed. Nothing else is looked at,
 * and the same in gives the same out.
 *
 * A role has as many seats as it has homes, an exclusive one a single seat. Who
 * has a seat and is well keeps it, unless a home comes back for its own. A seat
 * that is empty is a spare's; of all ways to give spares to seats one is taken
 * that fills as many as can be. A role that nobody holds even so is spread over
 * all nodes or done by none.
 */
#ifndef MLBD_ASSIGN_H
#define MLBD_ASSIGN_H

#include "document.h"

/* How long a node has to be well before something is taken from another for it. */
#define ASSIGN_WELL_MS 5000
/*
 * How long one waits for a node to let go before it is fenced. By then an address
 * of the role is off its interface, whatever became of its mlbd (VIP_VALID_S): a
 * fence keeps its packets from the other nodes, not from its link.
 */
#define ASSIGN_FENCE_MS 4500

enum assign_state {
	ASSIGN_HERE,	/* it is in use, and has told how it is */
	ASSIGN_SILENT,	/* it is in use, and has not told for too long */
	ASSIGN_JOINING, /* it is a member and not ready: its kernel may be anyhow */
	ASSIGN_LOST,	/* it is no member: nobody takes anything from it */
};

/**
 * struct assign_node - how a node is
 * @away: its mlbd is not there, or has told nothing since it came: it keeps what
 *	it holds until it is silent, and gets nothing new
 * @fenced: document_fenced(): no role can be done there, whatever it tells
 * @applied: version of the document to which its kernel has been brought in this
 *	membership; 0 when that is not known
 * @seen: the same, in whatever membership it was when it told so last; it may
 *	have been brought further
 * @down: services that do not work there
 * @uses: nodes that its kernel does not treat as dead
 */
struct assign_node {
	uint16_t id;
	enum assign_state state;
	bool away;
	bool fenced;
	uint64_t applied;
	uint64_t seen;
	const struct mlb_endpoint *down;
	size_t n_down;
	const uint16_t *uses;
	size_t n_uses;
};

struct assign_home {
	uint16_t id;
	uint64_t since;
};

/**
 * struct assign_watch - what has been seen of one role, times in ms
 * @role: its name
 * @epoch: of its assignment, which has been there
 * @since: since then
 * @trouble: since when a holder is not fit, or there is none; 0: all is well
 * @homes: those that are fit for it, and since when
 */
struct assign_watch {
	char role[DOCUMENT_NAME];
	uint64_t epoch;
	uint64_t since;
	uint64_t trouble;
	struct assign_home homes[DOCUMENT_IDS_MAX];
	size_t n_homes;
};

/**
 * struct assign_input - all that there is to know
 * @quorate: without, nothing is changed
 * @nodes: all that are known, by id; who is not here is lost
 * @watches: one for each role of the document, in its order
 */
struct assign_input {
	bool quorate;
	uint64_t now;
	const struct document *document;
	const struct assign_node *nodes;
	size_t n_nodes;
	const struct assign_watch *watches;
};

/**
 * struct assign_step - what is to change for one role
 * @next: but for its epoch, which the change gives it
 */
struct assign_step {
	const struct document_role *role;
	struct document_assigned next;
};

/**
 * struct assign_result - what is to change
 * @again: when to look again even if nothing has happened; UINT64_MAX: never
 */
struct assign_result {
	struct assign_step *steps;
	size_t n_steps;
	uint64_t again;
};

/* Return: 0, with @result for assign_free(), or -ENOMEM. */
int assign(const struct assign_input *input, struct assign_result *result);
void assign_free(struct assign_result *result);

/* As a change of the document; @by is the manager. */
json_t *assign_json(const struct assign_input *input,
		    const struct assign_result *result, uint16_t by);

/* NULL when it is not known. */
const struct assign_node *assign_node(const struct assign_input *input,
				      uint16_t id);

/* Where a role belongs. */
const struct document_ids *assign_homes(const struct document_role *role);

/*
 * Whether a node can do a role. If not, and @why is not NULL, it says what can be
 * said of the node: "is lost".
 */
bool assign_fit(const struct assign_input *input,
		const struct document_role *role, uint16_t id, char *why,
		size_t size);

/*
 * Bring the watch of a role up to date; @watch is what it was, or all zero. Of
 * @input all but the watches is looked at.
 */
void assign_watch(const struct assign_input *input,
		  const struct document_role *role, struct assign_watch *watch);

/* assign_step.c */

/**
 * assign_step() - the next step from who holds a role to who should
 * @wanted: who should
 * @next: what is to be agreed on
 * @again: brought forward when it is time that has to pass
 *
 * Return: whether there is one to take now.
 */
bool assign_step(const struct assign_input *input, size_t role,
		 const struct document_ids *wanted, bool spread,
		 struct document_assigned *next, uint64_t *again);

#endif /* MLBD_ASSIGN_H */
