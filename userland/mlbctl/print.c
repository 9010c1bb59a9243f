// SPDX-License-Identifier: GPL-2.0
/* The objects of libmlb as records. */
#include "print.h"
#include "settings.h"

/* A pair of keys in JSON, ADDR:PORT in text. */
static void print_endpoint(struct output *out, const char *addr_key,
			   const char *port_key, const struct mlb_endpoint *end)
{
	char text[ENDPOINT_TEXT], addr[ADDR_TEXT];

	if (out->json) {
		out_str(out, addr_key, NULL, addr_text(&end->addr, addr));
		out_uint(out, port_key, NULL, end->port, NULL);
	} else {
		out_word(out, endpoint_text(end, text));
	}
}

static void print_key_id(struct output *out, const struct mlb_config *config)
{
	char text[2 * MLB_KEY_ID_LEN + 1];

	if (!(config->fields & MLB_F_CONFIG_KEY_ID)) {
		if (out->json)
			out_json(out, "key-id", json_null());
		else
			out_str(out, "key-id", "key-id", "none");
		return;
	}
	for (size_t i = 0; i < MLB_KEY_ID_LEN; i++)
		snprintf(text + 2 * i, 3, "%02x", config->key_id[i]);
	out_str(out, "key-id", "key-id", text);
}

static void print_size(struct output *out, const struct mlb_config *config,
		       unsigned int field, const char *key, uint32_t value)
{
	if (config->fields & field)
		out_uint(out, key, key, value, NULL);
}

void print_config(struct output *out, const struct mlb_config *c)
{
	const struct arg *setting;

	for_each_setting(setting, c->fields)
	{
		if (setting->type == ARG_WORD)
			out_str(out, setting->name, setting->name,
				word_of(setting->words,
					setting_get(c, setting)));
		else
			out_uint(out, setting->name, setting->name,
				 setting_get(c, setting), NULL);
	}
	print_key_id(out, c);
	print_size(out, c, MLB_F_CONFIG_FLOWS, "flows", c->flows);
	print_size(out, c, MLB_F_CONFIG_OWNERS, "owners", c->owners);
	print_size(out, c, MLB_F_CONFIG_PARKED, "parked", c->parked);
	print_size(out, c, MLB_F_CONFIG_DEAD, "dead", c->dead);
}

/* Text is silent about nodes that run mlb, as nearly all do. */
static void print_encap(struct output *out, const struct mlb_node *node)
{
	if (!(node->fields & MLB_F_NODE_ENCAP))
		return;
	if (out->json || node->encap != MLB_ENCAP_MLB)
		out_str(out, "encap", "encap",
			word_of(encap_words, node->encap));
	if (node->fields & MLB_F_NODE_ENCAP_PORT)
		out_uint(out, "encap-port", "port", node->encap_port, NULL);
}

void print_node(struct output *out, const struct mlb_node *node)
{
	char addr[ADDR_TEXT];

	out_uint(out, "id", NULL, node->id, NULL);
	if (node->fields & MLB_F_NODE_ADDR)
		out_str(out, "addr", "addr", addr_text(&node->addr, addr));
	if (node->fields & MLB_F_NODE_WEIGHT)
		out_uint(out, "weight", "weight", node->weight, NULL);
	if (node->fields & MLB_F_NODE_STATE)
		out_str(out, "state", "state",
			word_of(node_state_words, node->state));
	print_encap(out, node);
	/* A message without an address tells of nothing but the id. */
	if (node->fields & MLB_F_NODE_ADDR)
		out_flag(out, "self", node->fields & MLB_F_NODE_SELF);
	if (node->fields & MLB_F_NODE_OWNERS)
		out_uint(out, "owners", "owners", node->owners, NULL);
	/* Only what was heard once is ever suspect. */
	if (node->fields & MLB_F_NODE_SILENT) {
		out_flag(out, "suspect", node->fields & MLB_F_NODE_SUSPECT);
		out_uint(out, "silent", "silent", node->silent, NULL);
	}
}

/* empty: what text calls a list without any */
static void print_nodes(struct output *out, const uint16_t *nodes, size_t n,
			const char *empty)
{
	json_t *ids;

	if (out->json) {
		ids = json_array();
		for (size_t i = 0; i < n; i++)
			json_array_append_new(ids, json_integer(nodes[i]));
		out_json(out, "nodes", ids);
		return;
	}
	out_word(out, "nodes");
	if (!n)
		out_word(out, empty);
	for (size_t i = 0; i < n; i++)
		fprintf(out->file, "%c%u", i ? ',' : ' ', nodes[i]);
}

