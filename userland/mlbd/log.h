/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages for people, on standard error: with the prefixes of sd-daemon(3)
 * when the journal reads them, else with the time.
 */
#ifndef MLBD_LOG_H
#define MLBD_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* Of syslog(3), as the prefix has them. */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
};

void log_open(void);

void log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...) log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_message(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_message(LOG_LEVEL_INFO, __VA_ARGS__)

/**
 * struct log_limit - for what others can cause as often as they like
 * @since: begin of the interval, ms
 * @count: how often in it
 *
 * All zero at first.
 */
struct log_limit {
	uint64_t since;
	uint32_t count;
};

/**
 * log_allowed() - whether to log such a message now
 *
 * Lets 5 through in 10 s. The first one of the next interval is preceded by a
 * line that tells how many were not shown.
 */
bool log_allowed(struct log_limit *limit);

#endif /* MLBD_LOG_H */
