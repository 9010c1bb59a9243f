// SPDX-License-Identifier: GPL-2.0
/*
 * Who does which role: each mlbd keeps looking, and the manager, which is the
 * one with the lowest id of those that can, has the cluster agree on it.
 *
 * Two that take themselves for the manager do no harm: what they decide rests
 * on one version of the document, and the second finds another one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_parts.h"

/* After a start of the whole cluster, nodes have so long to come. */
#define START_MS 5000

static enum assign_state state_of(const struct cluster *c,
				  const struct peer *peer)
{
	uint64_t heard;

	if (!peer->member)
		return ASSIGN_LOST;
	if (!peer->up || peer->unsure)
		return ASSIGN_JOINING;
	/*
	 * Nobody is heard while a ring fails and another one is formed, which can
	 * take longer: what counts is what came back of this node's own. When
	 * that was long in coming, or the ring is another, all begin anew: the
	 * peers' may come a moment later.
	 */
	heard = peer->heard > c->hearing_since ? peer->heard : c->hearing_since;
	return c->own_heard < heard + REPORT_OLD_MS ? ASSIGN_HERE :
						      ASSIGN_SILENT;
}

/*
 * The version of our document to which a kernel had been brought, or 0.
 * Documents of two sides of a split can have the same version, so only those
 * count that were ours, or come after it.
 */
static uint64_t seen(const struct cluster *c, const struct report *report)
{
	const struct document_stamp *ours = &agree_document(c->agree)->stamp;
	const struct document_stamp *theirs = &report->applied;

	if (theirs->ring >= ours->ring && theirs->version > ours->version)
		return theirs->version;
	for (size_t i = 0; i < HISTORY_MAX; i++)
		if (!document_stamp_cmp(&c->history[i], theirs))
			return theirs->version;
	return 0;
}

/* And in this membership: it is there still. */
static uint64_t applied(const struct cluster *c, const struct report *report)
{
	return report->ring == c->view.ring ? seen(c, report) : 0;
}

void cluster_remember(struct cluster *c, bool adopted)
{
	if (adopted)
		memset(c->history, 0, sizeof(c->history));
	c->history[c->history_at++ % HISTORY_MAX] =
		agree_document(c->agree)->stamp;
}

/* Whether a peer's kernel knows who holds which role. */
bool cluster_knows_roles(const struct cluster *c, const struct peer *peer)
{
	const struct document *document = agree_document(c->agree);
	uint64_t newest = 0;

	for (size_t i = 0; i < document->n_roles; i++)
		if (document->roles[i].assigned.epoch > newest)
			newest = document->roles[i].assigned.epoch;
	return !document->n_roles ||
	       (peer->reported && applied(c, &peer->report) >= newest);
}

static struct assign_node *add_node(const struct cluster *c,
				    struct assign_node *nodes, size_t *n,
				    uint16_t id, enum assign_state state,
				    const struct report *report)
{
	nodes[*n] = (struct assign_node){
		.id = id,
		.state = state,
		.applied = applied(c, report),
		.fenced = document_fenced(agree_document(c->agree), id),
		.seen = seen(c, report),
		.down = report->down,
		.n_down = report->n_down,
		.uses = report->uses,
		.n_uses = report->n_uses,
	};
	return &nodes[(*n)++];
}

/* This node among the peers, by id. */
size_t cluster_nodes(const struct cluster *c,
		     struct assign_node nodes[MEMBERS_MAX + 1])
{
	enum assign_state own = c->ready ? ASSIGN_HERE : ASSIGN_JOINING;
	uint16_t self = c->config->self.id;
	struct assign_node *node;
	bool had = false;
	size_t n = 0;

	for (size_t i = 0; i < c->members.n; i++) {
		const struct peer *peer = &c->members.peers[i];

		if (!had && peer->id > self) {
			add_node(c, nodes, &n, self, own, &c->own);
			had = true;
		}
		node = add_node(c, nodes, &n, peer->id, state_of(c, peer),
				&peer->report);
		node->away = !peer_usable(peer) || !peer->reported;
	}
	if (!had)
		add_node(c, nodes, &n, self, own, &c->own);
	return n;
}

