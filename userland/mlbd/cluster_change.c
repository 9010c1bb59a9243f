// SPDX-License-Identifier: GPL-2.0
/* What speaks against a change before it is proposed, as this node sees it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cluster_parts.h"
#include "parse.h"

const struct document_role *cluster_role_naming(const struct cluster *c,
						uint16_t id)
{
	const struct document *document = agree_document(c->agree);

	for (size_t i = 0; i < document->n_roles; i++) {
		const struct document_role *role = &document->roles[i];

		if (document_has(&role->nodes, id) ||
		    document_has(&role->spares, id) ||
		    document_has(&role->moved, id))
			return role;
	}
	return NULL;
}

/* This mlbd may be younger than what a role was given. */
static bool was_here(const struct cluster *c, uint16_t id)
{
	for (size_t i = 0; i < c->members.n; i++)
		if (c->members.peers[i].id == id)
			return true;
	return id == c->config->self.id || cluster_role_naming(c, id);
}

static bool is_known(const struct cluster *c, uint16_t id)
{
	return was_here(c, id) || document_node(agree_document(c->agree), id);
}

/* One that has never been here will come. */
static bool is_listed(const struct cluster *c, uint16_t id)
{
	for (size_t i = 0; i < c->view.n_listed; i++)
		if (c->view.listed[i] == id)
			return true;
	return false;
}

/* The id of the node whose tunnel has the address, or 0. */
static uint16_t node_at(const struct cluster *c, const struct mlb_addr *addr)
{
	if (hello_addr_same(&c->config->self.addr, addr))
		return c->config->self.id;
	for (size_t i = 0; i < c->members.n; i++)
		if (hello_addr_same(&c->members.peers[i].addr, addr))
			return c->members.peers[i].id;
	return 0;
}

/* The kernels that know the node would refuse it, and with it all that follows.
 */
static int check_vip(const struct cluster *c, const json_t *service,
		     char *error, size_t size)
{
	const char *text = json_string_value(json_object_get(service, "vip"));
	struct mlb_endpoint vip;
	uint16_t id;

	if (!text || parse_endpoint(text, &vip))
		return 0; /* the document's parser says what is wrong */
	id = node_at(c, &vip.addr);
	if (!id)
		return 0;
	snprintf(
		error, size,
		"%.60s is at the tunnel address of node %u; a service needs its own",
		text, id);
	return -EADDRINUSE;
}

static int check_vips(const struct cluster *c, const json_t *document,
		      char *error, size_t size)
{
	const json_t *services = json_object_get(document, "services");
	int ret = 0;

	for (size_t i = 0; !ret && i < json_array_size(services); i++)
		ret = check_vip(c, json_array_get(services, i), error, size);
	return ret;
}

static int check_known(const struct cluster *c, const json_t *change,
		       char *error, size_t size)
{
	json_int_t id = json_integer_value(json_object_get(change, "node"));

	if (id < 1 || id > MLB_NODE_ID_MAX || is_known(c, (uint16_t)id))
		return 0;
	snprintf(error, size, "nothing is known of node %u", (unsigned int)id);
	return -ENOENT;
}

/* The document's parser says what is wrong with what is none. */
static bool is_id(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 1 &&
	       json_integer_value(value) <= MLB_NODE_ID_MAX;
}

static int refuse_unknown(const struct cluster *c, const json_t *ids,
			  char *error, size_t size)
{
	const json_t *value;
	size_t i;

	/* Without corosync nothing is agreed on, and nobody can tell. */
	if (!c->view.connected)
		return 0;
	json_array_foreach(ids, i, value) {
		uint16_t id = (uint16_t)json_integer_value(value);

		if (!is_id(value) || was_here(c, id) || is_listed(c, id))
			continue;
		snprintf(
			error, size,
			"node %u has never been in the cluster: start it first",
			id);
		return -EINVAL;
	}
	return 0;
}

