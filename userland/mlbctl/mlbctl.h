/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a command of mlbctl is made of. A command is one file: it describes
 * its verbs and their arguments in tables, from which parsing, help and shell
 * completion follow, and registers itself with MLBCTL_COMMAND.
 */
#ifndef MLBCTL_H
#define MLBCTL_H

#include "args.h"
#include "libmlb.h"
#include "output.h"

enum {
	EXIT_OK = 0,
	EXIT_REFUSED = 1, /* the kernel said no, or the system did */
	EXIT_USAGE = 2, /* caught before the kernel was asked */
	EXIT_NOT_RUNNING = 3, /* no module, or no mlbd */
};

struct mlbctl;

/**
 * struct verb - one thing a command does
 * @name: NULL in a command that has only this one; words with spaces between
 *	them, those with a word in common after each other
 * @help: what it does; may have several lines, as may that of an argument
 * @args: ends with an entry without type
 * @size: of the structure that @args are parsed into, zeroed before
 * @prepare: optional; checks what the tables cannot, reads files. Runs before
 *	the kernel is asked for anything. Returns an exit status.
 * @run: returns 0, a negative errno of libmlb, or an exit status after having
 *	said on standard error what went wrong
 * @release: optional; frees what @prepare allocated, runs in any case after it
 * @more_help: optional; prints what -h tells beyond the tables
 * @own_socket: @run opens its own; ctl->mlb is NULL
 */
struct verb {
	const char *name;
	const char *help;
	const struct arg *args;
	size_t size;
	int (*prepare)(struct mlbctl *ctl);
	int (*run)(struct mlbctl *ctl);
	void (*release)(struct mlbctl *ctl);
	void (*more_help)(FILE *to);
	bool own_socket;
};

/**
 * struct hint - what to do about a refusal
 */
struct hint {
	int code;
	const char *text;
};

/**
 * struct command - a noun
 * @verbs: ends with an entry without run
 * @hints: optional, ends with code 0
 */
struct command {
	const char *name;
	const char *help;
	const struct verb *verbs;
	const struct hint *hints;
	struct command *next;
};

/**
 * struct mlbctl - one command that was given
 * @mlb: open while it runs, NULL if it opens its own socket
 * @n_words: how many words named it
 * @data: verb->size bytes, filled from the arguments
 * @seen: the field bits of the arguments that were given
 * @in_batch: it is one of many
 * @prepared: verb->release has to run
 */
struct mlbctl {
	struct mlb *mlb;
	struct output out;
	const struct command *command;
	const struct verb *verb;
	int n_words;
	void *data;
	unsigned int seen;
	bool in_batch;
	bool prepared;
};

/**
 * command_read() - everything that can be done without the kernel
 *
 * Finds command and verb, parses the arguments, which stay referred to, and
 * prepares. command_find() does the first of it only.
 *
 * Return: exit status; what is wrong has been said. command_end() must follow
 * in any case.
 */
int command_read(struct mlbctl *ctl, int argc, char **argv);
int command_find(struct mlbctl *ctl, int argc, char **argv);
/* Return: exit status; what is wrong has been said. */
int command_run(struct mlbctl *ctl);
void command_end(struct mlbctl *ctl);

/**
 * batch_run() - run the commands of a file, "-" for standard input
 *
 * Return: exit status. Stops at the first command that fails; if that could be
 * known without the kernel, nothing has been done.
 */
int batch_run(const char *path, const struct output *out);

void command_register(struct command *command);
struct command *command_first(void);

/* A constructor and not a linker section: those do not survive ASan's padding. */
#define MLBCTL_COMMAND(command)                                              \
	static void __attribute__((constructor)) register_this_command(void) \
	{                                                                    \
		command_register(&(command));                                \
	}

/* Exact match, or the only one that starts with the word; -1 none, -2 many. */
int command_match(const char *word, const struct command **found);
/*
 * The same for a verb, whose name can have several words; n tells how many were
 * looked at. -3: more are needed.
 */
int verb_match(const struct command *command, int argc, char **argv,
	       const struct verb **found, int *n);
/* The verb of a command whose verb has no name, or NULL. */
const struct verb *verb_only(const struct command *command);

void help_all(FILE *to);
void help_command(FILE *to, const struct command *command);
void help_verb(FILE *to, const struct command *command,
	       const struct verb *verb);
void complete(int argc, char **argv);

/* Each says "mlbctl: ..." on standard error and returns the exit status. */
int usage_error(const struct mlbctl *ctl, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int refused(const struct mlbctl *ctl);
int open_error(int ret);

#endif /* MLBCTL_H */
