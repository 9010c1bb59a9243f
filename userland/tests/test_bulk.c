// SPDX-License-Identifier: GPL-2.0
/* If this fails, a file of owners is applied though a line of it is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "bulk.h"
#include "mlbctl.h"

static const struct arg *add_args(void)
{
	char add[] = "add", *words[] = { add };
	const struct command *command;
	const struct verb *verb;
	int n;

	assert_int_equal(command_match("owner", &command), 0);
	assert_int_equal(verb_match(command, 1, words, &verb, &n), 0);
	return verb->args;
}

static bool read_text(struct bulk *bulk, const char *text, size_t len,
		      char *error)
{
	FILE *from = fmemopen((void *)(uintptr_t)text, len, "r");
	bool ok;

	assert_non_null(from);
	memset(bulk, 0, sizeof(*bulk));
	ok = bulk_read(bulk, from, add_args(), error);
	fclose(from);
	return ok;
}

static void good(void **state)
{
	static const char text[] = "# a comment\n"
				   "0x10 node 2\n"
				   "\n"
				   "\t 17  node 3 cpu 5 \n"
				   "0x12 cpu 0 node 4";
	char error[ARGS_ERROR_SIZE];
	struct bulk bulk;

	(void)state;
	assert_true(read_text(&bulk, text, strlen(text), error));
	assert_int_equal(bulk.n, 3);
	assert_int_equal(bulk.entries[0].token, 0x10);
	assert_int_equal(bulk.entries[0].node, 2);
	assert_int_equal(bulk.entries[0].cpu, MLB_NO_CPU);
	assert_int_equal(bulk.entries[1].token, 17);
	assert_int_equal(bulk.entries[1].cpu, 5);
	assert_int_equal(bulk.lines[1], 4);
	assert_int_equal(bulk.entries[2].cpu, 0);
	bulk_free(&bulk);
}

static void bad(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *says;
	} inputs[] = {
#define INPUT(text, says) { text, sizeof(text) - 1, says }
		INPUT("0x10 node 2\n0x11\n", "line 2: node is missing"),
		INPUT("0x10 node 2 node 3\n", "line 1: node is given twice"),
		INPUT("0x10 node 2\nx node 2\n", "line 2: token \"x\""),
		INPUT("0x10 node 2\n-\n", "line 2: \"-\" is no token"),
		INPUT("1 2 3 4 5 6 7 8 9\n", "line 1: too many words"),
		INPUT("0x10 node 2\0 cpu 1\n", "line 1: a zero byte"),
		INPUT("0x10 node 2\n0x11 node 2\n16 node 3\n",
		      "line 3: token 0x00000010 is on line 1"),
	};
	char error[ARGS_ERROR_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		struct bulk bulk;

		if (read_text(&bulk, inputs[i].text, inputs[i].len, error))
			fail_msg("\"%s\" is understood", inputs[i].text);
		if (strncmp(error, inputs[i].says, strlen(inputs[i].says)))
			fail_msg("\"%s\" says \"%s\"", inputs[i].text, error);
		bulk_free(&bulk);
	}
}

static void many(void **state)
{
	const size_t n = 100000;
	char *text = NULL, error[ARGS_ERROR_SIZE];
	struct bulk bulk;
	FILE *to;
	size_t len;

	(void)state;
	to = open_memstream(&text, &len);
	assert_non_null(to);
	for (size_t i = n; i > 0; i--)
		fprintf(to, "0x%08zx node 2 cpu 1\n", i);
	fclose(to);
	assert_true(read_text(&bulk, text, len, error));
	assert_int_equal(bulk.n, n);
	assert_int_equal(bulk.entries[0].token, n);
	assert_int_equal(bulk.entries[n - 1].token, 1);
	assert_int_equal(bulk.lines[n - 1], n);
	bulk_free(&bulk);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(bad),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests_name("bulk", tests, NULL, NULL);
}
