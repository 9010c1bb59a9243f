// SPDX-License-Identifier: GPL-2.0
/* From the text of mlb.conf to typed sections. */
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_read.h"
#include "settings.h"
#include "text.h"

/* What inih can hold of a line, as it is built by default. */
#define LINE_LEN_MAX 197

static const char *const engine_words[] = {
	[CONFIG_ENGINE_NONE] = "none",
	[CONFIG_ENGINE_COROSYNC] = "corosync",
	NULL,
};

const char *const check_type_words[] = {
	[CHECK_TCP] = "tcp",
	[CHECK_MPTCP] = "mptcp",
	[CHECK_HTTP] = "http",
	[CHECK_COMMAND] = "command",
	NULL,
};

/* clang-format off */
#define NODE_KEYS							\
	{ .type = ARG_ADDR, .name = "addr",				\
	  .field = MLB_F_NODE_ADDR,					\
	  .offset = offsetof(struct section, node.addr) },		\
	{ .type = ARG_U32, .name = "weight", .max = MLB_WEIGHT_MAX,	\
	  .field = MLB_F_NODE_WEIGHT,					\
	  .offset = offsetof(struct section, node.weight) },		\
	{ .type = ARG_WORD, .name = "state", .words = node_state_words,	\
	  .field = MLB_F_NODE_STATE,					\
	  .offset = offsetof(struct section, node.state) }

static const struct arg self_keys[] = {
	NODE_KEYS,
	{ .type = ARG_U16, .name = "id", .min = 1, .max = MLB_NODE_ID_MAX,
	  .field = MLB_F_NODE_ID,
	  .offset = offsetof(struct section, node.id) },
	{}
};

static const struct arg peer_keys[] = {
	NODE_KEYS,
	{ .type = ARG_WORD, .name = "encap", .words = encap_words,
	  .field = MLB_F_NODE_ENCAP,
	  .offset = offsetof(struct section, node.encap) },
	{ .type = ARG_U16, .name = "port", .min = 1, .max = UINT16_MAX,
	  .field = MLB_F_NODE_ENCAP_PORT,
	  .offset = offsetof(struct section, node.encap_port) },
	{}
};

static const struct arg cluster_keys[] = {
	{ .type = ARG_WORD, .name = "engine", .words = engine_words,
	  .offset = offsetof(struct section, cluster.engine) },
	{ .type = ARG_STRING, .name = "key-file",
	  .offset = offsetof(struct section, cluster.key_file) },
	{ .type = ARG_U32, .name = "sync-tick", .min = 10, .max = 1000,
	  .offset = offsetof(struct section, cluster.sync_tick) },
	{}
};

static const struct arg daemon_keys[] = {
	{ .type = ARG_STRING, .name = "state-dir",
	  .offset = offsetof(struct section, daemon.state_dir) },
	{ .type = ARG_STRING, .name = "socket",
	  .offset = offsetof(struct section, daemon.socket) },
	{ .type = ARG_STRING, .name = "metrics-file",
	  .offset = offsetof(struct section, daemon.metrics_file) },
	{ .type = ARG_U32, .name = "metrics-interval", .min = 1, .max = 3600,
	  .offset = offsetof(struct section, daemon.metrics_interval) },
	{}
};

static const struct arg service_keys[] = {
	{ .type = ARG_ENDPOINT, .name = "vip",
	  .offset = offsetof(struct section, service.service.vip) },
	{ .type = ARG_WORD, .name = "sched", .words = scheduler_words,
	  .field = MLB_F_SERVICE_SCHEDULER,
	  .offset = offsetof(struct section, service.service.scheduler) },
	{ .type = ARG_NODES, .name = "nodes",
	  .field = MLB_F_SERVICE_NODES,
	  .offset = offsetof(struct section, service.nodes) },
	{}
};

#define CHECK_NUMBER(key, least, most)					\
	{ .type = ARG_U32, .name = #key, .min = least, .max = most,	\
	  .offset = offsetof(struct section, check.timing.key) }

