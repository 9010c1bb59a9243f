// SPDX-License-Identifier: GPL-2.0
/* The parts of the document: services, nodes and settings, from and to JSON. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document_parts.h"
#include "parse.h"
#include "settings.h"
#include "text.h"

int document_refuse(char *error, size_t size, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(error, size, format, ap);
	va_end(ap);
	return -EINVAL;
}

int document_no_memory(char *error, size_t size)
{
	snprintf(error, size, "out of memory");
	return -ENOMEM;
}

/* The library's structures have it const, as it is none of its business. */
uint16_t *document_pool(const struct mlb_service *service)
{
	union {
		const uint16_t *theirs;
		uint16_t *ours;
	} pool = { service->nodes };

	return pool.ours;
}

/* Jansson's iterators want what they do not change. */
json_t *document_iterable(const json_t *json)
{
	union {
		const json_t *theirs;
		json_t *jansson;
	} object = { json };

	return object.jansson;
}

int document_check_keys(const json_t *json, const char *const *keys,
			char *error, size_t size)
{
	const char *key;
	json_t *value;

	if (!json_is_object(json))
		return document_refuse(error, size, "an object is expected");
	json_object_foreach(document_iterable(json), key, value) {
		const char *const *k = keys;

		while (*k && strcmp(*k, key))
			k++;
		if (!*k)
			return document_refuse(error, size,
					       "\"%.40s\" is not known", key);
	}
	return 0;
}

int document_parse_range(const json_t *json, const char *key, json_int_t min,
			 json_int_t max, uint32_t *out, char *error,
			 size_t size)
{
	const json_t *value = json_object_get(json, key);

	if (!json_is_integer(value) || json_integer_value(value) < min ||
	    json_integer_value(value) > max)
		return document_refuse(
			error, size,
			"%s is not a number from %" JSON_INTEGER_FORMAT
			" to %" JSON_INTEGER_FORMAT,
			key, min, max);
	*out = (uint32_t)json_integer_value(value);
	return 0;
}

int document_parse_word(const json_t *json, const char *key,
			const char *const *words, unsigned int *out,
			char *error, size_t size)
{
	const char *word = json_string_value(json_object_get(json, key));

	for (unsigned int i = 0; word && words[i]; i++) {
		if (!strcmp(word, words[i])) {
			*out = i;
			return 0;
		}
	}
	return document_refuse(error, size, "%s \"%.40s\" is not known", key,
			       word ? word : "");
}

int document_parse_vip(const json_t *json, struct mlb_endpoint *vip,
		       char *error, size_t size)
{
	const char *text = json_string_value(json_object_get(json, "vip"));
	const char *wrong;

	if (!text)
		return document_refuse(error, size, "vip is missing");
	wrong = parse_endpoint(text, vip);
	if (wrong)
		return document_refuse(error, size, "vip %.60s %s", text,
				       wrong);
	return 0;
}

