/* SPDX-License-Identifier: GPL-2.0 */
/* Settings of the kernel, as commands, files and documents have them. */
#ifndef MLBCTL_SETTINGS_H
#define MLBCTL_SETTINGS_H

#include "args.h"
#include "libmlb.h"

/* Each is ARG_U16, ARG_U32 or ARG_WORD; the data is a struct mlb_config. */
extern const struct arg setting_args[];

/*
 * Those that a cluster agrees on. The tables have to fit into the machine, and
 * the port is needed before anyone can be talked to.
 */
#define SETTINGS_OF_CLUSTER						\
	(MLB_F_CONFIG_RESOLVE_TIMEOUT | MLB_F_CONFIG_RESOLVE_RATE |	\
	 MLB_F_CONFIG_ALIVE_INTERVAL | MLB_F_CONFIG_ALIVE_MULTIPLIER |	\
	 MLB_F_CONFIG_FASTCLOSE)

/* What the kernel has of those when nobody has set them. */
extern const struct mlb_config cluster_defaults;

#define for_each_setting(setting, mask)					\
	for (setting = setting_args; setting->type; setting++)		\
		if (setting->field & (mask))

uint32_t setting_get(const struct mlb_config *config,
		     const struct arg *setting);
/* Sets its field, too. The value is in the setting's range. */
void setting_put(struct mlb_config *config, const struct arg *setting,
		 uint32_t value);

#endif /* MLBCTL_SETTINGS_H */
