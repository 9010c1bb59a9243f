// SPDX-License-Identifier: GPL-2.0
/*
 * This node among the others.
 *
 * Everything is worked out anew from what is known (file, document, view, what
 * peers said) whenever some of it changes, and the kernel is brought to what
 * comes out. Without quorum nothing comes out, and the kernel stays as it is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_parts.h"

/* What is not done because somebody did not answer is looked at again. */
#define TICK_MS 1000
/* Hellos that are due at about the same time are one. */
#define HELLO_MS 20
/* What the kernel refused is tried again: a port can become free. */
#define APPLY_AGAIN_MS 5000
/* How long one waits for others to say which document is the newest. */
#define SETTLE_MS 3000
/* From sending the document to sending it again to those who are behind. */
#define DOCUMENT_MS 1000

const char *const cluster_error_names[ERROR_N] = {
	"bad-message", "unknown-version", "stranger",
	"not-greeted", "bad-body",	  "other-mlbd",
};

static void evaluate(struct cluster *c);
static void apply_soon(struct cluster *c);

static void tell_peer(const struct peer *peer, const char *state)
{
	json_t *event = json_pack("{s:s, s:i, s:s, s:s*}", "event", "peer",
				  "node", peer->id, "state", state, "fault",
				  peer->fault[0] ? peer->fault : NULL);

	if (event)
		control_event(event);
}

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

static bool addr_same(const struct mlb_addr *a, const struct mlb_addr *b)
{
	if (a->family != b->family)
		return false;
	return a->family == AF_INET ?
		       a->v4.s_addr == b->v4.s_addr :
		       !memcmp(&a->v6, &b->v6, sizeof(a->v6));
}

static int take_kernel_node(const struct mlb_node *node, void *arg)
{
	struct peer *peer = members_find(arg, node->id);

	if (!peer || node->state == MLB_NODE_STATE_DEAD)
		return 0;
	peer->in_kernel = true;
	peer->anew = !addr_same(&peer->kernel_addr, &node->addr);
	peer->kernel_addr = node->addr;
	return 0;
}

/*
 * What the kernel has is what can be loaded, whatever we wanted it to have: a
 * peer of which it could not be told that it is dead, as there was no quorum any
 * more, is still followed. With another address it was made anew, and its
 * entries went; when somebody else has been at work, any may have.
 */
static void follow_kernel(struct cluster *c, bool repaired)
{
	bool was[MEMBERS_MAX];

	for (size_t i = 0; i < c->members.n; i++) {
		struct peer *peer = &c->members.peers[i];

		was[i] = peer->in_kernel;
		peer->in_kernel = false;
		peer->anew = false;
	}
	mlb_node_each(kernel_mlb(c->kernel), take_kernel_node, &c->members);
	for (size_t i = 0; i < c->members.n; i++) {
		struct peer *peer = &c->members.peers[i];

		if (peer->in_kernel && (!was[i] || peer->anew || repaired))
			sync_peer_up(c->sync, peer->id);
		else if (!peer->in_kernel && was[i])
			sync_peer_dead(c->sync, peer->id);
	}
}

static int apply(struct cluster *c)
{
	uint64_t repaired = kernel_state(c->kernel)->repaired;
	struct goal_node nodes[MEMBERS_MAX];
	unsigned int changes = 0;
	struct goal goal;
	int ret;

	if (!may_apply(c))
		return 0;
	ret = goal_make(&goal, c->config,
			c->engine ? agree_document(c->agree) : NULL, nodes,
			c->engine ? members_goal(&c->members, nodes) : 0);
	if (ret)
		return ret;
	ret = kernel_apply(c->kernel, &goal.kernel, &changes);
	goal_free(&goal);
	c->apply_at = ret ? uv_now(c->loop) + APPLY_AGAIN_MS : 0;
	repaired = kernel_state(c->kernel)->repaired - repaired;
	if (repaired)
		control_event(json_pack("{s:s, s:i}", "event", "repaired",
					"changes", (int)changes));
	if (!c->engine)
		return ret;
	if (!ret)
		c->configured = true;
	learn_key_id(c);
	follow_kernel(c, repaired);
	evaluate(c);
	return ret;
}

