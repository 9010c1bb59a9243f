// SPDX-License-Identifier: GPL-2.0
/* Typed arguments. */
#include <stdarg.h>
#include <string.h>

#include "args.h"
#include "parse.h"

static bool __attribute__((format(printf, 2, 3)))
fail(char *error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(error, ARGS_ERROR_SIZE, format, ap);
	va_end(ap);
	return false;
}

static bool fail_words(char *error, const struct arg *arg, const char *word)
{
	char list[128] = "";
	size_t used = 0;

	for (size_t i = 0; arg->words[i]; i++) {
		int n = snprintf(list + used, sizeof(list) - used, "%s%s",
				 i ? ", " : "", arg->words[i]);

		if (n < 0 || (size_t)n >= sizeof(list) - used)
			break;
		used += (size_t)n;
	}
	return fail(error, "%s \"%s\" is none of %s", arg->name, word, list);
}

static bool parse_number(const struct arg *arg, const char *word, void *to,
			 char *error)
{
	uint32_t value;

	if (!(arg->zero && parse_u32(word, 0, 0, &value)) &&
	    !parse_u32(word, arg->min, arg->max, &value))
		return fail(error,
			    "%s \"%s\" is not a number from %u to %u%s",
			    arg->name, word, arg->min, arg->max,
			    arg->zero ? ", or 0" : "");
	if (arg->type == ARG_U16) {
		uint16_t narrow = (uint16_t)value;

		memcpy(to, &narrow, sizeof(narrow));
	} else {
		memcpy(to, &value, sizeof(value));
	}
	return true;
}

static bool parse_word(const struct arg *arg, const char *word, void *to,
		       char *error)
{
	for (unsigned int i = 0; arg->words[i]; i++) {
		if (!strcmp(arg->words[i], word)) {
			memcpy(to, &i, sizeof(i));
			return true;
		}
	}
	return fail_words(error, arg, word);
}

bool args_value(const struct arg *arg, char *word, void *data, char *error)
{
	void *to = (char *)data + arg->offset;
	const char *wrong = NULL;

	switch (arg->type) {
	case ARG_U16:
	case ARG_U32:
		return parse_number(arg, word, to, error);
	case ARG_WORD:
		return parse_word(arg, word, to, error);
	case ARG_TOKEN:
		if (!parse_token(word, to))
			wrong = "is not a 32-bit number, decimal or with 0x";
		break;
	case ARG_ADDR:
		wrong = parse_addr(word, to);
		break;
	case ARG_ENDPOINT:
		wrong = parse_endpoint(word, to);
		break;
	case ARG_NODES:
		wrong = parse_node_list(word, to);
		break;
	case ARG_CLIENT:
		wrong = parse_client(word, to);
		break;
	case ARG_STRING:
		memcpy(to, &word, sizeof(word));
		break;
	case ARG_FLAG:
	case ARG_END:
		break;
	}
	if (wrong)
		return fail(error, "%s \"%s\" %s", arg->name, word, wrong);
	return true;
}

/* Exact, by letter, or the only keyword that starts with the word. */
static const struct arg *find(const struct arg *args, const char *word,
			      bool *ambiguous)
{
	const struct arg *found = NULL;
	size_t len = strlen(word);

	*ambiguous = false;
	for (; args->type != ARG_END; args++) {
		if (args->flags & ARG_POSITIONAL)
			continue;
		if (!strcmp(args->name, word))
			goto exact;
		if (word[0] == '-' && args->dash && word[1] == args->dash &&
		    !word[2])
			goto exact;
		if (!len || strncmp(args->name, word, len))
			continue;
		*ambiguous = found;
		found = args;
	}
	return *ambiguous ? NULL : found;

exact:
	*ambiguous = false;
	return args;
}

/* Which arguments of a table have been given; field bits may be shared or 0. */
#define ARGS_MAX 32

static bool check_required(const struct arg *args, const bool *given,
			   char *error)
{
	for (size_t i = 0; args[i].type != ARG_END; i++) {
		if (!(args[i].flags & (ARG_POSITIONAL | ARG_REQUIRED)) ||
		    given[i])
			continue;
		return fail(error, "%s is missing",
			    args[i].flags & ARG_POSITIONAL ? args[i].value :
							     args[i].name);
	}
	return true;
}

bool args_parse(const struct arg *args, int argc, char **argv, void *data,
		unsigned int *seen, char *error)
{
	const struct arg *arg = args;
	bool given[ARGS_MAX] = {};
	bool ambiguous;

	*seen = 0;
	if (argc == 1 && args->flags & ARG_OR_STDIN && !strcmp(argv[0], "-")) {
		*seen = ARG_SEEN_STDIN;
		return true;
	}

	for (; argc && arg->flags & ARG_POSITIONAL; arg++, argc--, argv++) {
		if (!args_value(arg, *argv, data, error))
			return false;
		given[arg - args] = true;
		*seen |= arg->field;
	}

	for (; argc; argc--, argv++) {
		arg = find(args, *argv, &ambiguous);
		if (ambiguous)
			return fail(error, "\"%s\" is ambiguous", *argv);
		if (!arg)
			return fail(error, "\"%s\" is not understood here",
				    *argv);
		if (given[arg - args])
			return fail(error, "%s is given twice", arg->name);
		given[arg - args] = true;
		*seen |= arg->field;
		if (arg->type == ARG_FLAG)
			continue;
		if (argc == 1)
			return fail(error, "%s has no value", arg->name);
		argc--, argv++;
		if (!args_value(arg, *argv, data, error))
			return false;
	}
	return check_required(args, given, error);
}

void args_complete(const struct arg *args, int argc, char **argv)
{
	const struct arg *arg = args;
	bool given[ARGS_MAX] = {};
	bool ambiguous;

	for (; argc && arg->flags & ARG_POSITIONAL; arg++, argc--, argv++)
		given[arg - args] = true;

	for (; argc; argc--, argv++) {
		const struct arg *key = find(args, *argv, &ambiguous);

		if (!key)
			return;
		given[key - args] = true;
		if (key->type == ARG_FLAG)
			continue;
		if (argc == 1) {
			for (size_t i = 0; key->words && key->words[i]; i++)
				puts(key->words[i]);
			return;
		}
		argc--, argv++;
	}

	/* A positional argument comes next: nothing to choose from but words. */
	if (arg->flags & ARG_POSITIONAL && !given[arg - args]) {
		for (size_t i = 0; arg->words && arg->words[i]; i++)
			puts(arg->words[i]);
		return;
	}
	for (arg = args; arg->type != ARG_END; arg++)
		if (!(arg->flags & ARG_POSITIONAL) && !given[arg - args])
			puts(arg->name);
}
