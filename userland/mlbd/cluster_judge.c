// SPDX-License-Identifier: GPL-2.0
/*
 * What follows from all that is known: whether this node is ready, who is in
 * use, who has to be told something.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cluster_parts.h"

/* The newest document of which anybody here knows is ours. */
static bool document_current(const struct cluster *c)
{
	struct document_stamp newest = members_newest(&c->members);

	return document_stamp_cmp(&agree_document(c->agree)->stamp, &newest) >=
	       0;
}

/*
 * Whoever is here has told of its document, and been told of ours: nobody heeds
 * one that has not said hello. One that does not speak is waited for as long as
 * in settle(); one that speaks another protocol, until the upgrade is done.
 */
static bool all_told(const struct cluster *c)
{
	uint64_t now = uv_now(c->loop);

	return c->settled && !c->hello_due &&
	       !members_foreign(&c->members, c->said.protocol_min) &&
	       members_greeted(&c->members, now, SETTLE_MS) &&
	       (c->view.group_ring == c->view.ring ||
		now - c->ring_since >= SETTLE_MS);
}

static void settle(struct cluster *c)
{
	uint64_t now = uv_now(c->loop);

	if (!c->view.connected || !c->view.quorate) {
		c->settled = false;
		c->ready = false;
		c->pooled = false;
		for (size_t i = 0; i < c->members.n; i++)
			c->members.peers[i].unsure = c->members.peers[i].up;
		c->quorate_since = 0;
		return;
	}
	if (!c->quorate_since)
		c->quorate_since = now;
	if (!c->settled &&
	    ((c->view.group_ring == c->view.ring &&
	      members_greeted(&c->members, now, SETTLE_MS) &&
	      document_current(c)) ||
	     now - c->quorate_since >= SETTLE_MS)) {
		c->settled = true;
		cluster_apply_soon(c);
	}
	if (!c->ready && c->settled && c->configured && c->pooled &&
	    document_current(c) && !agree_lost(c->agree)) {
		c->ready = true;
		log_notice("this node is ready");
	}
}

static bool is_service(const struct document *document,
		       const struct mlb_addr *addr)
{
	for (size_t i = 0; i < document->n_services; i++)
		if (hello_addr_same(&document->services[i].vip.addr, addr))
			return true;
	return false;
}

/*
 * An address that the kernel would refuse, as it is somebody else's. Whoever is
 * in use at it keeps it, however wrong others are.
 */
static const char *addr_fault(const struct cluster *c, const struct peer *peer,
			      char *text, size_t size)
{
	const struct peer *rival;

	if (peer->up && hello_addr_same(&peer->addr, &peer->hello.addr))
		return NULL;
	rival = members_rival(&c->members, peer);
	if (rival) {
		snprintf(text, size, "it has the tunnel address of node %u",
			 rival->id);
		return text;
	}
	if (is_service(agree_document(c->agree), &peer->hello.addr)) {
		snprintf(text, size, "its tunnel address is a service's");
		return text;
	}
	return NULL;
}

static void judge_fault(struct cluster *c, struct peer *peer)
{
	struct hello ours = cluster_hello(c);
	char text[sizeof(peer->fault)];
	const char *fault;

	if (!peer->greeted)
		return;
	fault = hello_fault(&ours, &peer->hello, text, sizeof(text));
	if (!fault)
		fault = addr_fault(c, peer, text, sizeof(text));
	if (!fault)
		fault = "";
	if (!strcmp(fault, peer->fault))
		return;
	snprintf(peer->fault, sizeof(peer->fault), "%s", fault);
	if (*fault)
		log_warning("node %u: %s", peer->id, fault);
	else
		log_notice("node %u: its fault is repaired", peer->id);
	if (*fault)
		cluster_tell_peer(c, peer, "fault");
	else if (peer->hello.ready)
		cluster_tell_peer(c, peer, "ready");
}

static void judge(struct cluster *c, struct peer *peer)
{
	judge_fault(c, peer);
	peer->current = cluster_knows_roles(c, peer);
	if (peer->current && peer_usable(peer) && peer->hello.ready)
		peer->unsure = false;
	switch (peer_judge(peer, &c->view)) {
	case PEER_UP:
		peer->heard = uv_now(c->loop);
		log_notice("node %u is up", peer->id);
		members_take_addr(&c->members, peer);
		cluster_tell_peer(c, peer, "up");
		cluster_apply_soon(c);
		break;
	case PEER_MOVED:
		log_notice("node %u has another tunnel address", peer->id);
		members_take_addr(&c->members, peer);
		cluster_apply_soon(c);
		break;
	case PEER_DEAD:
		if (peer->hello.protocol_max >= 2)
			log_notice("node %u is dead; it was heard %" PRIu64
				   " ms ago", peer->id,
				   uv_now(c->loop) - peer->heard);
		else
			log_notice("node %u is dead", peer->id);
		cluster_tell_peer(c, peer, "dead");
		cluster_apply_soon(c);
		break;
	case PEER_SAME:
		break;
	}
}

/* From what is known to what follows. */
void cluster_evaluate(struct cluster *c)
{
	struct document_stamp newest;
	struct hello hello;

	settle(c);
	for (size_t i = 0; i < c->members.n; i++)
		judge(c, &c->members.peers[i]);
	newest = members_newest(&c->members);
	agree_newest(c->agree, &newest, all_told(c));
	cluster_send_document(c);
	cluster_manage(c);
	hello = cluster_hello(c);
	if (c->view.connected && !hello_same(&hello, &c->said))
		cluster_hello_soon(c);
	if (c->watch)
		c->watch->changed(c->watch_arg);
}

static void hold(struct cluster_hold *hold, int answer, const char *why)
{
	hold->answer = answer;
	hold->why = why;
}

void cluster_holds(const struct cluster *c, const char *name,
		   struct cluster_hold *h)
{
	const struct document_assigned *assigned;
	const struct document_role *role;

	*h = (struct cluster_hold){ .ring = c->view.ring };
	if (!c->engine || !c->view.connected || !c->view.quorate) {
		hold(h, CLUSTER_HOLDS_NOT, "there is no quorum");
		return;
	}
	if (!c->ready || !document_current(c) || agree_lost(c->agree)) {
		hold(h, CLUSTER_HOLDS_UNSURE,
		     "this node does not know what the others agree on");
		return;
	}
	role = document_role(agree_document(c->agree), name);
	if (!role) {
		hold(h, CLUSTER_HOLDS_NOT, "the cluster does not have its role");
		return;
	}
	assigned = &role->assigned;
	h->epoch = assigned->epoch;
	if (!assigned->nodes.n ||
	    assigned->nodes.id[0] != c->config->self.id)
		hold(h, CLUSTER_HOLDS_NOT,
		     assigned->nodes.n ? "another node has its role" :
					 "nobody has its role");
	else if (c->own.applied.version < assigned->epoch)
		hold(h, CLUSTER_HOLDS_UNSURE,
		     "this node's kernel has not been told yet");
	else
		hold(h, CLUSTER_HOLDS, assigned->reason);
}
