/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_COMPAT_NET_IP_TUNNELS_H
#define _MLB_COMPAT_NET_IP_TUNNELS_H

#include <linux/version.h>
#include_next <net/ip_tunnels.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
/* No flags for the control block. */
#define iptunnel_xmit(sk, rt, skb, src, dst, proto, tos, ttl, df, xnet, flags) \
	iptunnel_xmit(sk, rt, skb, src, dst, proto, tos, ttl, df, xnet)
#endif

#endif
