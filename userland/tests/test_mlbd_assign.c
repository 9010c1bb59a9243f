// SPDX-License-Identifier: GPL-2.0
/*
 * Who gets which role: a table of what is to come out, and random worlds in
 * which what must hold is looked at after each step.
 *
 *   ASSIGN_SEEDS=N  how many random worlds (default 300)
 *   ASSIGN_SEED=N   only this one
 */
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
#include "parse.h"

#define NODES 8

/* In JSON with ' for ". */
static json_t *json(const char *text)
{
	char *copy = strdup(text);
	json_error_t error;
	json_t *object;

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	object = json_loads(copy, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		fail_msg("%s: %s", copy, error.text);
	free(copy);
	return object;
}

/**
 * struct world - a cluster seen from its manager
 * @holds: by node and role: what its kernel does
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

static void change(struct world *w, const char *text)
{
	json_t *object = json(text);
	char error[256] = "";

	if (document_change(w->document, object, 7, error, sizeof(error)))
		fail_msg("%s: %s", text, error);
	json_decref(object);
}

static void begin(struct world *w, size_t n)
{
	memset(w, 0, sizeof(*w));
	w->document = document_new();
	w->quorate = true;
	w->now = 1000000;
	w->n = n;
	for (size_t i = 0; i < n; i++)
		w->nodes[i] = (struct assign_node){ .id = (uint16_t)(i + 1) };
	change(w, "{'op': 'service-add', 'vip': '203.0.113.80:443'}");
	change(w, "{'op': 'service-add', 'vip': '203.0.113.81:443'}");
	for (int i = 0; i < 6; i++) {
		char text[160];

		snprintf(text, sizeof(text),
			 "{'op': 'group-add', 'group': 'g%d', 'prefixes': ['10.%d.0.0/16']}",
			 i, i);
		change(w, text);
	}
}

static void end(struct world *w)
{
	document_free(w->document);
}

static struct assign_input input(struct world *w)
{
	struct assign_input in = { .quorate = w->quorate,
				   .now = w->now,
				   .document = w->document,
				   .nodes = w->nodes,
				   .n_nodes = w->n,
				   .watches = w->watches };

	return in;
}

/* Kernels that can, do what the document says. */
static void apply(struct world *w)
{
	struct assign_watch old[8];
	struct assign_input in;

	for (size_t i = 0; i < w->n; i++) {
		struct assign_node *node = &w->nodes[i];

		if (node->state != ASSIGN_HERE || w->lag[i])
			continue;
		node->applied = w->document->stamp.version;
		for (size_t r = 0; r < w->document->n_roles; r++)
			w->holds[i][r] = document_has(
				&w->document->roles[r].assigned.nodes,
				node->id);
	}
	memcpy(old, w->watches, sizeof(old));
	in = input(w);
	for (size_t r = 0; r < w->document->n_roles; r++) {
		const char *name = w->document->roles[r].name;

		memset(&w->watches[r], 0, sizeof(w->watches[r]));
		for (size_t i = 0; i < 8; i++)
			if (!strcmp(old[i].role, name))
				w->watches[r] = old[i];
		assign_watch(&in, &w->document->roles[r], &w->watches[r]);
	}
}

static bool fits(struct world *w, const struct document_role *role, uint16_t id)
{
	struct assign_input in = input(w);
	char why[80];

	return assign_fit(&in, role, id, why, sizeof(why));
}

/* Whoever is put in can do it, and nobody who could go on is put out in vain. */
static void check_step(struct world *w, const struct assign_step *step)
{
	const struct document_role *role = step->role;
	const struct document_assigned *now = &role->assigned;
	size_t out = 0, in_homes = 0;

	for (size_t i = 0; i < step->next.nodes.n; i++) {
		uint16_t id = step->next.nodes.id[i];

		if (!fits(w, role, id))
			fail_msg("role %s goes to node %u, which is not well",
				 role->name, id);
		in_homes += !document_has(&now->nodes, id) &&
			    document_has(assign_homes(role), id);
	}
	assert_false(role->refuse && step->next.spread);
	assert_true(step->next.reason[0]);
	for (size_t i = 0; i < now->nodes.n; i++)
		out += !document_has(&step->next.nodes, now->nodes.id[i]) &&
		       fits(w, role, now->nodes.id[i]);
	if (!now->spread && !role->exclusive && role->asked <= now->epoch &&
	    now->nodes.n <= assign_homes(role)->n && out > in_homes)
		fail_msg("role %s: %zu nodes are put out for %zu homes: %s",
			 role->name, out, in_homes, step->next.reason);
}

/* One round of the manager. Return: how many roles it has changed. */
static size_t round_once(struct world *w, struct assign_result *kept)
{
	struct assign_result result, again;
	struct assign_input in;
	char error[256] = "";
	size_t n;

	apply(w);
	in = input(w);
	assert_int_equal(assign(&in, &result), 0);
	assert_int_equal(assign(&in, &again), 0);
	assert_int_equal(result.n_steps, again.n_steps);
	for (size_t i = 0; i < result.n_steps; i++) {
		assert_memory_equal(&result.steps[i], &again.steps[i],
				    sizeof(again.steps[i]));
		check_step(w, &result.steps[i]);
	}
	assign_free(&again);
	n = result.n_steps;
	if (!w->quorate)
		assert_int_equal(n, 0);
	if (n) {
		json_t *object = assign_json(&in, &result, 1);

		if (document_change(w->document, object, 7, error,
				    sizeof(error)))
			fail_msg("what is assigned is refused: %s", error);
		json_decref(object);
		w->steps++;
	}
	if (kept)
		*kept = result;
	else
		assign_free(&result);
	return n;
}

static void settle(struct world *w)
{
	for (int i = 0; i < 20; i++)
		if (!round_once(w, NULL))
			return;
	fail_msg("it does not come to rest");
}

static void wait_ms(struct world *w, uint64_t ms)
{
	apply(w);
	w->now += ms;
	settle(w);
}

static const char *held(struct world *w, const char *name)
{
	static char text[200];
	const struct document_assigned *now =
		&document_role(w->document, name)->assigned;
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < now->nodes.n; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%u", i ? "," : "",
					 now->nodes.id[i]);
	snprintf(text + used, sizeof(text) - used, "%s",
		 now->spread ? " spread" : "");
	return text;
}

