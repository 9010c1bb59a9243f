// SPDX-License-Identifier: GPL-2.0
/* From one configuration to the next, or not at all. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "mlbd.h"
#include "text.h"

static int __attribute__((format(printf, 2, 3)))
kept(struct mlbd *mlbd, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(mlbd->reload_error, sizeof(mlbd->reload_error), format, ap);
	va_end(ap);
	text_printable(mlbd->reload_error);
	log_error("the old configuration stays: %s", mlbd->reload_error);
	return -EINVAL;
}

static int load(struct mlbd *mlbd, struct config **config)
{
	struct config_error error;
	const char *fixed;

	if (config_load(mlbd->path, config, &error)) {
		if (error.line)
			return kept(mlbd, "%s:%u: %s", mlbd->path, error.line,
				    error.text);
		return kept(mlbd, "%s: %s", mlbd->path, error.text);
	}
	fixed = config_same_identity(mlbd->config, *config);
	if (!fixed)
		return 0;
	config_free(*config);
	return kept(mlbd, "%s: %s cannot change while mlbd runs: restart it",
		    mlbd->path, fixed);
}

/* Nobody else is served for as long as this, at most. */
#define APPLY_NS (60 * 1000000000ull)

/*
 * Whoever asked waits for how it ends, so this is one turn of the loop; it lives
 * as long as it gets on. What is not done when the time is over is left to
 * further turns.
 */
static int apply_kernel(struct mlbd *mlbd, struct config *config)
{
	uint64_t until = uv_hrtime() + APPLY_NS;
	int ret;

	while ((ret = cluster_reload(mlbd->cluster, config)) == -EINPROGRESS) {
		if (uv_hrtime() >= until)
			return -ETIMEDOUT;
		manager_alive();
	}
	return ret;
}

static int apply(struct mlbd *mlbd, struct config *config)
{
	const char *refused = kernel_state(mlbd->kernel)->refused;
	int ret = apply_kernel(mlbd, config);

	if (!ret)
		ret = health_reload(mlbd->health, config);
	if (!ret)
		ret = vips_reload(mlbd->vips, config);
	if (!ret) {
		config_free(mlbd->config);
		mlbd->config = config;
		metrics_reload(mlbd->metrics, config);
		return 0;
	}
	if (ret == -ETIMEDOUT)	/* then it is another time's */
		refused = "";
	ret = kept(mlbd, "%s", refused[0] ? refused : strerror(-ret));
	apply_kernel(mlbd, mlbd->config);
	health_reload(mlbd->health, mlbd->config);
	config_free(config);
	return ret;
}

int mlbd_reload(struct mlbd *mlbd)
{
	struct config *config;
	json_t *event;
	int ret;

	manager_reloading();
	ret = load(mlbd, &config);
	if (!ret)
		ret = apply(mlbd, config);
	if (!ret) {
		mlbd->reload_error[0] = '\0';
		log_notice("%s loaded again", mlbd->path);
	}
	event = json_pack("{s:s, s:s*}", "event", "reload", "error",
			  ret ? mlbd->reload_error : NULL);
	control_event(event);
	manager_ready();
	return ret;
}
