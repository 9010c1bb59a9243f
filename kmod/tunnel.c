// SPDX-License-Identifier: GPL-2.0
/*
 * The tunnel's end on this host: its socket and its device.
 */
#include <net/ipv6.h>
#include <net/udp_tunnel.h>

#include "device.h"
#include "learn.h"
#include "net.h"
#include "node.h"
#include "tunnel.h"

static struct socket *tunnel_socket(struct mlb_net *mn,
				    const struct in6_addr *addr, u16 port,
				    struct netlink_ext_ack *extack)
{
	struct udp_tunnel_sock_cfg sock_cfg = {
		.sk_user_data = mn,
		.encap_type = 1,
		.encap_rcv = mlb_tunnel_rcv,
		.encap_err_lookup = mlb_tunnel_err_lookup,
	};
	struct udp_port_cfg port_cfg = {
		.local_udp_port = htons(port),
		.use_udp6_rx_checksums = false,
		.use_udp6_tx_checksums = false,
		.ipv6_v6only = true,
	};
	struct socket *sock;
	int err;

	if (ipv6_addr_v4mapped(addr)) {
		port_cfg.family = AF_INET;
		port_cfg.local_ip.s_addr = addr->s6_addr32[3];
	} else {
		port_cfg.family = AF_INET6;
		port_cfg.local_ip6 = *addr;
	}
	err = udp_sock_create(mn->net, &port_cfg, &sock);
	if (err == -EADDRNOTAVAIL)
		NL_SET_ERR_MSG(extack, "the self node's address is not an address of this host");
	else if (err == -EADDRINUSE)
		NL_SET_ERR_MSG(extack, "the tunnel's UDP port is in use on this host");
	else if (err)
		NL_SET_ERR_MSG(extack, "cannot open the tunnel's UDP socket");
	if (err)
		return ERR_PTR(err);
	setup_udp_tunnel_sock(mn->net, sock->sk, &sock_cfg);
	return sock;
}

/**
 * mlb_tunnel_open() - become a node
 * @mn: the namespace
 * @self: id of the self node
 * @addr: its address
 * @port: UDP port
 * @extack: why not
 *
 * Caller must hold &mlb_net.lock; there is no tunnel yet.
 *
 * Return: 0 or a negative errno.
 */
int mlb_tunnel_open(struct mlb_net *mn, u16 self, const struct in6_addr *addr,
		    u16 port, struct netlink_ext_ack *extack)
{
	struct mlb_tunnel *tun;
	struct mlb_node *node;
	unsigned long id;
	int err;

	lockdep_assert_held(&mn->lock);

	tun = kzalloc(sizeof(*tun), GFP_KERNEL);
	if (!tun)
		return -ENOMEM;
	tun->saddr = *addr;
	tun->port = htons(port);
	tun->self = self;
	tun->dev = mlb_device_create(mn->net, extack);
	if (IS_ERR(tun->dev)) {
		err = PTR_ERR(tun->dev);
		goto err_free;
	}
	tun->sock = tunnel_socket(mn, addr, port, extack);
	if (IS_ERR(tun->sock)) {
		err = PTR_ERR(tun->sock);
		goto err_device;
	}
	/* Routes may depend on the source address. */
	xa_for_each(&mn->nodes, id, node)
		dst_cache_reset(&node->dst_cache);
	rcu_assign_pointer(mn->tunnel, tun);
	return 0;

err_device:
	mlb_device_destroy(tun->dev);
err_free:
	kfree(tun);
	return err;
}

/**
 * mlb_tunnel_move() - change the UDP port
 * @mn: the namespace
 * @port: the new one
 * @extack: why not
 *
 * Caller must hold &mlb_net.lock. Without a tunnel there is nothing to do.
 *
 * Return: 0, or a negative errno when the tunnel stays as it was.
 */
int mlb_tunnel_move(struct mlb_net *mn, u16 port,
		    struct netlink_ext_ack *extack)
{
	struct mlb_tunnel *old = mlb_dereference(mn, mn->tunnel);
	struct mlb_tunnel *tun;

	if (!old || old->port == htons(port))
		return 0;
	tun = kmemdup(old, sizeof(*old), GFP_KERNEL);
	if (!tun)
		return -ENOMEM;
	tun->port = htons(port);
	tun->sock = tunnel_socket(mn, &tun->saddr, port, extack);
	if (IS_ERR(tun->sock)) {
		int err = PTR_ERR(tun->sock);

		kfree(tun);
		return err;
	}
	rcu_assign_pointer(mn->tunnel, tun);
	synchronize_net();
	udp_tunnel_sock_release(old->sock->sk);
	kfree(old);
	return 0;
}

/**
 * mlb_tunnel_close() - be a node no more
 * @mn: the namespace
 *
 * Withdraws what this host owns. Caller must hold &mlb_net.lock, or have the
 * namespace for itself.
 */
void mlb_tunnel_close(struct mlb_net *mn)
{
	struct mlb_tunnel *tun = rcu_replace_pointer(mn->tunnel, NULL,
						     lockdep_is_held(&mn->lock));

	if (!tun)
		return;
	synchronize_net();
	udp_tunnel_sock_release(tun->sock->sk);
	mlb_device_destroy(tun->dev);
	kfree(tun);
	mlb_learn_forget(mn);
}
