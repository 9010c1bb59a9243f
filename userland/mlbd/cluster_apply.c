// SPDX-License-Identifier: GPL-2.0
/*
 * This node's kernel: brought to what follows from file, document and members,
 * and what it has is what the sync loads.
 */
#include <errno.h>
#include <string.h>

#include "cluster_parts.h"

/* What the kernel refused is tried again: a port can become free. */
#define APPLY_AGAIN_MS 5000

/* Whether the kernel may be changed. */
static bool may_apply(const struct cluster *c)
{
	return !c->engine || (c->view.connected && c->view.quorate &&
			      c->settled && !agree_lost(c->agree));
}

static void learn_key_id(struct cluster *c)
{
	struct mlb_config config;

	c->keyed = !mlb_config_get(kernel_mlb(c->kernel), &config) &&
		   config.fields & MLB_F_CONFIG_KEY_ID;
	if (c->keyed)
		memcpy(c->key_id, config.key_id, sizeof(c->key_id));
}

/**
 * struct listing - which peers the kernel has, not dead, by their place
 */
struct listing {
	struct members *members;
	bool here[MEMBERS_MAX];
	struct mlb_addr addr[MEMBERS_MAX];
};

static int take_listed(const struct mlb_node *node, void *arg)
{
	struct listing *listing = arg;
	struct peer *peer = members_find(listing->members, node->id);

	if (!peer || node->state == MLB_NODE_STATE_DEAD)
		return 0;
	listing->here[peer - listing->members->peers] = true;
	listing->addr[peer - listing->members->peers] = node->addr;
	return 0;
}

static void tell_uses(struct cluster *c)
{
	struct report *own = &c->own;
	size_t n = 0;

	for (size_t i = 0; i < c->members.n && n < REPORT_USES_MAX; i++) {
		const struct peer *peer = &c->members.peers[i];

		if (!peer->in_kernel)
			continue;
		if (n >= own->n_uses || own->uses[n] != peer->id)
			cluster_report_soon(c);
		own->uses[n++] = peer->id;
	}
	if (n != own->n_uses)
		cluster_report_soon(c);
	own->n_uses = n;
}

static void follow_peer(struct cluster *c, struct peer *peer, bool here,
			const struct mlb_addr *addr)
{
	bool was = peer->in_kernel;
	bool anew = here && !hello_addr_same(&peer->kernel_addr, addr);

	peer->in_kernel = here;
	if (here)
		peer->kernel_addr = *addr;
	if (here && (!was || anew || c->repaired))
		sync_peer_up(c->sync, peer->id);
	else if (!here && was)
		sync_peer_dead(c->sync, peer->id);
}

/*
 * What the kernel has is what can be loaded, whatever we wanted it to have: a
 * peer of which it could not be told that it is dead, as there was no quorum any
 * more, is still followed. With another address it was made anew, and its
 * entries went; when somebody else has been at work, any may have. A listing
 * that is not whole says nothing of those that it lacks.
 */
static int follow_kernel(struct cluster *c)
{
	struct listing listing = { .members = &c->members };
	int ret = mlb_node_each(kernel_mlb(c->kernel), take_listed, &listing);

	if (ret) {
		if (log_allowed(&c->limit))
			log_warning("the kernel's nodes cannot be listed: %s",
				    strerror(-ret));
		c->apply_at = uv_now(c->loop) + APPLY_AGAIN_MS;
		return ret;
	}
	for (size_t i = 0; i < c->members.n; i++)
		follow_peer(c, &c->members.peers[i], listing.here[i],
			    &listing.addr[i]);
	tell_uses(c);
	c->repaired = false;
	return 0;
}

/* The others may wait for this. */
static void tell_applied(struct cluster *c)
{
	const struct document_stamp *stamp = &agree_document(c->agree)->stamp;

	if (c->watch && !c->watch->let_go(c->watch_arg))
		return;
	if (!document_stamp_cmp(&c->own.applied, stamp) &&
	    c->own.ring == c->view.ring)
		return;
	c->own.applied = *stamp;
	c->own.ring = c->view.ring;
	cluster_report_soon(c);
}

static void on_apply(uv_timer_t *timer)
{
	cluster_apply(timer->data, false);
}

int cluster_apply(struct cluster *c, bool whole)
{
	uint64_t repaired = kernel_state(c->kernel)->repaired;
	struct goal_node nodes[MEMBERS_MAX];
	struct goal goal;
	int ret;

	if (!may_apply(c))
		return 0;
	ret = goal_make(&goal, c->config,
			c->engine ? agree_document(c->agree) : NULL, nodes,
			c->engine ? members_goal(&c->members, nodes) : 0);
	if (ret)
		return ret;
	goal.kernel.whole = whole;
	ret = kernel_apply(c->kernel, &goal.kernel);
	for (size_t i = 0; i < goal.kernel.n_nodes; i++)
		if (goal.nodes[i].id == c->config->self.id)
			c->state = goal.nodes[i].state;
	goal_free(&goal);
	if (ret == -EINPROGRESS) {
		/* With 0 it would be in the same turn of the loop. */
		uv_timer_start(&c->apply, on_apply, 1, 0);
		return ret;
	}
	c->apply_at = ret ? uv_now(c->loop) + APPLY_AGAIN_MS : 0;
	if (c->again)
		cluster_apply_soon(c);
	c->again = false;
	repaired = kernel_state(c->kernel)->repaired - repaired;
	if (repaired)
		control_event(json_pack("{s:s, s:i}", "event", "repaired",
					"changes", (int)repaired));
	if (!ret)
		c->configured = true;
	if (!c->engine)
		return ret;
	c->pooled = kernel_state(c->kernel)->pooled;
	if (c->pooled)
		tell_applied(c);
	learn_key_id(c);
	c->repaired |= repaired;
	follow_kernel(c);
	cluster_evaluate(c);
	return ret;
}

bool cluster_self(const struct cluster *c, enum mlb_node_state *state)
{
	*state = c->state;
	return c->configured;
}

void cluster_apply_soon(struct cluster *c)
{
	uv_timer_start(&c->apply, on_apply, 0, 0);
}

/*
 * What the kernel holds from before counts as if we had just done it, but for
 * what cannot stay beside the address that this node has now.
 */
static int take_node(const struct mlb_node *node, void *arg)
{
	struct cluster *c = arg;
	const struct mlb_node *self = &c->config->self;
	struct peer *peer;

	if (node->fields & MLB_F_NODE_SELF || node->id == self->id)
		return 0;
	if (node->addr.family != self->addr.family ||
	    hello_addr_same(&node->addr, &self->addr))
		return 0;
	if (node->fields & MLB_F_NODE_ENCAP && node->encap != MLB_ENCAP_MLB)
		return 0;
	peer = members_get(&c->members, node->id);
	if (!peer)
		return 0;
	peer->addr = node->addr;
	peer->up = node->state != MLB_NODE_STATE_DEAD;
	peer->heard = uv_now(c->loop);
	return 0;
}

int cluster_take_kernel(struct cluster *c)
{
	int ret = mlb_node_each(kernel_mlb(c->kernel), take_node, c);

	if (!ret)
		follow_kernel(c);
	return ret;
}
