// SPDX-License-Identifier: GPL-2.0
/*
 * From who holds a role to who should. Of an exclusive one that takes two
 * steps: who holds it lets go, and when that is certain, the next one gets it.
 */
#include <stdio.h>
#include <string.h>

#include "assign.h"
#include "document_parts.h"

static void look_again(uint64_t *again, uint64_t at)
{
	if (at < *again)
		*again = at;
}

static bool same(const struct document_ids *a, const struct document_ids *b)
{
	return a->n == b->n && !memcmp(a->id, b->id, a->n * sizeof(*a->id));
}

__attribute__((format(printf, 2, 3))) static void say(char reason[160],
						      const char *format, ...)
{
	size_t used = strlen(reason);
	va_list ap;

	va_start(ap, format);
	vsnprintf(reason + used, 160 - used, format, ap);
	va_end(ap);
}

/* "node 1 is lost, node 2 gives way: node 3 stands in" */
static void explain(const struct assign_input *in,
		    const struct document_role *role,
		    const struct document_ids *wanted, bool spread,
		    struct document_assigned *next)
{
	const struct document_ids *homes = assign_homes(role);
	const struct document_ids *old = role->assigned.nodes.n ?
						 &role->assigned.nodes :
						 &role->assigned.leaving;
	bool first = true;
	char why[80];

	next->reason[0] = '\0';
	for (size_t i = 0; i < old->n; i++) {
		if (document_has(wanted, old->id[i]))
			continue;
		assign_fit(in, role, old->id[i], why, sizeof(why));
		say(next->reason, "%snode %u %s", first ? "" : ", ", old->id[i],
		    why);
		first = false;
	}
	if (!first)
		say(next->reason, ": ");
	first = true;
	for (size_t i = 0; i < wanted->n && !spread; i++) {
		uint16_t id = wanted->id[i];
		bool home = document_has(homes, id);

		if (document_has(old, id) && !role->assigned.spread)
			continue;
		say(next->reason, "%snode %u %s", first ? "" : ", ", id,
		    home ? "takes it" : "stands in");
		first = false;
	}
	if (spread)
		say(next->reason, "all stand in");
	else if (!wanted->n)
		say(next->reason, "nobody is left");
	else if (first)
		say(next->reason, "the others go on");
}

/* Whether the kernel of one of those who are here takes something from a node. */
static bool is_used(const struct assign_input *in, uint16_t id)
{
	for (size_t i = 0; i < in->n_nodes; i++) {
		const struct assign_node *node = &in->nodes[i];

		for (size_t j = 0;
		     node->state == ASSIGN_HERE && j < node->n_uses; j++)
			if (node->uses[j] == id)
				return true;
	}
	return false;
}

/*
 * Whether nobody takes anything from a node because of a fence, of this role or
 * of another one.
 */
static bool is_fenced(const struct assign_input *in,
		      const struct document_assigned *now, uint16_t id)
{
	return document_has(&now->fenced, id) ||
	       (document_fenced(in->document, id) && !is_used(in, id));
}

/*
 * Whether a node's kernel has let go. One that is lost has not, maybe, but its
 * peers' kernels take nothing from it any more; when it is a fence that keeps
 * them from it, that stays, and is this role's own: the other role may go.
 */
static bool has_let_go(const struct assign_input *in,
		       const struct document_assigned *now, uint16_t id)
{
	const struct assign_node *node = assign_node(in, id);

	if (!node || node->state == ASSIGN_LOST)
		return true;
	if (node->state == ASSIGN_JOINING)
		return !is_used(in, id) && !document_fenced(in->document, id);
	return node->applied >= now->epoch;
}

/*
 * Whether everybody's kernel knows that the role is nobody's; who does not say
 * so is not waited for long. Who had it and gets it again need not know.
 */
static bool all_know(const struct assign_input *in,
		     const struct document_assigned *now, uint16_t wanted,
		     uint64_t since, uint64_t *again)
{
	if (in->now - since >= ASSIGN_FENCE_MS)
		return true;
	for (size_t i = 0; i < in->n_nodes; i++) {
		const struct assign_node *node = &in->nodes[i];

		if (node->state != ASSIGN_HERE || node->fenced ||
		    node->applied >= now->epoch ||
		    (node->id == wanted && document_has(&now->leaving, wanted)))
			continue;
		look_again(again, since + ASSIGN_FENCE_MS);
		return false;
	}
	return true;
}

/* Those that have still not let go; fenced ones, when nobody else is left. */
static bool left_over(const struct assign_input *in,
		      const struct document_assigned *now, bool fenced_too,
		      struct document_ids *left)
{
	left->n = 0;
	for (size_t i = 0; i < now->leaving.n; i++) {
		uint16_t id = now->leaving.id[i];

		if (!has_let_go(in, now, id) &&
		    (fenced_too || !is_fenced(in, now, id)))
			left->id[left->n++] = id;
	}
	return left->n;
}

static void put(struct document_ids *ids, uint16_t id)
{
	size_t at = 0;

	if (document_has(ids, id) || ids->n == DOCUMENT_IDS_MAX)
		return;
	while (at < ids->n && ids->id[at] < id)
		at++;
	memmove(ids->id + at + 1, ids->id + at,
		(ids->n - at) * sizeof(*ids->id));
	ids->id[at] = id;
	ids->n++;
}

