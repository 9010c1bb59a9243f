/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records as text or JSON from one description: a record is a line of text,
 * "key value" after each other, or a JSON object on a line of its own.
 *
 * A label is what text writes before the value; NULL writes the value alone.
 */
#ifndef MLBCTL_OUTPUT_H
#define MLBCTL_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct output {
	FILE *file;
	bool json;
	bool lines; /* text has each labelled value on a line of its own */

	bool list; /* between out_list_begin() and out_list_end() */
	size_t records; /* begun since out_list_begin() */
	bool started; /* the text line has something on it */
	json_t *object;
};

/* A list of any length is written record by record and never held in memory. */
void out_list_begin(struct output *out);
void out_list_end(struct output *out);

void out_begin(struct output *out);
void out_end(struct output *out);

void out_str(struct output *out, const char *key, const char *label,
	     const char *value);
void out_uint(struct output *out, const char *key, const char *label,
	      uint64_t value, const char *unit);
/* Text writes the key when it is true, JSON writes true or false. */
void out_flag(struct output *out, const char *key, bool value);
/* Text only: a word between values. */
void out_word(struct output *out, const char *word);
/* JSON only: a value that the text has told in another form; takes it over. */
void out_json(struct output *out, const char *key, json_t *value);

#endif /* MLBCTL_OUTPUT_H */
