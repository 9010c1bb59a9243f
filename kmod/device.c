// SPDX-License-Identifier: GPL-2.0
/*
 * mlb0: the device on which packets out of the tunnel come in, for tcpdump,
 * counters, tc and nftables to see. Nothing is sent through it: a packet into
 * the tunnel leaves from the hook.
 */
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <net/addrconf.h>
#include <net/gro_cells.h>
#include <net/rtnetlink.h>

#include "device.h"

struct mlb_device {
	struct gro_cells gro_cells;
};

static int device_init(struct net_device *dev)
{
	struct mlb_device *md = netdev_priv(dev);
	int err = netdev_tstats_alloc(dev);

	if (err)
		return err;
	err = gro_cells_init(&md->gro_cells, dev);
	if (err)
		netdev_tstats_free(dev);
	return err;
}

static void device_uninit(struct net_device *dev)
{
	struct mlb_device *md = netdev_priv(dev);

	gro_cells_destroy(&md->gro_cells);
	netdev_tstats_free(dev);
}

static int device_open(struct net_device *dev)
{
	struct inet6_dev *in6_dev = __in6_dev_get(dev);
	struct in_device *in_dev = __in_dev_get_rtnl(dev);

	/* It has no addresses of its own and answers nobody. Clients are not
	 * routed through it, so their source addresses cannot be judged here.
	 */
	if (in6_dev)
		in6_dev->cnf.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;
	if (in_dev) {
		IN_DEV_CONF_SET(in_dev, SEND_REDIRECTS, 0);
		IN_DEV_CONF_SET(in_dev, RP_FILTER, 0);
	}
	return 0;
}

static netdev_tx_t device_xmit(struct sk_buff *skb, struct net_device *dev)
{
	DEV_STATS_INC(dev, tx_dropped);
	kfree_skb(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops device_ops = {
	.ndo_init = device_init,
	.ndo_uninit = device_uninit,
	.ndo_open = device_open,
	.ndo_start_xmit = device_xmit,
	.ndo_get_stats64 = dev_get_tstats64,
};

static const struct device_type device_type = { .name = "mlb" };

static struct rtnl_link_ops device_link_ops __read_mostly = {
	.kind = "mlb",
};

static void device_setup(struct net_device *dev)
{
	dev->netdev_ops = &device_ops;
	dev->rtnl_link_ops = &device_link_ops;
	SET_NETDEV_DEVTYPE(dev, &device_type);
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE | IFF_LIVE_ADDR_CHANGE;
	dev->mtu = ETH_DATA_LEN;
	dev->min_mtu = 0;
	dev->max_mtu = 0;
	dev->needs_free_netdev = true;
	netdev_set_tstats(dev);
	netdev_set_netns_immutable(dev);
}

/**
 * mlb_device_create() - make mlb0 in a namespace and set it up
 * @net: the namespace
 * @extack: why not
 *
 * Process context, without RTNL.
 *
 * Return: the device, or an ERR_PTR().
 */
struct net_device *mlb_device_create(struct net *net,
				     struct netlink_ext_ack *extack)
{
	struct net_device *dev;
	int err;

	dev = alloc_netdev(sizeof(struct mlb_device), "mlb0",
			   NET_NAME_PREDICTABLE, device_setup);
	if (!dev)
		return ERR_PTR(-ENOMEM);
	dev_net_set(dev, net);

	rtnl_lock();
	err = register_netdevice(dev);
	if (err) {
		rtnl_unlock();
		free_netdev(dev);
		NL_SET_ERR_MSG(extack, "cannot make mlb0; is there another device of that name?");
		return ERR_PTR(err);
	}
	err = dev_open(dev, extack);
	if (err)
		unregister_netdevice(dev);
	rtnl_unlock();
	return err ? ERR_PTR(err) : dev;
}

/**
 * mlb_device_destroy() - remove mlb0
 * @dev: mlb0
 *
 * Process context, without RTNL. Nobody can find the device any more; packets
 * on their way are waited for.
 */
void mlb_device_destroy(struct net_device *dev)
{
	unregister_netdev(dev);
}

/**
 * mlb_device_rx() - a packet came out of the tunnel
 * @dev: mlb0
 * @skb: the packet, skb->data at its IP header; taken
 *
 * Softirq context.
 */
void mlb_device_rx(struct net_device *dev, struct sk_buff *skb)
{
	struct mlb_device *md = netdev_priv(dev);
	unsigned int len = skb->len;

	if (gro_cells_receive(&md->gro_cells, skb) == NET_RX_SUCCESS)
		dev_sw_netstats_rx_add(dev, len);
}

/* Whether a packet with this device came out of the tunnel. */
bool mlb_device_is(const struct net_device *dev)
{
	return dev->netdev_ops == &device_ops;
}
