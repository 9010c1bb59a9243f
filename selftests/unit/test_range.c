// SPDX-License-Identifier: GPL-2.0
/*
 * When one of these fails, a client's new connections go to nodes that are not
 * for its group.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "range.h"

#define MAX	512

static struct mlb_prefix prefixes[MAX];
static struct mlb_range ranges[2 * MAX];
static unsigned int n_prefixes, n_ranges;

static struct in6_addr addr_of(const char *text)
{
	struct in6_addr addr = {};

	addr.s6_addr[10] = addr.s6_addr[11] = 0xff;
	if (inet_pton(AF_INET, text, &addr.s6_addr[12]) != 1)
		assert_int_equal(inet_pton(AF_INET6, text, &addr), 1);
	return addr;
}

static void begin(void)
{
	n_prefixes = 0;
}

static void add(const char *text, unsigned int len, u16 group)
{
	assert_true(n_prefixes < MAX);
	prefixes[n_prefixes++] = (struct mlb_prefix) {
		.addr = addr_of(text),
		.len = strchr(text, ':') ? len : MLB_PREFIX_IPV4_LEN + len,
		.group = group,
	};
}

static void build(void)
{
	qsort(prefixes, n_prefixes, sizeof(*prefixes), mlb_prefix_cmp);
	n_ranges = mlb_range_build(ranges, prefixes, n_prefixes);
	assert_true(n_ranges <= 2 * n_prefixes);
	for (unsigned int i = 1; i < n_ranges; i++) {
		assert_true(memcmp(&ranges[i - 1].first, &ranges[i].first,
				   16) < 0);
		assert_int_not_equal(ranges[i - 1].group, ranges[i].group);
	}
}

static u16 group_of(const char *text)
{
	struct in6_addr addr = addr_of(text);

	return mlb_range_find(ranges, n_ranges, &addr);
}

static void nothing(void **state)
{
	(void)state;
	begin();
	build();
	assert_int_equal(n_ranges, 0);
	assert_int_equal(group_of("10.0.0.1"), 0);
	assert_int_equal(group_of("::"), 0);
	assert_int_equal(group_of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
			 0);
}

static void edges(void **state)
{
	(void)state;
	begin();
	add("10.1.0.0", 16, 3);
	add("192.0.2.7", 32, 4);
	build();
	assert_int_equal(group_of("10.0.255.255"), 0);
	assert_int_equal(group_of("10.1.0.0"), 3);
	assert_int_equal(group_of("10.1.255.255"), 3);
	assert_int_equal(group_of("10.2.0.0"), 0);
	assert_int_equal(group_of("192.0.2.6"), 0);
	assert_int_equal(group_of("192.0.2.7"), 4);
	assert_int_equal(group_of("192.0.2.8"), 0);
}

static void longest_wins(void **state)
{
	(void)state;
	begin();
	add("10.0.0.0", 8, 1);
	add("10.0.0.0", 16, 2);		/* begins with it */
	add("10.0.0.0", 24, 1);		/* the outer group again, within */
	add("10.255.0.0", 16, 3);	/* ends with it */
	add("10.255.255.255", 32, 4);	/* likewise */
	build();
	assert_int_equal(group_of("10.0.0.255"), 1);
	assert_int_equal(group_of("10.0.1.0"), 2);
	assert_int_equal(group_of("10.0.255.255"), 2);
	assert_int_equal(group_of("10.1.0.0"), 1);
	assert_int_equal(group_of("10.254.255.255"), 1);
	assert_int_equal(group_of("10.255.0.0"), 3);
	assert_int_equal(group_of("10.255.255.254"), 3);
	assert_int_equal(group_of("10.255.255.255"), 4);
	assert_int_equal(group_of("11.0.0.0"), 0);
}

/* Networks beside each other are one range; so a table is not larger than it
 * has to be.
 */
static void neighbours_merge(void **state)
{
	(void)state;
	begin();
	add("10.0.0.0", 9, 1);
	add("10.128.0.0", 9, 1);
	add("11.0.0.0", 8, 2);
	build();
	assert_int_equal(n_ranges, 3);
	assert_int_equal(group_of("10.127.255.255"), 1);
	assert_int_equal(group_of("10.128.0.0"), 1);
	assert_int_equal(group_of("11.0.0.0"), 2);
	assert_int_equal(group_of("12.0.0.0"), 0);
}

