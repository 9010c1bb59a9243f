// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel holds against what it should hold. A large difference takes
 * the kernel a while, and the loop has others to serve: so it is a row of steps,
 * each of which changes one thing, and one can stop after any of them.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local_addr.h"
#include "log.h"
#include "reconcile.h"
#include "reconcile_parts.h"
#include "settings.h"
#include "text.h"

/* What the kernel could not compute at once is sent again, so often at most. */
#define POOLS_TRIES 4096

/**
 * struct reconcile - one comparison, and how far it has come
 * @nodes: what the kernel holds; id 0: gone meanwhile
 * @services: with pools of their own; port 0: gone meanwhile
 * @set: which services of the goal are as they should be
 * @unfenced: a node that should be dead could not be made so
 * @held_at, @goal_at: by id, the place in @nodes and in the goal, from 1 on
 * @by_vip: places of the goal's services, in the order of addresses and ports
 * @held_of: for each of those, its place in @services, from 1 on
 * @phase: the row of steps, and in it
 * @at: the next one
 * @freed: pools for groups name no node that goes
 * @tries: so often pools were sent
 * @over: it was given up
 */
struct reconcile {
	struct mlb *mlb;
	const struct kernel_goal *goal;
	struct reconciled result;
	bool repair;
	struct mlb_node *nodes;
	size_t n_nodes;
	struct mlb_service *services;
	size_t n_services;
	bool *set;
	bool unfenced;
	uint16_t held_at[MLB_NODE_ID_MAX + 1];
	uint16_t goal_at[MLB_NODE_ID_MAX + 1];
	size_t *by_vip;
	size_t *held_of;
	size_t phase, at;
	bool freed;
	unsigned int tries;
	bool over;
};

enum step {
	STEP_NEXT,
	STEP_AGAIN, /* not done yet */
	STEP_END, /* there is no such step */
};

/* Keeps the first refusal, and says it. */
static int refused(struct reconcile *w, int ret, const char *what, const char *why)
{
	log_error("%s: refused: %s", what, why);
	if (!w->result.error) {
		w->result.error = ret;
		snprintf(w->result.refused, sizeof(w->result.refused),
			 "%.60s: %.190s", what, why);
	}
	return ret;
}

/* Counts what was done and says it. */
static int __attribute__((format(printf, 3, 4)))
done(struct reconcile *w, int ret, const char *format, ...)
{
	char what[192];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	if (!ret) {
		w->result.changes++;
		log_message(w->repair ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
			    "%s%s", what,
			    w->repair ? " (somebody else had changed it)" : "");
		return 0;
	}
	return refused(w, ret, what, mlb_last_error(w->mlb)->text);
}

static int keep_node(const struct mlb_node *node, void *arg)
{
	struct reconcile *w = arg;
	struct mlb_node *nodes =
		reallocarray(w->nodes, w->n_nodes + 1, sizeof(*nodes));

	if (!nodes)
		return -ENOMEM;
	w->nodes = nodes;
	nodes[w->n_nodes++] = *node;
	w->held_at[node->id] = (uint16_t)w->n_nodes;
	return 0;
}

static int keep_service(const struct mlb_service *service, void *arg)
{
	struct reconcile *w = arg;
	struct mlb_service *services =
		reallocarray(w->services, w->n_services + 1, sizeof(*services));
	uint16_t *ids = calloc(service->n_nodes + 1, sizeof(*ids));

	if (services)
		w->services = services;
	if (!services || !ids) {
		free(ids);
		return -ENOMEM;
	}
	memcpy(ids, service->nodes, service->n_nodes * sizeof(*ids));
	services[w->n_services] = *service;
	services[w->n_services++].nodes = ids;
	return 0;
}

/* Disturbed listings (-EAGAIN) are compared all the same: another event comes. */
static int look(struct reconcile *w)
{
	int ret = mlb_node_each(w->mlb, keep_node, w);

	if (!ret || ret == -EAGAIN)
		ret = mlb_service_each(w->mlb, keep_service, w);
	if (!ret || ret == -EAGAIN)
		return 0;
	snprintf(w->result.refused, sizeof(w->result.refused),
		 "listing: %.200s", mlb_last_error(w->mlb)->text);
	log_error("%s", w->result.refused);
	return w->result.error = ret;
}