static const struct arg check_keys[] = {
	{ .type = ARG_ENDPOINT, .name = "service",
	  .offset = offsetof(struct section, check.service) },
	{ .type = ARG_WORD, .name = "type", .words = check_type_words,
	  .offset = offsetof(struct section, check.type) },
	{ .type = ARG_ADDR, .name = "addr",
	  .offset = offsetof(struct section, check.addr) },
	{ .type = ARG_U16, .name = "port", .min = 1, .max = UINT16_MAX,
	  .offset = offsetof(struct section, check.port) },
	CHECK_NUMBER(interval, 20, 3600000),
	CHECK_NUMBER(timeout, 10, CHECK_TIMEOUT_MAX),
	CHECK_NUMBER(rise, 1, 1000),
	CHECK_NUMBER(fall, 1, 1000),
	{ .type = ARG_STRING, .name = "path",
	  .offset = offsetof(struct section, check.path) },
	{ .type = ARG_STRING, .name = "host",
	  .offset = offsetof(struct section, check.host) },
	{ .type = ARG_STRING, .name = "status",
	  .offset = offsetof(struct section, check.status) },
	{ .type = ARG_STRING, .name = "command",
	  .offset = offsetof(struct section, check.command) },
	{}
};

static const struct arg vip_keys[] = {
	{ .type = ARG_ADDR, .name = "addr",
	  .offset = offsetof(struct section, vip.addr) },
	{ .type = ARG_U32, .name = "table", .min = 1, .max = INT32_MAX,
	  .offset = offsetof(struct section, vip.table) },
	{ .type = ARG_STRING, .name = "dev",
	  .offset = offsetof(struct section, vip.dev) },
	{ .type = ARG_STRING, .name = "role",
	  .offset = offsetof(struct section, vip.role) },
	{}
};
/* clang-format on */

/*
 * Kinds with a second word in the header can be there more than once. Offsets
 * of the keys count from the base in the section.
 */
