// SPDX-License-Identifier: GPL-2.0
/* How a node is, to and from JSON. */
#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "report.h"
#include "text.h"

static json_t *number_json(int64_t number)
{
	return number < 0 ? json_null() : json_integer((json_int_t)number);
}

json_t *report_drain_json(const struct report_drain *drain)
{
	if (!drain->there)
		return NULL;
	return json_pack("{s:I, s:b, s:o, s:o}", "for",
			 (json_int_t)drain->seconds, "ends", drain->ends,
			 "connections", number_json(drain->connections), "left",
			 number_json(drain->left));
}

json_t *report_json(const struct report *report)
{
	json_t *down = json_array(), *uses = json_array();
	char text[ENDPOINT_TEXT];

	for (size_t i = 0; i < report->n_down; i++)
		json_array_append_new(down, json_string(endpoint_text(
						    &report->down[i], text)));
	for (size_t i = 0; i < report->n_uses; i++)
		json_array_append_new(uses, json_integer(report->uses[i]));
	return json_pack("{s:I, s:o, s:b, s:I, s:I, s:o, s:o, s:o*}", "ring",
			 (json_int_t)report->ring, "applied",
			 document_stamp_json(&report->applied), "able",
			 report->able,
			 "load", (json_int_t)report->load, "connections",
			 (json_int_t)report->connections, "uses", uses, "down",
			 down, "drain", report_drain_json(&report->drain));
}

static bool number(const json_t *json, const char *key, uint64_t *out)
{
	const json_t *value = json_object_get(json, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*out = (uint64_t)json_integer_value(value);
	return true;
}

static bool parse_down(const json_t *list, struct report *report)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > REPORT_DOWN_MAX)
		return false;
	report->down = n ? calloc(n, sizeof(*report->down)) : NULL;
	if (n && !report->down)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *vip = json_string_value(json_array_get(list, i));

		if (!vip || parse_endpoint(vip, &report->down[i])) {
			report_free(report);
			return false;
		}
	}
	report->n_down = n;
	return true;
}

static bool parse_uses(const json_t *list, struct report *report)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > REPORT_USES_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_array_get(list, i);
		json_int_t id = json_integer_value(value);

		if (!json_is_integer(value) || id < 1 || id > MLB_NODE_ID_MAX)
			return false;
		report->uses[i] = (uint16_t)id;
	}
	report->n_uses = n;
	return true;
}

static bool parse_number(const json_t *json, const char *key, int64_t *out)
{
	const json_t *value = json_object_get(json, key);

	*out = json_is_integer(value) ? json_integer_value(value) : -1;
	return json_is_null(value) || *out >= 0;
}

static bool parse_drain(const json_t *json, struct report_drain *drain)
{
	const json_t *ends = json_object_get(json, "ends");

	if (!json)
		return true;
	drain->there = true;
	drain->ends = json_is_true(ends);
	return json_is_boolean(ends) &&
	       parse_number(json, "for", &drain->seconds) &&
	       drain->seconds >= 0 &&
	       parse_number(json, "connections", &drain->connections) &&
	       parse_number(json, "left", &drain->left);
}

bool report_parse(const json_t *json, struct report *report)
{
	const json_t *able = json_object_get(json, "able");
	struct report new = {};

	if (!number(json, "ring", &new.ring) ||
	    !document_stamp_parse(json_object_get(json, "applied"),
				  &new.applied) ||
	    !number(json, "load", &new.load) ||
	    !number(json, "connections", &new.connections) ||
	    !json_is_boolean(able) ||
	    !parse_drain(json_object_get(json, "drain"), &new.drain) ||
	    !parse_uses(json_object_get(json, "uses"), &new) ||
	    !parse_down(json_object_get(json, "down"), &new))
		return false;
	new.able = json_is_true(able);
	report_free(report);
	*report = new;
	return true;
}

void report_free(struct report *report)
{
	free(report->down);
	*report = (struct report){};
}
