/* SPDX-License-Identifier: GPL-2.0 */
/* The tests, by file. */
#ifndef TESTS_CLUSTER_TESTS_H
#define TESTS_CLUSTER_TESTS_H

/* test_peers.c */
void test_newer(void **state);
void test_keys(void **state);
void test_copied_addr(void **state);
void test_copied_later(void **state);
void test_family(void **state);
void test_listing(void **state);
void test_forget(void **state);
void test_vip_of_node(void **state);

/* test_sync.c */
void test_lossy(void **state);
void test_swallowed(void **state);
void test_asking(void **state);

/* test_roles.c */
void test_takeover(void **state);
void test_two_at_once(void **state);
void test_manager_dies(void **state);
void test_long_ring(void **state);
void test_long_failure(void **state);
void test_spare_dies(void **state);
void test_minority(void **state);
void test_flapping(void **state);
void test_hangs(void **state);
void test_restart(void **state);
void test_by_hand(void **state);
void test_reports(void **state);
void test_older(void **state);
void test_roles_random(void **state);

/* test_places.c */
void test_more_than_nodes(void **state);
void test_not_there_yet(void **state);
void test_forgotten_and_named(void **state);

/* test_fences.c */
void test_mlbd_gone(void **state);
void test_spare_gone(void **state);
void test_crashes(void **state);
void test_made_anew(void **state);

/* test_hold.c */
void test_hold_heal(void **state);
void test_hold_let_go(void **state);

#endif /* TESTS_CLUSTER_TESTS_H */