static const struct {
	const char *word;
	const struct arg *keys;
	const char *second;
	size_t base;
} kinds[] = {
	[SECTION_SELF] = { "node", self_keys, NULL },
	[SECTION_CLUSTER] = { "cluster", cluster_keys, NULL },
	[SECTION_KERNEL] = { "kernel", setting_args, NULL,
			     offsetof(struct section, settings) },
	[SECTION_DAEMON] = { "daemon", daemon_keys, NULL },
	[SECTION_PEER] = { "node", peer_keys, "ID" },
	[SECTION_SERVICE] = { "service", service_keys, "NAME" },
	[SECTION_CHECK] = { "check", check_keys, "NAME" },
	[SECTION_VIP] = { "vip", vip_keys, "NAME" },
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct reading {
	FILE *stream;
	char *text;
	size_t size;
	unsigned int line;
	struct config_file *file;
	struct config_error *error;
};

static struct section *current(struct reading *r)
{
	return r->file->n ? &r->file->sections[r->file->n - 1] : NULL;
}

/* The first error is the one that is told. */
static void __attribute__((format(printf, 2, 3)))
fail(struct reading *r, const char *format, ...)
{
	va_list ap;

	if (r->error->text[0])
		return;
	r->error->line = r->line;
	va_start(ap, format);
	vsnprintf(r->error->text, sizeof(r->error->text), format, ap);
	va_end(ap);
}

/* Insertions, deletions and replacements from one word to the other. */
static size_t distance(const char *a, const char *b)
{
	size_t row[SECTION_NAME_MAX], len = strlen(b);

	if (len >= SECTION_NAME_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[len];
}

/* A word is near enough to be meant when a third of it is wrong at most. */
static void nearer(const char *word, const char *candidate, const char **best,
		   size_t *best_distance)
{
	size_t d = distance(word, candidate);

	if (d < *best_distance && d <= (strlen(candidate) + 2) / 3) {
		*best = candidate;
		*best_distance = d;
	}
}

static void unknown_section(struct reading *r, const char *name)
{
	char word[SECTION_NAME_MAX];
	const char *best = NULL;
	size_t d = SIZE_MAX;

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(name, " "), name);
	for (size_t i = 0; i < N_KINDS; i++)
		nearer(word, kinds[i].word, &best, &d);
	if (best)
		fail(r, "no section is called [%s]; is it [%s%s]?", name, best,
		     d ? name + strlen(word) : "");
	else
		fail(r, "no section is called [%s]", name);
}

static void unknown_key(struct reading *r, const struct section *s,
			const char *key)
{
	const char *best = NULL;
	size_t d = SIZE_MAX;

	for (const struct arg *arg = kinds[s->kind].keys; arg->type; arg++)
		nearer(key, arg->name, &best, &d);
	if (best)
		fail(r, "[%s] has no key \"%s\"; is it \"%s\"?", s->name, key,
		     best);
	else
		fail(r, "[%s] has no key \"%s\"", s->name, key);
}

static bool find_kind(const char *name, enum section_kind *kind)
{
	size_t len = strcspn(name, " ");

	for (size_t i = 0; i < N_KINDS; i++) {
		if (strlen(kinds[i].word) != len ||
		    strncmp(kinds[i].word, name, len) ||
		    !kinds[i].second != !name[len])
			continue;
		*kind = (enum section_kind)i;
		return true;
	}
	return false;
}

static bool section_id(struct reading *r, struct section *s)
{
	const char *word = strchr(s->name, ' ') + 1;
	uint32_t id;

	if (!parse_u32(word, 1, MLB_NODE_ID_MAX, &id)) {
		fail(r, "[%s]: \"%s\" is not a node id from 1 to %d", s->name,
		     word, MLB_NODE_ID_MAX);
		return false;
	}
	s->node.id = (uint16_t)id;
	s->fields = MLB_F_NODE_ID;
	return true;
}

static void section_begin(struct reading *r, const char *name)
{
	struct section *s;
	enum section_kind kind;

	if (!find_kind(name, &kind)) {
		if (!strcmp(name, kinds[SECTION_SERVICE].word) ||
		    !strcmp(name, kinds[SECTION_CHECK].word) ||
		    !strcmp(name, kinds[SECTION_VIP].word))
			fail(r, "[%s] needs a name of yours: [%s web]", name,
			     name);
		else
			unknown_section(r, name);
		return;
	}
	for (size_t i = 0; i < r->file->n; i++) {
		if (strcmp(r->file->sections[i].name, name))
			continue;
		fail(r, "[%s] is on line %u already", name,
		     r->file->sections[i].line);
		return;
	}

	s = reallocarray(r->file->sections, r->file->n + 1, sizeof(*s));
	if (!s) {
		fail(r, "out of memory");
		return;
	}
	r->file->sections = s;
	s += r->file->n++;
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	s->line = r->line;
	snprintf(s->name, sizeof(s->name), "%s", name);
	if (kind == SECTION_PEER)
		section_id(r, s);
}

/* What stands between the brackets, with single spaces. */
static void header(struct reading *r, char *line)
{
	char *close = strchr(line, ']'), *to = line, *from;

	if (!close) {
		fail(r, "the ] of a section is missing");
		return;
	}
	from = close + 1 + strspn(close + 1, " \t\r");
	if (*from && *from != ';' && *from != '#') {
		fail(r, "\"%.*s\" after a section's ]",
		     (int)strcspn(from, "\r"), from);
		return;
	}
	*close = '\0';
	for (from = line + 1 + strspn(line + 1, " \t"); *from; from++) {
		if (!isblank((unsigned char)*from))
			*to++ = *from;
		else if (from[1] && !isblank((unsigned char)from[1]))
			*to++ = ' ';
	}
	*to = '\0';
	if (strlen(line) >= SECTION_NAME_MAX)
		fail(r, "the name of the section is too long");
	else
		section_begin(r, line);
}

/*
 * Blanks at the begin of a line are taken away, for inih would make a
 * continuation of it, and so is what some editors begin a file with. All that
 * inih takes for either has to go: it would see a header where next_line() sees
 * none.
 */
static char *line_begin(char *text, unsigned int line)
{
	static const char mark[] = "\xef\xbb\xbf";

	for (;;) {
		text += strspn(text, " \t\r\v\f");
		if (line != 1 || strncmp(text, mark, strlen(mark)))
			return text;
		text += strlen(mark);
	}
}

/*
 * inih asks for each line here, so lines are counted, and it sees headers
 * without keys in them too, which inih would pass over.
 */
static char *next_line(char *to, int size, void *arg)
{
	struct reading *r = arg;
	ssize_t len;
	char *start;

	if (r->error->text[0])
		return NULL;
	len = getline(&r->text, &r->size, r->stream);
	if (len < 0)
		return NULL;
	r->line++;
	if (strlen(r->text) != (size_t)len)
		fail(r, "there is a zero byte in the line");
	if (r->text[len - 1] == '\n')
		r->text[--len] = '\0';
	start = line_begin(r->text, r->line);
	if (strlen(start) > LINE_LEN_MAX)
		fail(r, "the line is longer than %d characters", LINE_LEN_MAX);
	snprintf(to, (size_t)size, "%s\n", start);
	if (start[0] == '[')
		header(r, start);
	return r->error->text[0] ? NULL : to;
}

static int key_value(void *arg, const char *section, const char *name,
		     const char *value)
{
	struct reading *r = arg;
	struct section *s = current(r);
	char text[LINE_LEN_MAX + 3], error[ARGS_ERROR_SIZE];
	const struct arg *key;
	size_t i;

	(void)section;
	if (!s) {
		fail(r, "\"%s\" stands before any section", name);
		return 0;
	}
	for (i = 0; kinds[s->kind].keys[i].type; i++)
		if (!strcmp(kinds[s->kind].keys[i].name, name))
			break;
	key = &kinds[s->kind].keys[i];
	if (!key->type) {
		unknown_key(r, s, name);
		return 0;
	}
	if (s->given & 1u << i) {
		fail(r, "\"%s\" is on line %u already", name, s->key_line[i]);
		return 0;
	}
	snprintf(text, sizeof(text), "%s", value);
	if (!text[0]) {
		fail(r, "\"%s\" has no value", name);
		return 0;
	}
	if (key->type == ARG_STRING) {
		char *copy = strdup(text);

		if (!copy) {
			fail(r, "out of memory");
			return 0;
		}
		memcpy((char *)s + key->offset, &copy, sizeof(copy));
	} else if (!args_value(key, text, (char *)s + kinds[s->kind].base,
			       error)) {
		fail(r, "%s", error);
		return 0;
	}
	s->given |= 1u << i;
	s->key_line[i] = r->line;
	s->fields |= key->field;
	return 1;
}

int config_read(const char *path, struct config_file *file,
		struct config_error *error)
{
	struct reading r = { .file = file, .error = error };
	int ret;

	memset(file, 0, sizeof(*file));
	memset(error, 0, sizeof(*error));
	r.stream = fopen(path, "re");
	if (!r.stream) {
		ret = -errno;
		fail(&r, "%s", strerror(errno));
		return ret;
	}
	ret = ini_parse_stream(next_line, &r, key_value, &r);
	if (ret > 0 && !error->text[0]) {
		r.line = (unsigned int)ret;
		fail(&r, "neither a [section] nor a key with = and its value");
	}
	if (ferror(r.stream))
		fail(&r, "%s", strerror(errno));
	fclose(r.stream);
	free(r.text);
	if (!error->text[0])
		return 0;
	config_file_free(file);
	return -EINVAL;
}

void config_file_free(struct config_file *file)
{
	for (size_t i = 0; i < file->n; i++) {
		struct section *s = &file->sections[i];
		const struct arg *key = kinds[s->kind].keys;

		for (; key->type; key++) {
			char *copy;

			if (key->type != ARG_STRING)
				continue;
			memcpy(&copy, (char *)s + key->offset, sizeof(copy));
			free(copy);
		}
	}
	free(file->sections);
	memset(file, 0, sizeof(*file));
}

const struct section *config_section(const struct config_file *file,
				     enum section_kind kind)
{
	for (size_t i = 0; i < file->n; i++)
		if (file->sections[i].kind == kind)
			return &file->sections[i];
	return NULL;
}

unsigned int config_line(const struct section *section, const char *key)
{
	const struct arg *keys = kinds[section->kind].keys;

	for (size_t i = 0; keys[i].type; i++)
		if (!strcmp(keys[i].name, key) && section->given & 1u << i)
			return section->key_line[i];
	return section->line;
}

bool config_has(const struct section *section, const char *key)
{
	return section && config_line(section, key) != section->line;
}
