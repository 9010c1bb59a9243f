// SPDX-License-Identifier: GPL-2.0
/* What tables of arguments are, in words. */
#include <string.h>

#include "args.h"

void args_usage(FILE *to, const struct arg *args)
{
	bool or_stdin = args->flags & ARG_OR_STDIN;

	for (; args->type != ARG_END; args++) {
		if (args->flags & ARG_POSITIONAL)
			fprintf(to, " %s", args->value);
		else if (args->flags & ARG_REQUIRED)
			fprintf(to, " %s %s", args->name, args->value);
		else if (args->type == ARG_FLAG)
			fprintf(to, " [%s]", args->name);
		else
			fprintf(to, " [%s %s]", args->name, args->value);
	}
	if (or_stdin)
		fputs(" | -", to);
}

void help_text(FILE *to, const char *left, int width, const char *text)
{
	size_t len = strcspn(text, "\n");

	fprintf(to, "    %-*s%.*s\n", width, left, (int)len, text);
	if (text[len])
		help_text(to, "", width, text + len + 1);
}

void args_help(FILE *to, const struct arg *args)
{
	for (; args->type != ARG_END; args++) {
		char left[64], dash[8] = "";

		if (args->dash)
			snprintf(dash, sizeof(dash), "-%c, ", args->dash);
		if (args->flags & ARG_POSITIONAL)
			snprintf(left, sizeof(left), "%s", args->value);
		else
			snprintf(left, sizeof(left), "%s%s%s%s", dash,
				 args->name, args->value ? " " : "",
				 args->value ? args->value : "");
		help_text(to, left, 25, args->help);
	}
}