static void on_apply(uv_timer_t *timer)
{
	apply(timer->data);
}

static void apply_soon(struct cluster *c)
{
	uv_timer_start(&c->apply, on_apply, 0, 0);
}

struct hello cluster_hello(const struct cluster *c)
{
	struct hello hello = {
		.protocol_min = HELLO_PROTOCOL_MIN,
		.protocol_max = HELLO_PROTOCOL_MAX,
		.addr = c->config->self.addr,
		.port = c->config->settings.port,
		.keyed = c->keyed,
		.ready = c->ready,
		.stamp = agree_document(c->agree)->stamp,
		.version = MLB_VERSION,
	};

	if (c->keyed)
		memcpy(hello.key_id, c->key_id, sizeof(hello.key_id));
	return hello;
}

static void on_hello(uv_timer_t *timer)
{
	struct cluster *c = timer->data;
	struct hello hello = cluster_hello(c);
	struct wire_message message = { .kind = WIRE_HELLO };
	uint8_t *data = NULL;
	size_t len;
	int ret = -ENOMEM;

	if (!c->view.connected)
		return;
	message.json = hello_json(&hello);
	sync_stamp(c->sync, &message);
	if (message.json)
		ret = wire_pack(&message, &data, &len);
	json_decref(message.json);
	if (!ret)
		ret = engine_send(c->engine, data, len);
	free(data);
	c->hello_due = ret;
	if (ret) {
		uv_timer_start(&c->hello, on_hello, HELLO_MS, 0);
		return;
	}
	c->said = hello;
	evaluate(c);
}

static void hello_soon(struct cluster *c)
{
	c->hello_due = true;
	if (!uv_is_active((uv_handle_t *)&c->hello))
		uv_timer_start(&c->hello, on_hello, HELLO_MS, 0);
}

/*
 * Somebody is behind: of those who have the newest document the one with the
 * lowest id sends it, and if that one does not, the next a while later.
 */
static void send_document(struct cluster *c)
{
	const struct document_stamp *stamp = &agree_document(c->agree)->stamp;
	struct document_stamp newest = members_newest(&c->members);
	uint64_t now = uv_now(c->loop);
	bool behind;
	size_t before = members_before(&c->members, c->config->self.id, stamp,
				       &behind);

	if (!behind || !c->view.quorate ||
	    document_stamp_cmp(&newest, stamp) > 0) {
		c->document_sent = 0;
		return;
	}
	if (!c->document_sent && before) {
		c->document_sent = now + (before - 1) * DOCUMENT_MS;
		return;
	}
	if (c->document_sent && now < c->document_sent + DOCUMENT_MS)
		return;
	if (!agree_send(c->agree))
		c->document_sent = now;
}

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

	return c->settled && !c->hello_due && !members_foreign(&c->members) &&
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
		apply_soon(c);
	}
	if (!c->ready && c->settled && c->configured && document_current(c) &&
	    !agree_lost(c->agree)) {
		c->ready = true;
		log_notice("this node is ready");
	}
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
		fault = "";
	if (!strcmp(fault, peer->fault))
		return;
	snprintf(peer->fault, sizeof(peer->fault), "%s", fault);
	if (*fault)
		log_warning("node %u: %s", peer->id, fault);
	else
		log_notice("node %u: its fault is repaired", peer->id);
	tell_peer(peer, *fault ? "fault" : "ready");
}

static void judge(struct cluster *c, struct peer *peer)
{
	judge_fault(c, peer);
	switch (peer_judge(peer, &c->view)) {
	case PEER_UP:
		log_notice("node %u is up", peer->id);
		tell_peer(peer, "up");
		apply_soon(c);
		break;
	case PEER_DEAD:
		log_notice("node %u is dead", peer->id);
		tell_peer(peer, "dead");
		apply_soon(c);
		break;
	case PEER_SAME:
		break;
	}
}

