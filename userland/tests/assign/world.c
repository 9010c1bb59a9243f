// SPDX-License-Identifier: GPL-2.0
/* A cluster as its manager sees it, and rounds of the manager. */
#include "world.h"

/* In JSON with ' for ". */
json_t *json(const char *text)
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

void change(struct world *w, const char *text)
{
	json_t *object = json(text);
	char error[256] = "";

	if (document_change(w->document, object, 7, error, sizeof(error)))
		fail_msg("%s: %s", text, error);
	json_decref(object);
}

void begin(struct world *w, size_t n)
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

		snprintf(
			text, sizeof(text),
			"{'op': 'group-add', 'group': 'g%d', 'prefixes': ['10.%d.0.0/16']}",
			i, i);
		change(w, text);
	}
}

void end(struct world *w)
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

size_t slot(const char *role)
{
	return role[strlen(role) - 1] & 7;
}

/* Kernels that can, do what the document says. */
void apply(struct world *w)
{
	struct assign_watch old[8];
	struct assign_input in;

	for (size_t i = 0; i < w->n; i++) {
		struct assign_node *node = &w->nodes[i];

		if (node->state != ASSIGN_HERE || node->away || w->lag[i])
			continue;
		node->applied = w->document->stamp.version;
		node->seen = node->applied;
		memset(w->holds[i], true, sizeof(w->holds[i]));
		for (size_t r = 0; r < w->document->n_roles; r++) {
			const struct document_role *role =
				&w->document->roles[r];

			w->holds[i][slot(role->name)] =
				document_has(&role->assigned.nodes, node->id);
		}
	}
	for (size_t i = 0; i < w->n; i++)
		w->nodes[i].fenced =
			document_fenced(w->document, w->nodes[i].id);
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

bool fits(struct world *w, const struct document_role *role, uint16_t id)
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
size_t round_once(struct world *w, struct assign_result *kept)
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

void settle(struct world *w)
{
	for (int i = 0; i < 20; i++)
		if (!round_once(w, NULL))
			return;
	fail_msg("it does not come to rest");
}

void wait_ms(struct world *w, uint64_t ms)
{
	apply(w);
	w->now += ms;
	settle(w);
}

const char *held(struct world *w, const char *name)
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

void expect(struct world *w, const char *name, const char *nodes)
{
	if (strcmp(held(w, name), nodes))
		fail_msg("role %s is held by \"%s\" instead of \"%s\": %s",
			 name, held(w, name), nodes,
			 document_role(w->document, name)->assigned.reason);
}

void expect_reason(struct world *w, const char *name, const char *part)
{
	const char *reason = document_role(w->document, name)->assigned.reason;

	if (!strstr(reason, part))
		fail_msg("role %s: \"%s\" instead of \"%s\"", name, reason,
			 part);
}

void set_state(struct world *w, unsigned int id, enum assign_state state)
{
	w->nodes[id - 1].state = state;
	if (state == ASSIGN_LOST)
		memset(w->holds[id - 1], 0, sizeof(w->holds[id - 1]));
}
