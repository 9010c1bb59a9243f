// SPDX-License-Identifier: GPL-2.0
/* Whether the parts of a document fit each other. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "document_parts.h"
#include "text.h"

/* A prefix, and whose it is. */
struct claim {
	const struct mlb_prefix *prefix;
	const struct document_group *group;
};

static int claim_cmp(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	return document_prefix_cmp(x->prefix, y->prefix);
}

/* One within the other is fine: the longer one says whose a client is. */
static int check_prefixes(const struct document *document, char *error,
			  size_t size)
{
	struct claim *claims;
	char text[PREFIX_TEXT];
	size_t n = 0;
	int ret = 0;

	for (size_t i = 0; i < document->n_groups; i++)
		n += document->groups[i].n_prefixes;
	if (!n)
		return 0;
	if (n > DOCUMENT_PREFIXES_MAX) {
		document_refuse(
			error, size,
			"all groups would have %zu prefixes; a node has room for %d",
			n, DOCUMENT_PREFIXES_MAX);
		return -ENOSPC;
	}
	claims = calloc(n, sizeof(*claims));
	if (!claims)
		return document_no_memory(error, size);
	n = 0;
	for (size_t i = 0; i < document->n_groups; i++) {
		const struct document_group *group = &document->groups[i];

		for (size_t j = 0; j < group->n_prefixes; j++)
			claims[n++] =
				(struct claim){ &group->prefixes[j], group };
	}
	qsort(claims, n, sizeof(*claims), claim_cmp);
	for (size_t i = 1; !ret && i < n; i++) {
		const struct claim *a = &claims[i - 1], *b = &claims[i];

		if (document_prefix_cmp(a->prefix, b->prefix))
			continue;
		prefix_text(a->prefix, text);
		if (a->group == b->group)
			ret = document_refuse(error, size,
					      "group %s has %s twice",
					      a->group->name, text);
		else
			ret = document_refuse(
				error, size,
				"%s is in group %.31s and in group %.31s", text,
				a->group->name, b->group->name);
	}
	free(claims);
	return ret;
}

static int check_names(const struct document *document,
		       const struct document_role *role,
		       const struct document_served *served, char *error,
		       size_t size)
{
	char text[ENDPOINT_TEXT];
	bool found;

	if (served->missing)
		return document_refuse(
			error, size,
			"role %s needs service %s, which is not there",
			role->name, endpoint_text(served->missing, text));
	for (size_t i = 0; i < role->groups.n; i++) {
		document_find_group(document, role->groups.name[i], &found);
		if (!found)
			return document_refuse(
				error, size,
				"role %s needs group %s, which is not there",
				role->name, role->groups.name[i]);
	}
	return 0;
}

static size_t count(const struct document_served *served)
{
	size_t n = 0;

	for (size_t i = 0; i < DOCUMENT_SERVICES_MAX / 64; i++)
		n += (size_t)__builtin_popcountll(served->bits[i]);
	return n;
}

static bool same_service(const struct document_served *a,
			 const struct document_served *b)
{
	for (size_t i = 0; i < DOCUMENT_SERVICES_MAX / 64; i++)
		if (a->bits[i] & b->bits[i])
			return true;
	return a->all || b->all;
}

/* What two roles both claim; "" is every other client. */
static const char *same_clients(const struct document_role *a,
				const struct document_role *b)
{
	size_t i = 0, j = 0;

	if (!a->groups.n && !b->groups.n)
		return "";
	while (i < a->groups.n && j < b->groups.n) {
		int cmp = strcmp(a->groups.name[i], b->groups.name[j]);

		if (!cmp)
			return a->groups.name[i];
		if (cmp < 0)
			i++;
		else
			j++;
	}
	return NULL;
}

/* No client of a service may be two roles' work. */
static int check_clients(const struct document_role *a,
			 const struct document_role *b, char *error,
			 size_t size)
{
	const char *group = same_clients(a, b);

	if (!group)
		return 0;
	if (!*group)
		return document_refuse(
			error, size,
			"roles %s and %s both have the clients of no group of the same service",
			a->name, b->name);
	return document_refuse(
		error, size,
		"roles %s and %s both have group %s of the same service",
		a->name, b->name, group);
}