static int id_cmp(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static int parse_pool(const json_t *json, struct mlb_service *service,
		      char *error, size_t size)
{
	size_t n = json_array_size(json);
	uint16_t *pool = NULL;

	if (!json_is_array(json))
		return document_refuse(error, size, "nodes is not a list");
	if (n > MLB_NODE_ID_MAX)
		return document_refuse(error, size, "nodes has too many");
	if (n) {
		pool = calloc(n, sizeof(*pool));
		if (!pool)
			return document_no_memory(error, size);
	}
	for (size_t i = 0; i < n; i++) {
		const json_t *id = json_array_get(json, i);

		if (!json_is_integer(id) || json_integer_value(id) < 1 ||
		    json_integer_value(id) > MLB_NODE_ID_MAX) {
			free(pool);
			return document_refuse(
				error, size,
				"nodes has something that is not a node id from 1 to %d",
				MLB_NODE_ID_MAX);
		}
		pool[i] = (uint16_t)json_integer_value(id);
	}
	if (n)
		qsort(pool, n, sizeof(*pool), id_cmp);
	for (size_t i = 1; i < n; i++) {
		if (pool[i] == pool[i - 1]) {
			free(pool);
			return document_refuse(error, size,
					       "nodes names one twice");
		}
	}
	free(document_pool(service));
	service->nodes = pool;
	service->n_nodes = n;
	return 0;
}

int document_parse_service(const json_t *json, struct mlb_service *service,
			   char *error, size_t size)
{
	const json_t *nodes = json_object_get(json, "nodes");
	unsigned int scheduler = service->scheduler;
	int ret = 0;

	if (json_object_get(json, "scheduler"))
		ret = document_parse_word(json, "scheduler", scheduler_words,
					  &scheduler, error, size);
	if (!ret && nodes)
		ret = parse_pool(nodes, service, error, size);
	service->scheduler = scheduler;
	service->fields = MLB_F_SERVICE_SCHEDULER | MLB_F_SERVICE_NODES;
	return ret;
}

/* A list, or "all". */
static int parse_node_roles(const json_t *json, struct document_node *node,
			    char *error, size_t size)
{
	const char *word = json_string_value(json_object_get(json, "roles"));

	node->limited = !word || strcmp(word, "all");
	if (node->limited)
		return document_parse_names(json, "roles", &node->roles, error,
					    size);
	free(node->roles.name);
	node->roles = (struct document_names){};
	return 0;
}

/* A state that is set anew is for as long as nobody says how it ends. */
static int parse_drain(const json_t *json, struct document_node *node,
		       char *error, size_t size)
{
	if (json_object_get(json, "state"))
		node->drain_ends = false;
	if (!json_object_get(json, "drain-timeout"))
		return 0;
	node->drain_ends = true;
	return document_parse_range(json, "drain-timeout", 0,
				    DOCUMENT_DRAIN_MAX, &node->drain_timeout,
				    error, size);
}

/* Everything but its id, which says which node this is. */
static int parse_node_values(const json_t *json, struct document_node *node,
			     char *error, size_t size)
{
	unsigned int state = node->state;
	int ret = 0;

	if (json_object_get(json, "weight"))
		ret = document_parse_range(json, "weight", 0, MLB_WEIGHT_MAX,
					   &node->weight, error, size);
	if (!ret && json_object_get(json, "state"))
		ret = document_parse_word(json, "state", node_state_words,
					  &state, error, size);
	if (ret)
		return ret;
	if (json_object_get(json, "roles"))
		ret = parse_node_roles(json, node, error, size);
	if (ret)
		return ret;
	if (state == MLB_NODE_STATE_DEAD)
		return document_refuse(
			error, size,
			"state \"dead\" is what the cluster finds out, and nobody says");
	node->state = state;
	return parse_drain(json, node, error, size);
}

int document_parse_node(const json_t *json, struct document_node *node,
			char *error, size_t size)
{
	uint32_t id = 0;
	int ret = document_parse_range(json, "node", 1, MLB_NODE_ID_MAX, &id,
				       error, size);

	if (ret)
		return ret;
	if (node->id != id)
		*node = (struct document_node){ .id = (uint16_t)id,
						.weight = 1 };
	return parse_node_values(json, node, error, size);
}

static const struct arg *find_setting(const char *name)
{
	const struct arg *setting;

	for_each_setting(setting, SETTINGS_OF_CLUSTER)
		if (!strcmp(setting->name, name))
			return setting;
	return NULL;
}

static int parse_setting(const json_t *json, const struct arg *setting,
			 uint32_t *number, char *error, size_t size)
{
	const json_t *value = json_object_get(json, setting->name);
	const char *word = json_string_value(value);

	if (setting->type == ARG_WORD) {
		for (*number = 0; word && setting->words[*number]; ++*number)
			if (!strcmp(setting->words[*number], word))
				return 0;
		return document_refuse(error, size, "%s has no such value",
				       setting->name);
	}
	*number = 0;
	if (setting->zero && json_is_integer(value) &&
	    !json_integer_value(value))
		return 0;
	return document_parse_range(json, setting->name, setting->min,
				    setting->max, number, error, size);
}

int document_parse_settings(const json_t *json, struct mlb_config *settings,
			    char *error, size_t size)
{
	const struct arg *setting;
	uint32_t number;
	const char *key;
	json_t *value;
	int ret;

	if (!json_is_object(json))
		return document_refuse(error, size, "an object is expected");
	json_object_foreach(document_iterable(json), key, value) {
		setting = find_setting(key);
		if (!setting)
			return document_refuse(error, size,
					       "\"%.40s\" is not known", key);
		ret = parse_setting(json, setting, &number, error, size);
		if (ret)
			return ret;
		setting_put(settings, setting, number);
	}
	return 0;
}

static int add_service(const json_t *json, struct document *document,
		       char *error, size_t size)
{
	static const char *const keys[] = { "vip", "scheduler", "nodes", NULL };
	struct mlb_service service = {};
	bool found;
	size_t at;
	int ret = document_check_keys(json, keys, error, size);

	if (!ret)
		ret = document_parse_vip(json, &service.vip, error, size);
	if (ret)
		return ret;
	at = document_find_service(document, &service.vip, &found);
	if (found)
		return document_refuse(error, size, "a service is there twice");
	ret = document_parse_service(json, &service, error, size);
	if (!ret)
		ret = document_insert_service(document, at, &service, error,
					      size);
	if (ret)
		free(document_pool(&service));
	return ret;
}

static int add_node(const json_t *json, struct document *document, char *error,
		    size_t size)
{
	static const char *const keys[] = { "node",	     "weight", "state",
					    "drain-timeout", "roles",  NULL };
	struct document_node node = {};
	bool found;
	size_t at;
	int ret = document_check_keys(json, keys, error, size);

	if (!ret)
		ret = document_parse_node(json, &node, error, size);
	if (ret) {
		free(node.roles.name);
		return ret;
	}
	at = document_find_node(document, node.id, &found);
	if (found)
		ret = document_refuse(error, size, "a node is there twice");
	else
		ret = document_insert_node(document, at, &node, error, size);
	if (ret)
		free(node.roles.name);
	return ret;
}

static int add_group(const json_t *json, struct document *document, char *error,
		     size_t size)
{
	static const char *const keys[] = { "group", "prefixes", NULL };
	struct document_group group = {};
	bool found;
	size_t at;
	int ret = document_check_keys(json, keys, error, size);

	if (!ret)
		ret = document_parse_group(json, &group, error, size);
	if (ret) {
		document_group_free(&group);
		return ret;
	}
	at = document_find_group(document, group.name, &found);
	if (found)
		ret = document_refuse(error, size, "a group is there twice");
	else
		ret = document_insert_group(document, at, &group, error, size);
	if (ret)
		document_group_free(&group);
	return ret;
}

static int add_role(const json_t *json, struct document *document, char *error,
		    size_t size)
{
	struct document_role role = document_role_new();
	bool found;
	size_t at;
	int ret = document_check_keys(json, document_role_keys, error, size);

	if (!ret)
		ret = document_parse_role(json, &role, error, size);
	if (!ret && json_object_get(json, "assigned"))
		ret = document_parse_assigned(json_object_get(json, "assigned"),
					      &role.assigned, error, size);
	at = document_find_role(document, role.name, &found);
	if (!ret && found)
		ret = document_refuse(error, size, "a role is there twice");
	if (!ret)
		ret = document_insert_role(document, at, &role, error, size);
	if (ret)
		document_role_free(&role);
	return ret;
}

static int add_each(const json_t *json, const char *key,
		    struct document *document,
		    int (*add)(const json_t *json, struct document *document,
			       char *error, size_t size),
		    char *error, size_t size)
{
	const json_t *list = json_object_get(json, key);
	int ret = 0;

	if (list && !json_is_array(list))
		return document_refuse(error, size, "%s is not a list", key);
	for (size_t i = 0; !ret && i < json_array_size(list); i++)
		ret = add(json_array_get(list, i), document, error, size);
	return ret;
}

int document_parse_contents(const json_t *json, struct document *document,
			    char *error, size_t size)
{
	static const char *const keys[] = { "stamp",  "services", "nodes",
					    "groups", "roles",	  "settings",
					    NULL };
	const json_t *settings = json_object_get(json, "settings");
	int ret = document_check_keys(json, keys, error, size);

	if (!ret)
		ret = add_each(json, "services", document, add_service, error,
			       size);
	if (!ret)
		ret = add_each(json, "nodes", document, add_node, error, size);
	if (!ret)
		ret = add_each(json, "groups", document, add_group, error,
			       size);
	if (!ret)
		ret = add_each(json, "roles", document, add_role, error, size);
	if (!ret)
		ret = document_check(document, error, size);
	if (!ret && settings)
		ret = document_parse_settings(settings, &document->settings,
					      error, size);
	return ret;
}

static json_t *service_json(const struct mlb_service *service)
{
	char text[ENDPOINT_TEXT];
	json_t *nodes = json_array();

	for (size_t i = 0; i < service->n_nodes; i++)
		json_array_append_new(nodes, json_integer(service->nodes[i]));
	return json_pack("{s:s, s:s, s:o}", "vip",
			 endpoint_text(&service->vip, text), "scheduler",
			 word_of(scheduler_words, service->scheduler), "nodes",
			 nodes);
}

static json_t *node_json(const struct document_node *node)
{
	json_t *json = json_pack("{s:i, s:I, s:s}", "node", node->id, "weight",
				 (json_int_t)node->weight, "state",
				 word_of(node_state_words, node->state));

	if (node->drain_ends)
		json_object_set_new(json, "drain-timeout",
				    json_integer(node->drain_timeout));
	if (node->limited)
		json_object_set_new(json, "roles",
				    document_names_json(&node->roles));
	return json;
}

static json_t *setting_json(const struct mlb_config *settings,
			    const struct arg *setting)
{
	uint32_t value = setting_get(settings, setting);

	return setting->type == ARG_WORD ?
		       json_string(word_of(setting->words, value)) :
		       json_integer(value);
}

static json_t *settings_json(const struct mlb_config *settings)
{
	json_t *json = json_object();
	const struct arg *setting;

	for_each_setting(setting, settings->fields)
		json_object_set_new(json, setting->name,
				    setting_json(settings, setting));
	return json;
}

/*
 * What an mlbd of protocol 1 does not know is left out as long as there is none
 * of it, so that it has the same document.
 */
json_t *document_contents(const struct document *document)
{
	json_t *services = json_array(), *nodes = json_array();
	json_t *groups = json_array(), *roles = json_array();

	for (size_t i = 0; i < document->n_services; i++)
		json_array_append_new(services,
				      service_json(&document->services[i]));
	for (size_t i = 0; i < document->n_nodes; i++)
		json_array_append_new(nodes, node_json(&document->nodes[i]));
	for (size_t i = 0; i < document->n_groups; i++)
		json_array_append_new(
			groups, document_group_json(&document->groups[i]));
	for (size_t i = 0; i < document->n_roles; i++)
		json_array_append_new(roles,
				      document_role_json(&document->roles[i]));
	if (!document->n_groups) {
		json_decref(groups);
		groups = NULL;
	}
	if (!document->n_roles) {
		json_decref(roles);
		roles = NULL;
	}
	return json_pack("{s:o, s:o, s:o*, s:o*, s:o}", "services", services,
			 "nodes", nodes, "groups", groups, "roles", roles,
			 "settings", settings_json(&document->settings));
}