static void expect(struct world *w, const char *name, const char *nodes)
{
	if (strcmp(held(w, name), nodes))
		fail_msg("role %s is held by \"%s\" instead of \"%s\": %s",
			 name, held(w, name), nodes,
			 document_role(w->document, name)->assigned.reason);
}

static void expect_reason(struct world *w, const char *name, const char *part)
{
	const char *reason = document_role(w->document, name)->assigned.reason;

	if (!strstr(reason, part))
		fail_msg("role %s: \"%s\" instead of \"%s\"", name, reason,
			 part);
}

static void set_state(struct world *w, unsigned int id, enum assign_state state)
{
	w->nodes[id - 1].state = state;
	if (state == ASSIGN_LOST)
		memset(w->holds[id - 1], 0, sizeof(w->holds[id - 1]));
}

/* The table: what happens, one thing after the other, and who holds roles then. */
enum what { DO, LOSE, SILENCE, BACK, DOWN, UP, WAIT, MINORITY, QUORUM, HELD, WHY };

struct line {
	enum what what;
	const char *text; /* a change, or "ROLE=NODES", or "ROLE: part" */
	unsigned int number;
};

struct story {
	const char *name;
	size_t nodes;
	struct line lines[24];
};

#define ROLE(name, rest) "{'op': 'role-add', 'role': '" name "', " rest "}"

