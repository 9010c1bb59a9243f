// SPDX-License-Identifier: GPL-2.0
/* mlbctl doctor: what is wrong on this host, and what to do about it. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

#define SEEN_QUIET (1u << 0)

static const struct arg args[] = { { .type = ARG_FLAG,
				     .dash = 'q',
				     .name = "quiet",
				     .help = "only what is not ok",
				     .field = SEEN_QUIET },
				   {} };

static const char *const results[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_NOTE] = "note",
	[DOCTOR_WRONG] = "wrong",
};

void doctor_say(struct doctor *doctor, enum doctor_result result,
		const char *check, const char *remedy, const char *format, ...)
{
	struct output *out = doctor->out;
	char text[512];
	va_list ap;

	doctor->found[result]++;
	if (result == DOCTOR_OK && doctor->quiet)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);

	if (!out->json) {
		fprintf(out->file, "%-5s  %-9s  %s\n", results[result], check,
			text);
		if (remedy)
			fprintf(out->file, "%18s%s\n", "-> ", remedy);
		fflush(out->file);
		return;
	}
	out_begin(out);
	out_str(out, "check", NULL, check);
	out_str(out, "result", NULL, results[result]);
	out_str(out, "text", NULL, text);
	if (remedy)
		out_str(out, "remedy", NULL, remedy);
	out_end(out);
}

long doctor_number(const char *path)
{
	FILE *file = fopen(path, "re");
	long number = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

static int run(struct mlbctl *ctl)
{
	struct doctor doctor = {
		.out = &ctl->out,
		.quiet = ctl->seen & SEEN_QUIET,
	};
	int ret = mlb_open(&doctor.mlb);

	if (ret && ret != -ENOENT)
		return open_error(ret);

	out_list_begin(&ctl->out);
	doctor_module(&doctor);
	doctor_mptcp(&doctor);
	if (doctor.mlb) {
		doctor_cluster(&doctor);
		doctor_services(&doctor);
		doctor_nodes(&doctor);
		doctor_tables(&doctor);
	}
	doctor_vips(&doctor);
	doctor_rp_filter(&doctor);
	doctor_syncookies(&doctor);
	doctor_clock(&doctor);
	out_list_end(&ctl->out);

	ret = !doctor.mlb		 ? EXIT_NOT_RUNNING :
	      doctor.found[DOCTOR_WRONG] ? EXIT_REFUSED :
					   EXIT_OK;
	free(doctor.nodes);
	mlb_close(doctor.mlb);
	return ret;
}

static void tell_status(FILE *to)
{
	fputs("Exit status: 0 nothing is wrong, though there may be notes;\n"
	      "1 something does not work; 3 the module is not loaded.\n",
	      to);
}

static const struct verb verbs[] = {
	{ .help = "look for what is wrong on this host and say what to do",
	  .args = args,
	  .run = run,
	  .more_help = tell_status,
	  .own_socket = true },
	{}
};

static struct command command = {
	.name = "doctor",
	.help = "find what is wrong",
	.verbs = verbs,
};

MLBCTL_COMMAND(command)
