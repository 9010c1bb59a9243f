// SPDX-License-Identifier: GPL-2.0
/* If this fails, a slip on the command line is taken for a value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "print.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void numbers(void **state)
{
	static const char *const bad[] = { "",
					   " 1",
					   "1 ",
					   "+1",
					   "-1",
					   "1x",
					   "x1",
					   "0x1",
					   "01",
					   "00",
					   "1.0",
					   "1,2",
					   "101",
					   "9",
					   "1e1",
					   "4294967306",
					   "18446744073709551626" };
	uint32_t v = 7;

	(void)state;
	for (size_t i = 0; i < N(bad); i++) {
		if (parse_u32(bad[i], 10, 100, &v))
			fail_msg("\"%s\" is taken for %u", bad[i], v);
		assert_int_equal(v, 7);
	}
	assert_true(parse_u32("10", 10, 100, &v));
	assert_int_equal(v, 10);
	assert_true(parse_u32("100", 10, 100, &v));
	assert_int_equal(v, 100);
	assert_true(parse_u32("0", 0, 0, &v));
	assert_int_equal(v, 0);
	assert_true(parse_u32("4294967295", 0, UINT32_MAX, &v));
	assert_int_equal(v, UINT32_MAX);
}

static void tokens(void **state)
{
	static const char *const bad[] = {
		"",	    "0x",	"0x123456789", "0x1g",	"1g",
		"deadbeef", "00000010", "4294967296",  "-1",	"0x-1",
		"0x 1",	    "0x1 ",	"x1",	       "0x0x1", "10h",
	};
	uint32_t v;

	(void)state;
	for (size_t i = 0; i < N(bad); i++)
		if (parse_token(bad[i], &v))
			fail_msg("\"%s\" is taken for 0x%08x", bad[i], v);
	assert_true(parse_token("0xDeadBeef", &v));
	assert_int_equal(v, 0xdeadbeef);
	assert_true(parse_token("0X00000010", &v));
	assert_int_equal(v, 0x10);
	assert_true(parse_token("0x000000000001", &v));
	assert_int_equal(v, 1);
	assert_true(parse_token("4294967295", &v));
	assert_int_equal(v, UINT32_MAX);
}

static void addresses(void **state)
{
	static const char *const bad[] = {
		"",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.256",
		"1.2.3.04",
		"1.2.3.4 ",
		"0.0.0.0",
		"0.1.2.3",
		"224.0.0.1",
		"239.9.9.9",
		"255.255.255.255",
		"::",
		"ff02::1",
		"fe80::1",
		"fe80::1%lo",
		"::ffff:1.2.3.4",
		"2001:db8",
		"[2001:db8::1]",
		"2001:db8::g",
		"localhost",
	};
	struct mlb_addr addr;
	char text[ADDR_TEXT];

	(void)state;
	for (size_t i = 0; i < N(bad); i++) {
		if (!parse_addr(bad[i], &addr))
			fail_msg("\"%s\" is taken for an address", bad[i]);
		assert_int_equal(addr.family, AF_UNSPEC);
	}
	assert_null(parse_addr("10.0.0.1", &addr));
	assert_int_equal(addr.family, AF_INET);
	assert_int_equal(ntohl(addr.v4.s_addr), 0x0a000001);
	assert_null(parse_addr("2001:DB8:0::1", &addr));
	assert_int_equal(addr.family, AF_INET6);
	assert_string_equal(addr_text(&addr, text), "2001:db8::1");
}

static void endpoints(void **state)
{
	static const char *const bad[] = {
		"",
		":",
		":80",
		"10.0.0.1",
		"10.0.0.1:",
		"10.0.0.1:0",
		"10.0.0.1:65536",
		"10.0.0.1:80x",
		"10.0.0.1:+80",
		"10.0.0.1:080",
		"10.0.0.1:80:80",
		" 10.0.0.1:80",
		"[10.0.0.1]:80",
		"2001:db8::1:80",
		"2001:db8::1",
		"[2001:db8::1]",
		"[2001:db8::1]:",
		"[2001:db8::1]80",
		"[2001:db8::1:80",
		"[2001:db8::1]:80:80",
		"[2001:db8::1]]:80",
		"[[2001:db8::1]]:80",
		"[]:80",
		"[",
		"[]",
		"]:80",
		"[::]:80",
		"[ff02::1]:80",
		"224.0.0.1:80",
		"[2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]:80",
	};
	static const char *const good[] = {
		"10.0.0.1:80", "203.0.113.255:65535",	   "[2001:db8::1]:443",
		"[::1]:1",     "[2001:db8:1:2:3:4:5:6]:9",
	};
	struct mlb_endpoint end;
	char text[ENDPOINT_TEXT];

	(void)state;
	for (size_t i = 0; i < N(bad); i++)
		if (!parse_endpoint(bad[i], &end))
			fail_msg("\"%s\" is taken for a service", bad[i]);
	for (size_t i = 0; i < N(good); i++) {
		assert_null(parse_endpoint(good[i], &end));
		assert_string_equal(endpoint_text(&end, text), good[i]);
	}
}

static void flows(void **state)
{
	static const char *const bad[] = {
		"",
		"-",
		"10.1.1.2:5000",
		"10.1.1.2:5000-",
		"-10.0.0.1:80",
		"10.1.1.2-10.0.0.1:80",
		"10.1.1.2:5000-10.0.0.1",
		"10.1.1.2:5000-10.0.0.1:80-",
		"10.1.1.2:5000--10.0.0.1:80",
		"10.1.1.2:5000 - 10.0.0.1:80",
		"10.1.1.2:5000-[2001:db8::1]:80",
		"[2001:db8::2]:5000-10.0.0.1:80",
		"2001:db8::2:5000-2001:db8::1:80",
		"[2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0001]:80-[::2]:1",
	};
	struct mlb_endpoint src, dst;
	char text[ENDPOINT_TEXT];

	(void)state;
	for (size_t i = 0; i < N(bad); i++)
		if (!parse_flow(bad[i], &src, &dst))
			fail_msg("\"%s\" is taken for a flow", bad[i]);
	assert_null(parse_flow("10.1.1.2:5000-10.0.0.1:80", &src, &dst));
	assert_string_equal(endpoint_text(&src, text), "10.1.1.2:5000");
	assert_string_equal(endpoint_text(&dst, text), "10.0.0.1:80");
	assert_null(parse_flow(
		"[2001:db8:1111:2222:3333:4444:5555:6666]:65535-[2001:db8::1]:443",
		&src, &dst));
	assert_string_equal(endpoint_text(&src, text),
			    "[2001:db8:1111:2222:3333:4444:5555:6666]:65535");
	assert_string_equal(endpoint_text(&dst, text), "[2001:db8::1]:443");
}

static void node_lists(void **state)
{
	static const char *const bad[] = {
		"",	      ",",   "1,",    ",1",    "1,,2",
		"1,1",	      "0",   "4096",  "1 ,2",  "1,2x",
		"1,99999999", "ALL", "all,1", "1,all", "-1",
	};
	struct node_list list;
	char every[6 * MLB_NODE_ID_MAX];
	size_t used = 0;

	(void)state;
	for (size_t i = 0; i < N(bad); i++)
		if (!parse_node_list(bad[i], &list))
			fail_msg("\"%s\" is taken for nodes", bad[i]);
	assert_null(parse_node_list("all", &list));
	assert_int_equal(list.n, 0);
	assert_null(parse_node_list("3,1,4095", &list));
	assert_int_equal(list.n, 3);
	assert_int_equal(list.id[0], 3);
	assert_int_equal(list.id[2], 4095);

	for (int i = 1; i <= MLB_NODE_ID_MAX; i++)
		used += (size_t)sprintf(every + used, i > 1 ? ",%d" : "%d", i);
	assert_null(parse_node_list(every, &list));
	assert_int_equal(list.n, MLB_NODE_ID_MAX);
}

static void prefixes(void **state)
{
	static const char *const bad[] = {
		"",	       "/8",	     "10.0.0.0/",     "10.0.0.0/33",
		"10.0.0.1/24", "10.0.0.0/08", "10.0.0.0/8/8",  "10.0.0/8",
		"::1/127",     "::/129",     "::ffff:1.2.3.4", "10.0.0.0/-1",
		"10.0.0.0 /8", "::ffff:0:0/96",
	};
	struct mlb_prefix prefix, *list;
	size_t n;

	(void)state;
	for (size_t i = 0; i < N(bad); i++)
		if (!parse_prefix(bad[i], &prefix))
			fail_msg("\"%s\" is taken for a prefix", bad[i]);
	assert_null(parse_prefix("0.0.0.0/0", &prefix));
	assert_int_equal(prefix.addr.family, AF_INET);
	assert_int_equal(prefix.len, 0);
	assert_null(parse_prefix("192.0.2.7", &prefix));
	assert_int_equal(prefix.len, 32);
	assert_null(parse_prefix("2001:db8:8000::/33", &prefix));
	assert_int_equal(prefix.addr.family, AF_INET6);
	assert_int_equal(prefix.len, 33);

	assert_null(parse_prefix_list("10.0.0.0/8,::/0", &list, &n));
	assert_int_equal(n, 2);
	assert_int_equal(list[0].len, 8);
	assert_int_equal(list[1].addr.family, AF_INET6);
	free(list);
	assert_non_null(parse_prefix_list("10.0.0.0/8,", &list, &n));
	assert_non_null(parse_prefix_list(",10.0.0.0/8", &list, &n));
	assert_non_null(parse_prefix_list("", &list, &n));
	assert_null(list);
}

static void pool_nodes(void **state)
{
	struct node_list list = { .n = 7 };

	(void)state;
	assert_null(parse_pool_nodes("none", &list));
	assert_int_equal(list.n, 0);
	assert_null(parse_pool_nodes("2,1", &list));
	assert_int_equal(list.n, 2);
	assert_non_null(parse_pool_nodes("all", &list));
	assert_non_null(parse_pool_nodes("none,1", &list));
	assert_non_null(parse_pool_nodes("", &list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),   cmocka_unit_test(tokens),
		cmocka_unit_test(addresses), cmocka_unit_test(endpoints),
		cmocka_unit_test(flows),     cmocka_unit_test(node_lists),
		cmocka_unit_test(prefixes),  cmocka_unit_test(pool_nodes),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
