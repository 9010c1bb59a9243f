// SPDX-License-Identifier: GPL-2.0
/* If this fails, scripts that read the output read something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

static char *text;
static size_t len;

static struct output begin(bool json)
{
	struct output out = { .json = json };

	out.file = open_memstream(&text, &len);
	assert_non_null(out.file);
	return out;
}

static void expect(struct output *out, const char *want)
{
	fclose(out->file);
	assert_string_equal(text, want);
	free(text);
}

static const struct mlb_node node = {
	.fields = MLB_F_NODE_ID | MLB_F_NODE_ADDR | MLB_F_NODE_WEIGHT |
		  MLB_F_NODE_STATE | MLB_F_NODE_SELF | MLB_F_NODE_OWNERS,
	.id = 3,
	.addr = { .family = AF_INET, .v4.s_addr = 0x0100000a },
	.weight = 100,
	.state = MLB_NODE_STATE_DRAIN,
	.owners = 7,
};

static void nodes(void **state)
{
	const struct mlb_node gone = { .fields = MLB_F_NODE_ID, .id = 4 };
	struct mlb_node newer = node;
	struct output out = begin(false);

	(void)state;
	newer.state = 77;
	newer.fields &= ~MLB_F_NODE_SELF;
	out_list_begin(&out);
	out_begin(&out);
	print_node(&out, &node);
	out_end(&out);
	out_begin(&out);
	print_node(&out, &gone);
	out_end(&out);
	out_list_end(&out);
	expect(&out, "3 addr 10.0.0.1 weight 100 state drain self owners 7\n"
		     "4\n");

	out = begin(true);
	out_list_begin(&out);
	out_begin(&out);
	print_node(&out, &node);
	out_end(&out);
	out_begin(&out);
	print_node(&out, &newer);
	out_end(&out);
	out_list_end(&out);
	expect(&out,
	       "[\n"
	       "{\"id\":3,\"addr\":\"10.0.0.1\",\"weight\":100,\"state\":\"drain\",\"self\":true,\"owners\":7},\n"
	       "{\"id\":3,\"addr\":\"10.0.0.1\",\"weight\":100,\"state\":\"unknown\",\"self\":false,\"owners\":7}\n"
	       "]\n");
}

static void one(struct output *out, void (*print)(struct output *))
{
	out_begin(out);
	print(out);
	out_end(out);
}

static void suspects(void **state)
{
	struct mlb_node peer = { .fields = MLB_F_NODE_ID | MLB_F_NODE_SILENT,
				 .id = 3,
				 .silent = 7 };
	struct output out = begin(false);

	(void)state;
	out_begin(&out);
	print_node(&out, &peer);
	out_end(&out);
	peer.fields |= MLB_F_NODE_SUSPECT;
	peer.silent = 170;
	out_begin(&out);
	print_node(&out, &peer);
	out_end(&out);
	expect(&out, "3 silent 7\n3 suspect silent 170\n");
	out = begin(true);
	out_begin(&out);
	print_node(&out, &peer);
	out_end(&out);
	expect(&out, "{\"id\":3,\"suspect\":true,\"silent\":170}\n");
}

static void print_plain(struct output *out)
{
	struct mlb_node plain = { .fields = MLB_F_NODE_ID | MLB_F_NODE_ADDR |
					    MLB_F_NODE_ENCAP,
				  .id = 3,
				  .addr = node.addr };

	print_node(out, &plain);
	out_end(out);
	out_begin(out);
	plain.encap = MLB_ENCAP_IPIP;
	print_node(out, &plain);
	out_end(out);
	out_begin(out);
	plain.encap = MLB_ENCAP_GUE;
	plain.fields |= MLB_F_NODE_ENCAP_PORT;
	plain.encap_port = 6080;
	print_node(out, &plain);
}

static void plain_nodes(void **state)
{
	struct output out = begin(false);

	(void)state;
	one(&out, print_plain);
	expect(&out, "3 addr 10.0.0.1\n"
		     "3 addr 10.0.0.1 encap ipip\n"
		     "3 addr 10.0.0.1 encap gue port 6080\n");
	out = begin(true);
	one(&out, print_plain);
	expect(&out,
	       "{\"id\":3,\"addr\":\"10.0.0.1\",\"encap\":\"mlb\",\"self\":false}\n"
	       "{\"id\":3,\"addr\":\"10.0.0.1\",\"encap\":\"ipip\",\"self\":false}\n"
	       "{\"id\":3,\"addr\":\"10.0.0.1\",\"encap\":\"gue\",\"encap-port\":6080,\"self\":false}\n");
}

static void empty_list(void **state)
{
	struct output out = begin(true);

	(void)state;
	out_list_begin(&out);
	out_list_end(&out);
	expect(&out, "[]\n");
	out = begin(false);
	out_list_begin(&out);
	out_list_end(&out);
	expect(&out, "");
}

static void print_a_service(struct output *out)
{
	const uint16_t ids[] = { 1, 4095 };
	struct mlb_service service = {
		.fields = MLB_F_SERVICE_SCHEDULER | MLB_F_SERVICE_NODES,
		.vip = { .addr = { .family = AF_INET6 }, .port = 443 },
		.scheduler = MLB_SCHEDULER_MAGLEV,
		.nodes = ids,
		.n_nodes = 2,
	};

	inet_pton(AF_INET6, "2001:db8::1", &service.vip.addr.v6);
	print_service(out, &service);
}

static void print_all_nodes(struct output *out)
{
	struct mlb_service service = {
		.fields = MLB_F_SERVICE_SCHEDULER | MLB_F_SERVICE_NODES,
		.vip = { .addr = node.addr, .port = 80 },
	};

	print_service(out, &service);
}

static void services(void **state)
{
	struct output out = begin(false);

	(void)state;
	one(&out, print_a_service);
	one(&out, print_all_nodes);
	expect(&out, "[2001:db8::1]:443 sched maglev nodes 1,4095\n"
		     "10.0.0.1:80 sched local nodes all\n");
	out = begin(true);
	one(&out, print_a_service);
	one(&out, print_all_nodes);
	expect(&out,
	       "{\"addr\":\"2001:db8::1\",\"port\":443,\"sched\":\"maglev\",\"nodes\":[1,4095]}\n"
	       "{\"addr\":\"10.0.0.1\",\"port\":80,\"sched\":\"local\",\"nodes\":[]}\n");
}

static void print_an_owner(struct output *out)
{
	const struct mlb_owner owner = {
		.token = 0xbeef, .node = 2, .cpu = 1, .local = true, .age = 1234
	};

	print_owner(out, &owner, false);
}

static void print_a_rival(struct output *out)
{
	const struct mlb_owner owner = { .token = 1,
					 .node = 2,
					 .cpu = MLB_NO_CPU,
					 .rival = 3,
					 .seen = true };

	print_owner(out, &owner, false);
}

static void print_a_flow(struct output *out)
{
	const struct mlb_flow flow = {
		.src = { .addr = node.addr, .port = 1 },
		.dst = { .addr = node.addr, .port = 80 },
		.node = 2,
		.state = MLB_FLOW_STATE_ESTABLISHED,
		.expires = 99,
	};

	print_flow(out, &flow);
}

static void entries(void **state)
{
	struct output out = begin(false);

	(void)state;
	one(&out, print_an_owner);
	one(&out, print_a_rival);
	one(&out, print_a_flow);
	expect(&out,
	       "0x0000beef node 2 cpu 1 local age 1234ms\n"
	       "0x00000001 node 2 rival 3 seen age 0ms\n"
	       "10.0.0.1:1 > 10.0.0.1:80 node 2 state established expires 99ms\n");
	out = begin(true);
	one(&out, print_an_owner);
	one(&out, print_a_rival);
	one(&out, print_a_flow);
	expect(&out,
	       "{\"token\":\"0x0000beef\",\"node\":2,\"cpu\":1,\"local\":true,\"seen\":false,\"age\":1234}\n"
	       "{\"token\":\"0x00000001\",\"node\":2,\"rival\":3,\"local\":false,\"seen\":true,\"age\":0}\n"
	       "{\"saddr\":\"10.0.0.1\",\"sport\":1,\"daddr\":\"10.0.0.1\",\"dport\":80,\"node\":2,\"state\":\"established\",\"expires\":99}\n");
}

static void print_remote(struct output *out)
{
	print_explanation(out, &(struct mlb_explanation){
				       .verdict = MLB_VERDICT_REMOTE,
				       .rule = MLB_RULE_JOIN,
				       .reason = MLB_REASON_TOKEN_OWNER,
				       .node = 3 });
}

static void print_local(struct output *out)
{
	print_explanation(out, &(struct mlb_explanation){
				       .verdict = MLB_VERDICT_LOCAL,
				       .rule = MLB_RULE_JOIN,
				       .reason = MLB_REASON_TOKEN_CONTESTED });
}

static void print_ask(struct output *out)
{
	print_explanation(out, &(struct mlb_explanation){
				       .verdict = MLB_VERDICT_ASK,
				       .rule = MLB_RULE_UNKNOWN,
				       .reason = MLB_REASON_FLOW_UNKNOWN });
}

static void print_newer(struct output *out)
{
	print_explanation(out, &(struct mlb_explanation){ .verdict = 99,
							  .rule = 99,
							  .reason = 99 });
}

static void explanations(void **state)
{
	struct output out = begin(false);

	(void)state;
	one(&out, print_remote);
	one(&out, print_local);
	one(&out, print_ask);
	one(&out, print_newer);
	expect(&out,
	       "remote node 3: rule join: the owner table names the node\n"
	       "local: rule join: two nodes announced the token\n"
	       "ask all peers: rule unknown: no flow entry and no socket\n"
	       "unknown: rule unknown: unknown\n");
	out = begin(true);
	one(&out, print_remote);
	one(&out, print_local);
	expect(&out,
	       "{\"verdict\":\"remote\",\"rule\":\"join\",\"reason\":\"token-owner\",\"node\":3}\n"
	       "{\"verdict\":\"local\",\"rule\":\"join\",\"reason\":\"token-contested\"}\n");
}

static void settings(void **state)
{
	struct mlb_config config = {
		.fields = MLB_F_CONFIG_PORT | MLB_F_CONFIG_KEY_ID,
		.port = 6084,
		.key_id = { 0, 1, 0xfe, 3, 4, 5, 6, 0xff },
	};
	struct output out = begin(false);

	(void)state;
	out.lines = true;
	out_begin(&out);
	print_config(&out, &config);
	out_end(&out);
	expect(&out, "port 6084\nkey-id 0001fe03040506ff\n");

	config.fields = MLB_F_CONFIG_PORT;
	out = begin(true);
	out_begin(&out);
	print_config(&out, &config);
	out_end(&out);
	expect(&out, "{\"port\":6084,\"key-id\":null}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes),      cmocka_unit_test(plain_nodes),
		cmocka_unit_test(empty_list), cmocka_unit_test(services),
		cmocka_unit_test(entries),    cmocka_unit_test(explanations),
		cmocka_unit_test(settings),   cmocka_unit_test(suspects),
	};

	return cmocka_run_group_tests_name("print", tests, NULL, NULL);
}
