// SPDX-License-Identifier: GPL-2.0
/*
 * What a document of the largest size costs the loop: changing it, adopting
 * another mlbd's, writing it, and working out what the kernel should hold.
 *
 *   bench_document
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "document.h"
#include "goal.h"

/* Of the processor: others may use it as well. */
static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double begin;

static void start(void)
{
	begin = now_ms();
}

static void tell(const char *what)
{
	printf("  %-36s %8.2f ms\n", what, now_ms() - begin);
}

static struct document *make(json_t *contents)
{
	struct document *document = document_new();
	json_t *change = json_pack("{s:s, s:o}", "op", "load", "document",
				   contents);
	char error[256];

	start();
	if (document_change(document, change, 1, error, sizeof(error))) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
	tell("change: load");
	json_decref(change);
	return document;
}

static void change(struct document *document, const char *what, json_t *json)
{
	char error[256] = "";

	start();
	if (document_change(document, json, 1, error, sizeof(error)))
		printf("  %s\n", error);
	tell(what);
	json_decref(json);
}

static void look(struct document *document)
{
	static struct goal_node peers[255];
	static struct config config = { .self.id = 1 };
	struct document *other;
	struct goal goal;
	char error[256], *text;
	json_t *json;

	change(document, "change: node-set",
	       json_pack("{s:s, s:i, s:i}", "op", "node-set", "node", 7,
			 "weight", 3));
	start();
	json = document_json(document);
	tell("to JSON");
	start();
	text = json_dumps(json, JSON_INDENT(2));
	tell("to text, for the file");
	free(text);
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	printf("  %zu bytes\n", strlen(text));
	start();
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	tell("from text");
	start();
	if (document_parse(json, &other, error, sizeof(error)))
		printf("%s\n", error);
	tell("adopted");
	document_free(other);
	json_decref(json);
	free(text);
	for (uint16_t i = 0; i < 255; i++)
		peers[i] = (struct goal_node){
			.id = (uint16_t)(i + 2),
			.addr = { .family = AF_INET,
				  .v4.s_addr = htonl(0x0a000000u + i) },
			.alive = true,
		};
	start();
	goal_make(&goal, &config, document, peers, 255);
	tell("goal");
	goal_free(&goal);
	document_free(document);
}

static json_t *vips(unsigned int from, unsigned int n)
{
	json_t *list = json_array();

	for (unsigned int i = from; i < from + n; i++)
		json_array_append_new(list,
				      json_sprintf("203.0.%u.%u:443", i / 250,
						   i % 250 + 1));
	return list;
}

static json_t *services(unsigned int n, unsigned int pool)
{
	json_t *list = json_array(), *all = vips(0, n);

	for (unsigned int i = 0; i < n; i++) {
		json_t *nodes = json_array();

		for (unsigned int j = 0; j < pool; j++)
			json_array_append_new(nodes, json_integer(
				1 + (i + j) % 1000));
		json_array_append_new(
			list, json_pack("{s:O, s:s, s:o}", "vip",
					json_array_get(all, i), "scheduler",
					"maglev", "nodes", nodes));
	}
	json_decref(all);
	return list;
}

static json_t *nodes(unsigned int n)
{
	json_t *list = json_array();

	for (unsigned int i = 1; i <= n; i++)
		json_array_append_new(list, json_pack("{s:i, s:i, s:s}", "node",
						      i, "weight", 2, "state",
						      "active"));
	return list;
}

/* Each has some of the services, for a group of its own. */
static json_t *roles(unsigned int n, unsigned int served, unsigned int total)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < n; i++) {
		char name[32];

		snprintf(name, sizeof(name), "r%u", i);
		json_array_append_new(
			list,
			json_pack("{s:s, s:o, s:[s], s:[i, i]}", "role", name,
				  "services",
				  vips(i * 7 % (total - served + 1), served),
				  "groups", name, "nodes", 1 + i % 200,
				  2 + i % 200));
	}
	return list;
}

static json_t *groups(unsigned int n, unsigned int prefixes)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < n; i++) {
		json_t *all = json_array();

		for (unsigned int j = 0; j < prefixes; j++)
			json_array_append_new(
				all, json_sprintf("10.%u.%u.0/24", i, j));
		json_array_append_new(list,
				      json_pack("{s:o, s:o}", "group",
						json_sprintf("r%u", i),
						"prefixes", all));
	}
	return list;
}

int main(void)
{
	setlinebuf(stdout);
	printf("300 services with pools of 10, 1000 nodes\n");
	look(make(json_pack("{s:o, s:o}", "services", services(300, 10),
			    "nodes", nodes(1000))));
	printf("1024 services with pools of 140, 1000 nodes\n");
	look(make(json_pack("{s:o, s:o}", "services", services(1024, 140),
			    "nodes", nodes(1000))));
	printf("256 roles for 64 of 1024 services and 20 prefixes each\n");
	look(make(json_pack("{s:o, s:o, s:o}", "services", services(1024, 1),
			    "groups", groups(256, 20), "roles",
			    roles(256, 64, 1024))));
	return 0;
}
