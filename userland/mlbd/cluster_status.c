// SPDX-License-Identifier: GPL-2.0
/* What the cluster says of itself; see README.md. */
#include "cluster_parts.h"

/* How a node is, in words that do not need the others to be understood. */
static void put_report(const struct cluster *c, json_t *node, uint16_t id,
		       const struct report *report, uint64_t heard)
{
	const struct document *document = agree_document(c->agree);
	json_t *roles = json_array(), *object = report_json(report);

	for (size_t i = 0; i < document->n_roles; i++)
		if (document_has(&document->roles[i].assigned.nodes, id))
			json_array_append_new(
				roles, json_string(document->roles[i].name));
	json_object_set_new(node, "roles", roles);
	json_object_set_new(node, "load",
			    json_real((double)report->load / 100));
	json_object_set(node, "connections",
			json_object_get(object, "connections"));
	json_object_set(node, "down", json_object_get(object, "down"));
	if (report->drain.there)
		json_object_set(node, "drain",
				json_object_get(object, "drain"));
	json_object_set_new(node, "age",
			    json_integer((json_int_t)(uv_now(c->loop) - heard)));
	json_decref(object);
}

static json_t *self_json(const struct cluster *c)
{
	struct hello hello = cluster_hello(c);
	json_t *json = hello_json(&hello);

	json_object_del(json, "protocol");
	json_object_del(json, "port");
	json_object_set_new(json, "node", json_integer(c->config->self.id));
	json_object_set_new(json, "self", json_true());
	json_object_set_new(json, "member", json_boolean(c->view.connected));
	json_object_set_new(json, "daemon", json_true());
	json_object_set_new(json, "fault", json_null());
	put_report(c, json, c->config->self.id, &c->own, uv_now(c->loop));
	return json;
}

static json_t *peer_json(const struct cluster *c, const struct peer *peer)
{
	struct sync_peer_state state = { .lag = -1 };
	struct hello hello = peer->hello;
	json_t *json;

	if (peer->addr.family != AF_UNSPEC || !peer->greeted)
		hello.addr = peer->addr;
	json = hello_json(&hello);
	json_object_del(json, "protocol");
	json_object_del(json, "port");
	sync_peer_state(c->sync, peer->id, &state);
	if (!peer->greeted) {
		json_object_set_new(json, "stamp", json_null());
		json_object_set_new(json, "ready", json_false());
		json_object_set_new(json, "version", json_null());
	}
	json_object_set_new(json, "node", json_integer(peer->id));
	json_object_set_new(json, "self", json_false());
	json_object_set_new(json, "member", json_boolean(peer->member));
	json_object_set_new(json, "daemon", json_boolean(peer->daemon));
	json_object_set_new(json, "up", json_boolean(peer->up));
	json_object_set_new(json, "fault",
			    peer->fault[0] ? json_string(peer->fault) :
					     json_null());
	json_object_set_new(json, "lag",
			    state.lag < 0 ? json_null() :
					    json_integer(state.lag));
	json_object_set_new(json, "in-step", json_boolean(state.in_step));
	json_object_set_new(json, "queued", json_integer((json_int_t)state.queued));
	json_object_set_new(json, "received",
			    json_integer((json_int_t)state.received));
	json_object_set_new(json, "repeats",
			    json_integer((json_int_t)state.repeats));
	json_object_set_new(json, "gaps",
			    json_integer((json_int_t)state.gaps));
	json_object_set_new(json, "stale",
			    json_integer((json_int_t)state.stale));
	json_object_set_new(json, "refused",
			    json_integer((json_int_t)state.refused));
	if (peer->reported)
		put_report(c, json, peer->id, &peer->report, peer->heard);
	return json;
}

static json_t *nodes_json(const struct cluster *c)
{
	json_t *nodes = json_array();
	bool self = false;

	for (size_t i = 0; i < c->members.n; i++) {
		const struct peer *peer = &c->members.peers[i];

		if (!self && peer->id > c->config->self.id) {
			json_array_append_new(nodes, self_json(c));
			self = true;
		}
		json_array_append_new(nodes, peer_json(c, peer));
	}
	if (!self)
		json_array_append_new(nodes, self_json(c));
	return nodes;
}

static json_t *roles_json(const struct cluster *c)
{
	const struct document *document = agree_document(c->agree);
	json_t *roles = json_array();

	for (size_t i = 0; i < document->n_roles; i++) {
		const struct document_role *role = &document->roles[i];
		json_t *json = document_assigned_json(&role->assigned);

		json_object_set_new(json, "role", json_string(role->name));
		json_array_append_new(roles, json);
	}
	return roles;
}

json_t *cluster_status(struct cluster *c)
{
	const struct engine_view *view = &c->view;
	json_t *errors;

	if (!c->engine)
		return json_object();
	drain_report(c->drain, &c->own.drain);
	errors = json_object();
	for (int i = 0; i < ERROR_N; i++)
		json_object_set_new(errors, cluster_error_names[i],
				    json_integer((json_int_t)c->errors[i]));
	return json_pack("{s:b, s:s?, s:b, s:I, s:b, s:o, s:b, s:s?, s:o, s:o, s:o, s:o, s:o, s:o*}",
			 "connected", view->connected, "fault",
			 view->fault[0] ? view->fault : NULL, "quorate",
			 view->quorate, "ring", (json_int_t)view->ring,
			 "ready", c->ready, "stamp",
			 document_stamp_json(&agree_document(c->agree)->stamp),
			 "persisted", agree_persisted(c->agree),
			 "persist-error", agree_persist_error(c->agree),
			 "manager", c->manager ? json_integer(c->manager) :
						 json_null(),
			 "roles", roles_json(c), "nodes", nodes_json(c), "sync",
			 sync_status(c->sync), "errors", errors, "drain",
			 report_drain_json(&c->own.drain));
}
