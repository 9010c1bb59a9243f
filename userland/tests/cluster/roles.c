// SPDX-License-Identifier: GPL-2.0
/* Clusters with roles: what is done to them, and who serves whom. */
#include "parse.h"
#include "roles.h"

/* In JSON with ' for ". */
json_t *json(const char *text)
{
	char *copy = strdup(text);
	json_t *object;

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	object = json_loads(copy, JSON_REJECT_DUPLICATES, NULL);
	if (!object)
		fail_msg("not JSON: %s", copy);
	free(copy);
	return object;
}

void propose(struct sim_node *node, const char *text)
{
	assert_int_equal(
		cluster_propose(node->cluster, json(text), on_result, node), 0);
}

void change(struct sim_node *node, const char *text)
{
	unsigned int made = node->made;

	propose(node, text);
	for (int i = 0; i < 3000 && node->made == made; i++)
		run_for(1);
	if (node->made == made)
		fail_msg("%s: %s", text, node->answer);
}

void refused(struct sim_node *node, const char *text, const char *part)
{
	unsigned int before = node->refused;

	propose(node, text);
	for (int i = 0; i < 6000 && node->refused == before; i++)
		run_for(1);
	if (node->refused == before)
		fail_msg("%s: was done", text);
	if (!strstr(node->answer, part))
		fail_msg("%s: \"%s\" instead of \"%s\"", text, node->answer,
			 part);
}

void service(void)
{
	change(&sim.nodes[1],
	       "{'op': 'service-add', 'vip': '203.0.113.80:80'}");
}

/* Role rN for 10.N.0.0/16. */
void role(unsigned int n, const char *rest, bool exclusive)
{
	char text[256];

	snprintf(
		text, sizeof(text),
		"{'op': 'group-add', 'group': 'g%u', 'prefixes': ['10.%u.0.0/16']}",
		n, n);
	change(&sim.nodes[1], text);
	snprintf(
		text, sizeof(text),
		"{'op': 'role-add', 'role': 'r%u', 'groups': ['g%u'], 'exclusive': %s, %s}",
		n, n, exclusive ? "true" : "false", rest);
	if (exclusive)
		sim.exclusive |= UINT64_C(1) << n;
	change(&sim.nodes[1], text);
}

/* For whom a node's kernel has the clients of 10.N.0.0/16, as bits. */
uint64_t pool(const struct sim_node *node, unsigned int n)
{
	for (size_t i = 0; i < node->kernel.n_pools; i++)
		if (node->kernel.pools[i].clients == n)
			return node->kernel.pools[i].nodes;
	return UINT64_MAX;
}

uint64_t bits(const char *nodes)
{
	uint64_t set = 0;

	for (; *nodes; nodes++)
		set |= UINT64_C(1) << (*nodes - '0');
	return set;
}

/* In the kernels of all who have quorum. */
bool serve(unsigned int n, const char *nodes)
{
	for (unsigned int i = 1; i <= sim.n; i++)
		if (sim.nodes[i].ring_quorate && sim.nodes[i].cluster &&
		    sim.nodes[i].stopped <= sim.now &&
		    pool(&sim.nodes[i], n) != bits(nodes))
			return false;
	return true;
}

/* Return: ms until it was so. */
uint64_t until(unsigned int n, const char *nodes, uint64_t most)
{
	uint64_t start = sim.now;

	while (!serve(n, nodes)) {
		if (sim.now - start >= most)
			fail_msg(
				"after %llu ms role r%u is not served by %s, but by %llx",
				(unsigned long long)most, n, nodes,
				(unsigned long long)pool(&sim.nodes[1], n));
		run_for(1);
	}
	return sim.now - start;
}

void stays(unsigned int n, const char *nodes, uint64_t ms)
{
	for (uint64_t end = sim.now + ms; sim.now < end; run_for(10))
		if (!serve(n, nodes))
			fail_msg("role r%u is not served by %s any more", n,
				 nodes);
}

void down(unsigned int id, bool is_down)
{
	struct mlb_endpoint vip;

	assert_null(parse_endpoint("203.0.113.80:80", &vip));
	cluster_health(sim.nodes[id].cluster, &vip, is_down);
}

/* As the network has it: who is in which part of it. */
void parts(const char *second)
{
	for (unsigned int i = 1; i <= sim.n; i++)
		sim.nodes[i].part = (bits(second) >> i) & 1;
	sim_engine_form();
}

void back(unsigned int id)
{
	power(&sim.nodes[id], true);
	mlbd_start(&sim.nodes[id]);
}

void say(struct sim_node *to, uint16_t sender, enum wire_kind kind,
	 const char *text)
{
	struct wire_message message = { .kind = kind, .json = json(text) };
	uint8_t *data;
	size_t len;

	assert_int_equal(wire_pack(&message, &data, &len), 0);
	sim_engine_say(to, sender, data, len);
	free(data);
	json_decref(message.json);
}
