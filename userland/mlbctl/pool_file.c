// SPDX-License-Identifier: GPL-2.0
/* All groups and pools, as their lists print them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "pool_file.h"

#define WORDS_MAX 7

static bool fail(char *error, size_t line, const char *word, const char *what)
{
	snprintf(error, ARGS_ERROR_SIZE, "line %zu: \"%.80s\" %.120s", line,
		 word, what);
	return false;
}

/* ID prefix PREFIX,... */
static const char *take_group(struct pool_file *file, char **words, int n)
{
	struct mlb_pools *pools = &file->pools;
	struct mlb_prefix *prefixes;
	const char *wrong;
	uint32_t id;

	if (n != 3 || strcmp(words[1], "prefix"))
		return "begins no line \"ID prefix PREFIX,...\"";
	if (!parse_u32(words[0], 1, UINT16_MAX, &id))
		return "is neither a service nor a group from 1 to 65535";
	if (pools->n_groups == file->room_groups) {
		size_t room = file->room_groups ? 2 * file->room_groups : 16;
		struct mlb_group *groups =
			reallocarray(file->groups, room, sizeof(*groups));

		if (!groups)
			return "does not fit into memory";
		file->groups = groups;
		file->room_groups = room;
	}
	wrong = parse_prefix_list(words[2], &prefixes,
				  &file->groups[pools->n_groups].n_prefixes);
	if (wrong)
		return "is of a group with a wrong prefix";
	file->groups[pools->n_groups].id = (uint16_t)id;
	file->groups[pools->n_groups].prefixes = prefixes;
	pools->n_groups++;
	pools->groups = file->groups;
	return NULL;
}

/* VIP:PORT [group ID] [wait] nodes ID,...|none */
static const char *take_pool(struct pool_file *file, char **words, int n)
{
	struct mlb_group_pool pool = {};
	struct mlb_pools *pools = &file->pools;
	static struct node_list nodes;
	const char *wrong;
	uint16_t *ids;
	uint32_t group;

	wrong = parse_endpoint(words[0], &pool.vip);
	if (wrong)
		return wrong;
	if (n > 4 && !strcmp(words[1], "group")) {
		if (!parse_u32(words[2], 1, UINT16_MAX, &group))
			return "is of a group that is not from 1 to 65535";
		pool.group = (uint16_t)group;
		words += 2;
		n -= 2;
	}
	if (n == 4 && !strcmp(words[1], "wait")) {
		pool.wait = true;
		words++;
		n--;
	}
	if (n != 3 || strcmp(words[1], "nodes"))
		return "begins no line \"VIP:PORT [group ID] [wait] nodes ID,...\"";
	if (parse_pool_nodes(words[2], &nodes))
		return "has nodes that are no list of ids, nor \"none\"";
	if (pools->n_pools == file->room_entries) {
		size_t room = file->room_entries ? 2 * file->room_entries : 16;
		struct mlb_group_pool *entries =
			reallocarray(file->entries, room, sizeof(*entries));

		if (!entries)
			return "does not fit into memory";
		file->entries = entries;
		file->room_entries = room;
	}
	ids = calloc(nodes.n + 1, sizeof(*ids));
	if (!ids)
		return "does not fit into memory";
	memcpy(ids, nodes.id, nodes.n * sizeof(*ids));
	pool.nodes = ids;
	pool.n_nodes = nodes.n;
	file->entries[pools->n_pools++] = pool;
	pools->pools = file->entries;
	return NULL;
}

static bool take_line(struct pool_file *file, char *text, size_t line,
		      char *error)
{
	char *words[WORDS_MAX], *rest, *word;
	const char *wrong;
	int n = 0;

	for (word = strtok_r(text, " \t\n", &rest); word;
	     word = strtok_r(NULL, " \t\n", &rest)) {
		if (n == WORDS_MAX)
			return fail(error, line, word, "is one word too many");
		words[n++] = word;
	}
	if (!n || words[0][0] == '#')
		return true;
	wrong = strchr(words[0], ':') ? take_pool(file, words, n) :
					take_group(file, words, n);
	return wrong ? fail(error, line, words[0], wrong) : true;
}

bool pool_file_read(struct pool_file *file, const char *path, char *error)
{
	FILE *from = strcmp(path, "-") ? fopen(path, "re") : stdin;
	size_t line = 0, room = 0;
	char *text = NULL;
	bool ok = true;
	ssize_t len;

	if (!from) {
		snprintf(error, ARGS_ERROR_SIZE, "%.150s: %s", path,
			 strerror(errno));
		return false;
	}
	while (ok && (len = getline(&text, &room, from)) >= 0) {
		line++;
		if (strlen(text) != (size_t)len)
			ok = fail(error, line, "", "a zero byte");
		else
			ok = take_line(file, text, line, error);
	}
	if (ok && ferror(from))
		ok = fail(error, line + 1, path, strerror(errno));
	free(text);
	if (from != stdin)
		fclose(from);
	return ok;
}

void pool_file_free(struct pool_file *file)
{
	for (size_t i = 0; i < file->pools.n_groups; i++)
		free((void *)(uintptr_t)file->groups[i].prefixes);
	for (size_t i = 0; i < file->pools.n_pools; i++)
		free((void *)(uintptr_t)file->entries[i].nodes);
	free(file->groups);
	free(file->entries);
	*file = (struct pool_file){};
}