/*
 * Those who do not belong to us yet, and from whom somebody takes something all
 * the same, may hold what they held when they were lost: he was away then. Those
 * who have not heard since the role is what it is may do some of its work.
 */
static bool is_stray(const struct assign_input *in,
		     const struct document_role *role,
		     const struct assign_node *node)
{
	if (node->state == ASSIGN_LOST)
		return false;
	if (node->state == ASSIGN_JOINING)
		return node->fenced || is_used(in, node->id);
	return node->seen < role->since;
}

/* Those that this role has fenced are not among them: they are known. */
static void add_strays(const struct assign_input *in,
		       const struct document_role *role, bool fenced_too,
		       struct document_ids *left)
{
	const struct document_assigned *now = &role->assigned;

	for (size_t i = 0; i < in->n_nodes; i++) {
		const struct assign_node *node = &in->nodes[i];

		if (!document_has(&now->fenced, node->id) &&
		    is_stray(in, role, node) &&
		    (fenced_too || !is_fenced(in, now, node->id)))
			put(left, node->id);
	}
}

/* Who has let go is one of us again. */
static bool clean_up(const struct assign_input *in,
		     const struct document_assigned *now,
		     struct document_assigned *next)
{
	if (left_over(in, now, true, &next->leaving) &&
	    same(&next->leaving, &now->leaving))
		return false;
	next->nodes = now->nodes;
	next->spread = now->spread;
	next->fenced = next->leaving;
	snprintf(next->reason, sizeof(next->reason), "%s", now->reason);
	return now->leaving.n;
}

static void take(struct document_ids *ids, uint16_t id)
{
	size_t n = 0;

	for (size_t i = 0; i < ids->n; i++)
		if (ids->id[i] != id)
			ids->id[n++] = ids->id[i];
	ids->n = n;
}

static void release(const struct assign_input *in,
		    const struct document_role *role,
		    const struct document_ids *wanted,
		    struct document_assigned *next)
{
	const struct document_assigned *now = &role->assigned;

	left_over(in, now, true, &next->leaving);
	next->fenced = next->leaving;
	for (size_t i = 0; i < now->nodes.n; i++)
		put(&next->leaving, now->nodes.id[i]);
	explain(in, role, wanted, false, next);
}

static bool step_exclusive(const struct assign_input *in, size_t at,
			   const struct document_ids *wanted,
			   struct document_assigned *next, uint64_t *again)
{
	const struct document_role *role = &in->document->roles[at];
	const struct document_assigned *now = &role->assigned;
	uint64_t since = in->watches[at].since;
	struct document_ids left;

	if (now->nodes.n) {
		if (same(&now->nodes, wanted))
			return clean_up(in, now, next);
		release(in, role, wanted, next);
		return true;
	}
	left_over(in, now, false, &left);
	if (wanted->n) {
		add_strays(in, role, false, &left);
		/* Who gets it, perhaps again, need not let go of it first. */
		take(&left, wanted->id[0]);
	}
	if (left.n) {
		if (in->now - since < ASSIGN_FENCE_MS) {
			look_again(again, since + ASSIGN_FENCE_MS);
			return false;
		}
		left_over(in, now, true, &next->leaving);
		add_strays(in, role, true, &next->leaving);
		next->fenced = next->leaving;
		if (wanted->n)
			take(&next->fenced, wanted->id[0]);
		say(next->reason, "node %u does not let go: it is fenced",
		    left.id[0]);
		return true;
	}
	if (!wanted->n)
		return clean_up(in, now, next);
	if (!all_know(in, now, wanted->id[0], since, again))
		return false;
	left_over(in, now, true, &next->leaving);
	add_strays(in, role, true, &next->leaving);
	take(&next->leaving, wanted->id[0]);
	next->fenced = next->leaving;
	next->nodes = *wanted;
	explain(in, role, wanted, false, next);
	return true;
}

bool assign_step(const struct assign_input *in, size_t at,
		 const struct document_ids *wanted, bool spread,
		 struct document_assigned *next, uint64_t *again)
{
	const struct document_role *role = &in->document->roles[at];
	const struct document_assigned *now = &role->assigned;

	*next = (struct document_assigned){};
	if (role->exclusive)
		return step_exclusive(in, at, wanted, next, again);
	if (same(&now->nodes, wanted) && now->spread == spread &&
	    !now->leaving.n)
		return false;
	next->nodes = *wanted;
	next->spread = spread;
	explain(in, role, wanted, spread, next);
	return true;
}

json_t *assign_json(const struct assign_input *in,
		    const struct assign_result *result, uint16_t by)
{
	json_t *roles = json_array();

	for (size_t i = 0; i < result->n_steps; i++) {
		const struct assign_step *step = &result->steps[i];

		json_array_append_new(
			roles, json_pack("{s:s, s:o, s:o, s:o, s:b, s:s}",
					 "role", step->role->name, "nodes",
					 document_ids_json(&step->next.nodes),
					 "leaving",
					 document_ids_json(&step->next.leaving),
					 "fenced",
					 document_ids_json(&step->next.fenced),
					 "spread", step->next.spread, "reason",
					 step->next.reason));
	}
	return json_pack("{s:s, s:I, s:i, s:o}", "op", "assign", "base",
			 (json_int_t)in->document->stamp.version, "by", by,
			 "roles", roles);
}
