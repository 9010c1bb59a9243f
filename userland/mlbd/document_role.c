// SPDX-License-Identifier: GPL-2.0
/* Roles and who does them, from and to JSON. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document_parts.h"
#include "parse.h"
#include "text.h"

const char *const document_role_keys[] = {
	"role",	    "services",	     "groups",	  "nodes",    "spares", "moved",
	"failback", "without-spare", "exclusive", "assigned", "asked",	"since",
	NULL
};

static const char *const without_spare_words[] = { "spread", "refuse", NULL };

struct document_role document_role_new(void)
{
	return (struct document_role){};
}

void document_role_free(struct document_role *role)
{
	free(role->services);
	free(role->groups.name);
	*role = document_role_new();
}

int document_parse_ids(const json_t *json, const char *key,
		       struct document_ids *ids, char *error, size_t size)
{
	const json_t *list = json_object_get(json, key);
	struct document_ids new = {};

	if (!json_is_array(list))
		return document_refuse(error, size, "%s is not a list", key);
	if (json_array_size(list) > DOCUMENT_IDS_MAX)
		return document_refuse(error, size, "%s has more than %d", key,
				       DOCUMENT_IDS_MAX);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *value = json_array_get(list, i);
		json_int_t id = json_integer_value(value);

		if (!json_is_integer(value) || id < 1 || id > MLB_NODE_ID_MAX)
			return document_refuse(
				error, size,
				"%s has something that is not a node id from 1 to %d",
				key, MLB_NODE_ID_MAX);
		if (document_has(&new, (uint16_t)id))
			return document_refuse(error, size,
					       "%s names node %d twice", key,
					       (int)id);
		new.id[new.n++] = (uint16_t)id;
	}
	*ids = new;
	return 0;
}

static int endpoint_cmp(const void *a, const void *b)
{
	return document_endpoint_cmp(a, b);
}

static int parse_services(const json_t *list, struct document_role *role,
			  char *error, size_t size)
{
	size_t n = json_array_size(list);
	struct mlb_endpoint *new = NULL;
	char text[ENDPOINT_TEXT];
	int ret = 0;

	if (!json_is_array(list))
		return document_refuse(error, size, "services is not a list");
	if (n > DOCUMENT_SERVICES_MAX)
		return document_refuse(error, size, "services has too many");
	if (n) {
		new = calloc(n, sizeof(*new));
		if (!new)
			return document_no_memory(error, size);
	}
	for (size_t i = 0; !ret && i < n; i++) {
		const char *vip = json_string_value(json_array_get(list, i));
		const char *wrong = vip ? parse_endpoint(vip, &new[i]) :
					  "is not text";

		if (wrong)
			ret = document_refuse(error, size, "service %.60s %s",
					      vip ? vip : "", wrong);
	}
	if (!ret && n)
		qsort(new, n, sizeof(*new), endpoint_cmp);
	for (size_t i = 1; !ret && i < n; i++)
		if (!document_endpoint_cmp(&new[i - 1], &new[i]))
			ret = document_refuse(error, size,
					      "services has %s twice",
					      endpoint_text(&new[i], text));
	if (ret) {
		free(new);
		return ret;
	}
	free(role->services);
	role->services = new;
	role->n_services = n;
	return 0;
}

/* "yes", "no", or the seconds for which it has to be well first. */
static int parse_failback(const json_t *value, uint32_t *failback, char *error,
			  size_t size)
{
	const char *word = json_string_value(value);
	json_int_t s = json_integer_value(value);

	if (word && !strcmp(word, "yes"))
		*failback = 0;
	else if (word && !strcmp(word, "no"))
		*failback = DOCUMENT_FAILBACK_NO;
	else if (json_is_integer(value) && s >= 1 && s <= DOCUMENT_FAILBACK_MAX)
		*failback = (uint32_t)s;
	else
		return document_refuse(
			error, size,
			"failback is not \"yes\", \"no\" or seconds from 1 to %d",
			DOCUMENT_FAILBACK_MAX);
	return 0;
}

static int parse_version(const json_t *json, const char *key, uint64_t *version,
			 char *error, size_t size)
{
	const json_t *value = json_object_get(json, key);

	if (!value)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return document_refuse(error, size, "%s is not a version", key);
	*version = (uint64_t)json_integer_value(value);
	return 0;
}

/* Of one role by itself. */
static int check_role(const struct document_role *role, char *error,
		      size_t size)
{
	if (!role->nodes.n)
		return document_refuse(error, size,
				       "role %s has no node that does it",
				       role->name);
	for (size_t i = 0; i < role->spares.n; i++)
		if (document_has(&role->nodes, role->spares.id[i]))
			return document_refuse(
				error, size,
				"node %u is a home of role %s and cannot be its spare",
				role->spares.id[i], role->name);
	if (role->exclusive && role->moved.n > 1)
		return document_refuse(
			error, size,
			"role %s is exclusive: one node can hold it",
			role->name);
	return 0;
}

