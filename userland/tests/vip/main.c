// SPDX-License-Identifier: GPL-2.0
#include "world.h"

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follows),
		cmocka_unit_test(test_repairs),
		cmocka_unit_test(test_meanwhile),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_withdraw),
		cmocka_unit_test(test_tell),
		cmocka_unit_test(test_heal),
		cmocka_unit_test(test_deaf),
		cmocka_unit_test(test_unsure),
		cmocka_unit_test(test_hung),
		cmocka_unit_test(test_vanished),
		cmocka_unit_test(test_let_go),
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_poke),
	};

	return cmocka_run_group_tests_name("mlbd vip", tests, NULL, NULL);
}
