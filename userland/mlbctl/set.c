// SPDX-License-Identifier: GPL-2.0
/* mlbctl set: settings of this network namespace. */
#include "mlbctl.h"
#include "nouns.h"
#include "print.h"

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
	  .max = 10000 },
	{ .type = ARG_U32,
	  .name = "alive-multiplier",
	  .value = "N",
	  .help = "how many intervals of silence make it suspect, 2..255",
	  .field = MLB_F_CONFIG_ALIVE_MULTIPLIER,
	  .offset = offsetof(struct mlb_config, alive_multiplier),
	  .min = 2,
	  .max = 255 },
	{}
};

static int show(struct mlbctl *ctl)
{
	struct mlb_config config;
	int ret = mlb_config_get(ctl->mlb, &config);

	if (ret)
		return ret;
	ctl->out.lines = true;
	out_begin(&ctl->out);
	print_config(&ctl->out, &config);
	out_end(&ctl->out);
	return 0;
}

static int set(struct mlbctl *ctl)
{
	struct mlb_config *config = ctl->data;

	if (!ctl->seen)
		return show(ctl);
	config->fields = ctl->seen;
	return mlb_config_set(ctl->mlb, config);
}

static const struct verb verbs[] = {
	{ .help = "change settings; without any, show them, the fingerprint of\n"
		  "the key and how full the tables are",
	  .args = setting_args,
	  .size = sizeof(struct mlb_config),
	  .run = set },
	{}
};

static struct command command = {
	.name = "set",
	.help = "settings",
	.verbs = verbs,
};

MLBCTL_COMMAND(command)