static const struct story stories[] = {
	{ "homes first", 4,
	  { { DO, ROLE("a", "'nodes': [1, 2], 'groups': ['g0']") },
	    { DO, ROLE("b", "'nodes': [3], 'groups': ['g1']") },
	    { HELD, "a=1,2" },
	    { HELD, "b=3" } } },
	{ "a spare takes it, the home takes it back", 4,
	  { { DO, ROLE("a", "'nodes': [1, 2]") },
	    { LOSE, NULL, 1 },
	    { HELD, "a=2,3" },
	    { WHY, "a: node 1 is lost: node 3 stands in" },
	    { BACK, NULL, 1 },
	    { HELD, "a=2,3" },
	    { WAIT, NULL, 4999 },
	    { HELD, "a=2,3" },
	    { WAIT, NULL, 1 },
	    { HELD, "a=1,2" },
	    { WHY, "a: node 3 gives way: node 1 takes it" } } },
	{ "failback no", 4,
	  { { DO, ROLE("a", "'nodes': [1], 'failback': 'no'") },
	    { LOSE, NULL, 1 },
	    { HELD, "a=2" },
	    { BACK, NULL, 1 },
	    { WAIT, NULL, 1000000 },
	    { HELD, "a=2" },
	    /* The home is one of the spares now, and still the home. */
	    { LOSE, NULL, 2 },
	    { HELD, "a=1" } } },
	{ "failback no: the old home stands in for others", 2,
	  { { DO, ROLE("a", "'nodes': [1], 'groups': ['g0'], 'failback': 'no'") },
	    { LOSE, NULL, 1 },
	    { HELD, "a=2" },
	    { BACK, NULL, 1 },
	    { DO, ROLE("b", "'nodes': [7], 'groups': ['g1']") },
	    { HELD, "a=2" },
	    { HELD, "b=1" } } },
	{ "failback after", 4,
	  { { DO, ROLE("a", "'nodes': [1], 'failback': 60") },
	    { LOSE, NULL, 1 },
	    { HELD, "a=2" },
	    { BACK, NULL, 1 },
	    { WAIT, NULL, 59999 },
	    { HELD, "a=2" },
	    /* It has to be well all the while. */
	    { LOSE, NULL, 1 },
	    { HELD, "a=2" },
	    { BACK, NULL, 1 },
	    { WAIT, NULL, 59999 },
	    { HELD, "a=2" },
	    { WAIT, NULL, 1 },
	    { HELD, "a=1" } } },
	{ "order of spares", 6,
	  { { DO, ROLE("a", "'nodes': [1], 'spares': [5, 3, 4]") },
	    { LOSE, NULL, 1 },
	    { HELD, "a=5" },
	    { LOSE, NULL, 5 },
	    { HELD, "a=3" },
	    { BACK, NULL, 5 },
	    { WAIT, NULL, 100000 },
	    { HELD, "a=3" },
	    { LOSE, NULL, 3 },
	    { LOSE, NULL, 5 },
	    { HELD, "a=4" },
	    /* 2 and 6 are not among them. */
	    { LOSE, NULL, 4 },
	    { HELD, "a=2,6 spread" } } },
	{ "affinity, then weight, then id", 6,
	  { { DO, ROLE("a", "'nodes': [1], 'groups': ['g0']") },
	    { DO, ROLE("b", "'nodes': [2], 'groups': ['g1']") },
	    { DO, "{'op': 'node-set', 'node': 3, 'weight': 5}" },
	    { DO, "{'op': 'node-set', 'node': 4, 'weight': 9, 'roles': ['b']}" },
	    { DO, "{'op': 'node-set', 'node': 6, 'roles': ['a', 'b']}" },
	    { LOSE, NULL, 1 },
	    { HELD, "a=6" },
	    { LOSE, NULL, 6 },
	    { HELD, "a=3" },
	    { LOSE, NULL, 3 },
	    { HELD, "a=5" },
	    { LOSE, NULL, 5 },
	    { HELD, "a=2,4 spread" } } },
	{ "several at once, and nobody in vain", 5,
	  { { DO, ROLE("a", "'nodes': [1], 'groups': ['g0']") },
	    { DO, ROLE("b", "'nodes': [2], 'groups': ['g1'], 'spares': [4]") },
	    { DO, ROLE("c", "'nodes': [3], 'groups': ['g2'], 'without-spare': 'refuse'") },
	    { LOSE, NULL, 1 },
	    { LOSE, NULL, 2 },
	    { LOSE, NULL, 3 },
	    { HELD, "a=5" },
	    { HELD, "b=4" },
	    { HELD, "c=" },
	    { WHY, "c: node 3 is lost: nobody is left" } } },
	{ "each role one before any two", 4,
	  { { DO, ROLE("a", "'nodes': [1, 5], 'groups': ['g0']") },
	    { DO, ROLE("b", "'nodes': [2], 'groups': ['g1']") },
	    { LOSE, NULL, 1 },
	    { LOSE, NULL, 2 },
	    { LOSE, NULL, 4 },
	    { HELD, "a=3" },
	    { HELD, "b=3 spread" } } },
	{ "no spare: the rest, then all", 3,
	  { { DO, ROLE("a", "'nodes': [1, 2], 'groups': ['g0']") },
	    { DO, ROLE("b", "'nodes': [3], 'groups': ['g1']") },
	    { LOSE, NULL, 1 },
	    { HELD, "a=2" },
	    { WHY, "a: node 1 is lost: the others go on" },
	    { LOSE, NULL, 2 },
	    { HELD, "a=3 spread" },
	    { HELD, "b=3" },
	    { BACK, NULL, 2 },
	    { HELD, "a=2,3 spread" },
	    { WAIT, NULL, 5000 },
	    { HELD, "a=2" } } },
	{ "silent, drained, without weight, a service down", 6,
	  { { DO, ROLE("a", "'nodes': [1], 'services': ['203.0.113.80:443']") },
	    { SILENCE, NULL, 1 },
	    { HELD, "a=2" },
	    { WHY, "a: node 1 is silent" },
	    { DO, "{'op': 'node-set', 'node': 2, 'state': 'drain'}" },
	    { HELD, "a=3" },
	    { WHY, "a: node 2 is in drain" },
	    { DO, "{'op': 'node-set', 'node': 3, 'weight': 0}" },
	    { HELD, "a=4" },
	    { DOWN, "203.0.113.81:443", 4 },
	    { HELD, "a=4" },
	    { DOWN, "203.0.113.80:443", 4 },
	    { HELD, "a=5" },
	    { WHY, "a: node 4 does not serve 203.0.113.80:443" } } },
	{ "without quorum nothing moves", 4,
	  { { DO, ROLE("a", "'nodes': [1]") },
	    { HELD, "a=1" },
	    { MINORITY },
	    { LOSE, NULL, 1 },
	    { HELD, "a=1" },
	    { QUORUM },
	    { HELD, "a=2" } } },
	{ "moved by hand, and home", 4,
	  { { DO, ROLE("a", "'nodes': [1], 'failback': 'no'") },
	    { DO, "{'op': 'role-move', 'role': 'a', 'nodes': [3]}" },
	    { HELD, "a=3" },
	    { LOSE, NULL, 3 },
	    { HELD, "a=1" },
	    { BACK, NULL, 3 },
	    { WAIT, NULL, 100000 },
	    { HELD, "a=1" },
	    { DO, "{'op': 'role-move', 'role': 'a', 'nodes': [2, 4]}" },
	    { HELD, "a=2,4" },
	    { DO, "{'op': 'role-move', 'role': 'a', 'nodes': []}" },
	    { HELD, "a=1" } } },
	{ "flapping keeps still", 3,
	  { { DO, ROLE("a", "'nodes': [1]") },
	    { DOWN, "203.0.113.80:443", 1 },
	    { HELD, "a=2" },
	    { UP, NULL, 1 },
	    { WAIT, NULL, 4000 },
	    { DOWN, "203.0.113.80:443", 1 },
	    { UP, NULL, 1 },
	    { WAIT, NULL, 4000 },
	    { HELD, "a=2" },
	    { WAIT, NULL, 1000 },
	    { HELD, "a=1" } } },
	{ "exclusive: the first home that is well", 4,
	  { { DO, ROLE("a", "'nodes': [3, 1], 'exclusive': true") },
	    { HELD, "a=3" },
	    { LOSE, NULL, 3 },
	    { HELD, "a=1" },
	    { BACK, NULL, 3 },
	    { WAIT, NULL, 5000 },
	    { HELD, "a=3" },
	    { LOSE, NULL, 3 },
	    { LOSE, NULL, 1 },
	    { HELD, "a=2" } } },
	{ "exclusive and spread: to one that has little to do", 3,
	  { { DO, ROLE("a", "'nodes': [1], 'exclusive': true, 'groups': ['g0']") },
	    { DO, ROLE("b", "'nodes': [2, 3], 'groups': ['g1']") },
	    { DO, ROLE("c", "'nodes': [2], 'groups': ['g2']") },
	    { LOSE, NULL, 1 },
	    { HELD, "a=3" } } },
};

