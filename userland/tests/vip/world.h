/* SPDX-License-Identifier: GPL-2.0 */
/* A host without a kernel, a clock or a control socket, for tests of vips. */
#ifndef TESTS_VIP_WORLD_H
#define TESTS_VIP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "log.h"
#include "vip.h"

/* The clock, in ms. */
extern uint64_t now;

/* The routes of 10.9.0.1 to 10.9.0.3; what setting one answers; how often it was. */
extern bool routes[4];
extern int route_error;
extern unsigned int asked;

/* How often neighbours were told; what that answers. */
extern unsigned int told;
extern int tell_error;

extern unsigned int sweeps;
extern unsigned int errors, warnings;

/* The last event. */
extern json_t *last;

/* What mlbd wants of each, and in which ring. */
extern enum vip_want wants[4];
extern uint64_t ring;

/* How often mlbd was told that an address is gone. */
extern unsigned int gone;

/* Work that waits for a worker; the timer. */
extern uv_work_t *work;
extern uv_timer_t *timer;
extern uv_timer_cb timer_cb;
extern uv_close_cb close_cb;

/* What mlbd opens them with. */
extern uv_loop_t loop;
extern const struct vip_calls calls;

struct config world_config(size_t n);
struct vips *world_begin(size_t n);
void world_end(struct vips *vips);
void world_tick(void);
void world_work(void);
void world_run(void);
void assert_events(const char *expected);

/* test_route.c */
void test_follows(void **state);
void test_repairs(void **state);
void test_meanwhile(void **state);
void test_failure(void **state);
void test_reload(void **state);
void test_withdraw(void **state);

/* test_dev.c */
void test_tell(void **state);
void test_heal(void **state);
void test_deaf(void **state);
void test_unsure(void **state);
void test_hung(void **state);
void test_vanished(void **state);
void test_let_go(void **state);
void test_sweep(void **state);
void test_poke(void **state);

#endif
