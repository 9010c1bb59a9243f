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
 * @VIP_KEEP: as it is
 * @VIP_WAIT: nothing is done for now: a route stays as it is, an address that is
 *	on an interface goes by itself soon
 */
enum vip_want {
	VIP_KEEP,
	VIP_WAIT,
	VIP_UP,
	VIP_DOWN,
};

/**
 * struct vip_wish - what is wanted now
 * @why: the reason, for people, or NULL
 * @epoch: version of the document on which it rests, or 0
 * @ring: membership in which it is wanted: in another one somebody else may have
 *	had the address meanwhile, so neighbours are told again
 */
struct vip_wish {
	enum vip_want want;
	const char *why;
	uint64_t epoch;
	uint64_t ring;
};

/**
 * struct vip_calls - what the addresses need
 * @want: sets all of @wish, which is zero
 * @gone: one has left its interface; called from the loop
 */
struct vip_calls {
	void (*want)(void *arg, const struct config_vip *vip,
		     struct vip_wish *wish);
	void (*gone)(void *arg);
};

/*
 * Routes from before that the file does not name go. @config: not needed any
 * more when it returns. 0 or a negative errno.
 */
int vips_open(struct vips **vips, uv_loop_t *loop, const struct config *config,
	      const struct vip_calls *calls, void *arg);

/* What the routers were told stays: the kernel goes on. */
void vips_close(struct vips *vips);

/* Others; what is not named any more goes. On failure the old ones stay. */
int vips_reload(struct vips *vips, const struct config *config);

/* Something that &vip_calls.want looks at may have changed. */
void vips_poke(struct vips *vips);

/* The kernel does not serve any more: all are gone when this returns. */
void vips_withdraw(struct vips *vips);

/* Whether no address is on an interface that should not have it now. */
bool vips_let_go(struct vips *vips);

/* For status and metrics: a new array; see README.md. */
json_t *vips_json(const struct vips *vips);

/*
 * How long an address stays on an interface after the last call of vip_set(), and
 * up to a second more: three times as long as from one to the next, and over
 * before another one has the role of a node whose mlbd says nothing
 * (ASSIGN_FENCE_MS). Neighbours that know it, and lo, which has it as well, do not
 * mind if it is away for a moment.
 */
#define VIP_VALID_S 3

/*
 * vip_netlink.c: the route of the address in its table, or the address on its
 * interface.
 * Return: 1 when something had to be done, 0, or a negative errno.
 */
int vip_set(const struct config_vip *vip, bool there);

/*
 * Remove the routes that vip_set() makes, but for those of @vips.
 * Return: how many, or a negative errno.
 */
int vip_sweep(const struct config_vip *vips, size_t n);

/*
 * vip_tell.c: tell the neighbours on its interface that the address is here.
 * vip_tell_open() needs CAP_NET_RAW, and what it opens stays open.
 */
int vip_tell_open(void);
int vip_tell(const struct config_vip *vip);

#endif /* MLBD_VIP_H */
