// SPDX-License-Identifier: GPL-2.0
/* mlbctl explain: what the packet path would do with a packet, and why. */
#include <string.h>

#include "mlbctl.h"
#include "parse.h"
#include "print.h"

struct explain_args {
	const char *what;
	struct mlb_packet packet;
};

static const struct arg args[] = {
	{ .type = ARG_STRING,
	  .name = "packet",
	  .value = "SRC:PORT-VIP:PORT|TOKEN",
	  .help = "a packet of this flow, IPv6 as [SRC]:PORT-[VIP]:PORT;\n"
		  "or a join of this connection, whoever sends it",
	  .flags = ARG_POSITIONAL,
	  .offset = offsetof(struct explain_args, what) },
	{ .type = ARG_FLAG,
	  .name = "syn",
	  .help = "the packet is a SYN",
	  .field = MLB_F_PACKET_SYN },
	{ .type = ARG_TOKEN,
	  .name = "join",
	  .value = "TOKEN",
	  .help = "it is a SYN with MP_JOIN and this token",
	  .field = MLB_F_PACKET_TOKEN,
	  .offset = offsetof(struct explain_args, packet.token) },
	{}
};

static int prepare_token(struct mlbctl *ctl)
{
	struct explain_args *given = ctl->data;

	if (!parse_token(given->what, &given->packet.token))
		return usage_error(ctl, "\"%s\" is neither a flow nor a token",
				   given->what);
	if (ctl->seen)
		return usage_error(ctl, "a token alone is a join already");
	given->packet.fields = MLB_F_PACKET_TOKEN;
	return 0;
}

static int prepare(struct mlbctl *ctl)
{
	struct explain_args *given = ctl->data;
	struct mlb_packet *packet = &given->packet;
	const char *wrong;

	if (!strchr(given->what, '-'))
		return prepare_token(ctl);
	wrong = parse_flow(given->what, &packet->src, &packet->dst);
	if (wrong)
		return usage_error(ctl, "\"%s\" %s", given->what, wrong);
	if (ctl->seen & MLB_F_PACKET_SYN && ctl->seen & MLB_F_PACKET_TOKEN)
		return usage_error(ctl, "a join is a SYN: give one of both");
	packet->fields = ctl->seen | MLB_F_PACKET_FLOW;
	return 0;
}

static int run(struct mlbctl *ctl)
{
	const struct explain_args *given = ctl->data;
	struct mlb_explanation explanation;
	int ret = mlb_explain(ctl->mlb, &given->packet, &explanation);

	if (ret)
		return ret;
	out_begin(&ctl->out);
	print_explanation(&ctl->out, &explanation);
	out_end(&ctl->out);
	return 0;
}

static const struct verb verbs[] = {
	{ .help = "show where a packet would go now, by which rule, and why",
	  .args = args,
	  .size = sizeof(struct explain_args),
	  .prepare = prepare,
	  .run = run },
	{}
};

static struct command command = {
	.name = "explain",
	.help = "where a packet would go, and why",
	.verbs = verbs,
};

MLBCTL_COMMAND(command)