/* A role is not moved to where nobody could do it. */
static int refuse_unfit(const struct cluster *c, const json_t *change,
			char *error, size_t size)
{
	const char *name = json_string_value(json_object_get(change, "role"));
	struct assign_node nodes[MEMBERS_MAX + 1];
	struct assign_input in = { .document = agree_document(c->agree),
				   .nodes = nodes };
	const struct document_role *role =
		name ? document_role(in.document, name) : NULL;
	const json_t *value;
	char why[80];
	size_t i;

	in.n_nodes = cluster_nodes(c, nodes);
	json_array_foreach(json_object_get(change, "nodes"), i, value) {
		uint16_t id = (uint16_t)json_integer_value(value);

		if (!role || !is_id(value) ||
		    assign_fit(&in, role, id, why, sizeof(why)))
			continue;
		snprintf(error, size, "node %u %s", id, why);
		return -EINVAL;
	}
	return 0;
}

/* A role has no more places than there are nodes. */
static int check_places(const struct cluster *c, const json_t *role,
			char *error, size_t size)
{
	static const char *const keys[] = { "nodes", "spares", "moved" };
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(keys) / sizeof(*keys); i++)
		ret = refuse_unknown(c, json_object_get(role, keys[i]), error,
				     size);
	return ret;
}

static int check_role(const struct cluster *c, const json_t *change,
		      const char *op, char *error, size_t size)
{
	int ret = check_places(c, change, error, size);

	if (!ret && !strcmp(op, "role-move") && c->view.quorate)
		ret = refuse_unfit(c, change, error, size);
	return ret;
}

static int check_load(const struct cluster *c, const json_t *document,
		      char *error, size_t size)
{
	const json_t *roles = json_object_get(document, "roles");
	int ret = check_vips(c, document, error, size);

	for (size_t i = 0; !ret && i < json_array_size(roles); i++)
		ret = check_places(c, json_array_get(roles, i), error, size);
	return ret;
}

static bool is_here(const struct cluster *c, uint16_t id)
{
	for (size_t i = 0; i < c->members.n; i++)
		if (c->members.peers[i].id == id)
			return !peer_gone(&c->members.peers[i]);
	return id == c->config->self.id;
}

/*
 * Of one that is here goes what was set for it. Of one that is gone everything
 * does, and a place in a role would be nobody's for ever.
 */
static int check_forget(const struct cluster *c, const json_t *change,
			char *error, size_t size)
{
	const json_t *id = json_object_get(change, "node");
	const struct document_role *role;

	if (!is_id(id))
		return 0;
	role = cluster_role_naming(c, (uint16_t)json_integer_value(id));
	if (!role || is_here(c, (uint16_t)json_integer_value(id)))
		return 0;
	snprintf(
		error, size,
		"role %s names node %u, which is gone: give the role other nodes first",
		role->name, (unsigned int)json_integer_value(id));
	return -EBUSY;
}

int cluster_judge_change(const struct cluster *c, const json_t *change,
			 char *error, size_t size)
{
	const char *op = json_string_value(json_object_get(change, "op"));
	int ret = 0;

	if (op && !strcmp(op, "assign")) {
		snprintf(
			error, size,
			"the cluster itself finds out who holds a role; see \"role move\"");
		return -EPERM;
	}
	if (document_change_needs_roles(change) &&
	    members_protocol(&c->members) < 2) {
		snprintf(
			error, size,
			"a node speaks protocol 1, which has no roles: finish the upgrade");
		return -EAGAIN;
	}
	if (op && !strncmp(op, "role-", 5))
		return check_role(c, change, op, error, size);
	if (op && !strcmp(op, "service-add"))
		return check_vip(c, change, error, size);
	if (op && !strcmp(op, "load"))
		return check_load(c, json_object_get(change, "document"), error,
				  size);
	/* Nobody would ever end it, who was mistaken for another. */
	if (op && (!strcmp(op, "node-forget") ||
		   (!strcmp(op, "node-set") &&
		    json_object_get(change, "drain-timeout"))))
		ret = check_known(c, change, error, size);
	if (!ret && op && !strcmp(op, "node-forget"))
		ret = check_forget(c, change, error, size);
	return ret;
}
