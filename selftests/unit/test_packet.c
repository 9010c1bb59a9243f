// SPDX-License-Identifier: GPL-2.0
/*
 * If one of these fails, a client whose packets come in fragments, or could
 * have, is steered by ports that are none, or not at all.
 */
#include "unit.h"

#include "packet_unit.h"

#define CLIENT	0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define VIP	0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80
#define IPV6(next)	0x60, 0, 0, 0, 0, 28, (next), 64, CLIENT, VIP
#define IPV4(frag)	0x45, 0, 0, 40, 0, 1, (frag), 0, 64, 6, 0, 0, \
			198, 51, 100, 1, 203, 0, 113, 80
#define FRAGMENT(at)	6, 0, (at) >> 8, (at) & 0xff, 0, 0, 0, 1
#define SYN		0x9c, 0x40, 443 >> 8, 443 & 0xff, 0, 0, 0, 1, \
			0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0

static const struct packet {
	const char *what;
	bool ipv6;
	bool steered;
	unsigned int thoff;
	unsigned int fragments;	/* counted */
	unsigned int len;
	u8 bytes[80];
} packets[] = {
#define P(what, ipv6, steered, thoff, fragments, ...) \
	{ what, ipv6, steered, thoff, fragments, \
	  sizeof((u8[]){ __VA_ARGS__ }), { __VA_ARGS__ } }
	P("whole, IPv4", false, true, 20, 0, IPV4(0), SYN),
	P("whole, DF", false, true, 20, 0, IPV4(0x40), SYN),
	P("first of several, IPv4", false, false, 0, 1, IPV4(0x20), SYN),
	P("later one, IPv4", false, false, 0, 0, IPV4(1), SYN),
	P("whole, IPv6", true, true, 40, 0, IPV6(6), SYN),
	P("only fragment", true, true, 48, 0, IPV6(44), FRAGMENT(0), SYN),
	P("only fragment, reserved bits set", true, true, 48, 0, IPV6(44),
	  FRAGMENT(6), SYN),
	P("first of several, IPv6", true, false, 0, 1, IPV6(44), FRAGMENT(1),
	  SYN),
	P("first of several, reserved bits set", true, false, 0, 1, IPV6(44),
	  FRAGMENT(7), SYN),
	P("later one, IPv6", true, false, 0, 0, IPV6(44), FRAGMENT(8), SYN),
};

/* Cut in two at every place, and the second piece not linear. */
static void test_fragments(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(packets); i++) {
		const struct packet *p = &packets[i];

		for (unsigned int linear = 0; linear <= p->len; linear++) {
			struct mlb_net mn = UNIT_NET;
			struct mlb_packet pkt;
			struct sk_buff skb = {
				.data = (unsigned char *)p->bytes,
				.len = p->len,
				.data_len = p->len - linear,
				.rest = p->bytes + linear,
			};

			if (mlb_packet_parse(&mn, &skb, p->ipv6 ?
					     NFPROTO_IPV6 : NFPROTO_IPV4,
					     &pkt) != p->steered)
				fail_msg("%s, cut at %u", p->what, linear);
			assert_int_equal(mn.counts[MLB_CNT_BAD_FRAGMENT],
					 p->fragments);
			if (p->steered)
				assert_int_equal(pkt.thoff, p->thoff);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fragments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
