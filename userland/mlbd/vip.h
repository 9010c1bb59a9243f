/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtual addresses that follow this node's health: its routers are told of
 * them while it is to get their packets.
 */
#ifndef MLBD_VIP_H
#define MLBD_VIP_H

#include <jansson.h>
#include <uv.h>

#include "config.h"

struct vips;

/**
 * enum vip_want - what is to be with an address
 * @VIP_KEEP: as it is: what it should be is not known yet
 */
enum vip_want {
	VIP_KEEP,
	VIP_UP,
	VIP_DOWN,
};

/**
 * typedef vip_want_fn - what is wanted now
 * @why: the reason, for people; set for VIP_DOWN and VIP_KEEP
 */
typedef enum vip_want vip_want_fn(void *arg, const struct config_vip *vip,
				  const char **why);

/* @config: not needed any more when it returns. 0 or a negative errno. */
int vips_open(struct vips **vips, uv_loop_t *loop, const struct config *config,
	      vip_want_fn *want, void *arg);

/* What the routers were told stays: the kernel goes on. */
void vips_close(struct vips *vips);

/* Others; what is not named any more goes. On failure the old ones stay. */
int vips_reload(struct vips *vips, const struct config *config);

/* Something that vip_want_fn looks at may have changed. */
void vips_poke(struct vips *vips);

/* The kernel does not serve any more: all go before this returns. */
void vips_withdraw(struct vips *vips);

/* For status and metrics: a new array; see README.md. */
json_t *vips_json(const struct vips *vips);

/*
 * vip_netlink.c: the route of the address in its table, or the address on its
 * interface, from which it goes by itself some seconds after the last call.
 * Return: 1 when something had to be done, 0, or a negative errno.
 */
int vip_set(const struct config_vip *vip, bool there);

/*
 * vip_tell.c: tell the neighbours on its interface that the address is here.
 * vip_tell_open() needs CAP_NET_RAW, and what it opens stays open.
 */
int vip_tell_open(void);
int vip_tell(const struct config_vip *vip);

#endif /* MLBD_VIP_H */
