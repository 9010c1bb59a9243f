/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_COMPAT_NET_IP6_TUNNEL_H
#define _MLB_COMPAT_NET_IP6_TUNNEL_H

#include <linux/version.h>
#include_next <net/ip6_tunnel.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
/* No flags for the control block. */
#define ip6tunnel_xmit(sk, skb, dev, flags) ip6tunnel_xmit(sk, skb, dev)
#endif

#endif
