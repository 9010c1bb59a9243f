/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_COMPAT_LINUX_NETDEVICE_H
#define _MLB_COMPAT_LINUX_NETDEVICE_H

#include <linux/version.h>
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

/* Counters of a tunnel device: the core makes and frees them where it can. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
static inline void netdev_set_tstats(struct net_device *dev)
{
}

static inline int netdev_tstats_alloc(struct net_device *dev)
{
	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	return dev->tstats ? 0 : -ENOMEM;
}

static inline void netdev_tstats_free(struct net_device *dev)
{
	free_percpu(dev->tstats);
}
#else
static inline void netdev_set_tstats(struct net_device *dev)
{
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
}

static inline int netdev_tstats_alloc(struct net_device *dev)
{
	return 0;
}

static inline void netdev_tstats_free(struct net_device *dev)
{
}
#endif

#endif
