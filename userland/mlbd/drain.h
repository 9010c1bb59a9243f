/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The end of a drain: when a node's last connection is gone, or its time is over,
 * the cluster is asked for its maintenance. Each node looks after its own; after
 * those of others, whose mlbd may have been started anew or be gone, the manager
 * does, a little later. What a node still has when its time is over is ended.
 */
#ifndef MLBD_DRAIN_H
#define MLBD_DRAIN_H

#include <uv.h>

#include "control.h"
#include "document.h"
#include "report.h"

struct drain;

/**
 * typedef drain_propose_fn - as cluster_propose(); takes @change over
 */
typedef int drain_propose_fn(void *arg, json_t *change, control_result_fn *fn,
			     void *fn_arg);

int drain_open(struct drain **drain, uv_loop_t *loop, uint16_t self,
	       drain_propose_fn *propose, void *arg);

/* The proposal's result may still come, and is not looked at. */
void drain_close(struct drain *drain);

/*
 * There is another document. Each is to be looked at: a drain that ends and one
 * that begins may be less than a second apart. @change is what was done, or NULL.
 */
void drain_look(struct drain *drain, const struct document *document,
		const json_t *change);

/**
 * drain_tick() - once a second
 * @owned: Multipath TCP connections of this node, with a path or without; -1 when
 *	that is not known
 * @manager: this node looks after others' as well
 *
 * Not in a call of the agreement, which it may call itself.
 */
void drain_tick(struct drain *drain, const struct document *document,
		int64_t owned, bool manager);

/* How far this node's is. */
void drain_report(const struct drain *drain, struct report_drain *report);

#endif /* MLBD_DRAIN_H */
