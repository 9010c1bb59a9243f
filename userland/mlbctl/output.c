// SPDX-License-Identifier: GPL-2.0
/* Records as text or JSON. */
#include <inttypes.h>
#include <stdlib.h>

#include "output.h"

void out_list_begin(struct output *out)
{
	out->list = true;
	out->records = 0;
	if (out->json)
		fputc('[', out->file);
}

void out_list_end(struct output *out)
{
	out->list = false;
	if (out->json)
		fputs(out->records ? "\n]\n" : "]\n", out->file);
}

static void *must(void *p)
{
	if (!p) {
		fputs("mlbctl: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

void out_begin(struct output *out)
{
	out->started = false;
	if (!out->json) {
		out->records++;
		return;
	}
	if (out->list)
		fputs(out->records++ ? ",\n" : "\n", out->file);
	out->object = must(json_object());
}

void out_end(struct output *out)
{
	if (!out->json) {
		fputc('\n', out->file);
		return;
	}
	json_dumpf(out->object, out->file, JSON_COMPACT);
	json_decref(out->object);
	out->object = NULL;
	if (!out->list)
		fputc('\n', out->file);
}

void out_json(struct output *out, const char *key, json_t *value)
{
	if (!out->json) {
		json_decref(value);
		return;
	}
	if (json_object_set_new(out->object, key, must(value)))
		must(NULL);
}

void out_word(struct output *out, const char *word)
{
	if (out->json)
		return;
	if (out->started)
		fputc(' ', out->file);
	fputs(word, out->file);
	out->started = true;
}

static void put_label(struct output *out, const char *label)
{
	if (!label)
		return;
	if (out->lines && out->started) {
		fputc('\n', out->file);
		out->started = false;
	}
	out_word(out, label);
}

void out_str(struct output *out, const char *key, const char *label,
	     const char *value)
{
	if (out->json) {
		out_json(out, key, json_string(value));
		return;
	}
	put_label(out, label);
	out_word(out, value);
}

void out_uint(struct output *out, const char *key, const char *label,
	      uint64_t value, const char *unit)
{
	char text[40];

	if (out->json) {
		out_json(out, key, json_integer((json_int_t)value));
		return;
	}
	put_label(out, label);
	snprintf(text, sizeof(text), "%" PRIu64 "%s", value, unit ? unit : "");
	out_word(out, text);
}

void out_flag(struct output *out, const char *key, bool value)
{
	if (out->json)
		out_json(out, key, json_boolean(value));
	else if (value)
		out_word(out, key);
}