static void whole_family(void **state)
{
	(void)state;
	begin();
	add("::", 0, 6);
	add("0.0.0.0", 0, 0);	/* what who builds the table puts there */
	add("10.0.0.0", 8, 1);
	add("8000::", 1, 7);
	build();
	assert_int_equal(group_of("::"), 6);
	assert_int_equal(group_of("7fff::"), 6);
	assert_int_equal(group_of("8000::"), 7);
	assert_int_equal(group_of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
			 7);
	assert_int_equal(group_of("0.0.0.0"), 0);
	assert_int_equal(group_of("10.9.9.9"), 1);
	assert_int_equal(group_of("255.255.255.255"), 0);
	assert_int_equal(group_of("::1:0:0:0"), 6);
}

static void deep(void **state)
{
	struct in6_addr addr = addr_of("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");

	(void)state;
	begin();
	/* Every length there is, each within the one before. */
	for (unsigned int len = 0; len <= 128; len++) {
		struct mlb_prefix *p = &prefixes[n_prefixes++];

		*p = (struct mlb_prefix) { .addr = addr, .len = len,
					   .group = len + 1 };
		for (unsigned int bit = len; bit < 128; bit++)
			p->addr.s6_addr[bit / 8] &= ~(0x80 >> bit % 8);
		assert_true(mlb_prefix_is_network(p));
	}
	build();
	assert_int_equal(mlb_range_find(ranges, n_ranges, &addr), 129);
	assert_int_equal(group_of("2001:db8:ffff:ffff:ffff:ffff:ffff:fffe"),
			 128);
	assert_int_equal(group_of("2001:db8::"), 33);
	assert_int_equal(group_of("::"), 3);
	assert_int_equal(group_of("ffff::"), 1);
}

static void network(void **state)
{
	struct mlb_prefix p = { .addr = addr_of("10.1.2.0"), .len = 96 + 24 };

	(void)state;
	assert_true(mlb_prefix_is_network(&p));
	p.len = 96 + 23;
	assert_true(mlb_prefix_is_network(&p));
	p.len = 96 + 22;
	assert_false(mlb_prefix_is_network(&p));
	p.addr = addr_of("::1");
	p.len = 127;
	assert_false(mlb_prefix_is_network(&p));
	p.len = 128;
	assert_true(mlb_prefix_is_network(&p));
}

/* The rule itself, by looking at every prefix. */
static u16 slow_find(const struct in6_addr *addr)
{
	int longest = -1;
	u16 group = 0;

	for (unsigned int i = 0; i < n_prefixes; i++) {
		const struct mlb_prefix *p = &prefixes[i];
		unsigned int bit = 0;

		while (bit < p->len &&
		       !((addr->s6_addr[bit / 8] ^ p->addr.s6_addr[bit / 8]) &
			 (0x80 >> bit % 8)))
			bit++;
		if (bit == p->len && p->len > longest) {
			longest = p->len;
			group = p->group;
		}
	}
	return group;
}

static bool there_is(const struct mlb_prefix *p)
{
	for (unsigned int i = 0; i < n_prefixes; i++)
		if (!mlb_prefix_cmp(&prefixes[i], p))
			return true;
	return false;
}

/* In a space so small that everything meets everything. */
static void random_address(struct in6_addr *addr)
{
	memset(addr, rand() % 2 ? 0 : 0xff, sizeof(*addr));
	addr->s6_addr[0] = rand() % 4 ? 0x20 : rand();
	addr->s6_addr[1] = rand() % 2 ? rand() : 0;
	addr->s6_addr[15] = rand() % 2 ? rand() : 0;
}

static void random_tables(void **state)
{
	(void)state;
	srand(1);
	for (unsigned int round = 0; round < 400; round++) {
		unsigned int want = rand() % 60;

		begin();
		for (unsigned int tries = 0; n_prefixes < want && tries < 200;
		     tries++) {
			struct mlb_prefix p = { .group = rand() % 5 };

			random_address(&p.addr);
			p.len = rand() % 129;
			for (unsigned int bit = p.len; bit < 128; bit++)
				p.addr.s6_addr[bit / 8] &= ~(0x80 >> bit % 8);
			if (!there_is(&p))
				prefixes[n_prefixes++] = p;
		}
		build();
		for (unsigned int i = 0; i < 500; i++) {
			struct in6_addr addr;

			random_address(&addr);
			/* Also what lies at the edges. */
			if (n_ranges && i % 2) {
				addr = ranges[rand() % n_ranges].first;
				if (i % 4 == 1 && addr.s6_addr[15])
					addr.s6_addr[15]--;
			}
			assert_int_equal(mlb_range_find(ranges, n_ranges,
							&addr),
					 slow_find(&addr));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(edges),
		cmocka_unit_test(longest_wins),
		cmocka_unit_test(neighbours_merge),
		cmocka_unit_test(whole_family),
		cmocka_unit_test(deep),
		cmocka_unit_test(network),
		cmocka_unit_test(random_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
