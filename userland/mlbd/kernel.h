/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's side of mlbd: what the kernel should hold is compared with what
 * it holds, and only the difference is changed. Its events come in here.
 */
#ifndef MLBD_KERNEL_H
#define MLBD_KERNEL_H

#include "libmlb.h"
#include <uv.h>

/**
 * struct kernel_events - what the kernel tells
 * @owner: a token was learnt here (@add), or withdrawn
 * @flushed: owner events are through for now (end of one reading)
 * @lost: owner events are missing: take a snapshot
 * @changed: nodes, services or settings changed a moment ago, perhaps by
 *	kernel_apply() itself: compare
 * @unloaded: the module is gone
 */
struct kernel_events {
	void (*owner)(void *arg, const struct mlb_owner *owner, bool add);
	void (*flushed)(void *arg);
	void (*lost)(void *arg);
	void (*changed)(void *arg);
	void (*unloaded)(void *arg);
};

/**
 * struct kernel_goal - what the kernel should hold
 * @settings: those in its fields; others are left alone
 * @key, @key_len: the cluster key, or NULL to leave it alone
 * @nodes: every node with its state, this one among them
 * @services: every service
 * @pools: groups of clients and the pools for them, or NULL to leave them alone
 * @whole: it can be given up: when something is refused, nothing is taken away
 *
 * Nodes and services that are not named go.
 */
struct kernel_goal {
	struct mlb_config settings;
	const void *key;
	size_t key_len;
	const struct mlb_node *nodes;
	size_t n_nodes;
	const struct mlb_service *services;
	size_t n_services;
	const struct mlb_pools *pools;
	bool whole;
};

struct kernel;

/*
 * As mlb_open(). @kernel is owned by the caller, and freed some time after
 * kernel_close(), when the loop has let its handles go.
 */
int kernel_open(struct kernel **kernel, uv_loop_t *loop,
		const struct kernel_events *events, void *arg);
void kernel_close(struct kernel *kernel);

/* The handle for what has no call of its own here; of the loop's thread. */
struct mlb *kernel_mlb(struct kernel *kernel);

/**
 * kernel_apply() - bring the kernel to a goal
 *
 * Never flushes: what is right stays untouched. Goes on after a refusal, unless
 * the goal is to be had whole, and logs it. When the goal is the one of last
 * time and something differs all the same, somebody else did it: that is put
 * back with a warning.
 *
 * Takes some ms at most, and as long as listing takes in the first turn. Another
 * goal takes the place of one that is under way, and begins with what the kernel
 * holds by then.
 *
 * Return: 0; -EINPROGRESS when it is to be called again with the same goal, or
 * another; or the first refusal as a negative errno.
 */
int kernel_apply(struct kernel *kernel, const struct kernel_goal *goal);

/**
 * struct kernel_state - for status
 * @applied: things changed by kernel_apply() until it last came to an end
 * @repaired: those of them that somebody else had changed
 * @lost: how often events were missing
 * @limits: how often a table was full
 * @refused: what the kernel refused last time, or ""
 * @applying: kernel_apply() has not come to its end
 * @paused: how often it left the rest to a later turn of the loop
 * @unread: snapshots that were given up, as they got on no more
 * @hung: those of them of which the thread has not come back
 * @pooled: groups and their pools are those of the last goal, and its dead nodes
 *	are dead, whatever else was refused
 */
struct kernel_state {
	uint64_t applied;
	uint64_t repaired;
	uint64_t lost;
	uint64_t limits;
	char refused[256];
	bool applying;
	uint64_t paused;
	uint64_t unread;
	unsigned int hung;
	bool pooled;
};

/* Owned by @kernel. */
const struct kernel_state *kernel_state(const struct kernel *kernel);

/**
 * typedef kernel_snapshot_fn - takes the result of a snapshot
 * @status: 0 or a negative errno; with -EAGAIN the table changed so much all
 *	the while that entries may be missing or double, elsewise @owners is
 *	empty
 * @owners: the snapshot, given to the callback, who frees it
 *
 * -ETIMEDOUT: the kernel has not answered for long, or its answers do not come.
 */
typedef void kernel_snapshot_fn(void *arg, int status, struct mlb_owner *owners,
				size_t n);

/**
 * kernel_snapshot() - read the owner table in a thread of its own
 * @node: only entries of which this is the node or the rival
 *
 * @fn is called on the loop's thread. Entries that come or go meanwhile may be
 * in it or not.
 *
 * Return: 0; -EBUSY when too many threads hang; or another negative errno.
 */
int kernel_snapshot(struct kernel *kernel, uint16_t node,
		    kernel_snapshot_fn *fn, void *arg);

#endif /* MLBD_KERNEL_H */