/* From what is known to what follows. */
static void evaluate(struct cluster *c)
{
	struct document_stamp newest;
	struct hello hello;

	settle(c);
	for (size_t i = 0; i < c->members.n; i++)
		judge(c, &c->members.peers[i]);
	newest = members_newest(&c->members);
	agree_newest(c->agree, &newest, all_told(c));
	send_document(c);
	hello = cluster_hello(c);
	if (c->view.connected && !hello_same(&hello, &c->said))
		hello_soon(c);
}

static void on_tick(uv_timer_t *timer)
{
	struct cluster *c = timer->data;

	if (c->apply_at && uv_now(c->loop) >= c->apply_at)
		apply(c);
	if (!c->engine)
		return;
	agree_tick(c->agree);
	evaluate(c);
}

static void tell_quorum(const struct engine_view *view)
{
	json_t *nodes = json_array(), *event;

	for (size_t i = 0; i < view->n_nodes; i++)
		json_array_append_new(nodes, json_integer(view->nodes[i]));
	event = json_pack("{s:s, s:b, s:I, s:o}", "event", "quorum", "quorate",
			  view->quorate, "ring", (json_int_t)view->ring,
			  "nodes", nodes);
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
		tell_quorum(view);
	if (view->ring != old.ring)
		c->ring_since = uv_now(c->loop);
	for (size_t i = 0; view->connected && i < view->n_nodes; i++)
		if (view->nodes[i] != c->config->self.id)
			members_get(&c->members, view->nodes[i]);
	agree_view(c->agree, view);
	evaluate(c);
	if (view->quorate)
		apply_soon(c);
}

/* Who is new knows nothing of us, and numbers show what we know of it. */
static void on_joined(void *arg, uint16_t node)
{
	struct cluster *c = arg;
	struct peer *peer;

	hello_soon(c);
	c->document_sent = 0;
	if (node == c->config->self.id)
		return;
	peer = members_get(&c->members, node);
	if (!peer)
		return;
	peer_left(peer);
	peer->daemon = true;
	peer->since = uv_now(c->loop);
	sync_peer_here(c->sync, node);
	evaluate(c);
}

static void on_left(void *arg, uint16_t node)
{
	struct cluster *c = arg;
	struct peer *peer = members_find(&c->members, node);

	if (!peer || node == c->config->self.id)
		return;
	peer_left(peer);
	sync_peer_gone(c->sync, node);
	tell_peer(peer, "daemon-gone");
	evaluate(c);
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
		evaluate(c);
		return;
	}
	if (!addr_same(&peer->addr, &hello.addr)) {
		peer->addr = hello.addr;
		if (peer->up)
			apply_soon(c);
	}
	if (hello.ready && !was_ready)
		tell_peer(peer, "ready");
	sync_message(c->sync, peer->id, message);
	evaluate(c);
}

/* Of a peer that has said hello in a protocol of ours. */
static void take_message(struct cluster *c, struct peer *peer,
			 const struct wire_message *message)
{
	uint16_t id = peer->id;
	bool good = sync_message(c->sync, id, message);

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
	tell_peer(peer, "fault");
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
	else
		count_error(c, ERROR_EARLY, sender);
	wire_free(&message);
}

static void on_room(void *arg)
{
	struct cluster *c = arg;

	if (c->hello_due)
		on_hello(&c->hello);
	sync_room(c->sync);
	agree_tick(c->agree);
}

static const struct engine_events engine_events = {
	.view = on_view,
	.joined = on_joined,
	.left = on_left,
	.message = on_message,
	.room = on_room,
};

/* A node that is forgotten and dead goes from the kernel as well. */
static void forget(struct cluster *c, uint16_t id)
{
	struct peer *peer = members_find(&c->members, id);

	if (peer && !peer->up && !peer->member && !peer->daemon)
		members_drop(&c->members, id);
}

static void on_changed(void *arg, const json_t *change, uint16_t by)
{
	struct cluster *c = arg;
	const char *op = json_string_value(json_object_get(change, "op"));

	(void)by;
	/* The others did the same, and will say so. */
	c->document_sent = uv_now(c->loop);
	if (op && !strcmp(op, "node-forget"))
		forget(c, (uint16_t)json_integer_value(
				  json_object_get(change, "node")));
	apply_soon(c);
	evaluate(c);
}

