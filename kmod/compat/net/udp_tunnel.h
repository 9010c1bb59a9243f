/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_COMPAT_NET_UDP_TUNNEL_H
#define _MLB_COMPAT_NET_UDP_TUNNEL_H

#include <linux/version.h>
#include_next <net/udp_tunnel.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
/* No flags for the control block, sockets where there are socks now, and
 * addresses that are not const though nobody writes them (6.1).
 */
#define udp_tunnel_xmit_skb(rt, sk, skb, src, dst, tos, ttl, df, sport,	\
			    dport, xnet, nocheck, flags)		\
	udp_tunnel_xmit_skb(rt, sk, skb, src, dst, tos, ttl, df, sport,	\
			    dport, xnet, nocheck)
#define udp_tunnel6_xmit_skb(dst, sk, skb, dev, saddr, daddr, prio, ttl, \
			     label, sport, dport, nocheck, flags)	\
	udp_tunnel6_xmit_skb(dst, sk, skb, dev, (struct in6_addr *)(saddr), \
			     (struct in6_addr *)(daddr), prio, ttl, label, \
			     sport, dport, nocheck)
#define setup_udp_tunnel_sock(net, sk, cfg) \
	setup_udp_tunnel_sock(net, (sk)->sk_socket, cfg)
#define udp_tunnel_sock_release(sk) \
	udp_tunnel_sock_release((sk)->sk_socket)
#endif

#endif
