// SPDX-License-Identifier: GPL-2.0
/* mlbctl stats: counters. */
#include <inttypes.h>
#include <string.h>

#include "mlbctl.h"

struct counter {
	int attr;
	const char *group;
	const char *name;
	const char *meaning;
};

static const struct counter counters[] = {
#define MLB_COUNTER(attr, group, name, meaning) { attr, group, name, meaning },
#include "counters_gen.h"
#undef MLB_COUNTER
};

#define N_COUNTERS (sizeof(counters) / sizeof(counters[0]))
#define SEEN_NONZERO (1u << 0)

static const struct arg args[] = { { .type = ARG_FLAG,
				     .dash = 'z',
				     .name = "nonzero",
				     .help = "only counters that are not 0",
				     .field = SEEN_NONZERO },
				   {} };

static void meanings(FILE *to)
{
	const char *group = "";

	for (size_t i = 0; i < N_COUNTERS; i++) {
		const struct counter *c = &counters[i];

		if (strcmp(group, c->group))
			fprintf(to, "\n%s\n", c->group);
		group = c->group;
		help_text(to, c->name, 17, c->meaning);
	}
}

static void print_text(FILE *to, const struct counter *c, uint64_t value)
{
	fprintf(to, "%-8s %-16s %" PRIu64 "\n", c->group, c->name, value);
}

/* An object of its own for each group, made when its first counter comes. */
static void add_json(struct output *out, const struct counter *c,
		     uint64_t value)
{
	json_t *group = json_object_get(out->object, c->group);

	if (!group) {
		group = json_object();
		out_json(out, c->group, group);
	}
	json_object_set_new(group, c->name, json_integer((json_int_t)value));
}

static int run(struct mlbctl *ctl)
{
	struct mlb_stats stats;
	int ret = mlb_stats_get(ctl->mlb, &stats);

	if (ret)
		return ret;

	if (ctl->out.json)
		out_begin(&ctl->out);
	for (size_t i = 0; i < N_COUNTERS; i++) {
		const struct counter *c = &counters[i];
		uint64_t value = stats.value[c->attr];

		if (!stats.present[c->attr] ||
		    (ctl->seen & SEEN_NONZERO && !value))
			continue;
		if (ctl->out.json)
			add_json(&ctl->out, c, value);
		else
			print_text(ctl->out.file, c, value);
	}
	if (ctl->out.json)
		out_end(&ctl->out);
	return 0;
}

static const struct verb verbs[] = {
	{ .help = "show the counters of this network namespace",
	  .args = args,
	  .run = run,
	  .more_help = meanings },
	{}
};

static struct command command = {
	.name = "stats",
	.help = "counters",
	.verbs = verbs,
};

MLBCTL_COMMAND(command)