int document_parse_role(const json_t *json, struct document_role *role,
			char *error, size_t size)
{
	const json_t *exclusive = json_object_get(json, "exclusive");
	const json_t *failback = json_object_get(json, "failback");
	const json_t *services = json_object_get(json, "services");
	unsigned int refuse = role->refuse;
	int ret = document_parse_name(json, "role", role->name, error, size);

	if (!ret && services)
		ret = parse_services(services, role, error, size);
	if (!ret && json_object_get(json, "groups"))
		ret = document_parse_names(json, "groups", &role->groups, error,
					   size);
	if (!ret && json_object_get(json, "nodes"))
		ret = document_parse_ids(json, "nodes", &role->nodes, error,
					 size);
	if (!ret && json_object_get(json, "spares"))
		ret = document_parse_ids(json, "spares", &role->spares, error,
					 size);
	if (!ret && json_object_get(json, "moved"))
		ret = document_parse_ids(json, "moved", &role->moved, error,
					 size);
	if (!ret && failback)
		ret = parse_failback(failback, &role->failback, error, size);
	if (!ret && json_object_get(json, "without-spare"))
		ret = document_parse_word(json, "without-spare",
					  without_spare_words, &refuse, error,
					  size);
	if (!ret && exclusive && !json_is_boolean(exclusive))
		ret = document_refuse(error, size,
				      "exclusive is neither true nor false");
	if (!ret)
		ret = parse_version(json, "asked", &role->asked, error, size);
	if (!ret)
		ret = parse_version(json, "since", &role->since, error, size);
	if (ret)
		return ret;
	role->refuse = refuse;
	if (exclusive)
		role->exclusive = json_is_true(exclusive);
	return check_role(role, error, size);
}

static int ids_cmp(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* It goes into logs and to terminals. */
static bool printable(const char *text)
{
	while (*text >= ' ' && *text < 0x7f)
		text++;
	return !*text;
}

int document_parse_assigned(const json_t *json,
			    struct document_assigned *assigned, char *error,
			    size_t size)
{
	static const char *const keys[] = { "nodes",  "leaving", "fenced",
					    "spread", "epoch",	 "reason",
					    NULL };
	const json_t *spread = json_object_get(json, "spread");
	const json_t *epoch = json_object_get(json, "epoch");
	const char *reason = json_string_value(json_object_get(json, "reason"));
	struct document_assigned new = {};
	int ret = document_check_keys(json, keys, error, size);

	if (!ret)
		ret = document_parse_ids(json, "nodes", &new.nodes, error,
					 size);
	if (!ret)
		ret = document_parse_ids(json, "leaving", &new.leaving, error,
					 size);
	if (!ret)
		ret = document_parse_ids(json, "fenced", &new.fenced, error,
					 size);
	if (ret)
		return ret;
	if (!json_is_boolean(spread) || !json_is_integer(epoch) ||
	    json_integer_value(epoch) < 0 || !reason ||
	    strlen(reason) >= sizeof(new.reason) || !printable(reason))
		return document_refuse(error, size,
				       "assigned is incomplete or malformed");
	for (size_t i = 0; i < new.leaving.n; i++)
		if (document_has(&new.nodes, new.leaving.id[i]))
			return document_refuse(
				error, size,
				"node %u holds a role and leaves it",
				new.leaving.id[i]);
	for (size_t i = 0; i < new.fenced.n; i++)
		if (!document_has(&new.leaving, new.fenced.id[i]))
			return document_refuse(
				error, size,
				"node %u is fenced and does not leave",
				new.fenced.id[i]);
	qsort(new.nodes.id, new.nodes.n, sizeof(*new.nodes.id), ids_cmp);
	qsort(new.leaving.id, new.leaving.n, sizeof(*new.leaving.id), ids_cmp);
	qsort(new.fenced.id, new.fenced.n, sizeof(*new.fenced.id), ids_cmp);
	new.spread = json_is_true(spread);
	new.epoch = (uint64_t)json_integer_value(epoch);
	strcpy(new.reason, reason);
	*assigned = new;
	return 0;
}

json_t *document_ids_json(const struct document_ids *ids)
{
	json_t *json = json_array();

	for (size_t i = 0; i < ids->n; i++)
		json_array_append_new(json, json_integer(ids->id[i]));
	return json;
}

static json_t *failback_json(uint32_t failback)
{
	if (!failback || failback == DOCUMENT_FAILBACK_NO)
		return json_string(failback ? "no" : "yes");
	return json_integer(failback);
}

json_t *document_assigned_json(const struct document_assigned *assigned)
{
	return json_pack("{s:o, s:o, s:o, s:b, s:I, s:s}", "nodes",
			 document_ids_json(&assigned->nodes), "leaving",
			 document_ids_json(&assigned->leaving), "fenced",
			 document_ids_json(&assigned->fenced), "spread",
			 assigned->spread, "epoch", (json_int_t)assigned->epoch,
			 "reason", assigned->reason);
}

json_t *document_role_json(const struct document_role *role)
{
	json_t *services = json_array();
	char text[ENDPOINT_TEXT];

	for (size_t i = 0; i < role->n_services; i++)
		json_array_append_new(
			services,
			json_string(endpoint_text(&role->services[i], text)));
	return json_pack(
		"{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:I, s:I, s:o}",
		"role", role->name, "services", services, "groups",
		document_names_json(&role->groups), "nodes",
		document_ids_json(&role->nodes), "spares",
		document_ids_json(&role->spares), "moved",
		document_ids_json(&role->moved), "failback",
		failback_json(role->failback), "without-spare",
		without_spare_words[role->refuse], "exclusive", role->exclusive,
		"asked", (json_int_t)role->asked, "since",
		(json_int_t)role->since, "assigned",
		document_assigned_json(&role->assigned));
}
