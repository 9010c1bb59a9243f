// SPDX-License-Identifier: GPL-2.0
/* The steps by which an exclusive role goes from one node to another. */
#include "world.h"

/* Who does not let go is fenced, and one of us again when it has. */
void test_fence(void **state)
{
	const struct document_assigned *now;
	struct assign_result result;
	struct world w;

	(void)state;
	begin(&w, 3);
	change(&w, ROLE("a", "'nodes': [1], 'exclusive': true"));
	settle(&w);
	expect(&w, "a", "1");
	set_state(&w, 1, ASSIGN_SILENT);
	assert_int_equal(round_once(&w, NULL), 1);
	expect(&w, "a", "");
	now = &w.document->roles[0].assigned;
	assert_int_equal(now->leaving.id[0], 1);
	assert_int_equal(now->fenced.n, 0);
	w.now += 1;
	assert_int_equal(round_once(&w, &result), 0);
	/* Nothing happens; time alone is to bring it on. */
	assert_int_equal(result.again, w.watches[0].since + ASSIGN_FENCE_MS);
	w.now = result.again;
	assign_free(&result);
	assert_int_equal(round_once(&w, NULL), 1);
	now = &w.document->roles[0].assigned;
	assert_int_equal(now->fenced.id[0], 1);
	expect(&w, "a", "");
	expect_reason(&w, "a", "node 1 does not let go");
	settle(&w);
	expect(&w, "a", "2");
	now = &w.document->roles[0].assigned;
	assert_int_equal(now->fenced.n, 1);
	w.now += 60000;
	settle(&w);
	assert_int_equal(w.document->roles[0].assigned.fenced.n, 1);
	set_state(&w, 1, ASSIGN_HERE);
	settle(&w);
	now = &w.document->roles[0].assigned;
	assert_int_equal(now->fenced.n, 0);
	assert_int_equal(now->leaving.n, 0);
	expect(&w, "a", "2");
	wait_ms(&w, 5000);
	expect(&w, "a", "1");
	end(&w);
}

/* Others that have not heard are waited for, but not for ever. */
void test_all_know(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 3);
	change(&w, ROLE("a", "'nodes': [1], 'exclusive': true"));
	settle(&w);
	w.lag[2] = true;
	set_state(&w, 1, ASSIGN_LOST);
	assert_int_equal(round_once(&w, NULL), 1);
	assert_int_equal(round_once(&w, NULL), 0);
	expect(&w, "a", "");
	w.lag[2] = false;
	assert_int_equal(round_once(&w, NULL), 1);
	expect(&w, "a", "2");
	end(&w);
}

/* One that is a member and not ready does whatever it did: it is fenced, too. */
void test_joining(void **state)
{
	static const uint16_t uses[] = { 1, 2 };
	struct world w;

	(void)state;
	begin(&w, 3);
	change(&w, ROLE("a", "'nodes': [1], 'exclusive': true"));
	settle(&w);
	set_state(&w, 1, ASSIGN_JOINING);
	w.nodes[2].uses = uses;
	w.nodes[2].n_uses = 2;
	settle(&w);
	expect(&w, "a", "");
	expect_reason(&w, "a", "node 1 is not ready");
	wait_ms(&w, ASSIGN_FENCE_MS);
	expect(&w, "a", "2");
	assert_int_equal(w.document->roles[0].assigned.fenced.id[0], 1);
	set_state(&w, 1, ASSIGN_LOST);
	settle(&w);
	assert_int_equal(w.document->roles[0].assigned.fenced.n, 0);
	expect(&w, "a", "2");
	/* One that was forgotten meanwhile, and comes again. */
	set_state(&w, 1, ASSIGN_JOINING);
	change(&w, "{'op': 'role-move', 'role': 'a', 'nodes': [3]}");
	settle(&w);
	expect(&w, "a", "");
	wait_ms(&w, ASSIGN_FENCE_MS);
	expect(&w, "a", "3");
	assert_int_equal(w.document->roles[0].assigned.fenced.id[0], 1);
	end(&w);
}

/*
 * A role that is made anew, that becomes exclusive or that gets other work: a
 * node that has not heard of it may do that work, as one of all or as a holder
 * of what there was before.
 */
static void grant_after_fence(const char *const *changes, size_t n)
{
	struct world w;

	begin(&w, 3);
	change(&w, ROLE("a", "'nodes': [1], 'services': ['203.0.113.80:443']"));
	settle(&w);
	expect(&w, "a", "1");
	set_state(&w, 1, ASSIGN_SILENT);
	settle(&w);
	expect(&w, "a", "2");
	for (size_t i = 0; i < n; i++)
		change(&w, changes[i]);
	settle(&w);
	expect(&w, "a", "");
	wait_ms(&w, ASSIGN_FENCE_MS - 1);
	expect(&w, "a", "");
	wait_ms(&w, 1);
	expect(&w, "a", "2");
	assert_int_equal(w.document->roles[0].assigned.fenced.n, 1);
	assert_int_equal(w.document->roles[0].assigned.fenced.id[0], 1);
	set_state(&w, 1, ASSIGN_HERE);
	settle(&w);
	assert_int_equal(w.document->roles[0].assigned.fenced.n, 0);
	/* It has heard by now. */
	set_state(&w, 1, ASSIGN_SILENT);
	change(&w, "{'op': 'role-move', 'role': 'a', 'nodes': [3]}");
	settle(&w);
	expect(&w, "a", "3");
	assert_int_equal(w.document->roles[0].assigned.fenced.n, 0);
	end(&w);
}

