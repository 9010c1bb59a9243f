// SPDX-License-Identifier: GPL-2.0
/* The commands that registered themselves: finding them, telling of them. */
#include <string.h>

#include "mlbctl.h"

static struct command *commands;

/* In alphabetical order, whatever order the linker has. */
void command_register(struct command *command)
{
	struct command **at = &commands;

	while (*at && strcmp((*at)->name, command->name) < 0)
		at = &(*at)->next;
	command->next = *at;
	*at = command;
}

struct command *command_first(void)
{
	return commands;
}

int command_match(const char *word, const struct command **found)
{
	const struct command *c;
	size_t len = strlen(word);
	int n = 0;

	for (c = commands; c; c = c->next) {
		if (strncmp(c->name, word, len))
			continue;
		*found = c;
		if (!c->name[len])
			return 0;
		n++;
	}
	return n == 1 && len ? 0 : n ? -2 : -1;
}

int verb_match(const struct command *command, const char *word,
	       const struct verb **found)
{
	size_t len = strlen(word);
	const struct verb *v;
	int n = 0;

	for (v = command->verbs; v->run; v++) {
		if (!v->name || strncmp(v->name, word, len))
			continue;
		*found = v;
		if (!v->name[len])
			return 0;
		n++;
	}
	return n == 1 && len ? 0 : n ? -2 : -1;
}

const struct verb *verb_only(const struct command *command)
{
	return command->verbs->name ? NULL : command->verbs;
}

static void usage_line(FILE *to, const struct command *command,
		       const struct verb *verb)
{
	fprintf(to, "mlbctl %s", command->name);
	if (verb->name)
		fprintf(to, " %s", verb->name);
	args_usage(to, verb->args);
	fputc('\n', to);
}

void help_verb(FILE *to, const struct command *command, const struct verb *verb)
{
	usage_line(to, command, verb);
	help_text(to, "", 0, verb->help);
	args_help(to, verb->args);
	if (verb->more_help)
		verb->more_help(to);
}

void help_command(FILE *to, const struct command *command)
{
	fprintf(to, "%s: %s\n", command->name, command->help);
	for (const struct verb *v = command->verbs; v->run; v++) {
		fputc('\n', to);
		help_verb(to, command, v);
	}
}

void help_all(FILE *to)
{
	const struct command *c;

	fputs("Usage: mlbctl [-j] [-n NETNS] COMMAND [ARGUMENTS]\n"
	      "       mlbctl [-j] [-n NETNS] -b FILE\n\n",
	      to);
	for (c = commands; c; c = c->next)
		fprintf(to, "  %-10s %s\n", c->name, c->help);
	fputs("\n"
	      "  -j         JSON\n"
	      "  -n NETNS   in this network namespace\n"
	      "  -b FILE    the commands in FILE, a line each; - is standard input\n"
	      "  -h         help, also after a command\n"
	      "  -V         version\n"
	      "\n"
	      "Commands and keywords can be shortened as long as they are unique.\n"
	      "Exit status: 0 done, 1 refused, 2 wrong usage, 3 module not loaded.\n",
	      to);
}

/* For the shell: what can follow these words. */
void complete(int argc, char **argv)
{
	const struct command *command;
	const struct verb *verb;

	if (!argc) {
		for (command = commands; command; command = command->next)
			puts(command->name);
		return;
	}
	if (command_match(argv[0], &command))
		return;
	argc--, argv++;

	verb = verb_only(command);
	if (!verb) {
		if (!argc) {
			for (verb = command->verbs; verb->run; verb++)
				puts(verb->name);
			return;
		}
		if (verb_match(command, argv[0], &verb))
			return;
		argc--, argv++;
	}
	args_complete(verb->args, argc, argv);
}
