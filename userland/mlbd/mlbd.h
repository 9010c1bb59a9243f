/* SPDX-License-Identifier: GPL-2.0 */
/* The daemon as a whole. */
#ifndef MLBD_H
#define MLBD_H

#include <uv.h>

#include "cluster.h"
#include "config.h"
#include "control.h"
#include "health.h"
#include "kernel.h"
#include "metrics.h"
#include "vip.h"

/**
 * struct mlbd - what belongs to one running mlbd
 * @path: of the configuration
 * @started: uv_now() then
 * @reload_error: why the last reload kept the old configuration, or ""
 * @exit_status: of the process, once it ends
 */
struct mlbd {
	uv_loop_t loop;
	const char *path;
	struct config *config;
	struct kernel *kernel;
	struct health *health;
	struct vips *vips;
	struct cluster *cluster;
	struct control *control;
	struct metrics *metrics;
	uint64_t started;
	char reload_error[PATH_MAX + 320];
	int exit_status;
};

/**
 * mlbd_reload() - read the configuration again
 *
 * The new one is in force when this returns 0. On any error the old one stays,
 * and @mlbd->reload_error tells why.
 */
int mlbd_reload(struct mlbd *mlbd);

/* turns.c: how long the loop's turns are; a new object. */
int turns_open(struct mlbd *mlbd);
void turns_close(void);
json_t *turns_json(void);

/* status.c: see README.md; a new object. */
json_t *mlbd_status(struct mlbd *mlbd);

/* requests.c: what the control socket's clients can ask for; @arg is mlbd. */
extern const struct control_calls mlbd_control_calls;

/* service_manager.c: sd_notify(3), watchdog included. */
int manager_open(struct mlbd *mlbd);
void manager_close(void);
void manager_ready(void);
void manager_reloading(void);
/* Within a long turn of the loop, when it has got on. */
void manager_alive(void);

/* signals.c: SIGHUP, SIGTERM, SIGINT. */
int signals_open(struct mlbd *mlbd);
void signals_close(void);

/* privileges.c: only CAP_NET_ADMIN stays. Return: 0, or -EPERM without it. */
int privileges_drop(void);

#endif /* MLBD_H */
