/* SPDX-License-Identifier: GPL-2.0 */
/* Who gets which role: a cluster seen from its manager, for tests of assign(). */
#ifndef TESTS_ASSIGN_WORLD_H
#define TESTS_ASSIGN_WORLD_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "assign.h"

#define NODES 8

#define ROLE(name, rest) "{'op': 'role-add', 'role': '" name "', " rest "}"

/**
 * struct world - a cluster seen from its manager
 * @holds: by node and role: what its kernel does; without the role all do its work
 * @lag: by node: it does not bring its kernel to the document for now
 */
struct world {
	struct document *document;
	struct assign_node nodes[NODES];
	size_t n;
	struct assign_watch watches[8];
	struct mlb_endpoint down[NODES];
	uint64_t now;
	bool quorate;
	bool holds[NODES][8];
	bool lag[NODES];
	unsigned int steps;
};

/* Where @holds has a role: by the end of its name. */
size_t slot(const char *role);

/* In JSON with ' for ". */
json_t *json(const char *text);
/* What must be possible. */
void change(struct world *w, const char *text);

/* Two services, six groups, and no role. */
void begin(struct world *w, size_t n);
void end(struct world *w);
void set_state(struct world *w, unsigned int id, enum assign_state state);
bool fits(struct world *w, const struct document_role *role, uint16_t id);

/* Kernels that can, do what the document says. */
void apply(struct world *w);
/*
 * One round of the manager, whose result is to be freed if it is @kept.
 * Return: how many roles it has changed.
 */
size_t round_once(struct world *w, struct assign_result *kept);
void settle(struct world *w);
void wait_ms(struct world *w, uint64_t ms);

/* Who holds a role, as "1,2" or "1,2 spread", until the next call. */
const char *held(struct world *w, const char *name);
void expect(struct world *w, const char *name, const char *nodes);
void expect_reason(struct world *w, const char *name, const char *part);

/* The tests, by file. */
void test_stories(void **state);
void test_fence(void **state);
void test_all_know(void **state);
void test_joining(void **state);
void test_anew(void **state);
void test_moved_on(void **state);
void test_undone(void **state);
void test_fenced(void **state);
void test_two_fences(void **state);
void test_many(void **state);
void test_random(void **state);

#endif /* TESTS_ASSIGN_WORLD_H */