/* A kernel that refused them would serve nobody's role as it should. */
static int check_pools(const struct document *document,
		       const struct document_served *served, char *error,
		       size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < document->n_roles; i++) {
		const struct document_role *role = &document->roles[i];
		size_t services = served[i].all ? document->n_services :
						  count(&served[i]);

		n += services * (role->groups.n ? role->groups.n : 1);
	}
	if (n <= DOCUMENT_POOLS_MAX)
		return 0;
	document_refuse(
		error, size,
		"the services of all roles, each for its groups, would be %zu pools; a node has room for %d",
		n, DOCUMENT_POOLS_MAX);
	return -ENOSPC;
}

static int check_roles(const struct document *document, char *error,
		       size_t size)
{
	struct document_served *served =
		calloc(document->n_roles + 1, sizeof(*served));
	struct document_index index;
	int ret = 0;

	if (!served)
		return document_no_memory(error, size);
	document_index(&index, document->services, document->n_services);
	for (size_t i = 0; !ret && i < document->n_roles; i++) {
		const struct document_role *role = &document->roles[i];

		document_index_role(&index, role, &served[i]);
		ret = check_names(document, role, &served[i], error, size);
		for (size_t j = 0; !ret && j < i; j++)
			if (same_service(&served[j], &served[i]))
				ret = check_clients(&document->roles[j], role,
						    error, size);
	}
	if (!ret)
		ret = check_pools(document, served, error, size);
	free(served);
	return ret;
}

static int check_nodes(const struct document *document, char *error,
		       size_t size)
{
	for (size_t i = 0; i < document->n_nodes; i++) {
		const struct document_node *node = &document->nodes[i];

		if (node->drain_ends && node->state != MLB_NODE_STATE_DRAIN)
			return document_refuse(
				error, size,
				"drain-timeout is for a node in drain, which node %u is not",
				node->id);
		for (size_t j = 0; j < node->roles.n; j++)
			if (!document_role(document, node->roles.name[j]))
				return document_refuse(
					error, size,
					"node %u takes role %s, which is not there",
					node->id, node->roles.name[j]);
	}
	return 0;
}

int document_check(const struct document *document, char *error, size_t size)
{
	int ret = check_prefixes(document, error, size);

	if (!ret)
		ret = check_roles(document, error, size);
	return ret ? ret : check_nodes(document, error, size);
}

int document_check_assigned(const struct document *document, char *error,
			    size_t size)
{
	uint64_t version = document->stamp.version;

	for (size_t i = 0; i < document->n_roles; i++) {
		const struct document_role *role = &document->roles[i];

		if (role->asked > version || role->since > version ||
		    role->assigned.epoch > version)
			return document_refuse(
				error, size, "role %s is ahead of the document",
				role->name);
		if (role->exclusive && role->assigned.nodes.n > 1)
			return document_refuse(
				error, size,
				"role %s is exclusive and held by node %u and node %u",
				role->name, role->assigned.nodes.id[0],
				role->assigned.nodes.id[1]);
	}
	return 0;
}

bool document_needs_roles(const struct document *document)
{
	for (size_t i = 0; i < document->n_nodes; i++)
		if (document->nodes[i].limited || document->nodes[i].drain_ends)
			return true;
	return document->n_groups || document->n_roles;
}

/* Of "load" it is the document that counts, which may be anything. */
bool document_change_needs_roles(const json_t *change)
{
	const char *op = json_string_value(json_object_get(change, "op"));
	const json_t *document = json_object_get(change, "document");
	const json_t *node;
	size_t i;

	json_array_foreach(json_object_get(document, "nodes"), i, node)
		if (json_object_get(node, "roles") ||
		    json_object_get(node, "drain-timeout"))
			return true;
	return json_object_get(change, "roles") ||
	       json_object_get(change, "drain-timeout") ||
	       json_object_get(document, "groups") ||
	       json_object_get(document, "roles") ||
	       (op && (!strncmp(op, "group-", 6) || !strncmp(op, "role-", 5) ||
		       !strcmp(op, "drain-end")));
}