/* Return: false without memory, and the watches may be those of other roles. */
static bool keep_watches(struct cluster *c, const struct assign_input *in)
{
	size_t n = in->document->n_roles, old = 0;
	struct assign_watch *new = calloc(n + 1, sizeof(*new));

	if (!new)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct document_role *role = &in->document->roles[i];

		/* Both are in the order of their names. */
		while (old < c->n_watches &&
		       strcmp(c->watches[old].role, role->name) < 0)
			old++;
		if (old < c->n_watches &&
		    !strcmp(c->watches[old].role, role->name))
			new[i] = c->watches[old];
		assign_watch(in, role, &new[i]);
	}
	free(c->watches);
	c->watches = new;
	c->n_watches = n;
	return true;
}

static bool all_here(const struct assign_input *in,
		     const struct document_ids *ids)
{
	for (size_t i = 0; i < ids->n; i++) {
		const struct assign_node *node = assign_node(in, ids->id[i]);

		if (!node || node->state != ASSIGN_HERE)
			return false;
	}
	return true;
}

/*
 * Who has just come into a quorum knows least of who else is coming. It decides
 * nothing while others can, and waits a while before it takes a role from a
 * node that may only be slower to start.
 */
static bool is_able(struct cluster *c, const struct assign_input *in)
{
	if (!c->ready || !c->view.quorate)
		return false;
	if (uv_now(c->loop) - c->quorate_since >= START_MS)
		return true;
	for (size_t i = 0; i < in->document->n_roles; i++) {
		const struct document_role *role = &in->document->roles[i];

		if (!all_here(in, assign_homes(role)) ||
		    !all_here(in, &role->assigned.nodes))
			return false;
	}
	return true;
}

static uint16_t find_manager(const struct cluster *c)
{
	uint16_t best = c->own.able ? c->config->self.id : 0;

	for (size_t i = 0; i < c->members.n; i++) {
		const struct peer *peer = &c->members.peers[i];

		if (peer_usable(peer) && peer->reported && peer->report.able &&
		    state_of(c, peer) == ASSIGN_HERE &&
		    (!best || peer->id < best))
			best = peer->id;
	}
	return c->view.quorate ? best : 0;
}

static void name_manager(struct cluster *c)
{
	uint16_t manager = find_manager(c), was = c->manager;
	uint64_t now = uv_now(c->loop), lasted = now - c->manager_since;
	const char *reason;

	if (manager == was)
		return;
	c->manager = manager;
	c->manager_since = now;
	c->assigning = false;
	reason = !c->view.quorate	? "there is no quorum" :
		 !manager		? "nobody can decide yet" :
		 !was || manager < was	? "the lowest of those who can" :
					  "the one before it cannot any more";
	if (manager)
		log_notice("node %u decides who holds which role: %s", manager,
			   reason);
	else
		log_notice("nobody decides who holds which role: %s", reason);
	control_event(json_pack(
		"{s:s, s:o, s:o, s:I, s:I, s:s}", "event", "manager", "node",
		manager ? json_integer(manager) : json_null(), "was",
		was ? json_integer(was) : json_null(), "lasted",
		(json_int_t)(was ? lasted : 0), "epoch",
		(json_int_t)agree_document(c->agree)->stamp.version, "reason",
		reason));
}

static void on_assigned(void *arg, int status, const char *text)
{
	struct cluster *c = arg;

	if (!status)
		return;
	/* -ESTALE: another one may be on its way by now. */
	if (status != -ESTALE)
		c->assigning = false;
	if (status != -ESTALE && status != -ECANCELED)
		log_warning("who holds which role cannot be changed: %s",
			    text ? text : strerror(-status));
}

