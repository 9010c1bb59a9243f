// SPDX-License-Identifier: GPL-2.0
/* If this fails, a command line is read as something that nobody wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "args.h"
#include "mlbctl.h"
#include "parse.h"

enum {
	SEEN_ID = 1,
	SEEN_ADDR = 2,
	SEEN_WEIGHT = 4,
	SEEN_MODE = 8,
	SEEN_ME = 16
};

struct target {
	uint16_t id;
	uint16_t guard;
	struct mlb_addr addr;
	uint32_t weight;
	unsigned int mode;
};

static const char *const modes[] = { "on", "off", NULL };

static const struct arg table[] = {
	{ .type = ARG_U16,
	  .name = "node",
	  .value = "ID",
	  .help = "",
	  .flags = ARG_POSITIONAL | ARG_OR_STDIN,
	  .field = SEEN_ID,
	  .offset = offsetof(struct target, id),
	  .min = 1,
	  .max = 4095 },
	{ .type = ARG_ADDR,
	  .name = "addr",
	  .value = "ADDR",
	  .help = "",
	  .flags = ARG_REQUIRED,
	  .field = SEEN_ADDR,
	  .offset = offsetof(struct target, addr) },
	{ .type = ARG_U32,
	  .name = "weight",
	  .dash = 'w',
	  .value = "W",
	  .help = "",
	  .field = SEEN_WEIGHT,
	  .offset = offsetof(struct target, weight),
	  .max = 65535 },
	{ .type = ARG_WORD,
	  .name = "mode",
	  .value = "MODE",
	  .help = "",
	  .field = SEEN_MODE,
	  .offset = offsetof(struct target, mode),
	  .words = modes },
	{ .type = ARG_FLAG, .name = "me", .help = "", .field = SEEN_ME },
	{}
};

static struct target target;
static unsigned int seen;
static char error[ARGS_ERROR_SIZE];

static bool parse(const char *line)
{
	static char copy[512];
	char *argv[32], *rest;
	int argc = 0;

	memset(&target, 0, sizeof(target));
	target.guard = 0xffff;
	strcpy(copy, line);
	for (char *w = strtok_r(copy, " ", &rest); w;
	     w = strtok_r(NULL, " ", &rest))
		argv[argc++] = w;
	return args_parse(table, argc, argv, &target, &seen, error);
}

static void good(void **state)
{
	(void)state;
	assert_true(parse("5 addr 10.0.0.1"));
	assert_int_equal(seen, SEEN_ID | SEEN_ADDR);
	assert_int_equal(target.id, 5);
	assert_int_equal(target.guard, 0xffff);
	assert_int_equal(target.addr.family, AF_INET);

	/* Any order, shortened, by letter; a value may look like a keyword. */
	assert_true(parse("4095 me mode off -w 7 a 2001:db8::1"));
	assert_int_equal(seen, SEEN_ID | SEEN_ADDR | SEEN_WEIGHT | SEEN_MODE |
				       SEEN_ME);
	assert_int_equal(target.weight, 7);
	assert_int_equal(target.mode, 1);
	assert_int_equal(target.addr.family, AF_INET6);

	/* The exact word is not ambiguous with a longer one. */
	assert_true(parse("1 addr 10.0.0.1 me"));

	assert_true(parse("-"));
	assert_int_equal(seen, ARG_SEEN_STDIN);
}

