// SPDX-License-Identifier: GPL-2.0
/* mlbctl: general options, and which command they are for. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "mlbctl.h"

struct options {
	bool json;
	bool help;
	const char *netns;
	const char *batch;
	const char *socket;
};

/* Whether argv[*i] is this option with a value; which may be missing. */
static bool take_value(char **argv, int *i, const char *brief,
		       const char *name, const char **value)
{
	if (strcmp(argv[*i], brief) && strcmp(argv[*i], name))
		return false;
	*value = argv[*i + 1] ? argv[++*i] : "";
	return true;
}

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
		else if (!take_value(argv, &i, "-n", "--netns",
				     &options->netns) &&
			 !take_value(argv, &i, "-b", "--batch",
				     &options->batch) &&
			 !take_value(argv, &i, "-s", "--socket",
				     &options->socket))
			argv[n++] = argv[i];
	}
	argv[n] = NULL;
	return n;
}

/* A name is one that "ip netns" gave; what has a slash is a path. */
static int enter_netns(const char *name)
{
	char path[PATH_MAX];
	int fd, ret;

	if (snprintf(path, sizeof(path), "%s%s",
		     strchr(name, '/') ? "" : "/run/netns/", name) >=
	    (int)sizeof(path))
		path[0] = '\0';
	fd = *name ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0) {
		fprintf(stderr, "mlbctl: network namespace \"%s\": %s\n", name,
			*name && errno != ENOENT ?
				strerror(errno) :
				"there is none: \"ip netns\" lists them");
		return EXIT_USAGE;
	}
	ret = setns(fd, CLONE_NEWNET);
	if (ret)
		fprintf(stderr, "mlbctl: network namespace \"%s\": %s\n", name,
			strerror(errno));
	close(fd);
	return ret ? EXIT_REFUSED : 0;
}

static int run_one(const struct output *out, int argc, char **argv)
{
	struct mlbctl ctl = { .out = *out };
	int ret = command_read(&ctl, argc, argv);

	if (!ret && !ctl.verb->own_socket) {
		ret = mlb_open(&ctl.mlb);
		if (ret)
			ret = open_error(ret);
	}
	if (!ret)
		ret = command_run(&ctl);
	mlb_close(ctl.mlb);
	command_end(&ctl);
	return ret;
}

static int help(int argc, char **argv)
{
	struct mlbctl ctl = {};
	const struct verb *verb;
	int ret, n;

	if (!argc) {
		help_all(stdout);
		return EXIT_OK;
	}
	/* Also when the words begin several verbs. */
	if (!command_match(argv[0], &ctl.command) &&
	    (argc == 1 || (!verb_only(ctl.command) &&
			   verb_match(ctl.command, argc - 1, argv + 1, &verb,
				      &n) == -3))) {
		help_command(stdout, ctl.command);
		return EXIT_OK;
	}
	ret = command_find(&ctl, argc, argv);
	if (!ret)
		help_verb(stdout, ctl.command, ctl.verb);
	return ret;
}

static int dispatch(const struct options *options, int argc, char **argv)
{
	const struct output out = { .file = stdout, .json = options->json };
	int ret;

	if (options->help)
		return help(argc, argv);
	if (!argc == !options->batch) {
		help_all(stderr);
		return EXIT_USAGE;
	}
	if (options->netns) {
		ret = enter_netns(options->netns);
		if (ret)
			return ret;
	}
	if (options->socket)
		daemon_path = options->socket;
	if (options->batch)
		return batch_run(options->batch, &out);
	return run_one(&out, argc, argv);
}

int main(int argc, char **argv)
{
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
	ret = dispatch(&options, argc, argv + 1);

	/* A listing that was cut off by a full disk must not pass for one. */
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "mlbctl: write: %s\n", strerror(errno));
		if (!ret)
			ret = EXIT_REFUSED;
	}
	return ret;
}