static bool same_addr(const struct mlb_addr *a, const struct mlb_addr *b)
{
	if (a->family != b->family)
		return false;
	return a->family == AF_INET ? a->v4.s_addr == b->v4.s_addr :
				      IN6_ARE_ADDR_EQUAL(&a->v6, &b->v6);
}

static int vip_cmp(const struct mlb_endpoint *a, const struct mlb_endpoint *b)
{
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->addr.family != b->addr.family)
		return a->addr.family < b->addr.family ? -1 : 1;
	return a->addr.family == AF_INET ?
		       memcmp(&a->addr.v4, &b->addr.v4, sizeof(a->addr.v4)) :
		       memcmp(&a->addr.v6, &b->addr.v6, sizeof(a->addr.v6));
}

static struct mlb_node *held_node(struct reconcile *w, uint16_t id)
{
	return w->held_at[id] ? &w->nodes[w->held_at[id] - 1] : NULL;
}

static const struct mlb_node *goal_node(const struct reconcile *w, uint16_t id)
{
	return w->goal_at[id] ? &w->goal->nodes[w->goal_at[id] - 1] : NULL;
}

static const struct mlb_service *goal_service(const struct reconcile *w,
					      const struct mlb_endpoint *vip)
{
	size_t low = 0, high = w->goal->n_services;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct mlb_service *at =
			&w->goal->services[w->by_vip[mid]];
		int cmp = vip_cmp(&at->vip, vip);

		if (!cmp)
			return at;
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* What the kernel has of a service of the goal, or NULL. */
static struct mlb_service *held_service(struct reconcile *w,
					const struct mlb_service *goal)
{
	size_t at = w->held_of[goal - w->goal->services];

	return at ? &w->services[at - 1] : NULL;
}

static void match_service(struct reconcile *w, size_t at)
{
	const struct mlb_service *goal = goal_service(w, &w->services[at].vip);

	if (goal)
		w->held_of[goal - w->goal->services] = at + 1;
}

static int by_vip_cmp(const void *a, const void *b, void *goal)
{
	const struct mlb_service *services = goal;

	return vip_cmp(&services[*(const size_t *)a].vip,
		       &services[*(const size_t *)b].vip);
}

/* So that nothing is looked for with a walk over all. */
static int match(struct reconcile *w)
{
	const struct kernel_goal *goal = w->goal;
	union {
		const struct mlb_service *ours;
		void *theirs;
	} services = { goal->services };

	w->by_vip = calloc(goal->n_services + 1, sizeof(*w->by_vip));
	w->held_of = calloc(goal->n_services + 1, sizeof(*w->held_of));
	w->set = calloc(goal->n_services + 1, sizeof(*w->set));
	if (!w->by_vip || !w->held_of || !w->set)
		return -ENOMEM;
	for (size_t i = 0; i < goal->n_nodes; i++)
		w->goal_at[goal->nodes[i].id] = (uint16_t)(i + 1);
	for (size_t i = 0; i < goal->n_services; i++)
		w->by_vip[i] = i;
	qsort_r(w->by_vip, goal->n_services, sizeof(*w->by_vip), by_vip_cmp,
		services.theirs);
	for (size_t i = 0; i < w->n_services; i++)
		match_service(w, i);
	return 0;
}

/* Whether only deleting and adding makes one of the other. */
static bool node_must_go(const struct mlb_node *held,
			 const struct mlb_node *goal)
{
	if (!goal || !same_addr(&held->addr, &goal->addr))
		return true;
	if ((held->fields ^ goal->fields) & MLB_F_NODE_SELF)
		return true;
	if (goal->fields & MLB_F_NODE_ENCAP && held->encap != goal->encap)
		return true;
	return goal->fields & MLB_F_NODE_ENCAP_PORT &&
	       held->encap_port != goal->encap_port;
}

static bool node_going(struct reconcile *w, const struct mlb_node *held)
{
	return held->id && node_must_go(held, goal_node(w, held->id));
}

static bool in_pool(const struct mlb_service *service, uint16_t id)
{
	for (size_t i = 0; i < service->n_nodes; i++)
		if (service->nodes[i] == id)
			return true;
	return false;
}

static bool same_pool(const struct mlb_service *a, const struct mlb_service *b)
{
	bool named[MLB_NODE_ID_MAX + 1] = {};

	if (a->n_nodes != b->n_nodes)
		return false;
	for (size_t i = 0; i < a->n_nodes; i++)
		named[a->nodes[i]] = true;
	for (size_t i = 0; i < b->n_nodes; i++)
		if (!named[b->nodes[i]])
			return false;
	return true;
}

static enum step apply_settings(struct reconcile *w, size_t i)
{
	const struct mlb_config *goal = &w->goal->settings;
	struct mlb_config held, change = *goal;
	const struct arg *setting;
	int ret;

	if (i)
		return STEP_END;
	ret = mlb_config_get(w->mlb, &held);
	if (ret) {
		done(w, ret, "settings: get");
		return STEP_NEXT;
	}
	for_each_setting(setting, goal->fields)
		if (setting_get(&held, setting) == setting_get(goal, setting))
			change.fields &= ~setting->field;
	if (change.fields)
		done(w, mlb_config_set(w->mlb, &change), "settings changed");
	return STEP_NEXT;
}

static enum step delete_service(struct reconcile *w, size_t i)
{
	struct mlb_service *held;
	char text[ENDPOINT_TEXT];

	if (i >= w->n_services)
		return STEP_END;
	held = &w->services[i];
	if (!goal_service(w, &held->vip) &&
	    !done(w, mlb_service_del(w->mlb, &held->vip), "service %s deleted",
		  endpoint_text(&held->vip, text)))
		held->vip.port = 0;
	return STEP_NEXT;
}

/* What has to go first holds the address, the family or the self. */
static bool node_blocked(struct reconcile *w, const struct mlb_node *goal)
{
	for (size_t i = 0; i < w->n_services; i++)
		if (w->services[i].vip.port &&
		    same_addr(&w->services[i].vip.addr, &goal->addr) &&
		    !goal_service(w, &w->services[i].vip))
			return true;
	for (size_t i = 0; i < w->n_nodes; i++) {
		const struct mlb_node *held = &w->nodes[i];

		if (!node_going(w, held))
			continue;
		if (held->id == goal->id ||
		    held->addr.family != goal->addr.family ||
		    same_addr(&held->addr, &goal->addr) ||
		    held->fields & goal->fields & MLB_F_NODE_SELF)
			return true;
	}
	return false;
}

/* Pools follow by themselves: there may be many of them, and more changes. */
static enum step add_node(struct reconcile *w, size_t i)
{
	struct mlb_node node;
	char text[ADDR_TEXT];

	if (i >= w->goal->n_nodes)
		return STEP_END;
	node = w->goal->nodes[i];
	node.fields |= MLB_F_NODE_LATER;
	if (held_node(w, node.id) || node_blocked(w, &w->goal->nodes[i]))
		return STEP_NEXT;
	if (!done(w, mlb_node_add(w->mlb, &node), "node %u at %s added",
		  node.id, addr_text(&node.addr, text)) &&
	    keep_node(&w->goal->nodes[i], w))
		w->result.error = -ENOMEM;
	return STEP_NEXT;
}

static enum step set_node(struct reconcile *w, size_t i)
{
	const struct mlb_node *goal, *held;
	struct mlb_node change;

	if (i >= w->goal->n_nodes)
		return STEP_END;
	goal = &w->goal->nodes[i];
	held = held_node(w, goal->id);
	if (!held || node_going(w, held))
		return STEP_NEXT;
	change = *goal;
	change.fields &= MLB_F_NODE_ID | MLB_F_NODE_WEIGHT | MLB_F_NODE_STATE;
	if (held->weight == goal->weight)
		change.fields &= ~MLB_F_NODE_WEIGHT;
	if (held->state == goal->state)
		change.fields &= ~MLB_F_NODE_STATE;
	if (!(change.fields & (MLB_F_NODE_WEIGHT | MLB_F_NODE_STATE)))
		return STEP_NEXT;
	change.fields |= MLB_F_NODE_LATER;
	if (done(w, mlb_node_set(w->mlb, &change), "node %u set to weight %u, %s",
		 goal->id, goal->weight,
		 word_of(node_state_words, goal->state)))
		w->unfenced |= change.fields & MLB_F_NODE_STATE &&
			       goal->state == MLB_NODE_STATE_DEAD;
	return STEP_NEXT;
}

/*
 * The pool as it is to be, as far as its nodes are there and stay. With none
 * of them it is every node, for the moment until they have come.
 */
static int free_pool(struct reconcile *w, struct mlb_service *held)
{
	const struct mlb_service *goal = goal_service(w, &held->vip);
	struct mlb_service change = { .fields = MLB_F_SERVICE_NODES,
				      .vip = held->vip };
	uint16_t *ids = calloc(goal->n_nodes + 1, sizeof(*ids));
	int ret;

	if (!ids)
		return -ENOMEM;
	change.nodes = ids;
	for (size_t i = 0; i < goal->n_nodes; i++) {
		const struct mlb_node *node = held_node(w, goal->nodes[i]);

		if (node && !node_going(w, node))
			ids[change.n_nodes++] = goal->nodes[i];
	}
	ret = mlb_service_set(w->mlb, &change);
	if (ret) {
		free(ids);
		return ret;
	}
	free((void *)(uintptr_t)held->nodes);
	held->nodes = ids;
	held->n_nodes = change.n_nodes;
	return 0;
}

static bool node_there(void *arg, uint16_t id)
{
	const struct mlb_node *node = held_node(arg, id);

	return node && !node_going(arg, node);
}

static bool service_there(void *arg, const struct mlb_endpoint *vip)
{
	const struct mlb_service *goal = goal_service(arg, vip);

	return goal && held_service(arg, goal);
}

/* As far as its nodes and services are there, and stay. Whether it is done. */
static bool set_pools(struct reconcile *w)
{
	const struct reconcile_there there = { node_there, service_there, w };
	bool changed;
	int ret;

	w->result.pooled = !w->unfenced;
	if (!w->goal->pools)
		return true;
	ret = reconcile_pools(w->mlb, w->goal->pools, &there, &changed);
	if (ret == -EINPROGRESS && ++w->tries < POOLS_TRIES)
		return false;
	if (ret == -EINPROGRESS)	/* which callers take for "go on" */
		ret = -EBUSY;
	w->result.pooled = !ret && !w->unfenced;
	if (ret || changed)
		done(w, ret, "groups and their pools replaced");
	return true;
}

static enum step replace_pools(struct reconcile *w, size_t i)
{
	if (i)
		return STEP_END;
	return set_pools(w) ? STEP_NEXT : STEP_AGAIN;
}

/* A service whose pool names the node, and which stays. */
static struct mlb_service *naming_service(struct reconcile *w, uint16_t id)
{
	for (size_t i = 0; i < w->n_services; i++) {
		struct mlb_service *service = &w->services[i];

		if (service->vip.port && in_pool(service, id) &&
		    goal_service(w, &service->vip))
			return service;
	}
	return NULL;
}

/*
 * A node cannot go while a pool names it. This one takes the tunnel and all
 * that was learnt with it, so first it is certain that it can come back.
 */
static enum step delete_node(struct reconcile *w, size_t i)
{
	const struct mlb_node *goal;
	struct mlb_service *service;
	struct mlb_node *held;
	char text[ADDR_TEXT], what[80];
	uint16_t id;
	int ret = 0;

	if (i >= w->n_nodes)
		return STEP_END;
	held = &w->nodes[i];
	if (!node_going(w, held))
		return STEP_NEXT;
	if (!w->freed) {
		w->freed = set_pools(w);
		return STEP_AGAIN;
	}

	id = held->id;
	goal = goal_node(w, id);
	if (held->fields & MLB_F_NODE_SELF && goal &&
	    !local_addr(&goal->addr)) {
		snprintf(what, sizeof(what), "node %u moves to %s", id,
			 addr_text(&goal->addr, text));
		refused(w, -EADDRNOTAVAIL, what,
			"this host does not have the address");
		return STEP_NEXT;
	}
	service = naming_service(w, id);
	if (service)
		ret = free_pool(w, service);
	if (service && !ret)
		return STEP_AGAIN;
	if (!ret)
		ret = mlb_node_del(w->mlb, id);
	if (!done(w, ret, "node %u deleted%s", id,
		  goal ? ", to be added as it is now" : "")) {
		held->id = 0;
		w->held_at[id] = 0;
	} else if (goal && goal->state == MLB_NODE_STATE_DEAD) {
		w->unfenced |= held->state != MLB_NODE_STATE_DEAD;
	}
	return STEP_NEXT;
}

/* Whether an address or a node of the service is not there yet, or goes. */
static bool service_blocked(struct reconcile *w, const struct mlb_service *goal)
{
	for (size_t i = 0; i < w->n_nodes; i++)
		if (w->nodes[i].id &&
		    same_addr(&w->nodes[i].addr, &goal->vip.addr))
			return true;
	for (size_t i = 0; i < goal->n_nodes; i++) {
		const struct mlb_node *node = held_node(w, goal->nodes[i]);

		if (!node || node_going(w, node))
			return true;
	}
	return false;
}

static int set_service(struct reconcile *w, const struct mlb_service *goal)
{
	const struct mlb_service *held = held_service(w, goal);
	struct mlb_service change = *goal;
	char text[ENDPOINT_TEXT];

	endpoint_text(&goal->vip, text);
	if (!held) {
		int ret = done(w, mlb_service_add(w->mlb, goal),
			       "service %s added", text);

		if (!ret && keep_service(goal, w))
			w->result.error = -ENOMEM;
		else if (!ret)
			match_service(w, w->n_services - 1);
		return ret;
	}
	if (held->scheduler == goal->scheduler)
		change.fields &= ~MLB_F_SERVICE_SCHEDULER;
	if (same_pool(held, goal))
		change.fields &= ~MLB_F_SERVICE_NODES;
	if (!change.fields)
		return 0;
	return done(w, mlb_service_set(w->mlb, &change), "service %s changed",
		    text);
}

static enum step set_free_service(struct reconcile *w, size_t i)
{
	if (i >= w->goal->n_services)
		return STEP_END;
	if (!service_blocked(w, &w->goal->services[i]))
		w->set[i] = !set_service(w, &w->goal->services[i]);
	return STEP_NEXT;
}

static enum step set_other_service(struct reconcile *w, size_t i)
{
	if (i >= w->goal->n_services)
		return STEP_END;
	if (!w->set[i])
		w->set[i] = !set_service(w, &w->goal->services[i]);
	return STEP_NEXT;
}

/*
 * The order keeps each step possible and none longer than needed: what is new
 * comes before what is old goes, unless the old one is in the way.
 */
static enum step (*const phases[])(struct reconcile *w, size_t i) = {
	apply_settings, add_node,    set_free_service,
	/* From here on things are taken away. */
	set_node,	delete_service, delete_node,
	add_node,	set_other_service, replace_pools,
};

#define PHASES (sizeof(phases) / sizeof(phases[0]))
#define PHASES_GIVING 3

bool reconcile_run(struct reconcile *w, const struct kernel_goal *goal,
		   uint64_t until)
{
	w->goal = goal;
	while (w->phase < PHASES && !w->over) {
		switch (phases[w->phase](w, w->at)) {
		case STEP_NEXT:
			w->at++;
			break;
		case STEP_AGAIN:
			break;
		case STEP_END:
			w->at = 0;
			w->phase++;
			if (w->phase == PHASES_GIVING && goal->whole)
				w->over = w->result.error;
			continue;
		}
		if (uv_hrtime() >= until)
			return false;
	}
	return true;
}

int reconcile_open(struct reconcile **reconcile, struct mlb *mlb,
		   const struct kernel_goal *goal, bool repair,
		   struct reconciled *result)
{
	struct reconcile *w = calloc(1, sizeof(*w));
	int ret = -ENOMEM;

	*reconcile = NULL;
	*result = (struct reconciled){};
	if (w) {
		w->mlb = mlb;
		w->goal = goal;
		w->repair = repair;
		ret = look(w);
		if (!ret)
			ret = match(w);
		*result = w->result;
	}
	if (!ret) {
		*reconcile = w;
		return 0;
	}
	reconcile_close(w);
	return result->error = ret;
}

const struct reconciled *reconcile_result(const struct reconcile *w)
{
	return &w->result;
}

void reconcile_close(struct reconcile *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->n_services; i++)
		free((void *)(uintptr_t)w->services[i].nodes);
	free(w->services);
	free(w->nodes);
	free(w->set);
	free(w->by_vip);
	free(w->held_of);
	free(w);
}
