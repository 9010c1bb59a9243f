// SPDX-License-Identifier: GPL-2.0
/*
 * What the stack of this host has of a flow.
 */
#include <linux/ipv6.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/l3mdev.h>
#include <net/tcp.h>

#include "net.h"
#include "socket.h"

/* The interfaces that a socket may be bound to for a packet from @dev. */
static int socket_dif(const struct net_device *dev, int *sdif)
{
	*sdif = 0;
	if (!dev)
		return 0;
	if (!netif_is_l3_slave(dev))
		return dev->ifindex;
	*sdif = dev->ifindex;
	return l3mdev_master_ifindex_rcu(dev);
}

/**
 * mlb_socket_find() - the socket that has a flow on this host
 * @mn: the namespace
 * @t: the flow
 * @dev: device that the packet came in on, or NULL
 *
 * Inside rcu_read_lock(). Finds connection requests and TIME_WAIT too, and no
 * listeners.
 *
 * Return: the socket with a reference, see sock_gen_put(); or NULL.
 */
struct sock *mlb_socket_find(struct mlb_net *mn, const struct mlb_tuple *t,
			     const struct net_device *dev)
{
	int sdif, dif = socket_dif(dev, &sdif);

	if (ipv6_addr_v4mapped(&t->daddr))
		return __inet_lookup_established(mn->net,
						 t->saddr.s6_addr32[3], t->sport,
						 t->daddr.s6_addr32[3],
						 ntohs(t->dport), dif, sdif);
	return __inet6_lookup_established(mn->net, &t->saddr, t->sport,
					  &t->daddr, ntohs(t->dport), dif,
					  sdif);
}

/**
 * mlb_socket_is_past() - whether a socket only remembers a flow
 * @sk: a socket that mlb_socket_find() gave
 *
 * True in TIME_WAIT: the 4-tuple may be in use anew, on another node. The same
 * small socket stands for FIN_WAIT_2 too, where the client's FIN is to come.
 */
bool mlb_socket_is_past(const struct sock *sk)
{
	return sk->sk_state == TCP_TIME_WAIT &&
	       inet_twsk(sk)->tw_substate == TCP_TIME_WAIT;
}

/**
 * mlb_socket_refuses() - whether a connection request would reset a packet
 * @sk: a socket that mlb_socket_find() gave
 * @ack: what the packet acknowledges; 0 when it does not, or when that is not
 *	known
 *
 * Anybody can have sent the SYN that a request stands for. TCP answers what
 * does not acknowledge its SYN/ACK with an RST (RFC 9293 3.10.7.4), which the
 * client would heed though its connection is on another node.
 */
bool mlb_socket_refuses(const struct sock *sk, __be32 ack)
{
	return sk->sk_state == TCP_NEW_SYN_RECV && ack &&
	       ntohl(ack) != tcp_rsk(inet_reqsk(sk))->snt_isn + 1;
}

#if IS_ENABLED(CONFIG_SYN_COOKIES)

static int cookie_check_ipv4(const struct mlb_tuple *t, const struct tcphdr *th)
{
	const struct iphdr iph = {
		.saddr = t->saddr.s6_addr32[3],
		.daddr = t->daddr.s6_addr32[3],
	};

	return mlb_cookie_v4_check(&iph, th);
}

static int cookie_check_ipv6(const struct mlb_tuple *t, const struct tcphdr *th)
{
	const struct ipv6hdr ip6h = { .saddr = t->saddr, .daddr = t->daddr };

	return mlb_cookie_v6_check(&ip6h, th);
}

/* The listener that a SYN of the flow would find, or NULL; has no reference. */
static struct sock *socket_listener(struct mlb_net *mn,
				    const struct mlb_tuple *t,
				    const struct net_device *dev)
{
	int sdif, dif = socket_dif(dev, &sdif);

	if (ipv6_addr_v4mapped(&t->daddr))
		return __inet_lookup_listener(mn->net, NULL, 0,
					      t->saddr.s6_addr32[3], t->sport,
					      t->daddr.s6_addr32[3],
					      ntohs(t->dport), dif, sdif);
	return inet6_lookup_listener(mn->net, NULL, 0, &t->saddr, t->sport,
				     &t->daddr, ntohs(t->dport), dif, sdif);
}

/**
 * mlb_socket_cookie() - whether an ACK answers a SYN cookie of this host
 * @mn: the namespace
 * @t: its flow
 * @seq: its sequence number
 * @ack: its acknowledgment number
 * @dev: device that it came in on, or NULL
 *
 * Inside rcu_read_lock(). As the stack does, asks first whether the listener
 * has sent cookies of late; until then that is all it costs.
 */
bool mlb_socket_cookie(struct mlb_net *mn, const struct mlb_tuple *t,
		       __be32 seq, __be32 ack, const struct net_device *dev)
{
	const struct tcphdr th = {
		.source = t->sport,
		.dest = t->dport,
		.seq = seq,
		.ack_seq = ack,
	};
	struct sock *sk;

	if (!READ_ONCE(mn->net->ipv4.sysctl_tcp_syncookies))
		return false;
	sk = socket_listener(mn, t, dev);
	if (!sk || tcp_synq_no_recent_overflow(sk))
		return false;
	return (ipv6_addr_v4mapped(&t->daddr) ? cookie_check_ipv4(t, &th) :
						cookie_check_ipv6(t, &th)) > 0;
}

#else

bool mlb_socket_cookie(struct mlb_net *mn, const struct mlb_tuple *t,
		       __be32 seq, __be32 ack, const struct net_device *dev)
{
	return false;
}

#endif
