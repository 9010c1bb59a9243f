// SPDX-License-Identifier: GPL-2.0
/* Settings of the kernel: their names, ranges and places. */
#include <string.h>

#include "settings.h"
#include "text.h"

const struct arg setting_args[] = {
	{ .type = ARG_U32,
	  .name = "resolve-timeout",
	  .value = "MS",
	  .help = "how long a packet waits for the peers' answer, 2..1000",
	  .field = MLB_F_CONFIG_RESOLVE_TIMEOUT,
	  .offset = offsetof(struct mlb_config, resolve_timeout),
	  .min = 2,
	  .max = 1000 },
	{ .type = ARG_U32,
	  .name = "resolve-rate",
	  .value = "N",
	  .help = "most queries to all nodes, most queries to single nodes, and\n"
		  "most answers, in a second",
	  .field = MLB_F_CONFIG_RESOLVE_RATE,
	  .offset = offsetof(struct mlb_config, resolve_rate),
	  .min = 1,
	  .max = 10000000 },
	{ .type = ARG_U32,
	  .name = "max-flows",
	  .value = "N",
	  .help = "most flow entries",
	  .field = MLB_F_CONFIG_MAX_FLOWS,
	  .offset = offsetof(struct mlb_config, max_flows),
	  .min = 1,
	  .max = 67108864 },
	{ .type = ARG_U32,
	  .name = "max-owners",
	  .value = "N",
	  .help = "most owner entries",
	  .field = MLB_F_CONFIG_MAX_OWNERS,
	  .offset = offsetof(struct mlb_config, max_owners),
	  .min = 1,
	  .max = 67108864 },
	{ .type = ARG_U16,
	  .name = "port",
	  .value = "N",
	  .help = "UDP port of the tunnel, the same on every node",
	  .field = MLB_F_CONFIG_PORT,
	  .offset = offsetof(struct mlb_config, port),
	  .min = 1,
	  .max = UINT16_MAX },
	{ .type = ARG_U32,
	  .name = "alive-interval",
	  .value = "MS",
	  .help = "how often this node tells its peers that it is alive,\n"
		  "10..10000; 0 never, and suspects none of them",
	  .field = MLB_F_CONFIG_ALIVE_INTERVAL,
	  .offset = offsetof(struct mlb_config, alive_interval),
	  .min = 10,
	  .max = 10000,
	  .zero = true },
	{ .type = ARG_U32,
	  .name = "alive-multiplier",
	  .value = "N",
	  .help = "how many intervals of silence make it suspect, 2..255",
	  .field = MLB_F_CONFIG_ALIVE_MULTIPLIER,
	  .offset = offsetof(struct mlb_config, alive_multiplier),
	  .min = 2,
	  .max = 255 },
	{ .type = ARG_WORD,
	  .name = "fastclose",
	  .value = "off|on|probe",
	  .help = "on: clients of a dead node's connections get their end with\n"
		  "the RST that answers their next packet; probe: and those\n"
		  "that send nothing are made to",
	  .field = MLB_F_CONFIG_FASTCLOSE,
	  .offset = offsetof(struct mlb_config, fastclose),
	  .words = fastclose_words },
	{}
};

const struct mlb_config cluster_defaults = {
	.fields = SETTINGS_OF_CLUSTER,
	.resolve_timeout = MLB_DEFAULT_RESOLVE_TIMEOUT,
	.resolve_rate = MLB_DEFAULT_RESOLVE_RATE,
	.alive_interval = MLB_DEFAULT_ALIVE_INTERVAL,
	.alive_multiplier = MLB_DEFAULT_ALIVE_MULTIPLIER,
	.fastclose = MLB_FASTCLOSE_OFF,
};

uint32_t setting_get(const struct mlb_config *config, const struct arg *setting)
{
	const char *at = (const char *)config + setting->offset;
	uint16_t narrow;
	uint32_t value;

	if (setting->type == ARG_U16) {
		memcpy(&narrow, at, sizeof(narrow));
		return narrow;
	}
	memcpy(&value, at, sizeof(value));
	return value;
}

void setting_put(struct mlb_config *config, const struct arg *setting,
		 uint32_t value)
{
	char *at = (char *)config + setting->offset;
	uint16_t narrow = (uint16_t)value;

	if (setting->type == ARG_U16)
		memcpy(at, &narrow, sizeof(narrow));
	else
		memcpy(at, &value, sizeof(value));
	config->fields |= setting->field;
}
