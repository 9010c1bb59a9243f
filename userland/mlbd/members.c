// SPDX-License-Identifier: GPL-2.0
/* The peers, by id. */
#include <string.h>

#include "members.h"

struct peer *members_find(struct members *members, uint16_t id)
{
	for (size_t i = 0; i < members->n; i++)
		if (members->peers[i].id == id)
			return &members->peers[i];
	return NULL;
}

struct peer *members_get(struct members *members, uint16_t id)
{
	struct peer *peer = members_find(members, id);
	size_t at = 0;

	if (peer || members->n == MEMBERS_MAX)
		return peer;
	while (at < members->n && members->peers[at].id < id)
		at++;
	peer = &members->peers[at];
	memmove(peer + 1, peer, (members->n - at) * sizeof(*peer));
	members->n++;
	*peer = (struct peer){ .id = id };
	return peer;
}

void members_drop(struct members *members, uint16_t id)
{
	struct peer *peer = members_find(members, id);
	size_t at;

	if (!peer)
		return;
	at = (size_t)(peer - members->peers);
	report_free(&peer->report);
	members->n--;
	memmove(peer, peer + 1, (members->n - at) * sizeof(*peer));
}

void members_free(struct members *members)
{
	while (members->n)
		report_free(&members->peers[--members->n].report);
}

bool peer_usable(const struct peer *peer)
{
	return peer->daemon && peer->greeted &&
	       hello_protocol_fits(&peer->hello);
}

bool peer_gone(const struct peer *peer)
{
	return !peer->up && !peer->member && !peer->daemon;
}

void peer_left(struct peer *peer)
{
	peer->daemon = false;
	peer->greeted = false;
	peer->reported = false;
	peer->fault[0] = '\0';
}

static bool in_view(const struct engine_view *view, uint16_t id)
{
	for (size_t i = 0; i < view->n_nodes; i++)
		if (view->nodes[i] == id)
			return true;
	return false;
}

enum peer_step peer_judge(struct peer *peer, const struct engine_view *view)
{
	enum peer_step step;

	if (!view->connected)
		return PEER_SAME;
	peer->member = in_view(view, peer->id);
	if (!view->quorate)
		return PEER_SAME;
	if (!peer->member && peer->up) {
		peer->up = false;
		return PEER_DEAD;
	}
	if (!peer->member || !peer_usable(peer) || !peer->hello.ready ||
	    peer->fault[0] || (!peer->up && !peer->current))
		return PEER_SAME;
	if (peer->up && hello_addr_same(&peer->addr, &peer->hello.addr))
		return PEER_SAME;
	step = peer->up ? PEER_MOVED : PEER_UP;
	peer->up = true;
	peer->addr = peer->hello.addr;
	return step;
}

const struct peer *members_rival(const struct members *members,
				 const struct peer *peer)
{
	for (size_t i = 0; i < members->n; i++) {
		const struct peer *other = &members->peers[i];

		if (other->id != peer->id && other->up &&
		    hello_addr_same(&other->addr, &peer->hello.addr))
			return other;
	}
	return NULL;
}

void members_take_addr(struct members *members, const struct peer *peer)
{
	for (size_t i = 0; i < members->n; i++) {
		struct peer *other = &members->peers[i];

		if (other->id != peer->id && !other->up &&
		    hello_addr_same(&other->addr, &peer->addr))
			other->addr.family = AF_UNSPEC;
	}
}

size_t members_goal(const struct members *members,
		    struct goal_node nodes[MEMBERS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < members->n; i++) {
		const struct peer *peer = &members->peers[i];

		if (peer->addr.family != AF_UNSPEC)
			nodes[n++] = (struct goal_node){ .id = peer->id,
							 .addr = peer->addr,
							 .alive = peer->up };
	}
	return n;
}

struct document_stamp members_newest(const struct members *members)
{
	struct document_stamp newest = {};

	for (size_t i = 0; i < members->n; i++) {
		const struct peer *peer = &members->peers[i];

		if (peer_usable(peer) &&
		    document_stamp_cmp(&peer->hello.stamp, &newest) > 0)
			newest = peer->hello.stamp;
	}
	return newest;
}

/* One with the same numbers and another hash is not the same document. */
static bool confirms(const struct document_stamp *theirs,
		     const struct document_stamp *stamp)
{
	return !document_stamp_cmp(theirs, stamp) ||
	       (theirs->ring >= stamp->ring &&
		theirs->version > stamp->version);
}

size_t members_confirmed(const struct members *members,
			 const struct document_stamp *stamp)
{
	size_t n = 0;

	for (size_t i = 0; i < members->n; i++) {
		const struct peer *peer = &members->peers[i];

		n += peer_usable(peer) &&
		     (!stamp || confirms(&peer->hello.stamp, stamp));
	}
	return n;
}

bool members_greeted(const struct members *members, uint64_t now,
		     uint64_t patience)
{
	for (size_t i = 0; i < members->n; i++) {
		const struct peer *peer = &members->peers[i];

		if (peer->daemon && !peer->greeted &&
		    now - peer->since < patience)
			return false;
	}
	return true;
}

bool members_foreign(const struct members *members, uint32_t least)
{
	for (size_t i = 0; i < members->n; i++) {
		const struct peer *peer = &members->peers[i];

		if (!peer->daemon)
			continue;
		if (peer->greeted ? !hello_protocol_fits(&peer->hello) ||
					    peer->hello.protocol_max < least :
				    peer->fault[0])
			return true;
	}
	return false;
}

uint32_t members_protocol(const struct members *members)
{
	uint32_t protocol = HELLO_PROTOCOL_MAX;

	for (size_t i = 0; i < members->n; i++) {
		const struct peer *peer = &members->peers[i];

		if (peer_usable(peer) && peer->hello.protocol_max < protocol)
			protocol = peer->hello.protocol_max;
	}
	return protocol;
}

size_t members_before(const struct members *members, uint16_t self,
		      const struct document_stamp *stamp, bool *behind)
{
	size_t before = 0;

	*behind = false;
	for (size_t i = 0; i < members->n; i++) {
		const struct peer *peer = &members->peers[i];
		int cmp;

		if (!peer_usable(peer))
			continue;
		cmp = document_stamp_cmp(&peer->hello.stamp, stamp);
		if (cmp < 0)
			*behind = true;
		else if (!cmp && peer->id < self)
			before++;
	}
	return before;
}
