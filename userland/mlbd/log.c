// SPDX-License-Identifier: GPL-2.0
/* Messages for people. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define LIMIT_COUNT 5
#define LIMIT_MS 10000

static bool to_journal;

/* JOURNAL_STREAM names the file that is the journal's; see systemd.exec(5). */
void log_open(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	to_journal = stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
		     !fstat(STDERR_FILENO, &st) && st.st_dev == dev &&
		     st.st_ino == ino;
}

/* One write, so that the lines of several processes do not mix. */
void log_message(enum log_level level, const char *format, ...)
{
	char line[1024], stamp[32] = "";
	va_list ap;
	int n;

	if (to_journal) {
		snprintf(stamp, sizeof(stamp), "<%d>", (int)level);
	} else {
		struct timespec now;
		struct tm tm;
		size_t used;

		clock_gettime(CLOCK_REALTIME, &now);
		gmtime_r(&now.tv_sec, &tm);
		used = strftime(stamp, sizeof(stamp), "%H:%M:%S", &tm);
		snprintf(stamp + used, sizeof(stamp) - used, ".%03ld ",
			 now.tv_nsec / 1000000);
	}
	n = snprintf(line, sizeof(line), "%smlbd: ", stamp);
	va_start(ap, format);
	vsnprintf(line + n, sizeof(line) - (size_t)n, format, ap);
	va_end(ap);
	dprintf(STDERR_FILENO, "%s\n", line);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool log_allowed(struct log_limit *limit)
{
	uint64_t now = now_ms();

	if (!limit->count || now - limit->since >= LIMIT_MS) {
		if (limit->count > LIMIT_COUNT)
			log_warning("%u more of the following were not shown",
				    limit->count - LIMIT_COUNT);
		limit->since = now;
		limit->count = 0;
	}
	return ++limit->count <= LIMIT_COUNT;
}
