// SPDX-License-Identifier: GPL-2.0
/* The operations on the cluster's document, one function each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document_parts.h"
#include "text.h"

#define KEYS(...) ((const char *const[]){ "op", __VA_ARGS__, NULL })
#define ROLE_KEYS                                                      \
	KEYS("role", "services", "groups", "nodes", "spares", "failback", \
	     "without-spare", "exclusive")

static int refuse_missing(char *error, size_t size, const char *what)
{
	snprintf(error, size, "%s is missing", what);
	return -EINVAL;
}

static int service_add(struct document *document, const json_t *change,
		       char *error, size_t size)
{
	struct mlb_service service = {};
	char text[ENDPOINT_TEXT];
	bool found;
	size_t at;
	int ret = document_parse_vip(change, &service.vip, error, size);

	if (ret)
		return ret;
	at = document_find_service(document, &service.vip, &found);
	if (found) {
		snprintf(error, size, "there is a service %s already",
			 endpoint_text(&service.vip, text));
		return -EEXIST;
	}
	ret = document_parse_service(change, &service, error, size);
	if (!ret)
		ret = document_insert_service(document, at, &service, error,
					      size);
	if (ret)
		free(document_pool(&service));
	return ret;
}

/* The service that a change names. */
static int find_service(struct document *document, const json_t *change,
			size_t *at, char *error, size_t size)
{
	char text[ENDPOINT_TEXT];
	struct mlb_endpoint vip;
	bool found;
	int ret = document_parse_vip(change, &vip, error, size);

	if (ret)
		return ret;
	*at = document_find_service(document, &vip, &found);
	if (found)
		return 0;
	snprintf(error, size, "there is no service %s",
		 endpoint_text(&vip, text));
	return -ENOENT;
}

static int service_set(struct document *document, const json_t *change,
		       char *error, size_t size)
{
	size_t at;
	int ret;

	if (!json_object_get(change, "scheduler") &&
	    !json_object_get(change, "nodes"))
		return refuse_missing(error, size, "what to set");
	ret = find_service(document, change, &at, error, size);
	if (ret)
		return ret;
	return document_parse_service(change, &document->services[at], error,
				      size);
}

static int service_del(struct document *document, const json_t *change,
		       char *error, size_t size)
{
	struct mlb_service *services = document->services;
	size_t at;
	int ret = find_service(document, change, &at, error, size);

	if (ret)
		return ret;
	free(document_pool(&services[at]));
	document->n_services--;
	memmove(services + at, services + at + 1,
		(document->n_services - at) * sizeof(*services));
	return 0;
}

static int node_set(struct document *document, const json_t *change,
		    char *error, size_t size)
{
	struct document_node node = {};
	bool found;
	size_t at;
	int ret;

	if (!json_object_get(change, "weight") &&
	    !json_object_get(change, "state") &&
	    !json_object_get(change, "drain-timeout") &&
	    !json_object_get(change, "roles"))
		return refuse_missing(error, size, "what to set");
	ret = document_parse_node(change, &node, error, size);
	at = document_find_node(document, node.id, &found);
	if (!ret && !found)
		ret = document_insert_node(document, at, &node, error, size);
	if (!ret && !found)
		return 0;
	free(node.roles.name);
	return ret ? ret :
		     document_parse_node(change, &document->nodes[at], error,
					 size);
}

/* "reason" and "connections" are for who reads of the change. */
static int drain_end(struct document *document, const json_t *change,
		     char *error, size_t size)
{
	struct document_node node = {};
	bool found;
	size_t at;
	int ret = document_parse_node(change, &node, error, size);

	if (ret)
		return ret;
	at = document_find_node(document, node.id, &found);
	if (!found || document->nodes[at].state != MLB_NODE_STATE_DRAIN ||
	    !document->nodes[at].drain_ends) {
		snprintf(error, size, "node %u is in no drain that ends",
			 node.id);
		return -ENOENT;
	}
	document->nodes[at].state = MLB_NODE_STATE_MAINTENANCE;
	document->nodes[at].drain_ends = false;
	return 0;
}

/* That nothing is set for it is no fault: there may be more to forget. */
static int node_forget(struct document *document, const json_t *change,
		       char *error, size_t size)
{
	struct document_node *nodes = document->nodes;
	struct document_node node = {};
	bool found;
	size_t at;
	int ret = document_parse_node(change, &node, error, size);

	if (ret)
		return ret;
	at = document_find_node(document, node.id, &found);
	if (!found)
		return 0;
	free(nodes[at].roles.name);
	document->n_nodes--;
	memmove(nodes + at, nodes + at + 1,
		(document->n_nodes - at) * sizeof(*nodes));
	return 0;
}

static int set(struct document *document, const json_t *change, char *error,
	       size_t size)
{
	const json_t *settings = json_object_get(change, "settings");

	if (!json_object_size(settings))
		return refuse_missing(error, size, "what to set");
	return document_parse_settings(settings, &document->settings, error,
				       size);
}

static int load(struct document *document, const json_t *change, char *error,
		size_t size)
{
	struct document *new = document_new(), old = *document;
	int ret;

	if (!new) {
		snprintf(error, size, "out of memory");
		return -ENOMEM;
	}
	ret = document_parse_contents(json_object_get(change, "document"), new,
				      error, size);
	if (!ret) {
		*document = *new;
		document->stamp = old.stamp;
		*new = old;
		document_keep_assigned(document, new);
	}
	document_free(new);
	return ret;
}

struct operation {
	const char *name;
	const char *const *keys;
	int (*operate)(struct document *document, const json_t *change,
		       char *error, size_t size);
};

int document_operate(struct document *document, const json_t *change,
		     char *error, size_t size)
{
	const struct operation operations[] = {
		{ "service-add", KEYS("vip", "scheduler", "nodes"),
		  service_add },
		{ "service-set", KEYS("vip", "scheduler", "nodes"),
		  service_set },
		{ "service-del", KEYS("vip"), service_del },
		{ "node-set",
		  KEYS("node", "weight", "state", "drain-timeout", "roles"),
		  node_set },
		{ "drain-end", KEYS("node", "reason", "connections"),
		  drain_end },
		{ "node-forget", KEYS("node"), node_forget },
		{ "group-add", KEYS("group", "prefixes"), document_group_add },
		{ "group-set", KEYS("group", "prefixes"), document_group_set },
		{ "group-del", KEYS("group"), document_group_del },
		{ "role-add", ROLE_KEYS, document_role_add },
		{ "role-set", ROLE_KEYS, document_role_set },
		{ "role-del", KEYS("role"), document_role_del },
		{ "role-move", KEYS("role", "nodes"), document_role_move },
		{ "assign", KEYS("base", "by", "roles"), document_assign },
		{ "set", KEYS("settings"), set },
		{ "load", KEYS("document"), load },
	};
	const char *op = json_string_value(json_object_get(change, "op"));

	if (!op)
		return refuse_missing(error, size, "op");
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		int ret;

		if (strcmp(op, operations[i].name))
			continue;
		ret = document_check_keys(change, operations[i].keys, error,
					  size);
		if (!ret)
			ret = operations[i].operate(document, change, error,
						    size);
		return ret ? ret : document_check(document, error, size);
	}
	snprintf(error, size, "operation \"%.40s\" is not known", op);
	return -EINVAL;
}
