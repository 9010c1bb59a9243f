/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Many tokens in little memory: a set, and a list that grows. When memory runs
 * out both say so, and whoever asks has to do without.
 */
#ifndef MLBD_TOKENS_H
#define MLBD_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct token_set - all zero is empty; token 0 is never in it
 */
struct token_set {
	uint32_t *slots;
	size_t room; /* a power of two, or 0 */
	size_t n;
};

/* Return: false when there is no memory, and the token is not in the set. */
bool token_set_add(struct token_set *set, uint32_t token);
bool token_set_has(const struct token_set *set, uint32_t token);
void token_set_clear(struct token_set *set);

/**
 * struct token_list - all zero is empty
 */
struct token_list {
	uint32_t *tokens;
	size_t room;
	size_t n;
};

bool token_list_add(struct token_list *list, uint32_t token);
void token_list_clear(struct token_list *list);

/* In a sorted list; see token_list_sort(). */
void token_list_sort(struct token_list *list);
bool token_list_has(const struct token_list *list, uint32_t token);

#endif /* MLBD_TOKENS_H */
