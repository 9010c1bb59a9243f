// SPDX-License-Identifier: GPL-2.0
/* Words and addresses as text: the other way round from parse.c. */
#include <arpa/inet.h>
#include <stdio.h>

#include "text.h"

const char *const node_state_words[] = {
	[MLB_NODE_STATE_ACTIVE] = "active",
	[MLB_NODE_STATE_DRAIN] = "drain",
	[MLB_NODE_STATE_MAINTENANCE] = "maintenance",
	[MLB_NODE_STATE_DEAD] = "dead",
	NULL,
};

const char *const scheduler_words[] = {
	[MLB_SCHEDULER_LOCAL] = "local",
	[MLB_SCHEDULER_MAGLEV] = "maglev",
	NULL,
};

const char *const flow_state_words[] = {
	[MLB_FLOW_STATE_SYN] = "syn",
	[MLB_FLOW_STATE_ESTABLISHED] = "established",
	[MLB_FLOW_STATE_CLOSING] = "closing",
	NULL,
};

const char *const table_words[] = {
	[MLB_TABLE_OWNER] = "owner",
	[MLB_TABLE_FLOW] = "flow",
	NULL,
};

const char *const fastclose_words[] = {
	[MLB_FASTCLOSE_OFF] = "off",
	[MLB_FASTCLOSE_ON] = "on",
	[MLB_FASTCLOSE_PROBE] = "probe",
	NULL,
};

const char *word_of(const char *const *words, unsigned int value)
{
	for (unsigned int i = 0; words[i]; i++)
		if (i == value)
			return words[i];
	return "unknown";
}

const char *addr_text(const struct mlb_addr *addr, char text[ADDR_TEXT])
{
	const void *bytes = &addr->v6;

	if (addr->family == AF_INET)
		bytes = &addr->v4;
	if (addr->family == AF_UNSPEC ||
	    !inet_ntop(addr->family, bytes, text, ADDR_TEXT))
		snprintf(text, ADDR_TEXT, "none");
	return text;
}

const char *prefix_text(const struct mlb_prefix *prefix, char text[PREFIX_TEXT])
{
	char addr[ADDR_TEXT];

	snprintf(text, PREFIX_TEXT, "%s/%u", addr_text(&prefix->addr, addr),
		 prefix->len);
	return text;
}

const char *endpoint_text(const struct mlb_endpoint *end,
			  char text[ENDPOINT_TEXT])
{
	char addr[ADDR_TEXT];

	snprintf(text, ENDPOINT_TEXT,
		 end->addr.family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		 addr_text(&end->addr, addr), end->port);
	return text;
}

void text_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}