void print_service(struct output *out, const struct mlb_service *service)
{
	print_endpoint(out, "addr", "port", &service->vip);
	if (service->fields & MLB_F_SERVICE_SCHEDULER)
		out_str(out, "sched", "sched",
			word_of(scheduler_words, service->scheduler));
	if (service->fields & MLB_F_SERVICE_NODES)
		print_nodes(out, service->nodes, service->n_nodes, "all");
}

void print_group(struct output *out, const struct mlb_group *group)
{
	char text[PREFIX_TEXT];
	json_t *prefixes;

	out_uint(out, "id", NULL, group->id, NULL);
	if (!out->json) {
		out_word(out, "prefix");
		for (size_t i = 0; i < group->n_prefixes; i++)
			fprintf(out->file, "%c%s", i ? ',' : ' ',
				prefix_text(&group->prefixes[i], text));
		return;
	}
	prefixes = json_array();
	for (size_t i = 0; i < group->n_prefixes; i++)
		json_array_append_new(
			prefixes,
			json_string(prefix_text(&group->prefixes[i], text)));
	out_json(out, "prefixes", prefixes);
}

void print_group_pool(struct output *out, const struct mlb_group_pool *pool)
{
	print_endpoint(out, "addr", "port", &pool->vip);
	if (pool->group)
		out_uint(out, "group", "group", pool->group, NULL);
	out_flag(out, "wait", pool->wait);
	print_nodes(out, pool->nodes, pool->n_nodes, "none");
}

/* FLOW, or FLOW,KEY */
static void print_client(struct output *out, const struct mlb_client *client,
			 bool key)
{
	char src[ENDPOINT_TEXT], dst[ENDPOINT_TEXT];
	char text[2 * ENDPOINT_TEXT + 2 * MLB_MPTCP_KEY_LEN + 8];
	int n;

	n = snprintf(text, sizeof(text), "%s-%s",
		     endpoint_text(&client->src, src),
		     endpoint_text(&client->dst, dst));
	if (key)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ",");
	for (size_t i = 0; key && i < MLB_MPTCP_KEY_LEN; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%02x",
			      client->key[i]);
	out_str(out, "client", "client", text);
}

void print_owner(struct output *out, const struct mlb_owner *owner, bool keys)
{
	char token[16];

	snprintf(token, sizeof(token), "0x%08x", owner->token);
	out_str(out, "token", NULL, token);
	if (owner->node)
		out_uint(out, "node", "node", owner->node, NULL);
	if (owner->cpu != MLB_NO_CPU)
		out_uint(out, "cpu", "cpu", owner->cpu, NULL);
	if (owner->rival)
		out_uint(out, "rival", "rival", owner->rival, NULL);
	out_flag(out, "local", owner->local);
	out_flag(out, "seen", owner->seen);
	if (owner->client)
		print_client(out, owner->client, keys);
	out_uint(out, "age", "age", owner->age, "ms");
}

void print_flow(struct output *out, const struct mlb_flow *flow)
{
	print_endpoint(out, "saddr", "sport", &flow->src);
	out_word(out, ">");
	print_endpoint(out, "daddr", "dport", &flow->dst);
	out_uint(out, "node", "node", flow->node, NULL);
	out_str(out, "state", "state", word_of(flow_state_words, flow->state));
	out_uint(out, "expires", "expires", flow->expires, "ms");
}

void print_explanation(struct output *out, const struct mlb_explanation *e)
{
	const char *rule = word_of(rule_words, e->rule);

	out_str(out, "verdict", NULL, word_of(verdict_words, e->verdict));
	if (out->json) {
		out_str(out, "rule", NULL, rule);
		out_str(out, "reason", NULL, word_of(reason_words, e->reason));
		if (e->node)
			out_uint(out, "node", NULL, e->node, NULL);
		if (e->group)
			out_uint(out, "group", NULL, e->group, NULL);
		return;
	}
	if (e->node)
		out_uint(out, "node", "node", e->node, NULL);
	else if (e->verdict == MLB_VERDICT_ASK)
		out_word(out, "all peers");
	fprintf(out->file, ": rule %s: %s", rule,
		word_of(reason_texts, e->reason));
	if (e->group)
		fprintf(out->file, ", client of group %u", e->group);
}
