/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The end of this node's drain: when its last connection is gone, or its time
 * is over, the cluster is asked for its maintenance.
 */
#ifndef MLBD_DRAIN_H
#define MLBD_DRAIN_H

#include <uv.h>

#include "control.h"
#include "document.h"

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
 * that begins may be less than a second apart.
 */
void drain_look(struct drain *drain, const struct document *document);

/* Once a second. Not in a call of the agreement, which it may call itself. */
void drain_tick(struct drain *drain, const struct document *document);

/* A new object while this node drains, or NULL; see README.md. */
json_t *drain_json(const struct drain *drain);

#endif /* MLBD_DRAIN_H */
