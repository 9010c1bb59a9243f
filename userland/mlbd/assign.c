// SPDX-License-Identifier: GPL-2.0
/* Who should hold which role. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assign.h"
#include "document_parts.h"
#include "text.h"

/**
 * struct plan - who should hold one role
 * @asked: an operator has just said where it belongs
 */
struct plan {
	const struct document_role *role;
	const struct assign_watch *watch;
	const struct document_ids *homes;
	size_t seats;
	struct document_ids next;
	bool asked;
	bool spread;
};

/* A seat that a spare could have: of a plan, and the node that gets it. */
struct seat {
	size_t plan;
	size_t spare;
};

struct work {
	const struct assign_input *in;
	struct plan *plans;
	size_t n;
	struct seat *seats;
	size_t n_seats;
	size_t *taken; /* by node: its seat */
	bool *visited; /* by node */
	bool *idle; /* by node: it could be a spare */
	uint64_t again;
};

#define NONE SIZE_MAX

const struct assign_node *assign_node(const struct assign_input *in,
				      uint16_t id)
{
	size_t low = 0, high = in->n_nodes;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (in->nodes[mid].id == id)
			return &in->nodes[mid];
		if (in->nodes[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct document_ids *assign_homes(const struct document_role *role)
{
	return role->moved.n ? &role->moved : &role->nodes;
}

/* What is down there may be of no concern: a check can outlive its service. */
static bool is_work(const struct document *document,
		    const struct document_role *role,
		    const struct mlb_endpoint *vip)
{
	if (role->n_services)
		return document_role_serves(role, vip);
	for (size_t i = 0; i < document->n_services; i++)
		if (document_endpoint_same(&document->services[i].vip, vip))
			return true;
	return false;
}

enum fault {
	FIT,
	LOST,
	SILENT,
	JOINING,
	FENCED,
	AWAY,
	NOT_ACTIVE,
	NO_WEIGHT,
	DOWN
};

/* @down: the service, with DOWN. */
static enum fault fault_of(const struct assign_input *in,
			   const struct document_role *role, uint16_t id,
			   const struct mlb_endpoint **down)
{
	const struct assign_node *node = assign_node(in, id);
	const struct document_node *set = document_node(in->document, id);

	if (!node || node->state == ASSIGN_LOST)
		return LOST;
	if (node->state != ASSIGN_HERE)
		return node->state == ASSIGN_SILENT ? SILENT : JOINING;
	if (node->fenced)
		return FENCED;
	if (node->away && !document_has(&role->assigned.nodes, id))
		return AWAY;
	if (set && set->state != MLB_NODE_STATE_ACTIVE)
		return NOT_ACTIVE;
	if (set && !set->weight)
		return NO_WEIGHT;
	for (size_t i = 0; i < node->n_down; i++) {
		*down = &node->down[i];
		if (is_work(in->document, role, *down))
			return DOWN;
	}
	return FIT;
}

bool assign_fit(const struct assign_input *in, const struct document_role *role,
		uint16_t id, char *why, size_t size)
{
	const struct mlb_endpoint *down = NULL;
	enum fault fault = fault_of(in, role, id, &down);
	char text[ENDPOINT_TEXT];

	if (!why)
		return fault == FIT;
	switch (fault) {
	case FIT:
		snprintf(why, size, "gives way");
		break;
	case LOST:
		snprintf(why, size, "is lost");
		break;
	case SILENT:
		snprintf(why, size, "is silent");
		break;
	case JOINING:
		snprintf(why, size, "is not ready");
		break;
	case FENCED:
		snprintf(why, size, "is fenced");
		break;
	case AWAY:
		snprintf(why, size, "is without its mlbd");
		break;
	case NOT_ACTIVE:
		snprintf(why, size, "is in %s",
			 word_of(node_state_words,
				 document_node(in->document, id)->state));
		break;
	case NO_WEIGHT:
		snprintf(why, size, "has weight 0");
		break;
	case DOWN:
		snprintf(why, size, "does not serve %s",
			 endpoint_text(down, text));
		break;
	}
	return fault == FIT;
}

static bool fit(const struct work *w, const struct plan *plan, uint16_t id)
{
	return assign_fit(w->in, plan->role, id, NULL, 0);
}

static bool in_trouble(const struct assign_input *in,
		       const struct document_role *role)
{
	const struct document_ids *nodes = &role->assigned.nodes;

	for (size_t i = 0; i < nodes->n; i++)
		if (!assign_fit(in, role, nodes->id[i], NULL, 0))
			return true;
	return !nodes->n;
}

void assign_watch(const struct assign_input *in,
		  const struct document_role *role, struct assign_watch *watch)
{
	const struct document_ids *homes = assign_homes(role);
	struct assign_watch old = *watch;

	if (strcmp(old.role, role->name) || old.epoch != role->assigned.epoch)
		watch->since = in->now;
	strcpy(watch->role, role->name);
	watch->epoch = role->assigned.epoch;
	if (!in_trouble(in, role))
		watch->trouble = 0;
	else if (!watch->trouble)
		watch->trouble = in->now;
	watch->n_homes = 0;
	for (size_t i = 0; i < homes->n; i++) {
		struct assign_home *home = &watch->homes[watch->n_homes];

		if (!assign_fit(in, role, homes->id[i], NULL, 0))
			continue;
		*home = (struct assign_home){ homes->id[i], in->now };
		for (size_t j = 0; j < old.n_homes; j++)
			if (old.homes[j].id == home->id)
				home->since = old.homes[j].since;
		watch->n_homes++;
	}
}

static void look_again(struct work *w, uint64_t at)
{
	if (at < w->again)
		w->again = at;
}

/* Whether a home has been well for so long. */
static bool well_for(struct work *w, const struct plan *plan, uint16_t id,
		     uint64_t ms)
{
	for (size_t i = 0; i < plan->watch->n_homes; i++) {
		const struct assign_home *home = &plan->watch->homes[i];

		if (home->id != id)
			continue;
		if (w->in->now - home->since >= ms)
			return true;
		look_again(w, home->since + ms);
	}
	return false;
}

/* Whether it may take its seat from who stands in for it. */
static bool may_return(struct work *w, const struct plan *plan, uint16_t id)
{
	uint64_t ms = (uint64_t)plan->role->failback * 1000;

	if (plan->asked)
		return true;
	if (plan->role->failback == DOCUMENT_FAILBACK_NO)
		return false;
	return well_for(w, plan, id, ms < ASSIGN_WELL_MS ? ASSIGN_WELL_MS : ms);
}

static void add(struct document_ids *ids, uint16_t id)
{
	if (ids->n < DOCUMENT_IDS_MAX && !document_has(ids, id))
		ids->id[ids->n++] = id;
}

static void drop(struct document_ids *ids, size_t at)
{
	ids->n--;
	memmove(ids->id + at, ids->id + at + 1,
		(ids->n - at) * sizeof(*ids->id));
}

static size_t rank_in(const struct document_ids *ids, uint16_t id)
{
	for (size_t i = 0; i < ids->n; i++)
		if (ids->id[i] == id)
			return i;
	return NONE;
}

static bool named(const struct document_node *set, const char *role)
{
	for (size_t i = 0; set && i < set->roles.n; i++)
		if (!strcmp(set->roles.name[i], role))
			return true;
	return false;
}

/*
 * Which of two spares a role prefers (< 0: the first): as it lists them; else
 * who takes it by name, who has more weight, who has the lower id.
 */
static int spare_cmp(const struct work *w, const struct plan *plan, uint16_t a,
		     uint16_t b)
{
	const struct document_node *x = document_node(w->in->document, a);
	const struct document_node *y = document_node(w->in->document, b);
	size_t i = rank_in(&plan->role->spares, a);
	size_t j = rank_in(&plan->role->spares, b);
	uint32_t weight_x = x ? x->weight : 1, weight_y = y ? y->weight : 1;
	bool by_name = named(x, plan->role->name);

	if (i != j)
		return i < j ? -1 : 1;
	if (by_name != named(y, plan->role->name))
		return by_name ? -1 : 1;
	if (weight_x != weight_y)
		return weight_x > weight_y ? -1 : 1;
	return a < b ? -1 : a > b;
}

static void drop_worst(const struct work *w, const struct plan *plan,
		       struct document_ids *spares)
{
	size_t worst = 0;

	for (size_t i = 1; i < spares->n; i++)
		if (spare_cmp(w, plan, spares->id[worst], spares->id[i]) < 0)
			worst = i;
	drop(spares, worst);
}

/* Who is well keeps it; homes that are back for long enough come in. */
static void plan_shared(struct work *w, struct plan *plan)
{
	const struct document_assigned *now = &plan->role->assigned;
	struct document_ids spares = {};
	bool served = false;

	for (size_t i = 0; i < now->nodes.n; i++) {
		uint16_t id = now->nodes.id[i];

		if (!fit(w, plan, id))
			continue;
		served = true;
		if (now->spread)
			continue;
		if (rank_in(plan->homes, id) == NONE)
			add(&spares, id);
		else
			add(&plan->next, id);
	}
	for (size_t i = 0; i < plan->homes->n; i++) {
		uint16_t id = plan->homes->id[i];
		bool empty = plan->next.n + spares.n < plan->seats;

		if (document_has(&plan->next, id) || !fit(w, plan, id))
			continue;
		if (served && !may_return(w, plan, id) &&
		    !(empty && well_for(w, plan, id, ASSIGN_WELL_MS)))
			continue;
		add(&plan->next, id);
		if (!empty)
			drop_worst(w, plan, &spares);
	}
	while (plan->next.n + spares.n > plan->seats)
		drop_worst(w, plan, &spares);
	for (size_t i = 0; i < spares.n; i++)
		add(&plan->next, spares.id[i]);
}

/* The holder, if it is well, or a home that comes before it. */
static void plan_exclusive(struct work *w, struct plan *plan)
{
	const struct document_ids *now = &plan->role->assigned.nodes;
	size_t rank = NONE;

	if (now->n && fit(w, plan, now->id[0])) {
		rank = rank_in(plan->homes, now->id[0]);
		add(&plan->next, now->id[0]);
	}
	for (size_t i = 0; i < plan->homes->n && i < rank; i++) {
		uint16_t id = plan->homes->id[i];

		if (!fit(w, plan, id) ||
		    (plan->next.n && !may_return(w, plan, id)))
			continue;
		plan->next.n = 0;
		add(&plan->next, id);
		return;
	}
}

static bool holds_any(const struct work *w, uint16_t id)
{
	for (size_t i = 0; i < w->n; i++)
		if (document_has(&w->plans[i].next, id))
			return true;
	return false;
}

/* A home that waits for its role is no spare; one that has lost it for good is.
 */
static bool is_reserved(const struct work *w, uint16_t id)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct plan *plan = &w->plans[i];

		if (rank_in(plan->homes, id) != NONE &&
		    (plan->role->failback != DOCUMENT_FAILBACK_NO ||
		     !fit(w, plan, id)))
			return true;
	}
	return false;
}

static bool is_spare(const struct work *w, const struct plan *plan, size_t node)
{
	uint16_t id = w->in->nodes[node].id;
	const struct document_node *set = document_node(w->in->document, id);

	if (!w->idle[node] || rank_in(plan->homes, id) != NONE)
		return false;
	if (plan->role->spares.n && rank_in(&plan->role->spares, id) == NONE)
		return false;
	if (set && set->limited && !named(set, plan->role->name))
		return false;
	return fit(w, plan, id);
}

/* The best spare for a seat of those that have been given away, or have not. */
static size_t best_spare(const struct work *w, const struct plan *plan,
			 bool taken)
{
	size_t best = NONE;

	for (size_t i = 0; i < w->in->n_nodes; i++) {
		uint16_t id = w->in->nodes[i].id;

		if (w->visited[i] || (w->taken[i] != NONE) != taken ||
		    !is_spare(w, plan, i))
			continue;
		if (best == NONE ||
		    spare_cmp(w, plan, id, w->in->nodes[best].id) < 0)
			best = i;
	}
	return best;
}

/*
 * One more seat gets a spare; if none is left, one that another seat has got
 * which can have yet another one.
 */
static bool fill_seat(struct work *w, size_t s)
{
	const struct plan *plan = &w->plans[w->seats[s].plan];
	size_t best = best_spare(w, plan, false);

	while (best == NONE) {
		size_t other = best_spare(w, plan, true);

		if (other == NONE)
			return false;
		w->visited[other] = true;
		if (fill_seat(w, w->taken[other]))
			best = other;
	}
	w->visited[best] = true;
	w->taken[best] = s;
	w->seats[s].spare = best;
	return true;
}

static void new_seat(struct work *w, size_t plan)
{
	w->seats[w->n_seats++] = (struct seat){ plan, NONE };
}

/* First a holder for each role that has none, then what else is empty. */
static void fill_seats(struct work *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (!w->plans[i].next.n)
			new_seat(w, i);
	for (size_t i = 0; i < w->n; i++) {
		const struct plan *plan = &w->plans[i];

		for (size_t n = plan->next.n ? plan->next.n : 1;
		     n < plan->seats; n++)
			new_seat(w, i);
	}
	for (size_t i = 0; i < w->in->n_nodes; i++) {
		uint16_t id = w->in->nodes[i].id;

		w->taken[i] = NONE;
		w->idle[i] = !holds_any(w, id) && !is_reserved(w, id);
	}
	/*
	 * What was visited in vain is not visited again: whoever comes there
	 * has no other way on (a Hungarian tree). So many seats that stay empty
	 * cost no more than one.
	 */
	for (size_t s = 0; s < w->n_seats; s++)
		if (fill_seat(w, s))
			memset(w->visited, 0,
			       w->in->n_nodes * sizeof(*w->visited));
	for (size_t s = 0; s < w->n_seats; s++)
		if (w->seats[s].spare != NONE)
			add(&w->plans[w->seats[s].plan].next,
			    w->in->nodes[w->seats[s].spare].id);
}

static size_t burden(const struct work *w, uint16_t id)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += document_has(&w->plans[i].next, id);
	return n;
}

