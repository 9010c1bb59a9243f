// SPDX-License-Identifier: GPL-2.0
/* As much of HTTP as a check needs: RFC 9112 sections 3 and 4. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "probe_parts.h"
#include "text.h"

#define BEGIN "HTTP/1."

int http_request(const struct check_question *question, char *to, size_t size)
{
	char target[ENDPOINT_TEXT];
	const char *host = question->host[0] ?
				   question->host :
				   endpoint_text(&question->target, target);

	return snprintf(to, size,
			"GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: mlbd\r\n"
			"Accept: */*\r\nConnection: close\r\n\r\n",
			question->path, host);
}

/* "HTTP/1.1 200" and a blank or the line's end; the reason is for people. */
int http_status(const char *data, size_t len)
{
	static const char shape[] = BEGIN "0 000";
	size_t i;

	for (i = 0; i < sizeof(shape) - 1; i++) {
		bool digit = shape[i] == '0';

		if (i == len)
			return 0;
		if (digit ? !isdigit((unsigned char)data[i]) :
			    data[i] != shape[i])
			return -1;
	}
	if (i == len)
		return 0;
	if (!strchr(" \r\n", data[i]) || !data[i])
		return -1;
	return (data[9] - '0') * 100 + (data[10] - '0') * 10 + data[11] - '0';
}
