// SPDX-License-Identifier: GPL-2.0
/* mlbctl: from the command line to a command, and from its end to a status. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mlbctl.h"

struct options {
	bool json;
	bool help;
};

/*
 * Options may stand anywhere, so they are taken out before the rest is looked
 * at; those that are not general are left to the command's own table.
 */
static int take_options(int argc, char **argv, struct options *options)
{
	int n = 0;

	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "-j") || !strcmp(argv[i], "--json"))
			options->json = true;
		else if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help"))
			options->help = true;
		else
			argv[n++] = argv[i];
	}
	argv[n] = NULL;
	return n;
}

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

/* Takes the verb off argv when there is one. */
static int find_verb(struct mlbctl *ctl, int *argc, char ***argv)
{
	const struct verb *verb = verb_only(ctl->command);

	if (verb) {
		ctl->verb = verb;
		return 0;
	}
	if (!*argc)
		return usage_error(ctl, "what to do is missing");

	switch (verb_match(ctl->command, **argv, &verb)) {
	case 0:
		ctl->verb = verb;
		(*argc)--, (*argv)++;
		return 0;
	case -2:
		return usage_error(ctl, "\"%s\" is ambiguous", **argv);
	default:
		return usage_error(ctl, "there is no \"%s\"", **argv);
	}
}

static int run_verb(struct mlbctl *ctl)
{
	const struct verb *verb = ctl->verb;
	int ret;

	if (!verb->own_socket) {
		ret = mlb_open(&ctl->mlb);
		if (ret)
			return open_error(ret);
	}
	ret = verb->run(ctl);
	if (ret < 0)
		ret = refused(ctl);
	mlb_close(ctl->mlb);
	return ret;
}

static int run_command(struct mlbctl *ctl, int argc, char **argv)
{
	const struct verb *verb = ctl->verb;
	char error[ARGS_ERROR_SIZE];
	int ret = 0;

	ctl->data = calloc(1, verb->size ? verb->size : 1);
	if (!ctl->data) {
		fputs("mlbctl: out of memory\n", stderr);
		return EXIT_REFUSED;
	}
	if (!args_parse(verb->args, argc, argv, ctl->data, &ctl->seen, error)) {
		ret = usage_error(ctl, "%s", error);
		goto out;
	}

	if (verb->prepare)
		ret = verb->prepare(ctl);
	if (!ret)
		ret = run_verb(ctl);
	if (verb->release)
		verb->release(ctl);
out:
	free(ctl->data);
	return ret;
}

static int dispatch(struct mlbctl *ctl, int argc, char **argv, bool help)
{
	int ret;

	if (!argc) {
		help_all(help ? stdout : stderr);
		return help ? EXIT_OK : EXIT_USAGE;
	}
	ret = find_command(ctl, argv[0]);
	if (ret)
		return ret;
	argc--, argv++;

	if (help && !argc) {
		help_command(stdout, ctl->command);
		return EXIT_OK;
	}
	ret = find_verb(ctl, &argc, &argv);
	if (ret)
		return ret;
	if (help) {
		help_verb(stdout, ctl->command, ctl->verb);
		return EXIT_OK;
	}
	return run_command(ctl, argc, argv);
}

int main(int argc, char **argv)
{
	struct mlbctl ctl = { .out.file = stdout };
	struct options options = {};
	int ret;

	if (argc > 1 && !strcmp(argv[1], "--complete")) {
		complete(argc - 2, argv + 2);
		return EXIT_OK;
	}
	if (argc == 2 &&
	    (!strcmp(argv[1], "-V") || !strcmp(argv[1], "--version"))) {
		puts("mlbctl " MLB_VERSION);
		return EXIT_OK;
	}

	argc = take_options(argc - 1, argv + 1, &options);
	ctl.out.json = options.json;
	ret = dispatch(&ctl, argc, argv + 1, options.help);

	/* A listing that was cut off by a full disk must not pass for one. */
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "mlbctl: write: %s\n", strerror(errno));
		if (!ret)
			ret = EXIT_REFUSED;
	}
	return ret;
}
