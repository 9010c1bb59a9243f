/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether this node's own services are well, by the checks that its file names.
 * What follows from it is for others to decide.
 */
#ifndef MLBD_HEALTH_H
#define MLBD_HEALTH_H

#include <jansson.h>
#include <uv.h>

#include "config.h"

struct health;

/**
 * enum health_state - of a service, or by one check
 * @HEALTH_UNKNOWN: nobody has looked yet; of a service also: it has no check
 * @HEALTH_UP: every check of it is up
 * @HEALTH_DOWN: one is down
 */
enum health_state {
	HEALTH_UNKNOWN,
	HEALTH_UP,
	HEALTH_DOWN,
};

extern const char *const health_state_words[];

/**
 * typedef health_changed_fn - the health of a service is another one now
 *
 * It is called from the loop, and in health_reload().
 */
typedef void health_changed_fn(void *arg, const struct mlb_endpoint *service,
			       enum health_state state);

/**
 * health_open() - begin with the checks of a configuration
 * @config: not needed any more when it returns
 * @changed: or NULL
 *
 * Return: 0 or a negative errno.
 */
int health_open(struct health **health, uv_loop_t *loop,
		const struct config *config, health_changed_fn *changed,
		void *arg);
void health_close(struct health *health);

/*
 * Other checks. One that asks what it asked before keeps its state, also with
 * another timing. On failure (a negative errno) the old ones go on.
 */
int health_reload(struct health *health, const struct config *config);

enum health_state health_of(const struct health *health,
			    const struct mlb_endpoint *service);

/*
 * Of all services of an address: down when one is, up when each that has checks
 * is, also without any.
 */
enum health_state health_of_addr(const struct health *health,
				 const struct mlb_addr *addr);

/* For status and metrics: a new object; see README.md. */
json_t *health_json(const struct health *health);

#endif /* MLBD_HEALTH_H */
