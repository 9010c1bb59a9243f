/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_DEVICE_H
#define _MLB_DEVICE_H

#include <linux/netdevice.h>
#include <linux/netlink.h>

struct net_device *mlb_device_create(struct net *net,
				     struct netlink_ext_ack *extack);
void mlb_device_destroy(struct net_device *dev);
void mlb_device_rx(struct net_device *dev, struct sk_buff *skb);
bool mlb_device_is(const struct net_device *dev);

#endif
