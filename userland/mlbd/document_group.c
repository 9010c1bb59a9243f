// SPDX-License-Identifier: GPL-2.0
/* Names, and groups of clients, from and to JSON. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document_parts.h"
#include "parse.h"
#include "text.h"

/* They stand in command lines and in lists with commas. */
bool document_good_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	size_t len = strspn(name, letters);

	return len && len < DOCUMENT_NAME && !name[len] && name[0] != '-' &&
	       strcmp(name, "all") && strcmp(name, "others");
}

static int take_name(const json_t *json, const char *key,
		     char name[DOCUMENT_NAME], char *error, size_t size)
{
	const char *text = json_string_value(json);

	if (!text)
		return document_refuse(error, size, "%s is missing", key);
	if (!document_good_name(text))
		return document_refuse(error, size,
				       "%s \"%.40s\" is not a name of up to %d letters, digits, \"-\", \"_\" and \".\"",
				       key, text, DOCUMENT_NAME - 1);
	snprintf(name, DOCUMENT_NAME, "%s", text);
	return 0;
}

int document_parse_name(const json_t *json, const char *key,
			char name[DOCUMENT_NAME], char *error, size_t size)
{
	return take_name(json_object_get(json, key), key, name, error, size);
}

static int name_cmp(const void *a, const void *b)
{
	return strcmp(a, b);
}

int document_parse_names(const json_t *json, const char *key,
			 struct document_names *names, char *error, size_t size)
{
	const json_t *list = json_object_get(json, key);
	size_t n = json_array_size(list);
	struct document_names new = { .n = n };
	int ret = 0;

	if (!json_is_array(list))
		return document_refuse(error, size, "%s is not a list", key);
	if (n > DOCUMENT_GROUPS_MAX)
		return document_refuse(error, size, "%s has too many", key);
	if (n) {
		new.name = calloc(n, sizeof(*new.name));
		if (!new.name)
			return document_no_memory(error, size);
	}
	for (size_t i = 0; !ret && i < n; i++)
		ret = take_name(json_array_get(list, i), key, new.name[i],
				error, size);
	if (!ret && n)
		qsort(new.name, n, sizeof(*new.name), name_cmp);
	for (size_t i = 1; !ret && i < n; i++)
		if (!strcmp(new.name[i - 1], new.name[i]))
			ret = document_refuse(error, size, "%s has %s twice",
					      key, new.name[i]);
	if (ret) {
		free(new.name);
		return ret;
	}
	free(names->name);
	*names = new;
	return 0;
}

json_t *document_names_json(const struct document_names *names)
{
	json_t *json = json_array();

	for (size_t i = 0; i < names->n; i++)
		json_array_append_new(json, json_string(names->name[i]));
	return json;
}

int document_prefix_cmp(const struct mlb_prefix *a,
			const struct mlb_prefix *b)
{
	int cmp = a->addr.family - b->addr.family;

	if (!cmp)
		cmp = a->addr.family == AF_INET ?
			      memcmp(&a->addr.v4, &b->addr.v4,
				     sizeof(a->addr.v4)) :
			      memcmp(&a->addr.v6, &b->addr.v6,
				     sizeof(a->addr.v6));
	return cmp ? cmp : a->len - b->len;
}

static int prefix_cmp(const void *a, const void *b)
{
	return document_prefix_cmp(a, b);
}

static int parse_prefixes(const json_t *list, struct document_group *group,
			  char *error, size_t size)
{
	size_t n = json_array_size(list);
	struct mlb_prefix *new;

	if (!n)
		return document_refuse(error, size,
				       "a group without prefixes has no clients");
	if (n > DOCUMENT_BYTES_MAX / 8)
		return document_refuse(error, size, "prefixes has too many");
	new = calloc(n, sizeof(*new));
	if (!new)
		return document_no_memory(error, size);
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		const char *wrong = text ? parse_prefix(text, &new[i]) :
					   "is not text";

		if (!wrong)
			continue;
		free(new);
		return document_refuse(error, size, "prefix %.60s %s",
				       text ? text : "", wrong);
	}
	qsort(new, n, sizeof(*new), prefix_cmp);
	free(group->prefixes);
	group->prefixes = new;
	group->n_prefixes = n;
	return 0;
}

int document_parse_group(const json_t *json, struct document_group *group,
			 char *error, size_t size)
{
	int ret = document_parse_name(json, "group", group->name, error, size);

	if (ret)
		return ret;
	if (!json_is_array(json_object_get(json, "prefixes")))
		return document_refuse(error, size, "prefixes is not a list");
	return parse_prefixes(json_object_get(json, "prefixes"), group, error,
			      size);
}

json_t *document_group_json(const struct document_group *group)
{
	json_t *prefixes = json_array();
	char text[PREFIX_TEXT];

	for (size_t i = 0; i < group->n_prefixes; i++)
		json_array_append_new(prefixes,
				      json_string(prefix_text(
					      &group->prefixes[i], text)));
	return json_pack("{s:s, s:o}", "group", group->name, "prefixes",
			 prefixes);
}

void document_group_free(struct document_group *group)
{
	free(group->prefixes);
	*group = (struct document_group){};
}