static void tell(struct world *w, const struct line *line)
{
	char name[32], *sign;

	switch (line->what) {
	case DO:
		change(w, line->text);
		break;
	case LOSE:
		set_state(w, line->number, ASSIGN_LOST);
		return; /* several can be lost at once */
	case SILENCE:
		set_state(w, line->number, ASSIGN_SILENT);
		break;
	case BACK:
		set_state(w, line->number, ASSIGN_HERE);
		break;
	case DOWN:
		assert_null(parse_endpoint(line->text,
					   &w->down[line->number - 1]));
		w->nodes[line->number - 1].down = &w->down[line->number - 1];
		w->nodes[line->number - 1].n_down = 1;
		break;
	case UP:
		w->nodes[line->number - 1].n_down = 0;
		break;
	case WAIT:
		wait_ms(w, line->number);
		return;
	case MINORITY:
	case QUORUM:
		w->quorate = line->what == QUORUM;
		break;
	case HELD:
	case WHY:
		settle(w);
		snprintf(name, sizeof(name), "%s", line->text);
		sign = strpbrk(name, "=:");
		*sign = '\0';
		if (line->what == HELD)
			expect(w, name, strchr(line->text, '=') + 1);
		else
			expect_reason(w, name, strchr(line->text, ':') + 2);
		return;
	}
	settle(w);
}

