// SPDX-License-Identifier: GPL-2.0
/* What the kernel holds against what it should hold. */
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

/**
 * struct work - one comparison
 * @nodes: what the kernel holds; id 0: gone meanwhile
 * @services: with pools of their own; port 0: gone meanwhile
 * @set: which services of the goal are as they should be
 * @unfenced: a node that should be dead could not be made so
 */
struct work {
	struct mlb *mlb;
	const struct kernel_goal *goal;
	struct reconciled *result;
	bool repair;
	struct mlb_node *nodes;
	size_t n_nodes;
	struct mlb_service *services;
	size_t n_services;
	bool *set;
	bool unfenced;
};

/* Keeps the first refusal, and says it. */
static int refused(struct work *w, int ret, const char *what, const char *why)
{
	log_error("%s: refused: %s", what, why);
	if (!w->result->error) {
		w->result->error = ret;
		snprintf(w->result->refused, sizeof(w->result->refused),
			 "%.60s: %.190s", what, why);
	}
	return ret;
}

/* Counts what was done and says it. */
static int __attribute__((format(printf, 3, 4)))
done(struct work *w, int ret, const char *format, ...)
{
	char what[192];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	if (!ret) {
		w->result->changes++;
		log_message(w->repair ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
			    "%s%s", what,
			    w->repair ? " (somebody else had changed it)" : "");
		return 0;
	}
	return refused(w, ret, what, mlb_last_error(w->mlb)->text);
}

static int keep_node(const struct mlb_node *node, void *arg)
{
	struct work *w = arg;
	struct mlb_node *nodes =
		reallocarray(w->nodes, w->n_nodes + 1, sizeof(*nodes));

	if (!nodes)
		return -ENOMEM;
	w->nodes = nodes;
	nodes[w->n_nodes++] = *node;
	return 0;
}

