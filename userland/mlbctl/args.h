/* SPDX-License-Identifier: GPL-2.0 */
/* Tables of typed arguments: parsing them, and telling what they are. */
#ifndef MLBCTL_ARGS_H
#define MLBCTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The type of the member that each is parsed into. */
enum arg_type {
	ARG_END,
	ARG_FLAG, /* none, only its field bit */
	ARG_U16, /* uint16_t */
	ARG_U32, /* uint32_t */
	ARG_TOKEN, /* uint32_t */
	ARG_ADDR, /* struct mlb_addr */
	ARG_ENDPOINT, /* struct mlb_endpoint */
	ARG_WORD, /* an enum; its value is the index in words */
	ARG_NODES, /* struct node_list */
	ARG_STRING, /* const char *, into argv */
	ARG_CLIENT, /* const struct mlb_client *, allocated */
};

#define ARG_POSITIONAL (1u << 0)
#define ARG_REQUIRED (1u << 1)
#define ARG_OR_STDIN (1u << 2) /* "-" alone stands for the whole command line */

/* The bit of args_parse()'s seen that says that "-" was given. */
#define ARG_SEEN_STDIN (1u << 31)

/**
 * struct arg - one argument
 * @type: ARG_END ends a table
 * @name: keyword; for ARG_POSITIONAL what messages call it
 * @dash: letter of its short form, or 0
 * @value: how help writes the value, NULL for ARG_FLAG
 * @help: what it means
 * @flags: ARG_POSITIONAL, ARG_REQUIRED, ARG_OR_STDIN. Positional arguments
 *	come first in the table and on the command line, and are required.
 * @field: bit that tells that it was given
 * @offset: of the member
 * @min: with @max the range of ARG_U16 and ARG_U32
 * @zero: 0 is in the range, too
 * @words: of ARG_WORD, ends with NULL
 */
struct arg {
	enum arg_type type;
	char dash;
	const char *name;
	const char *value;
	const char *help;
	unsigned int flags;
	unsigned int field;
	size_t offset;
	uint32_t min;
	uint32_t max;
	bool zero;
	const char *const *words;
};

#define ARGS_ERROR_SIZE 256

/**
 * args_parse() - read a command line into a structure
 * @error: where what is wrong is written, ARGS_ERROR_SIZE bytes
 *
 * Return: whether all of it is good.
 */
bool args_parse(const struct arg *args, int argc, char **argv, void *data,
		unsigned int *seen, char *error);

/* The same for the value of one argument alone. */
bool args_value(const struct arg *arg, char *word, void *data, char *error);

void args_usage(FILE *to, const struct arg *args);
void args_help(FILE *to, const struct arg *args);

/* What is explained, and beside it the explanation, line below line. */
void help_text(FILE *to, const char *left, int width, const char *text);

/* Print what can follow argv, a word a line. */
void args_complete(const struct arg *args, int argc, char **argv);

#endif /* MLBCTL_ARGS_H */