static size_t on_confirmed(void *arg, const struct document_stamp *stamp)
{
	const struct cluster *c = arg;

	return members_confirmed(&c->members, stamp);
}

static const struct agree_events agree_events = { .changed = on_changed,
						  .confirmed = on_confirmed };

/* What the kernel holds from before counts as if we had just done it. */
static int take_node(const struct mlb_node *node, void *arg)
{
	struct cluster *c = arg;
	struct peer *peer;

	if (node->fields & MLB_F_NODE_SELF || node->id == c->config->self.id)
		return 0;
	if (node->fields & MLB_F_NODE_ENCAP && node->encap != MLB_ENCAP_MLB)
		return 0;
	peer = members_get(&c->members, node->id);
	if (!peer)
		return 0;
	peer->addr = node->addr;
	peer->up = node->state != MLB_NODE_STATE_DEAD;
	return 0;
}

static int open_engine(struct cluster *c)
{
	uint16_t self = c->config->self.id;
	int ret = engine_open(&c->engine, c->loop, self, &engine_events, c);

	if (!ret)
		ret = sync_open(&c->sync, c->loop, c->engine, c->kernel, self,
				c->config->sync_tick);
	if (!ret)
		ret = agree_open(&c->agree, c->loop, c->engine, c->sync,
				 c->config->state_dir, &agree_events, c);
	if (!ret)
		ret = mlb_node_each(kernel_mlb(c->kernel), take_node, c);
	if (!ret)
		follow_kernel(c, false);
	if (ret) {
		agree_close(c->agree);
		sync_close(c->sync);
		engine_close(c->engine);
	}
	return ret;
}

int cluster_open(struct cluster **cluster, uv_loop_t *loop,
		 const struct config *config, struct kernel *kernel)
{
	struct cluster *c = calloc(1, sizeof(*c));
	int ret = 0;

	*cluster = NULL;
	if (!c)
		return -ENOMEM;
	c->loop = loop;
	c->config = config;
	c->kernel = kernel;
	if (config->engine == CONFIG_ENGINE_COROSYNC)
		ret = open_engine(c);
	if (ret) {
		free(c);
		return ret;
	}
	uv_timer_init(loop, &c->tick);
	uv_timer_init(loop, &c->hello);
	uv_timer_init(loop, &c->apply);
	c->handles = 3;
	c->tick.data = c;
	c->hello.data = c;
	c->apply.data = c;
	uv_timer_start(&c->tick, on_tick, TICK_MS, TICK_MS);
	apply(c);
	*cluster = c;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct cluster *c = handle->data;

	if (!--c->handles)
		free(c);
}

void cluster_close(struct cluster *c)
{
	if (!c)
		return;
	agree_close(c->agree);
	sync_close(c->sync);
	engine_close(c->engine);
	uv_close((uv_handle_t *)&c->tick, on_closed);
	uv_close((uv_handle_t *)&c->hello, on_closed);
	uv_close((uv_handle_t *)&c->apply, on_closed);
}

int cluster_reload(struct cluster *c, const struct config *config)
{
	int ret;

	c->config = config;
	if (c->sync)
		sync_set_tick(c->sync, config->sync_tick);
	ret = apply(c);
	if (c->engine)
		evaluate(c);
	return ret;
}

void cluster_poke(struct cluster *c)
{
	apply(c);
}

int cluster_propose(struct cluster *c, json_t *change, cluster_result_fn *fn,
		    void *arg)
{
	if (c->agree)
		return agree_propose(c->agree, change, fn, arg);
	json_decref(change);
	return -EOPNOTSUPP;
}

void cluster_owner(struct cluster *c, const struct mlb_owner *owner, bool add)
{
	if (c->sync)
		sync_owner(c->sync, owner, add);
}

void cluster_owners_lost(struct cluster *c)
{
	if (c->sync)
		sync_lost(c->sync);
}

json_t *cluster_document(struct cluster *c)
{
	return c->agree ? document_json(agree_document(c->agree)) : NULL;
}