static int keep_service(const struct mlb_service *service, void *arg)
{
	struct work *w = arg;
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
static int look(struct work *w)
{
	int ret = mlb_node_each(w->mlb, keep_node, w);

	if (!ret || ret == -EAGAIN)
		ret = mlb_service_each(w->mlb, keep_service, w);
	if (!ret || ret == -EAGAIN)
		return 0;
	snprintf(w->result->refused, sizeof(w->result->refused),
		 "listing: %.200s", mlb_last_error(w->mlb)->text);
	log_error("%s", w->result->refused);
	return w->result->error = ret;
}

static bool same_addr(const struct mlb_addr *a, const struct mlb_addr *b)
{
	if (a->family != b->family)
		return false;
	return a->family == AF_INET ? a->v4.s_addr == b->v4.s_addr :
				      IN6_ARE_ADDR_EQUAL(&a->v6, &b->v6);
}

static bool same_vip(const struct mlb_endpoint *a, const struct mlb_endpoint *b)
{
	return a->port == b->port && same_addr(&a->addr, &b->addr);
}

static struct mlb_node *held_node(struct work *w, uint16_t id)
{
	for (size_t i = 0; i < w->n_nodes; i++)
		if (w->nodes[i].id == id)
			return &w->nodes[i];
	return NULL;
}

static const struct mlb_node *goal_node(const struct work *w, uint16_t id)
{
	for (size_t i = 0; i < w->goal->n_nodes; i++)
		if (w->goal->nodes[i].id == id)
			return &w->goal->nodes[i];
	return NULL;
}

static struct mlb_service *held_service(struct work *w,
					const struct mlb_endpoint *vip)
{
	for (size_t i = 0; i < w->n_services; i++)
		if (same_vip(&w->services[i].vip, vip))
			return &w->services[i];
	return NULL;
}

static const struct mlb_service *goal_service(const struct work *w,
					      const struct mlb_endpoint *vip)
{
	for (size_t i = 0; i < w->goal->n_services; i++)
		if (same_vip(&w->goal->services[i].vip, vip))
			return &w->goal->services[i];
	return NULL;
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

static bool node_going(struct work *w, const struct mlb_node *held)
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
	if (a->n_nodes != b->n_nodes)
		return false;
	for (size_t i = 0; i < a->n_nodes; i++)
		if (!in_pool(b, a->nodes[i]))
			return false;
	return true;
}

static void apply_settings(struct work *w)
{
	const struct mlb_config *goal = &w->goal->settings;
	struct mlb_config held, change = *goal;
	const struct arg *setting;
	int ret = mlb_config_get(w->mlb, &held);

	if (ret) {
		done(w, ret, "settings: get");
		return;
	}
	for_each_setting(setting, goal->fields)
		if (setting_get(&held, setting) == setting_get(goal, setting))
			change.fields &= ~setting->field;
	if (change.fields)
		done(w, mlb_config_set(w->mlb, &change), "settings changed");
}

static void delete_services(struct work *w)
{
	char text[ENDPOINT_TEXT];

	for (size_t i = 0; i < w->n_services; i++) {
		struct mlb_service *held = &w->services[i];

		if (goal_service(w, &held->vip))
			continue;
		if (!done(w, mlb_service_del(w->mlb, &held->vip),
			  "service %s deleted",
			  endpoint_text(&held->vip, text)))
			held->vip.port = 0;
	}
}

/* What has to go first holds the address, the family or the self. */
static bool node_blocked(struct work *w, const struct mlb_node *goal)
{
	for (size_t i = 0; i < w->n_services; i++)
		if (w->services[i].vip.port &&
		    !goal_service(w, &w->services[i].vip) &&
		    same_addr(&w->services[i].vip.addr, &goal->addr))
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

static void add_nodes(struct work *w)
{
	char text[ADDR_TEXT];

	for (size_t i = 0; i < w->goal->n_nodes; i++) {
		const struct mlb_node *goal = &w->goal->nodes[i];

		if (held_node(w, goal->id) || node_blocked(w, goal))
			continue;
		if (done(w, mlb_node_add(w->mlb, goal), "node %u at %s added",
			 goal->id, addr_text(&goal->addr, text)))
			continue;
		if (keep_node(goal, w))
			w->result->error = -ENOMEM;
	}
}

static void set_nodes(struct work *w)
{
	for (size_t i = 0; i < w->goal->n_nodes; i++) {
		const struct mlb_node *goal = &w->goal->nodes[i];
		const struct mlb_node *held = held_node(w, goal->id);
		struct mlb_node change = *goal;

		if (!held || node_going(w, held))
			continue;
		change.fields &= MLB_F_NODE_ID | MLB_F_NODE_WEIGHT |
				 MLB_F_NODE_STATE;
		if (held->weight == goal->weight)
			change.fields &= ~MLB_F_NODE_WEIGHT;
		if (held->state == goal->state)
			change.fields &= ~MLB_F_NODE_STATE;
		if (!(change.fields & (MLB_F_NODE_WEIGHT | MLB_F_NODE_STATE)))
			continue;
		if (done(w, mlb_node_set(w->mlb, &change),
			 "node %u set to weight %u, %s", goal->id,
			 goal->weight, word_of(node_state_words, goal->state)))
			w->unfenced |= change.fields & MLB_F_NODE_STATE &&
				       goal->state == MLB_NODE_STATE_DEAD;
	}
}

/*
 * The pool as it is to be, as far as its nodes are there and stay. With none
 * of them it is every node, for the moment until they have come.
 */
static int free_pool(struct work *w, struct mlb_service *held)
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
	return held_service(arg, vip);
}

/* As far as its nodes and services are there, and stay. */
static void set_pools(struct work *w)
{
	const struct reconcile_there there = { node_there, service_there, w };
	bool changed;
	int ret;

	w->result->pooled = !w->unfenced;
	if (!w->goal->pools)
		return;
	ret = reconcile_pools(w->mlb, w->goal->pools, &there, &changed);
	w->result->pooled = !ret && !w->unfenced;
	if (ret || changed)
		done(w, ret, "groups and their pools replaced");
}

/*
 * A node cannot go while a pool names it. This one takes the tunnel and all
 * that was learnt with it, so first it is certain that it can come back.
 */
static void delete_node(struct work *w, struct mlb_node *held)
{
	const struct mlb_node *goal = goal_node(w, held->id);
	char text[ADDR_TEXT], what[80];
	uint16_t id = held->id;
	int ret = 0;

	if (held->fields & MLB_F_NODE_SELF && goal &&
	    !local_addr(&goal->addr)) {
		snprintf(what, sizeof(what), "node %u moves to %s", id,
			 addr_text(&goal->addr, text));
		refused(w, -EADDRNOTAVAIL, what,
			"this host does not have the address");
		return;
	}

	for (size_t i = 0; i < w->n_services && !ret; i++) {
		struct mlb_service *service = &w->services[i];

		if (service->vip.port && in_pool(service, id) &&
		    goal_service(w, &service->vip))
			ret = free_pool(w, service);
	}
	if (!ret)
		ret = mlb_node_del(w->mlb, id);
	if (!done(w, ret, "node %u deleted%s", id,
		  goal ? ", to be added as it is now" : ""))
		held->id = 0;
}

static void delete_nodes(struct work *w)
{
	bool freed = false;

	for (size_t i = 0; i < w->n_nodes; i++) {
		if (!node_going(w, &w->nodes[i]))
			continue;
		if (!freed)
			set_pools(w);
		freed = true;
		delete_node(w, &w->nodes[i]);
	}
}

/* Whether an address or a node of the service is not there yet, or goes. */
static bool service_blocked(struct work *w, const struct mlb_service *goal)
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

static int set_service(struct work *w, const struct mlb_service *goal)
{
	const struct mlb_service *held = held_service(w, &goal->vip);
	struct mlb_service change = *goal;
	char text[ENDPOINT_TEXT];

	endpoint_text(&goal->vip, text);
	if (!held) {
		int ret = done(w, mlb_service_add(w->mlb, goal),
			       "service %s added", text);

		if (!ret && keep_service(goal, w))
			w->result->error = -ENOMEM;
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

static void set_services(struct work *w, bool unblocked)
{
	for (size_t i = 0; i < w->goal->n_services; i++) {
		const struct mlb_service *goal = &w->goal->services[i];

		if (!w->set[i] && !(unblocked && service_blocked(w, goal)))
			w->set[i] = !set_service(w, goal);
	}
}

static void work_free(struct work *w)
{
	for (size_t i = 0; i < w->n_services; i++)
		free((void *)(uintptr_t)w->services[i].nodes);
	free(w->services);
	free(w->nodes);
	free(w->set);
}

/*
 * The order keeps each step possible and none longer than needed: what is new
 * comes before what is old goes, unless the old one is in the way.
 */
int reconcile(struct mlb *mlb, const struct kernel_goal *goal, bool repair,
	      struct reconciled *result)
{
	struct work w = {
		.mlb = mlb, .goal = goal, .result = result, .repair = repair
	};

	memset(result, 0, sizeof(*result));
	w.set = calloc(goal->n_services + 1, sizeof(*w.set));
	if (!w.set)
		return result->error = -ENOMEM;
	if (look(&w))
		goto out;
	apply_settings(&w);
	add_nodes(&w);
	set_services(&w, true);
	if (result->error && goal->whole)
		goto out;
	set_nodes(&w);
	delete_services(&w);
	delete_nodes(&w);
	add_nodes(&w);
	set_services(&w, false);
	set_pools(&w);
out:
	work_free(&w);
	return result->error;
}
