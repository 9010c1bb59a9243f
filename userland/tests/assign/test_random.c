// SPDX-License-Identifier: GPL-2.0
/*
 * Random worlds, in which what must hold is looked at after each step.
 *
 *   ASSIGN_SEEDS=N  how many (default 300)
 *   ASSIGN_SEED=N   only this one
 *   ASSIGN_TEST=NAME only this test
 */
#include <time.h>

#include "parse.h"
#include "world.h"

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

	snprintf(
		whole, sizeof(whole),
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

	switch (any(16)) {
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
		try_change(
			w,
			any(2) ?
				text :
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
	case 12:
		w->nodes[id - 1].away = any(2);
		break;
	case 13:
		id = any(6);
		snprintf(text, sizeof(text),
			 "{'op': 'role-del', 'role': 'r%u'}", id);
		try_change(w, text);
		random_role(w, (int)id);
		break;
	case 14:
		snprintf(text, sizeof(text),
			 "{'op': 'role-set', 'role': 'r%u', 'exclusive': %s}",
			 any(6), any(3) ? "true" : "false");
		try_change(w, text);
		break;
	case 15:
		snprintf(text, sizeof(text),
			 "{'op': 'role-set', 'role': 'r%u', 'services': [%s]}",
			 any(6), any(2) ? "'203.0.113.80:443'" : "");
		try_change(w, text);
		break;
	}
}

/* Who has an exclusive role is the only one of those that are not cut off. */
static void check_exclusive(struct world *w, unsigned int seed)
{
	for (size_t r = 0; r < w->document->n_roles; r++) {
		const struct document_role *role = &w->document->roles[r];
		unsigned int n = 0;

		if (!role->exclusive || !role->assigned.nodes.n)
			continue;
		n += !w->holds[role->assigned.nodes.id[0] - 1][slot(role->name)];
		for (size_t i = 0; i < w->n; i++)
			n += w->holds[i][slot(role->name)] &&
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
				fail_msg(
					"seed %u: node %u could do role %s, held by \"%s\"",
					seed, w->nodes[i].id, role->name,
					held(w, role->name));
		if (!now->nodes.n && !role->refuse)
			for (size_t i = 0; i < w->n; i++)
				assert_false(fits(w, role, w->nodes[i].id));
	}
}

/* It is one of those that are here, and tells whom its kernel uses. */
static bool has_manager(const struct world *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->nodes[i].state == ASSIGN_HERE && !w->nodes[i].away)
			return true;
	return false;
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
		if (any(3) && has_manager(&w))
			round_once(&w, NULL);
		else
			apply(&w);
		check_exclusive(&w, seed);
	}
	w.quorate = true;
	memset(w.lag, 0, sizeof(w.lag));
	for (size_t i = 0; i < w.n; i++) {
		w.nodes[i].away = false;
		if (w.nodes[i].state != ASSIGN_HERE)
			w.nodes[i].state = ASSIGN_LOST;
	}
	settle(&w);
	wait_ms(&w, 60000);
	check_rest(&w, seed);
	check_exclusive(&w, seed);
	steps = w.steps;
	end(&w);
	return steps;
}

void test_random(void **state)
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

/*
 * As large as it gets, with half of the nodes lost and more empty seats than
 * spares: all that comes before a role has moved is done on mlbd's loop.
 */
void test_many(void **state)
{
	static struct assign_node nodes[256];
	struct document *document = document_new();
	struct assign_watch *watches = calloc(256, sizeof(*watches));
	struct assign_input in = { .quorate = true,
				   .now = 1000000,
				   .document = document,
				   .nodes = nodes,
				   .n_nodes = 256,
				   .watches = watches };
	struct assign_result result;
	char text[200], error[256];
	clock_t began;

	(void)state;
	for (int i = 0; i < 256; i++)
		nodes[i] = (struct assign_node){
			.id = (uint16_t)(i + 1),
			.state = i < 128 ? ASSIGN_LOST : ASSIGN_HERE,
		};
	for (int i = 0; i < 192; i++) {
		json_t *object;

		snprintf(
			text, sizeof(text),
			"{'op': 'group-add', 'group': 'g%d', 'prefixes': ['10.%d.0.0/16']}",
			i, i);
		object = json(text);
		assert_int_equal(document_change(document, object, 7, error,
						 sizeof(error)),
				 0);
		json_decref(object);
		snprintf(
			text, sizeof(text),
			"{'op': 'role-add', 'role': 'r%d', 'groups': ['g%d'], 'nodes': [%d, %d]}",
			i, i, 1 + i, 1 + (i + 60) % 192);
		object = json(text);
		assert_int_equal(document_change(document, object, 7, error,
						 sizeof(error)),
				 0);
		json_decref(object);
	}
	for (size_t i = 0; i < document->n_roles; i++)
		assign_watch(&in, &document->roles[i], &watches[i]);
	began = clock();
	assert_int_equal(assign(&in, &result), 0);
	print_message("# %zu roles of 256 nodes, half of them lost: %ld us\n",
		      result.n_steps,
		      (long)((clock() - began) * 1000000 / CLOCKS_PER_SEC));
	assert_int_equal(result.n_steps, 192);
	assert_true(clock() - began < CLOCKS_PER_SEC / 25);
	assign_free(&result);
	free(watches);
	document_free(document);
}
