/* SPDX-License-Identifier: GPL-2.0 */
/* Prometheus text for the textfile collector of node_exporter. */
#ifndef MLBD_METRICS_H
#define MLBD_METRICS_H

#include <jansson.h>

#include "config.h"

struct mlbd;
struct metrics;

int metrics_open(struct metrics **metrics, struct mlbd *mlbd);
void metrics_close(struct metrics *metrics);
void metrics_reload(struct metrics *metrics, const struct config *config);

/* A status as text; free() it. NULL: out of memory. */
char *metrics_text(const json_t *status);

#endif /* MLBD_METRICS_H */