static void bad(void **state)
{
	static const struct {
		const char *line;
		const char *says;
	} lines[] = {
		{ "", "ID is missing" },
		{ "5", "addr is missing" },
		{ "5 addr", "addr has no value" },
		{ "5 addr 10.0.0", "not an IPv4" },
		{ "0 addr 10.0.0.1", "from 1 to 4095" },
		{ "4096 addr 10.0.0.1", "from 1 to 4095" },
		{ "addr 10.0.0.1", "not a number" },
		{ "5 addr 10.0.0.1 addr 10.0.0.1", "given twice" },
		{ "5 addr 10.0.0.1 me me", "given twice" },
		{ "5 addr 10.0.0.1 me x", "\"x\" is not understood" },
		{ "5 addr 10.0.0.1 weight -1", "from 0 to 65535" },
		{ "5 addr 10.0.0.1 mode o", "none of on, off" },
		{ "5 addr 10.0.0.1 mode ON", "none of on, off" },
		{ "5 addr 10.0.0.1 m on", "ambiguous" },
		{ "5 addr 10.0.0.1 -x", "not understood" },
		{ "5 addr 10.0.0.1 -", "not understood" },
		{ "- addr 10.0.0.1", "not a number" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (parse(lines[i].line))
			fail_msg("\"%s\" is understood", lines[i].line);
		if (!strstr(error, lines[i].says))
			fail_msg("\"%s\" says \"%s\"", lines[i].line, error);
	}
}

/* An argument of any length cannot overrun the error. */
static void long_word(void **state)
{
	char line[512] = "5 addr ";

	(void)state;
	memset(line + strlen(line), 'x', 480);
	assert_false(parse(line));
	assert_true(strlen(error) < ARGS_ERROR_SIZE);
}

static size_t size_of(enum arg_type type)
{
	switch (type) {
	case ARG_U16:
		return sizeof(uint16_t);
	case ARG_U32:
	case ARG_TOKEN:
	case ARG_WORD:
		return sizeof(uint32_t);
	case ARG_ADDR:
		return sizeof(struct mlb_addr);
	case ARG_ENDPOINT:
		return sizeof(struct mlb_endpoint);
	case ARG_NODES:
		return sizeof(struct node_list);
	case ARG_CLIENT:
	case ARG_STRING:
		return sizeof(char *);
	case ARG_FLAG:
	case ARG_END:
		break;
	}
	return 0;
}

static void check_arg(const struct verb *verb, const struct arg *arg)
{
	assert_non_null(arg->name);
	assert_non_null(arg->help);
	assert_true(arg->offset + size_of(arg->type) <= verb->size ||
		    arg->type == ARG_FLAG);
	assert_true((arg->type == ARG_FLAG) == !arg->value);
	assert_true((arg->type == ARG_WORD) == !!arg->words);
	if (arg->type == ARG_U16 || arg->type == ARG_U32)
		assert_true(arg->min < arg->max);
	if (arg->type == ARG_U16)
		assert_true(arg->max <= UINT16_MAX);
	/* Positional arguments stand first. */
	if (arg->flags & ARG_POSITIONAL && arg != verb->args)
		assert_true(arg[-1].flags & ARG_POSITIONAL);
	/* Two of the same field could not be told apart. */
	for (const struct arg *a = verb->args; a != arg; a++) {
		assert_string_not_equal(a->name, arg->name);
		if (a->dash || arg->dash)
			assert_int_not_equal(a->dash, arg->dash);
		assert_int_equal(a->field & arg->field, 0);
	}
}

/* What the tables of every command promise, whoever adds one. */
static void tables(void **state)
{
	const struct command *previous = NULL;
	int commands = 0;

	(void)state;
	for (const struct command *c = command_first(); c; c = c->next) {
		commands++;
		if (previous)
			assert_true(strcmp(previous->name, c->name) < 0);
		previous = c;
		assert_non_null(c->help);
		for (const struct verb *v = c->verbs; v->run; v++) {
			int n = 0;

			assert_non_null(v->help);
			assert_non_null(v->args);
			assert_true(v->name || !v[1].run);
			for (const struct arg *a = v->args; a->type != ARG_END;
			     a++, n++)
				check_arg(v, a);
			assert_true(n <= 32);
		}
	}
	assert_true(commands >= 10);
}

static int match(const struct command *command, const char *words,
		 const struct verb **verb)
{
	char copy[64], *argv[8];
	int argc = 0, n;

	strcpy(copy, words);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return verb_match(command, argc, argv, verb, &n);
}

static void matching(void **state)
{
	const struct command *command;
	const struct verb *verb;

	(void)state;
	assert_int_equal(command_match("set", &command), 0);
	assert_string_equal(command->name, "set");
	assert_int_equal(command_match("s", &command), -2);
	assert_int_equal(command_match("", &command), -2);
	assert_int_equal(command_match("nodes", &command), -1);
	assert_int_equal(command_match("n", &command), 0);
	assert_string_equal(command->name, "node");
	assert_int_equal(match(command, "l", &verb), 0);
	assert_string_equal(verb->name, "list");
	assert_int_equal(match(command, "lists", &verb), -1);
	assert_null(verb_only(command));

	/* Names of several words. */
	assert_int_equal(command_match("cl", &command), 0);
	assert_int_equal(match(command, "service list more", &verb), 0);
	assert_string_equal(verb->name, "service list");
	assert_int_equal(match(command, "serv l", &verb), 0);
	assert_string_equal(verb->name, "service list");
	assert_int_equal(match(command, "n l", &verb), 0);
	assert_string_equal(verb->name, "node list");
	assert_int_equal(match(command, "set", &verb), 0);
	assert_string_equal(verb->name, "set");
	assert_int_equal(match(command, "se", &verb), -2);
	assert_int_equal(match(command, "service", &verb), -3);
	assert_int_equal(match(command, "service x", &verb), -1);
	assert_int_equal(match(command, "service list", &verb), 0);
	assert_int_equal(match(command, "", &verb), -3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),	     cmocka_unit_test(bad),
		cmocka_unit_test(long_word), cmocka_unit_test(tables),
		cmocka_unit_test(matching),
	};

	return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}