/* Nobody is left for it: everybody does it, or of all who has least to do. */
static void spread(struct work *w, struct plan *plan)
{
	uint16_t best = 0;

	if (plan->next.n || plan->role->refuse)
		return;
	for (size_t i = 0; i < w->in->n_nodes; i++) {
		uint16_t id = w->in->nodes[i].id;
		size_t more;

		if (!fit(w, plan, id))
			continue;
		if (!plan->role->exclusive) {
			add(&plan->next, id);
			continue;
		}
		more = best ? burden(w, best) : NONE;
		if (burden(w, id) < more ||
		    (burden(w, id) == more && spare_cmp(w, plan, id, best) < 0))
			best = id;
	}
	if (best)
		add(&plan->next, best);
	plan->spread = plan->next.n && !plan->role->exclusive;
}

static int ids_cmp(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void plan_all(struct work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct plan *plan = &w->plans[i];

		plan->role = &w->in->document->roles[i];
		plan->watch = &w->in->watches[i];
		plan->homes = assign_homes(plan->role);
		plan->seats = plan->role->exclusive ? 1 : plan->homes->n;
		plan->asked = plan->role->asked > plan->role->assigned.epoch;
		if (plan->role->exclusive)
			plan_exclusive(w, plan);
		else
			plan_shared(w, plan);
	}
	fill_seats(w);
	for (size_t i = 0; i < w->n; i++)
		spread(w, &w->plans[i]);
}

