/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading the kernel's owner table in threads of their own. One that gets on no
 * more is given up, whatever holds it: who waits for it begins anew.
 */
#ifndef MLBD_SNAPSHOT_H
#define MLBD_SNAPSHOT_H

#include "kernel.h"

struct snapshot;

/**
 * struct snapshots - those under way
 * @timer: looks after them; closed by snapshots_close()
 * @state: where is counted what was given up
 * @patience: ms without a further entry after which one is
 */
struct snapshots {
	uv_loop_t *loop;
	uv_timer_t timer;
	struct snapshot *list;
	struct kernel_state *state;
	unsigned int patience;
};

void snapshots_open(struct snapshots *snapshots, uv_loop_t *loop,
		    struct kernel_state *state);

/* As kernel_snapshot(). */
int snapshots_take(struct snapshots *snapshots, uint16_t node,
		   kernel_snapshot_fn *fn, void *arg);

/* Nobody is called any more but @closed, with the handle whose data is @arg. */
void snapshots_close(struct snapshots *snapshots, uv_close_cb closed,
		     void *arg);

#endif /* MLBD_SNAPSHOT_H */
