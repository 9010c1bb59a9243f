/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_COMPAT_NET_INET6_HASHTABLES_H
#define _MLB_COMPAT_NET_INET6_HASHTABLES_H

#include <linux/version.h>
#include_next <net/inet6_hashtables.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define __inet6_lookup_established(net, ...) \
	__inet6_lookup_established(net, (net)->ipv4.tcp_death_row.hashinfo, \
				   __VA_ARGS__)
#define inet6_lookup_listener(net, ...) \
	inet6_lookup_listener(net, (net)->ipv4.tcp_death_row.hashinfo, \
	                      __VA_ARGS__)
#endif

#endif
