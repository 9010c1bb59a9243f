// SPDX-License-Identifier: GPL-2.0
/* What a [check NAME] means. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_read.h"

#define INTERVAL_MS 1000
#define RISE 2
#define FALL 3

/* Keys that belong to one type alone. */
static const struct {
	const char *key;
	enum check_type type;
	const char *wrong;
} keys_of_type[] = {
	{ "path", CHECK_HTTP, "path is for type = http only" },
	{ "host", CHECK_HTTP, "host is for type = http only" },
	{ "status", CHECK_HTTP, "status is for type = http only" },
	{ "command", CHECK_COMMAND, "command is for type = command only" },
};

#define N_KEYS_OF_TYPE (sizeof(keys_of_type) / sizeof(keys_of_type[0]))

/* It is a label in metrics, and a word in what is said of it. */
bool config_good_name(const char *name)
{
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("._-", *name))
			return false;
	return true;
}

/* What can stand in the head of a request without making it another one. */
static bool one_word(const char *text)
{
	for (; *text; text++)
		if (!isgraph((unsigned char)*text))
			return false;
	return true;
}

/* "200" or "200-399" */
static bool status_range(const char *text, uint16_t *min, uint16_t *max)
{
	const char *dash = strchr(text, '-');
	char first[CONFIG_TEXT_MAX];
	uint32_t from, to;

	snprintf(first, sizeof(first), "%.*s",
		 dash ? (int)(dash - text) : (int)strlen(text), text);
	if (!parse_u32(first, 100, 599, &from) ||
	    !parse_u32(dash ? dash + 1 : first, from, 599, &to))
		return false;
	*min = (uint16_t)from;
	*max = (uint16_t)to;
	return true;
}

static const char *http(const struct section *s, struct check_question *q,
			const char **key)
{
	const char *path = s->check.path ? s->check.path : "/";
	const char *host = s->check.host ? s->check.host : "";
	const char *status = s->check.status ? s->check.status : "200-399";

	*key = "path";
	if (path[0] != '/' || !one_word(path))
		return "path has to begin with / and be without blanks";
	*key = "host";
	if (!one_word(host))
		return "host has to be without blanks";
	*key = "status";
	if (!status_range(status, &q->status_min, &q->status_max))
		return "status is a number from 100 to 599, or two with - between them";
	snprintf(q->path, sizeof(q->path), "%s", path);
	snprintf(q->host, sizeof(q->host), "%s", host);
	return NULL;
}

static void timing(const struct section *s, struct check_timing *to)
{
	*to = s->check.timing;
	if (!to->interval)
		to->interval = INTERVAL_MS;
	if (!to->timeout)
		to->timeout = to->interval < CHECK_TIMEOUT_MAX ?
				      to->interval :
				      CHECK_TIMEOUT_MAX;
	if (!to->rise)
		to->rise = RISE;
	if (!to->fall)
		to->fall = FALL;
}

const char *config_check_make(const struct section *s, struct config_check *to,
			      const char **key)
{
	struct check_question *q = &to->question;

	*key = NULL;
	memset(to, 0, sizeof(*to));
	snprintf(to->name, sizeof(to->name), "%s", strchr(s->name, ' ') + 1);
	if (!config_good_name(to->name))
		return "the name of a check has letters, digits, \".\", \"_\" and \"-\" only";
	for (size_t i = 0; i < N_KEYS_OF_TYPE; i++) {
		*key = keys_of_type[i].key;
		if (s->check.type != keys_of_type[i].type &&
		    config_has(s, *key))
			return keys_of_type[i].wrong;
	}
	*key = NULL;
	if (s->check.type == CHECK_COMMAND && !s->check.command)
		return "type = command needs \"command\"";

	timing(s, &to->timing);
	q->type = s->check.type;
	q->service = s->check.service;
	q->target = s->check.service;
	q->own = !config_has(s, "addr");
	if (!q->own)
		q->target.addr = s->check.addr;
	if (config_has(s, "port"))
		q->target.port = s->check.port;
	if (q->type == CHECK_COMMAND)
		snprintf(q->command, sizeof(q->command), "%s",
			 s->check.command);
	return q->type == CHECK_HTTP ? http(s, q, key) : NULL;
}