static void decide(struct cluster *c, const struct assign_input *in)
{
	struct assign_result result;
	json_t *change;

	if (c->assigning && c->assigning_base == in->document->stamp.version)
		return;
	c->assigning = false;
	if (assign(in, &result))
		return;
	if (result.n_steps) {
		change = assign_json(in, &result, c->config->self.id);
		c->assigning = true;
		c->assigning_base = in->document->stamp.version;
		if (!change || agree_propose(c->agree, change, on_assigned, c))
			c->assigning = false;
	} else if (result.again != UINT64_MAX) {
		c->manage_at = result.again;
	}
	assign_free(&result);
}

static void on_manage(uv_timer_t *timer)
{
	cluster_evaluate(timer->data);
}

/* Reports come in rows; what follows from them is found out once. */
void cluster_manage_soon(struct cluster *c)
{
	uv_timer_start(&c->manage, on_manage, 0, 0);
}

static void wake_at(struct cluster *c)
{
	uint64_t now = uv_now(c->loop);

	if (c->manage_at)
		uv_timer_start(&c->manage, on_manage,
			       c->manage_at > now ? c->manage_at - now : 1, 0);
	else
		uv_timer_stop(&c->manage);
}

void cluster_manage(struct cluster *c)
{
	struct assign_node nodes[MEMBERS_MAX + 1];
	struct assign_input in = {
		.quorate = c->view.connected && c->view.quorate && c->settled,
		.now = uv_now(c->loop),
		.document = agree_document(c->agree),
		.nodes = nodes,
	};
	bool able;

	in.n_nodes = cluster_nodes(c, nodes);
	if (!keep_watches(c, &in))
		return;
	in.watches = c->watches;
	able = is_able(c, &in);
	if (able != c->own.able)
		cluster_report_soon(c);
	c->own.able = able;
	name_manager(c);
	c->manage_at = 0;
	if (in.quorate && c->manager == c->config->self.id &&
	    !members_foreign(&c->members, 2))
		decide(c, &in);
	wake_at(c);
}

static json_t *role_event(struct cluster *c, const struct document_role *role,
			  uint16_t by)
{
	const struct document_assigned *assigned = &role->assigned;
	json_t *event = document_assigned_json(assigned);
	uint64_t since = 0;

	for (size_t i = 0; i < c->n_watches; i++)
		if (!strcmp(c->watches[i].role, role->name))
			since = c->watches[i].trouble;
	json_object_set_new(event, "event", json_string("role"));
	json_object_set_new(event, "role", json_string(role->name));
	json_object_set_new(event, "by", json_integer(by));
	if (since && assigned->nodes.n)
		json_object_set_new(
			event, "took",
			json_integer((json_int_t)(uv_now(c->loop) - since)));
	return event;
}

static void tell_role(struct cluster *c, const struct document_role *role,
		      uint16_t by)
{
	char nodes[6 * DOCUMENT_IDS_MAX + 8] = "nobody";
	const struct document_ids *ids = &role->assigned.nodes;
	char took[32] = "";
	const json_t *ms;
	size_t used = 0;
	json_t *event;

	for (size_t i = 0; i < ids->n; i++)
		used += (size_t)snprintf(nodes + used, sizeof(nodes) - used,
					 "%s%u", i ? "," : "", ids->id[i]);
	event = role_event(c, role, by);
	ms = json_object_get(event, "took");
	if (ms)
		snprintf(took, sizeof(took), ", after %" JSON_INTEGER_FORMAT
			 " ms", json_integer_value(ms));
	log_notice("role %s is held by %s: %s (version %" PRIu64 "%s)",
		   role->name, nodes, role->assigned.reason,
		   role->assigned.epoch, took);
	if (event)
		control_event(event);
}

void cluster_tell_roles(struct cluster *c, const json_t *change, uint16_t by)
{
	const struct document *document = agree_document(c->agree);
	const char *op = json_string_value(json_object_get(change, "op"));
	const json_t *entry;
	size_t i;

	if (!op || strcmp(op, "assign"))
		return;
	json_array_foreach(json_object_get(change, "roles"), i, entry) {
		const char *name =
			json_string_value(json_object_get(entry, "role"));
		const struct document_role *role =
			name ? document_role(document, name) : NULL;

		if (role)
			tell_role(c, role, by);
	}
}
