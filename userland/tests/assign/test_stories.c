// SPDX-License-Identifier: GPL-2.0
/* A table: what happens to a cluster, and who holds its roles then. */
#include "parse.h"
#include "world.h"

/* The table: what happens, one thing after the other, and who holds roles then. */
enum what {
	DO,
	LOSE,
	SILENCE,
	AWAY,
	BACK,
	DOWN,
	UP,
	WAIT,
	MINORITY,
	QUORUM,
	HELD,
	WHY
};

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
	{ "more empty seats than nodes, and only the last one can be filled", 3,
	  { { DO, ROLE("a", "'nodes': [5, 6, 7], 'groups': ['g0'], 'spares': [8]") },
	    { DO, ROLE("b", "'nodes': [5], 'groups': ['g1'], 'spares': [8], 'without-spare': 'refuse'") },
	    { DO, ROLE("c", "'nodes': [6], 'groups': ['g2'], 'spares': [8], 'without-spare': 'refuse'") },
	    { DO, ROLE("d", "'nodes': [7, 8], 'groups': ['g3']") },
	    { HELD, "d=1,2" } } },
	{ "an mlbd that has gone: its node keeps what it has, and gets nothing", 4,
	  { { DO, ROLE("a", "'nodes': [1], 'groups': ['g0']") },
	    { DO, ROLE("b", "'nodes': [4], 'groups': ['g1'], 'exclusive': true") },
	    { AWAY, NULL, 1 },
	    { AWAY, NULL, 2 },
	    { HELD, "a=1" },
	    { LOSE, NULL, 4 },
	    { HELD, "b=" },
	    { WAIT, NULL, ASSIGN_FENCE_MS },
	    { HELD, "b=3" },
	    { LOSE, NULL, 1 },
	    { HELD, "a=3 spread" },
	    { BACK, NULL, 2 },
	    { HELD, "a=2" } } },
	{ "what is down is nobody's service", 2,
	  { { DO, ROLE("a", "'nodes': [1]") },
	    { DOWN, "203.0.113.99:443", 1 },
	    { HELD, "a=1" },
	    { DOWN, "203.0.113.81:443", 1 },
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
	case AWAY:
		w->nodes[line->number - 1].away = true;
		break;
	case BACK:
		w->nodes[line->number - 1].away = false;
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

void test_stories(void **state)
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
