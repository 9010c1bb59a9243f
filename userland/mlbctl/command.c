// SPDX-License-Identifier: GPL-2.0
/* The commands that registered themselves: finding them, telling of them. */
#include <string.h>

#include "daemon.h"
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

/* Word n of a verb's name, counted from 0, or NULL past its end. */
static const char *name_word(const struct verb *verb, int n, size_t *len)
{
	const char *word = verb->name;

	for (; n && word; n--) {
		word = strchr(word, ' ');
		word += word ? 1 : 0;
	}
	if (word)
		*len = strcspn(word, " ");
	return word;
}

/* Whether the first n words of two names are the same. */
static bool same_words(const struct verb *a, const struct verb *b, int n)
{
	for (int i = 0; i < n; i++) {
		size_t a_len = 0, b_len = 0;
		const char *x = name_word(a, i, &a_len);
		const char *y = name_word(b, i, &b_len);

		if (!x || !y || a_len != b_len || strncmp(x, y, a_len))
			return false;
	}
	return true;
}

/*
 * One more word: among the verbs that begin like "like" in n words, one whose
 * next is this exactly, or the only next word that starts with it.
 */
static int word_match(const struct command *command, const struct verb *like,
		      int n, const char *word, const struct verb **found)
{
	const struct verb *v, *first = NULL;
	size_t len = strlen(word);
	bool many = false;

	for (v = command->verbs; v->run; v++) {
		size_t name_len = 0;
		const char *name = v->name ? name_word(v, n, &name_len) : NULL;

		if (!name || (n && !same_words(v, like, n)) ||
		    name_len < len || strncmp(name, word, len))
			continue;
		if (name_len == len) {
			*found = v;
			return 0;
		}
		if (first && !same_words(v, first, n + 1))
			many = true;
		if (!first)
			first = v;
	}
	*found = first;
	return first && !many && len ? 0 : first ? -2 : -1;
}

int verb_match(const struct command *command, int argc, char **argv,
	       const struct verb **found, int *n)
{
	const struct verb *like = NULL;
	size_t len;

	for (*n = 0; *n < argc; ++*n) {
		int ret = word_match(command, like, *n, argv[*n], found);

		if (ret)
			return ret;
		like = *found;
		if (!name_word(like, *n + 1, &len)) {
			++*n;
			return 0;
		}
	}
	*found = like;
	return -3;
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

	fputs("Usage: mlbctl [-j] [-n NETNS] [-s SOCKET] COMMAND [ARGUMENTS]\n"
	      "       mlbctl [-j] [-n NETNS] -b FILE\n\n",
	      to);
	for (c = commands; c; c = c->next)
		fprintf(to, "  %-10s %s\n", c->name, c->help);
	fputs("\n"
	      "  -j         JSON\n"
	      "  -n NETNS   in this network namespace\n"
	      "  -s SOCKET  mlbd's, instead of " DAEMON_SOCKET "\n"
	      "  -b FILE    the commands in FILE, a line each; - is standard input\n"
	      "  -h         help, also after a command\n"
	      "  -V         version\n"
	      "\n"
	      "Commands and keywords can be shortened as long as they are unique.\n"
	      "Exit status: 0 done, 1 refused, 2 wrong usage, 3 module not loaded,\n"
	      "or mlbd not running.\n",
	      to);
}

/* Each word that can follow n words that are those of "like". */
static void next_words(const struct command *command, const struct verb *like,
		       int n)
{
	const struct verb *v, *last = NULL;

	for (v = command->verbs; v->run; v++) {
		size_t len = 0;
		const char *word = name_word(v, n, &len);

		if (!word || (n && !same_words(v, like, n)) ||
		    (last && same_words(v, last, n + 1)))
			continue;
		printf("%.*s\n", (int)len, word);
		last = v;
	}
}

/* For the shell: what can follow these words. */
void complete(int argc, char **argv)
{
	const struct command *command;
	const struct verb *verb;
	int ret, n;

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
		ret = verb_match(command, argc, argv, &verb, &n);
		if (ret == -3)
			next_words(command, verb, n);
		if (ret)
			return;
		argc -= n, argv += n;
	}
	args_complete(verb->args, argc, argv);
}
