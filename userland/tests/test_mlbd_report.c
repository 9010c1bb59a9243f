// SPDX-License-Identifier: GPL-2.0
/* What nodes tell each other of themselves each second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "report.h"

/* Of a drain others hear what one tells; and what nobody would is refused. */
static void test_drain(void **state)
{
	static const char *const bad[] = {
		"1", "{}", "{\"for\":1}", "{\"for\":null,\"ends\":true}",
		"{\"for\":-1,\"ends\":true,\"connections\":null,\"left\":null}",
		"{\"for\":1,\"ends\":1,\"connections\":null,\"left\":null}",
		"{\"for\":1,\"ends\":true,\"connections\":-1,\"left\":null}",
		"{\"for\":1,\"ends\":true,\"connections\":1,\"left\":\"x\"}",
	};
	struct report report = { .drain = { .there = true,
					    .ends = true,
					    .seconds = 5,
					    .connections = -1,
					    .left = 10 } };
	struct report heard = {};
	json_t *json = report_json(&report);

	(void)state;
	assert_true(report_parse(json, &heard));
	assert_true(heard.drain.there && heard.drain.ends);
	assert_int_equal(heard.drain.seconds, 5);
	assert_int_equal(heard.drain.connections, -1);
	assert_int_equal(heard.drain.left, 10);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_object_set_new(json, "drain",
				    json_loads(bad[i], JSON_DECODE_ANY, NULL));
		assert_false(report_parse(json, &heard));
		assert_int_equal(heard.drain.left, 10);
	}
	json_decref(json);
	report.drain.there = false;
	json = report_json(&report);
	assert_null(json_object_get(json, "drain"));
	assert_true(report_parse(json, &heard));
	assert_false(heard.drain.there);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drain),
	};

	return cmocka_run_group_tests_name("mlbd report", tests, NULL, NULL);
}
