/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_SOCKET_H
#define _MLB_SOCKET_H

#include <linux/types.h>

#include "tuple.h"

struct mlb_net;
struct net_device;
struct sock;

struct sock *mlb_socket_find(struct mlb_net *mn, const struct mlb_tuple *t,
			     const struct net_device *dev);
bool mlb_socket_is_past(const struct sock *sk);
bool mlb_socket_refuses(const struct sock *sk, __be32 ack);
bool mlb_socket_cookie(struct mlb_net *mn, const struct mlb_tuple *t,
		       __be32 seq, __be32 ack, const struct net_device *dev);

#endif