void test_anew(void **state)
{
	static const char *const exclusive[] = {
		"{'op': 'role-set', 'role': 'a', 'exclusive': true}",
	};
	static const char *const again[] = {
		"{'op': 'role-del', 'role': 'a'}",
		ROLE("a", "'nodes': [1], 'exclusive': true"),
	};
	static const char *const loaded[] = {
		"{'op': 'load', 'document': {'services': [{'vip': '203.0.113.80:443'}], 'roles': [{'role': 'a', 'nodes': [1], 'exclusive': true, 'since': 0}]}}",
	};

	(void)state;
	grant_after_fence(exclusive, 1);
	grant_after_fence(again, 2);
	grant_after_fence(loaded, 1);
}

/* A role whose former holder hangs, and is fenced, can be moved all the same. */
void test_moved_on(void **state)
{
	const struct document_assigned *now;
	struct world w;

	(void)state;
	begin(&w, 4);
	change(&w, ROLE("a", "'nodes': [1], 'exclusive': true"));
	settle(&w);
	set_state(&w, 1, ASSIGN_SILENT);
	settle(&w);
	wait_ms(&w, ASSIGN_FENCE_MS);
	expect(&w, "a", "2");
	change(&w, "{'op': 'role-move', 'role': 'a', 'nodes': [4]}");
	settle(&w);
	expect(&w, "a", "4");
	now = &w.document->roles[0].assigned;
	assert_int_equal(now->fenced.n, 1);
	assert_int_equal(now->fenced.id[0], 1);
	/* Other work: who does it now lets go of it first. */
	change(&w,
	       "{'op': 'role-set', 'role': 'a', 'services': ['203.0.113.80:443']}");
	now = &w.document->roles[0].assigned;
	assert_int_equal(now->nodes.n, 0);
	assert_int_equal(now->leaving.n, 2);
	settle(&w);
	expect(&w, "a", "4");
	/* The same again is nothing new. */
	change(&w,
	       "{'op': 'role-set', 'role': 'a', 'services': ['203.0.113.80:443']}");
	expect(&w, "a", "4");
	end(&w);
}

/* Whom it was for is lost while the holder lets go: who has not yet, keeps it. */
void test_undone(void **state)
{
	const struct document_assigned *now;
	struct world w;

	(void)state;
	begin(&w, 3);
	change(&w, ROLE("a", "'nodes': [1], 'exclusive': true, 'spares': [2]"));
	settle(&w);
	set_state(&w, 1, ASSIGN_LOST);
	settle(&w);
	expect(&w, "a", "2");
	set_state(&w, 1, ASSIGN_HERE);
	settle(&w);
	w.now += ASSIGN_WELL_MS;
	w.lag[1] = true;
	assert_int_equal(round_once(&w, NULL), 1);
	expect(&w, "a", "");
	set_state(&w, 1, ASSIGN_LOST);
	settle(&w);
	expect(&w, "a", "2");
	now = &w.document->roles[0].assigned;
	assert_int_equal(now->leaving.n, 0);
	end(&w);
}

/* Its mlbd tells that all is well, and its kernel does not follow. */
void test_fenced(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 5);
	change(&w,
	       ROLE("a", "'nodes': [1], 'exclusive': true, 'groups': ['g0']"));
	change(&w, ROLE("b", "'nodes': [1], 'groups': ['g1']"));
	change(&w,
	       ROLE("c", "'nodes': [2], 'exclusive': true, 'groups': ['g2']"));
	settle(&w);
	w.lag[0] = true;
	change(&w, "{'op': 'role-move', 'role': 'a', 'nodes': [2]}");
	settle(&w);
	expect(&w, "a", "");
	expect(&w, "b", "1");
	wait_ms(&w, ASSIGN_FENCE_MS);
	expect(&w, "a", "2");
	/* To the others it is dead: whatever it does is done by nobody. */
	expect(&w, "b", "3");
	expect_reason(&w, "b", "node 1 is fenced");
	/* And it is not waited for in what is none of its business. */
	set_state(&w, 2, ASSIGN_LOST);
	settle(&w);
	expect(&w, "c", "5");
	w.lag[0] = false;
	settle(&w);
	wait_ms(&w, ASSIGN_WELL_MS);
	expect(&w, "b", "1");
	end(&w);
}

/*
 * What a fenced node does is not known, and it may be the work of another role
 * that moves meanwhile, at once: the fence is that role's, too, and outlives the
 * first.
 */
void test_two_fences(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 5);
	change(&w,
	       ROLE("a", "'nodes': [1], 'exclusive': true, 'groups': ['g0']"));
	change(&w,
	       ROLE("c", "'nodes': [2], 'exclusive': true, 'groups': ['g2']"));
	settle(&w);
	w.lag[0] = true;
	change(&w, "{'op': 'role-move', 'role': 'a', 'nodes': [3]}");
	settle(&w);
	wait_ms(&w, ASSIGN_FENCE_MS);
	expect(&w, "a", "3");
	set_state(&w, 1, ASSIGN_JOINING);
	set_state(&w, 2, ASSIGN_LOST);
	settle(&w);
	expect(&w, "c", "4");
	change(&w, "{'op': 'role-del', 'role': 'a'}");
	settle(&w);
	assert_true(document_fenced(w.document, 1));
	w.lag[0] = false;
	set_state(&w, 1, ASSIGN_HERE);
	settle(&w);
	assert_false(document_fenced(w.document, 1));
	expect(&w, "c", "4");
	end(&w);
}