static void test_stories(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(*stories); i++) {
		const struct story *story = &stories[i];
		struct world w;

		begin(&w, story->nodes);
		print_message("# %s\n", story->name);
		for (size_t j = 0; story->lines[j].what || story->lines[j].text;
		     j++)
			tell(&w, &story->lines[j]);
		end(&w);
	}
}

/* Who does not let go is fenced, and one of us again when it has. */
static void test_fence(void **state)
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
static void test_all_know(void **state)
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
static void test_joining(void **state)
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

static uint64_t rng;

static uint32_t any(uint32_t below)
{
	uint64_t z = (rng += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	z ^= z >> 31;
	return (uint32_t)(z % below);
}

static void random_role(struct world *w, int i)
{
	static const char *const failbacks[] = { "'yes'", "'no'", "20" };
	unsigned int a = any(NODES), b = any(NODES);
	char text[320], spares[32] = "";

	if (!any(3))
		snprintf(spares, sizeof(spares), ", 'spares': [%u]",
			 1 + (a + 1 + any(NODES - 1)) % NODES);
	if (b != a && !spares[0])
		snprintf(text, sizeof(text), "%u, %u", a + 1, b + 1);
	else
		snprintf(text, sizeof(text), "%u", a + 1);
	char whole[512];

	snprintf(whole, sizeof(whole),
		 "{'op': 'role-add', 'role': 'r%d', 'groups': ['g%d'], 'nodes': [%s]%s, 'failback': %s, 'exclusive': %s, 'without-spare': '%s'}",
		 i, i, text, spares, failbacks[any(3)],
		 any(2) ? "true" : "false", any(2) ? "spread" : "refuse");
	change(w, whole);
}

static void try_change(struct world *w, const char *text)
{
	json_t *object = json(text);
	char error[256];

	document_change(w->document, object, 7, error, sizeof(error));
	json_decref(object);
}

static void misfortune(struct world *w)
{
	unsigned int id = 1 + any((uint32_t)w->n);
	char text[160];

	switch (any(12)) {
	case 0 ... 1:
		set_state(w, id, ASSIGN_LOST);
		break;
	case 2:
		set_state(w, id, any(2) ? ASSIGN_SILENT : ASSIGN_JOINING);
		break;
	case 3 ... 5:
		set_state(w, id, ASSIGN_HERE);
		break;
	case 6:
		parse_endpoint("203.0.113.80:443", &w->down[id - 1]);
		w->nodes[id - 1].down = &w->down[id - 1];
		w->nodes[id - 1].n_down = any(2);
		break;
	case 7:
		w->quorate = any(4);
		break;
	case 8:
		snprintf(text, sizeof(text),
			 "{'op': 'role-move', 'role': 'r%u', 'nodes': [%u]}",
			 any(6), id);
		try_change(w, any(2) ? text :
				       "{'op': 'role-move', 'role': 'r1', 'nodes': []}");
		break;
	case 9:
		snprintf(text, sizeof(text),
			 "{'op': 'node-set', 'node': %u, 'state': '%s'}", id,
			 any(3) ? "active" : "drain");
		try_change(w, text);
		break;
	case 10:
		w->lag[id - 1] = any(2);
		break;
	case 11:
		w->now += any(8000);
		break;
	}
}

/* Of those whose kernels are not cut off, one at most does an exclusive role. */
static void check_exclusive(struct world *w, unsigned int seed)
{
	for (size_t r = 0; r < w->document->n_roles; r++) {
		const struct document_role *role = &w->document->roles[r];
		unsigned int n = 0;

		if (!role->exclusive)
			continue;
		for (size_t i = 0; i < w->n; i++)
			n += w->holds[i][r] &&
			     w->nodes[i].state != ASSIGN_LOST &&
			     !document_has(&role->assigned.fenced,
					   w->nodes[i].id);
		if (n > 1)
			fail_msg("seed %u: %u nodes hold role %s", seed, n,
				 role->name);
	}
}

static bool spare_for(struct world *w, const struct document_role *role,
		      uint16_t id)
{
	if (!fits(w, role, id) || document_has(assign_homes(role), id) ||
	    (role->spares.n && !document_has(&role->spares, id)))
		return false;
	for (size_t r = 0; r < w->document->n_roles; r++) {
		const struct document_role *other = &w->document->roles[r];

		if ((document_has(&other->assigned.nodes, id) &&
		     !other->assigned.spread) ||
		    document_has(assign_homes(other), id))
			return false;
	}
	return true;
}

/* At rest: no seat is empty while there is a spare for it. */
static void check_rest(struct world *w, unsigned int seed)
{
	for (size_t r = 0; r < w->document->n_roles; r++) {
		const struct document_role *role = &w->document->roles[r];
		const struct document_assigned *now = &role->assigned;
		size_t seats = role->exclusive ? 1 : assign_homes(role)->n;

		for (size_t i = 0; i < now->nodes.n; i++)
			assert_true(fits(w, role, now->nodes.id[i]));
		if (now->nodes.n >= seats && !now->spread)
			continue;
		for (size_t i = 0; i < w->n; i++)
			if (spare_for(w, role, w->nodes[i].id))
				fail_msg("seed %u: node %u could do role %s, held by \"%s\"",
					 seed, w->nodes[i].id, role->name,
					 held(w, role->name));
		if (!now->nodes.n && !role->refuse)
			for (size_t i = 0; i < w->n; i++)
				assert_false(fits(w, role, w->nodes[i].id));
	}
}

static unsigned int random_world(unsigned int seed)
{
	struct world w;
	unsigned int steps;

	static const uint16_t all[NODES] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	rng = seed;
	begin(&w, NODES);
	for (size_t i = 0; i < NODES; i++) {
		w.nodes[i].uses = all;
		w.nodes[i].n_uses = NODES;
	}
	for (int i = 0; i < 6; i++)
		random_role(&w, i);
	for (int i = 0; i < 400; i++) {
		misfortune(&w);
		if (any(3))
			round_once(&w, NULL);
		else
			apply(&w);
		check_exclusive(&w, seed);
	}
	w.quorate = true;
	memset(w.lag, 0, sizeof(w.lag));
	for (size_t i = 0; i < w.n; i++)
		if (w.nodes[i].state != ASSIGN_HERE)
			w.nodes[i].state = ASSIGN_LOST;
	settle(&w);
	wait_ms(&w, 60000);
	check_rest(&w, seed);
	check_exclusive(&w, seed);
	steps = w.steps;
	end(&w);
	return steps;
}

static void test_random(void **state)
{
	const char *one = getenv("ASSIGN_SEED"), *many = getenv("ASSIGN_SEEDS");
	unsigned int seeds = many ? (unsigned int)atoi(many) : 300, steps = 0;

	(void)state;
	if (one) {
		random_world((unsigned int)atoi(one));
		return;
	}
	for (unsigned int seed = 1; seed <= seeds; seed++)
		steps += random_world(seed);
	print_message("# %u worlds, %u changes of who holds what\n", seeds,
		      steps);
	assert_true(steps > 10 * seeds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories),
		cmocka_unit_test(test_fence),
		cmocka_unit_test(test_all_know),
		cmocka_unit_test(test_joining),
		cmocka_unit_test(test_random),
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests_name("assign", tests, NULL, NULL);
}
