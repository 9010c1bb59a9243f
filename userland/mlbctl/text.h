/* SPDX-License-Identifier: GPL-2.0 */
/* How the values of libmlb are written. */
#ifndef MLBCTL_TEXT_H
#define MLBCTL_TEXT_H

#include "libmlb.h"

/* Words of the enums in <linux/mlb.h>, in their order; end with NULL. */
extern const char *const node_state_words[];
extern const char *const scheduler_words[];
extern const char *const flow_state_words[];
extern const char *const table_words[];
extern const char *const fastclose_words[];

/* words_gen.c */
extern const char *const encap_words[];
extern const char *const verdict_words[];
extern const char *const rule_words[];
extern const char *const reason_words[];
extern const char *const reason_texts[]; /* what each means, in plain words */

/* The word of a value; "unknown" for one that a newer kernel has. */
const char *word_of(const char *const *words, unsigned int value);

#define ADDR_TEXT 48
#define ENDPOINT_TEXT 56
#define PREFIX_TEXT 56

const char *addr_text(const struct mlb_addr *addr, char text[ADDR_TEXT]);
const char *prefix_text(const struct mlb_prefix *prefix,
			char text[PREFIX_TEXT]);
const char *endpoint_text(const struct mlb_endpoint *end,
			  char text[ENDPOINT_TEXT]);

/* Puts ? in the place of every byte that is not printable ASCII. */
void text_printable(char *text);

#endif /* MLBCTL_TEXT_H */
