// SPDX-License-Identifier: GPL-2.0
/* Sets and lists of tokens. */
#include <stdlib.h>
#include <string.h>

#include "tokens.h"

#define FIRST_ROOM 1024

/* Tokens are digests: their bits are as good as any hash of them. A multiplier
 * makes it hold for those that somebody types.
 */
static size_t slot_of(const struct token_set *set, uint32_t token)
{
	size_t at = token * UINT32_C(0x9e3779b1);

	at = (at ^ at >> 15) & (set->room - 1);
	while (set->slots[at] && set->slots[at] != token)
		at = (at + 1) & (set->room - 1);
	return at;
}

static bool set_grow(struct token_set *set)
{
	struct token_set next = { .room = set->room ? 2 * set->room :
						      FIRST_ROOM,
				  .n = set->n };

	next.slots = calloc(next.room, sizeof(*next.slots));
	if (!next.slots)
		return false;
	for (size_t i = 0; i < set->room; i++)
		if (set->slots[i])
			next.slots[slot_of(&next, set->slots[i])] =
				set->slots[i];
	free(set->slots);
	*set = next;
	return true;
}

bool token_set_add(struct token_set *set, uint32_t token)
{
	size_t at;

	if (4 * (set->n + 1) > 3 * set->room && !set_grow(set))
		return false;
	at = slot_of(set, token);
	if (!set->slots[at]) {
		set->slots[at] = token;
		set->n++;
	}
	return true;
}

bool token_set_has(const struct token_set *set, uint32_t token)
{
	return set->n && set->slots[slot_of(set, token)];
}

void token_set_clear(struct token_set *set)
{
	free(set->slots);
	memset(set, 0, sizeof(*set));
}

bool token_list_add(struct token_list *list, uint32_t token)
{
	if (list->n == list->room) {
		size_t room = list->room ? 2 * list->room : FIRST_ROOM;
		uint32_t *tokens =
			reallocarray(list->tokens, room, sizeof(*tokens));

		if (!tokens)
			return false;
		list->tokens = tokens;
		list->room = room;
	}
	list->tokens[list->n++] = token;
	return true;
}

void token_list_clear(struct token_list *list)
{
	free(list->tokens);
	memset(list, 0, sizeof(*list));
}

static int token_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void token_list_sort(struct token_list *list)
{
	if (list->n)
		qsort(list->tokens, list->n, sizeof(*list->tokens), token_cmp);
}

bool token_list_has(const struct token_list *list, uint32_t token)
{
	return list->n && bsearch(&token, list->tokens, list->n,
				  sizeof(*list->tokens), token_cmp);
}
