/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_COMPAT_NET_TCP_H
#define _MLB_COMPAT_NET_TCP_H

#include <linux/version.h>
#include_next <net/tcp.h>

/*
 * Not macros of the functions' own names: 6.1 calls them with all of their
 * arguments in linux/netfilter_ipv6.h.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define mlb_cookie_v4_check(iph, th) \
	__cookie_v4_check(iph, th, ntohl((th)->ack_seq) - 1)
#define mlb_cookie_v6_check(ip6h, th) \
	__cookie_v6_check(ip6h, th, ntohl((th)->ack_seq) - 1)
#else
#define mlb_cookie_v4_check	__cookie_v4_check
#define mlb_cookie_v6_check	__cookie_v6_check
#endif

#endif
