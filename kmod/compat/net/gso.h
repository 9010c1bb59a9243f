/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_COMPAT_NET_GSO_H
#define _MLB_COMPAT_NET_GSO_H

#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#include_next <net/gso.h>
#else
#include <linux/netdevice.h>	/* where it all was before */
#endif

#endif
