// SPDX-License-Identifier: GPL-2.0
/* Counters. */
#include <errno.h>
#include <string.h>

#include "internal.h"

static const struct mlb_attr_names no_names = {};

static int stats_answer(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[MLB_A_STATS_MAX + 1];
	struct mlb_stats *stats = arg;
	int ret = mlb_parse(nlh, tb, MLB_A_STATS_MAX);

	if (ret)
		return ret;

	for (int i = MLB_A_STATS_PAD + 1; i <= MLB_A_STATS_MAX; i++) {
		if (!tb[i])
			continue;
		if (nla_len(tb[i]) < (int)sizeof(stats->value[i]))
			return -EBADMSG;
		memcpy(&stats->value[i], nla_data(tb[i]),
		       sizeof(stats->value[i]));
		stats->present[i] = true;
	}
	return 0;
}

int mlb_stats_get(struct mlb *mlb, struct mlb_stats *stats)
{
	struct nl_msg *msg = mlb_msg_new(mlb, MLB_CMD_STATS_GET, 0, 0);

	memset(stats, 0, sizeof(*stats));
	if (!msg)
		return -ENOMEM;
	return mlb_do_free(mlb, msg, &no_names, stats_answer, stats);
}
