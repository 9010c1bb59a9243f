// SPDX-License-Identifier: GPL-2.0
/* mlbctl flow: which node has which TCP connection. */
#include "mlbctl.h"
#include "print.h"

#define SEEN_VIP (1u << 0)

static const struct arg list_args[] = { { .type = ARG_ENDPOINT,
					  .name = "service",
					  .value = "VIP:PORT",
					  .help = "only flows of this service",
					  .field = SEEN_VIP },
					{} };

static int list_one(const struct mlb_flow *flow, void *arg)
{
	struct output *out = arg;

	out_begin(out);
	print_flow(out, flow);
	out_end(out);
	return 0;
}

static int list(struct mlbctl *ctl)
{
	const struct mlb_endpoint *vip = ctl->seen & SEEN_VIP ? ctl->data :
								NULL;
	int ret;

	out_list_begin(&ctl->out);
	ret = mlb_flow_each(ctl->mlb, vip, list_one, &ctl->out);
	out_list_end(&ctl->out);
	return ret;
}

static const struct verb verbs[] = { { .name = "list",
				       .help = "show the flow table",
				       .args = list_args,
				       .size = sizeof(struct mlb_endpoint),
				       .run = list },
				     {} };

static struct command command = {
	.name = "flow",
	.help = "flow table: which node has which TCP connection",
	.verbs = verbs,
};

MLBCTL_COMMAND(command)
