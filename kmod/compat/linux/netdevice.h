/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_COMPAT_LINUX_NETDEVICE_H
#define _MLB_COMPAT_LINUX_NETDEVICE_H

#include_next <linux/netdevice.h>

/* The device stays in the namespace that it was made in. Stable kernels have
 * got the newer name too, so Kbuild looks for it rather than at the version.
 */
static inline void netdev_set_netns_immutable(struct net_device *dev)
{
#ifdef MLB_HAVE_NETNS_IMMUTABLE
	dev->netns_immutable = true;
#elif defined(MLB_HAVE_NETNS_LOCAL)
	dev->netns_local = true;
#else
	dev->features |= NETIF_F_NETNS_LOCAL;
#endif
}

#endif
