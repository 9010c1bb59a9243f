// SPDX-License-Identifier: GPL-2.0
/* What went wrong, on standard error, and the exit status that tells it. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "mlbctl.h"

static const struct hint general_hints[] = {
	{ EPERM, "CAP_NET_ADMIN is needed: run it as root" },
	{ EACCES, "CAP_NET_ADMIN is needed: run it as root" },
	{ EOPNOTSUPP, "the module is older than this mlbctl" },
	{}
};

int usage_error(const struct mlbctl *ctl, const char *format, ...)
{
	const char *command = ctl->command ? ctl->command->name : NULL;
	const char *verb = ctl->verb ? ctl->verb->name : NULL;
	va_list ap;

	fputs("mlbctl: ", stderr);
	if (command)
		fprintf(stderr, "%s%s%s: ", command, verb ? " " : "",
			verb ? verb : "");
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "\nTry \"mlbctl%s%s%s%s -h\".\n", command ? " " : "",
		command ? command : "", verb ? " " : "", verb ? verb : "");
	return EXIT_USAGE;
}

static const char *find_hint(const struct hint *hints, int code)
{
	for (; hints && hints->code; hints++)
		if (hints->code == code)
			return hints->text;
	return NULL;
}

/* The kernel's own words first, then the place, then what to do about it. */
int refused(const struct mlbctl *ctl)
{
	const struct mlb_error *error = mlb_last_error(ctl->mlb);
	const char *hint = find_hint(ctl->command->hints, error->code);

	if (!hint)
		hint = find_hint(general_hints, error->code);
	fprintf(stderr, "mlbctl: %s", error->text);
	if (error->attr && !strstr(error->text, error->attr))
		fprintf(stderr, " (%s)", error->attr);
	fputc('\n', stderr);
	if (error->kernel && hint)
		fprintf(stderr, "mlbctl: hint: %s\n", hint);
	return EXIT_REFUSED;
}

int open_error(int ret)
{
	if (ret == -ENOENT) {
		fputs("mlbctl: mlb module is not loaded: modprobe mlb\n",
		      stderr);
		return EXIT_NOT_RUNNING;
	}
	fprintf(stderr, "mlbctl: netlink: %s\n", strerror(-ret));
	if (ret == -EPERM || ret == -EACCES)
		fputs("mlbctl: hint: CAP_NET_ADMIN is needed: run it as root\n",
		      stderr);
	return EXIT_REFUSED;
}
