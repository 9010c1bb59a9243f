// SPDX-License-Identifier: GPL-2.0
/* Commands from a file: all are read before the first is run. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mlbctl.h"

#define WORDS_MAX 32

struct batch_line {
	struct mlbctl ctl;
	char *text; /* arguments point into it */
	size_t number;
};

struct batch {
	const char *path;
	struct batch_line *lines;
	size_t n;
	size_t room;
};

static int line_error(const struct batch *batch, size_t number,
		      const char *what, int ret)
{
	fprintf(stderr, "mlbctl: %s:%zu: %s\n", batch->path, number, what);
	return ret;
}

/* Takes text over. */
static struct batch_line *new_line(struct batch *batch, char *text,
				   size_t number, const struct output *out)
{
	struct batch_line *lines;

	if (batch->n == batch->room) {
		size_t room = batch->room ? 2 * batch->room : 64;

		lines = reallocarray(batch->lines, room, sizeof(*lines));
		if (!lines) {
			free(text);
			return NULL;
		}
		batch->lines = lines;
		batch->room = room;
	}
	batch->lines[batch->n] = (struct batch_line){
		.ctl = { .out = *out, .in_batch = true },
		.text = text,
		.number = number,
	};
	return &batch->lines[batch->n++];
}

static int read_line(struct batch *batch, const char *text, size_t number,
		     const struct output *out)
{
	static const char nothing[] = "nothing of the batch was done";
	char *words[WORDS_MAX], *copy = strdup(text), *rest, *word;
	struct batch_line *line;
	int n = 0, ret;

	line = copy ? new_line(batch, copy, number, out) : NULL;
	if (!line)
		return line_error(batch, number, "out of memory", EXIT_REFUSED);
	for (word = strtok_r(copy, " \t\n", &rest); word;
	     word = strtok_r(NULL, " \t\n", &rest)) {
		if (n == WORDS_MAX)
			return line_error(batch, number, "too many words",
					  EXIT_USAGE);
		words[n++] = word;
	}
	if (!n || words[0][0] == '#') {
		free(copy);
		batch->n--;
		return 0;
	}
	ret = command_read(&line->ctl, n, words);
	return ret ? line_error(batch, number, nothing, ret) : 0;
}

static int read_all(struct batch *batch, FILE *from, const struct output *out)
{
	size_t number = 0, room = 0;
	char *text = NULL;
	ssize_t len;
	int ret = 0;

	while (!ret && (len = getline(&text, &room, from)) >= 0) {
		number++;
		if (strlen(text) != (size_t)len)
			ret = line_error(batch, number, "a zero byte",
					 EXIT_USAGE);
		else
			ret = read_line(batch, text, number, out);
	}
	if (!ret && ferror(from))
		ret = line_error(batch, number + 1, strerror(errno),
				 EXIT_REFUSED);
	free(text);
	return ret;
}

static int run_all(struct batch *batch)
{
	struct mlb *mlb;
	int ret = mlb_open(&mlb);

	if (ret)
		return open_error(ret);
	for (size_t i = 0; !ret && i < batch->n; i++) {
		struct batch_line *line = &batch->lines[i];

		line->ctl.mlb = mlb;
		ret = command_run(&line->ctl);
		if (ret)
			line_error(batch, line->number,
				   "stopped here; the lines before are done",
				   ret);
	}
	mlb_close(mlb);
	return ret;
}

int batch_run(const char *path, const struct output *out)
{
	bool standard = !strcmp(path, "-");
	struct batch batch = { .path = standard ? "standard input" : path };
	FILE *from = standard ? stdin : fopen(path, "re");
	int ret;

	if (!from) {
		fprintf(stderr, "mlbctl: %s: %s\n", path, strerror(errno));
		return EXIT_USAGE;
	}
	ret = read_all(&batch, from, out);
	if (!ret)
		ret = run_all(&batch);

	for (size_t i = 0; i < batch.n; i++) {
		command_end(&batch.lines[i].ctl);
		free(batch.lines[i].text);
	}
	free(batch.lines);
	if (!standard)
		fclose(from);
	return ret;
}
