// SPDX-License-Identifier: GPL-2.0
/* What this node says to its peers, and to who listens here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_parts.h"

/* Hellos that are due at about the same time are one. */
#define HELLO_MS 20
/* From sending the document to sending it again to those who are behind. */
#define DOCUMENT_MS 1000

void cluster_tell_peer(const struct cluster *c, const struct peer *peer,
		       const char *state)
{
	json_t *event = json_pack("{s:s, s:i, s:s, s:s*, s:I}", "event", "peer",
				  "node", peer->id, "state", state, "fault",
				  peer->fault[0] ? peer->fault : NULL, "ring",
				  (json_int_t)c->view.ring);

	/* In protocol 1 nobody tells each second how he is. */
	if (event && peer->heard && peer->hello.protocol_max >= 2)
		json_object_set_new(event, "silent",
				    json_integer((json_int_t)(
					    uv_now(c->loop) - peer->heard)));
	if (event)
		control_event(event);
}

/* Who cannot read the document cannot be one of us. */
static uint32_t protocol_needed(const struct cluster *c)
{
	return document_needs_roles(agree_document(c->agree)) ?
		       2 :
		       HELLO_PROTOCOL_MIN;
}

struct hello cluster_hello(const struct cluster *c)
{
	struct hello hello = {
		.protocol_min = protocol_needed(c),
		.protocol_max = HELLO_PROTOCOL_MAX,
		.addr = c->config->self.addr,
		.port = c->config->settings.port,
		.keyed = c->keyed,
		.ready = c->ready,
		.stamp = agree_document(c->agree)->stamp,
		.version = MLB_VERSION,
	};

	hello_set_cluster(&hello, c->view.name);
	if (c->keyed)
		memcpy(hello.key_id, c->key_id, sizeof(hello.key_id));
	return hello;
}

static void on_hello(uv_timer_t *timer)
{
	cluster_say_hello(timer->data);
}

void cluster_say_hello(struct cluster *c)
{
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
	cluster_evaluate(c);
}

void cluster_hello_soon(struct cluster *c)
{
	c->hello_due = true;
	if (!uv_is_active((uv_handle_t *)&c->hello))
		uv_timer_start(&c->hello, on_hello, HELLO_MS, 0);
}

/*
 * Somebody is behind: of those who have the newest document the one with the
 * lowest id sends it, and if that one does not, the next a while later.
 */
void cluster_send_document(struct cluster *c)
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
