// SPDX-License-Identifier: GPL-2.0
/* Owner entries from standard input. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bulk.h"

#define WORDS_MAX 8

static bool fail(char *error, size_t line, const char *what)
{
	snprintf(error, ARGS_ERROR_SIZE, "line %zu: %.200s", line, what);
	return false;
}

static bool grow(struct bulk *bulk)
{
	size_t room = bulk->room ? 2 * bulk->room : 1024;
	struct mlb_owner *entries;
	size_t *lines;

	if (bulk->n < bulk->room)
		return true;
	entries = reallocarray(bulk->entries, room, sizeof(*entries));
	if (!entries)
		return false;
	bulk->entries = entries;
	lines = reallocarray(bulk->lines, room, sizeof(*lines));
	if (!lines)
		return false;
	bulk->lines = lines;
	bulk->room = room;
	return true;
}

static bool take_line(struct bulk *bulk, char *text, size_t line,
		      const struct arg *args, char *error)
{
	char *words[WORDS_MAX], *rest, *word;
	char wrong[ARGS_ERROR_SIZE];
	struct mlb_owner *entry;
	unsigned int seen;
	int n = 0;

	for (word = strtok_r(text, " \t\n", &rest); word;
	     word = strtok_r(NULL, " \t\n", &rest)) {
		if (n == WORDS_MAX)
			return fail(error, line, "too many words");
		words[n++] = word;
	}
	if (!n || words[0][0] == '#')
		return true;
	if (!grow(bulk))
		return fail(error, line, "out of memory");

	entry = &bulk->entries[bulk->n];
	*entry = (struct mlb_owner){ .cpu = MLB_NO_CPU };
	if (!args_parse(args, n, words, entry, &seen, wrong)) {
		free((void *)(uintptr_t)entry->client);
		return fail(error, line, wrong);
	}
	if (seen & ARG_SEEN_STDIN)
		return fail(error, line, "\"-\" is no token");
	bulk->lines[bulk->n++] = line;
	return true;
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The kernel would refuse it too, but perhaps after taking other messages. */
static bool check_twice(const struct bulk *bulk, char *error)
{
	uint64_t *keys;
	bool ok = true;

	if (bulk->n < 2)
		return true;
	keys = reallocarray(NULL, bulk->n, sizeof(*keys));
	if (!keys)
		return fail(error, bulk->lines[bulk->n - 1], "out of memory");
	for (size_t i = 0; i < bulk->n; i++)
		keys[i] = (uint64_t)bulk->entries[i].token << 32 | i;
	qsort(keys, bulk->n, sizeof(*keys), compare);

	for (size_t i = 1; ok && i < bulk->n; i++) {
		char what[64];

		if (keys[i] >> 32 != keys[i - 1] >> 32)
			continue;
		snprintf(what, sizeof(what),
			 "token 0x%08x is on line %zu already",
			 (uint32_t)(keys[i] >> 32),
			 bulk->lines[(uint32_t)keys[i - 1]]);
		ok = fail(error, bulk->lines[(uint32_t)keys[i]], what);
	}
	free(keys);
	return ok;
}

bool bulk_read(struct bulk *bulk, FILE *from, const struct arg *args,
	       char *error)
{
	size_t line = 0, room = 0;
	char *text = NULL;
	bool ok = true;
	ssize_t len;

	while (ok && (len = getline(&text, &room, from)) >= 0) {
		line++;
		if (strlen(text) != (size_t)len)
			ok = fail(error, line, "a zero byte");
		else
			ok = take_line(bulk, text, line, args, error);
	}
	if (ok && ferror(from))
		ok = fail(error, line + 1, strerror(errno));
	free(text);
	return ok && check_twice(bulk, error);
}

void bulk_free(struct bulk *bulk)
{
	for (size_t i = 0; i < bulk->n; i++)
		free((void *)(uintptr_t)bulk->entries[i].client);
	free(bulk->entries);
	free(bulk->lines);
	*bulk = (struct bulk){};
}
