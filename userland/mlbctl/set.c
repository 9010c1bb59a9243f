// SPDX-License-Identifier: GPL-2.0
/* mlbctl set: settings of this network namespace. */
#include "mlbctl.h"
#include "print.h"
#include "settings.h"

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