int assign(const struct assign_input *in, struct assign_result *result)
{
	size_t nodes = in->n_nodes + 1, seats = 1;
	struct work w = { .in = in,
			  .n = in->document->n_roles,
			  .again = UINT64_MAX };
	int ret = -ENOMEM;

	*result = (struct assign_result){ .again = UINT64_MAX };
	if (!in->quorate || !w.n)
		return 0;
	for (size_t i = 0; i < w.n; i++)
		seats += assign_homes(&in->document->roles[i])->n;
	w.plans = calloc(w.n, sizeof(*w.plans));
	w.seats = calloc(seats, sizeof(*w.seats));
	w.taken = calloc(nodes, sizeof(*w.taken));
	w.visited = calloc(nodes, sizeof(*w.visited));
	w.idle = calloc(nodes, sizeof(*w.idle));
	result->steps = calloc(w.n, sizeof(*result->steps));
	if (!w.plans || !w.seats || !w.taken || !w.visited || !w.idle ||
	    !result->steps)
		goto free;
	plan_all(&w);
	for (size_t i = 0; i < w.n; i++) {
		struct plan *plan = &w.plans[i];
		struct assign_step *step = &result->steps[result->n_steps];

		qsort(plan->next.id, plan->next.n, sizeof(*plan->next.id),
		      ids_cmp);
		step->role = plan->role;
		if (assign_step(in, i, &plan->next, plan->spread, &step->next,
				&w.again))
			result->n_steps++;
	}
	result->again = w.again;
	ret = 0;
free:
	if (ret)
		assign_free(result);
	free(w.plans);
	free(w.seats);
	free(w.taken);
	free(w.visited);
	free(w.idle);
	return ret;
}

void assign_free(struct assign_result *result)
{
	free(result->steps);
	*result = (struct assign_result){ .again = UINT64_MAX };
}
