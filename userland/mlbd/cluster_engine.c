// SPDX-License-Identifier: GPL-2.0
/* What the engine tells: who is there, and the messages of each. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cluster_parts.h"

const char *const cluster_error_names[ERROR_N] = {
	"bad-message", "unknown-version", "stranger",
	"not-greeted", "bad-body",	  "other-mlbd",
};

/* @lasted: ms for which the cluster was or was not quorate before, as seen here */
static void tell_quorum(const struct engine_view *view, uint64_t lasted)
{
	json_t *nodes = json_array(), *event;

	for (size_t i = 0; i < view->n_nodes; i++)
		json_array_append_new(nodes, json_integer(view->nodes[i]));
	event = json_pack("{s:s, s:b, s:I, s:o, s:I}", "event", "quorum",
			  "quorate", view->quorate, "ring",
			  (json_int_t)view->ring, "nodes", nodes, "lasted",
			  (json_int_t)lasted);
	if (event)
		control_event(event);
}

static void disconnected(struct cluster *c)
{
	for (size_t i = 0; i < c->members.n; i++) {
		peer_left(&c->members.peers[i]);
		c->members.peers[i].member = false;
	}
	sync_connected(c->sync, false);
	memset(&c->said, 0, sizeof(c->said));
}

static void on_view(void *arg, const struct engine_view *view)
{
	struct cluster *c = arg;
	struct engine_view old = c->view;

	c->view = *view;
	if (view->connected != old.connected) {
		control_event(json_pack("{s:s, s:b}", "event", "engine",
					"connected", view->connected));
		if (view->connected)
			sync_connected(c->sync, true);
		else
			disconnected(c);
	}
	if (view->quorate != old.quorate)
		log_notice(view->quorate ?
				   "the cluster is quorate" :
				   "no quorum: what is known goes on, nothing changes");
	if (view->quorate != old.quorate || view->ring != old.ring)
		tell_quorum(view, uv_now(c->loop) - c->view_since);
	if (view->quorate != old.quorate)
		c->view_since = uv_now(c->loop);
	if (view->ring != old.ring)
		c->ring_since = uv_now(c->loop);
	if (view->ring != old.ring || view->group_ring != old.group_ring)
		c->hearing_since = uv_now(c->loop);
	for (size_t i = 0; view->connected && i < view->n_nodes; i++)
		if (view->nodes[i] != c->config->self.id)
			members_get(&c->members, view->nodes[i]);
	agree_view(c->agree, view);
	cluster_evaluate(c);
	if (view->quorate)
		cluster_apply_soon(c);
}

/* Who is new knows nothing of us, and numbers show what we know of it. */
static void on_joined(void *arg, uint16_t node)
{
	struct cluster *c = arg;
	struct peer *peer;

	cluster_hello_soon(c);
	c->document_sent = 0;
	if (node == c->config->self.id)
		return;
	peer = members_get(&c->members, node);
	if (!peer)
		return;
	peer_left(peer);
	peer->daemon = true;
	cluster_report_soon(c);
	peer->since = uv_now(c->loop);
	sync_peer_here(c->sync, node);
	cluster_evaluate(c);
}

static void on_left(void *arg, uint16_t node)
{
	struct cluster *c = arg;
	struct peer *peer = members_find(&c->members, node);

	if (!peer || node == c->config->self.id)
		return;
	peer_left(peer);
	sync_peer_gone(c->sync, node);
	cluster_tell_peer(c, peer, "daemon-gone");
	cluster_evaluate(c);
}

static void count_error(struct cluster *c, enum cluster_error error,
			uint16_t sender)
{
	c->errors[error]++;
	if (log_allowed(&c->limit))
		log_warning("a message of node %u is passed over: %s", sender,
			    cluster_error_names[error]);
}

static void take_hello(struct cluster *c, struct peer *peer,
		       const struct wire_message *message)
{
	struct hello hello;
	bool was_ready = peer->greeted && peer->hello.ready;

	if (!hello_parse(message->json, &hello)) {
		count_error(c, ERROR_BODY, peer->id);
		return;
	}
	peer->hello = hello;
	peer->greeted = true;
	if (!hello_protocol_fits(&hello)) {
		cluster_evaluate(c);
		return;
	}
	if (hello.ready && !was_ready)
		cluster_tell_peer(c, peer, "ready");
	sync_message(c->sync, peer->id, message);
	cluster_evaluate(c);
}

/* Of a peer that has said hello in a protocol of ours. */
static void take_message(struct cluster *c, struct peer *peer,
			 const struct wire_message *message)
{
	uint16_t id = peer->id;
	bool good = sync_message(c->sync, id, message);

	if (message->kind == WIRE_REPORT)
		good = cluster_take_report(c, peer, message->json);
	if (message->kind == WIRE_PROPOSE || message->kind == WIRE_DOCUMENT)
		good = agree_message(c->agree, id, false, message);
	if (!good)
		count_error(c, ERROR_BODY, id);
}

static void take_own(struct cluster *c, const struct wire_message *message)
{
	if (message->run != sync_run(c->sync)) {
		count_error(c, ERROR_TWIN, c->config->self.id);
		return;
	}
	sync_message(c->sync, c->config->self.id, message);
	if (message->kind == WIRE_REPORT)
		cluster_take_own_report(c);
	if (message->kind == WIRE_PROPOSE)
		agree_message(c->agree, c->config->self.id, true, message);
}

static void version_fault(struct cluster *c, struct peer *peer)
{
	static const char fault[] =
		"its messages are of another version: finish the upgrade";

	count_error(c, ERROR_VERSION, peer->id);
	if (peer->greeted || peer->fault[0])
		return;
	snprintf(peer->fault, sizeof(peer->fault), "%s", fault);
	log_warning("node %u: %s", peer->id, fault);
	cluster_tell_peer(c, peer, "fault");
}

static void on_message(void *arg, uint16_t sender, const void *data, size_t len)
{
	struct cluster *c = arg;
	bool own = sender == c->config->self.id;
	struct peer *peer = own ? NULL : members_find(&c->members, sender);
	struct wire_message message;
	int ret;

	if (!own && (!peer || !peer->daemon)) {
		count_error(c, ERROR_STRANGER, sender);
		return;
	}
	ret = wire_parse(data, len, &message);
	if (ret) {
		if (ret == -EPROTONOSUPPORT && peer)
			version_fault(c, peer);
		else
			count_error(c, ERROR_MESSAGE, sender);
		return;
	}
	if (own)
		take_own(c, &message);
	else if (message.kind == WIRE_HELLO)
		take_hello(c, peer, &message);
	else if (peer_usable(peer))
		take_message(c, peer, &message);
	else if (peer->greeted || uv_now(c->loop) - peer->since >= SETTLE_MS)
		count_error(c, ERROR_EARLY, sender);
	/* Else it was on its way when the two met, and the hello comes after. */
	wire_free(&message);
}

static void on_room(void *arg)
{
	struct cluster *c = arg;

	if (c->hello_due)
		cluster_say_hello(c);
	sync_room(c->sync);
	agree_tick(c->agree);
}

const struct engine_events cluster_engine_events = {
	.view = on_view,
	.joined = on_joined,
	.left = on_left,
	.message = on_message,
	.room = on_room,
};
