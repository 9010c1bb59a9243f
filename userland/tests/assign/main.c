// SPDX-License-Identifier: GPL-2.0
#include "world.h"

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories),
		cmocka_unit_test(test_fence),
		cmocka_unit_test(test_all_know),
		cmocka_unit_test(test_joining),
		cmocka_unit_test(test_anew),
		cmocka_unit_test(test_moved_on),
		cmocka_unit_test(test_undone),
		cmocka_unit_test(test_fenced),
		cmocka_unit_test(test_two_fences),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_random),
	};

	cmocka_set_test_filter(getenv("ASSIGN_TEST"));
	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests_name("assign", tests, NULL, NULL);
}
