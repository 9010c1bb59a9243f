// SPDX-License-Identifier: GPL-2.0
/* From the words of one command to its run. */
#include <stdlib.h>

#include "mlbctl.h"

static int find_command(struct mlbctl *ctl, const char *word)
{
	const struct command *found = NULL;

	switch (command_match(word, &found)) {
	case 0:
		ctl->command = found;
		return 0;
	case -2:
		return usage_error(ctl, "command \"%s\" is ambiguous", word);
	default:
		return usage_error(ctl, "no command \"%s\"", word);
	}
}

static int find_verb(struct mlbctl *ctl, int argc, char **argv)
{
	const struct verb *verb = NULL;
	int n = 0;

	switch (verb_match(ctl->command, argc, argv, &verb, &n)) {
	case 0:
		ctl->verb = verb;
		ctl->n_words = 1 + n;
		return 0;
	case -3:
		return usage_error(ctl, "what to do is missing");
	case -2:
		return usage_error(ctl, "\"%s\" is ambiguous", argv[n]);
	default:
		return usage_error(ctl, "there is no \"%s\"", argv[n]);
	}
}

int command_find(struct mlbctl *ctl, int argc, char **argv)
{
	int ret = find_command(ctl, argv[0]);

	if (ret)
		return ret;
	ctl->verb = verb_only(ctl->command);
	if (ctl->verb)
		ctl->n_words = 1;
	else
		ret = find_verb(ctl, argc - 1, argv + 1);
	return ret;
}

int command_read(struct mlbctl *ctl, int argc, char **argv)
{
	char error[ARGS_ERROR_SIZE];
	const struct verb *verb;
	int ret = command_find(ctl, argc, argv);

	if (ret)
		return ret;
	verb = ctl->verb;
	ctl->data = calloc(1, verb->size ? verb->size : 1);
	if (!ctl->data) {
		fputs("mlbctl: out of memory\n", stderr);
		return EXIT_REFUSED;
	}
	if (!args_parse(verb->args, argc - ctl->n_words, argv + ctl->n_words,
			ctl->data, &ctl->seen, error))
		return usage_error(ctl, "%s", error);
	if (ctl->in_batch && (verb->own_socket || ctl->seen & ARG_SEEN_STDIN))
		return usage_error(ctl, "not in a batch");

	ctl->prepared = true;
	return verb->prepare ? verb->prepare(ctl) : 0;
}

int command_run(struct mlbctl *ctl)
{
	int ret = ctl->verb->run(ctl);

	return ret < 0 ? refused(ctl) : ret;
}

void command_end(struct mlbctl *ctl)
{
	if (ctl->prepared && ctl->verb->release)
		ctl->verb->release(ctl);
	free(ctl->data);
	ctl->data = NULL;
}
