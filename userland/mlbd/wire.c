// SPDX-License-Identifier: GPL-2.0
/* Messages between mlbds, from and to bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

static const uint8_t magic[3] = { 'm', 'l', 'b' };

#define FLAG_REPEAT 0x01
#define FLAG_WITHDRAWN 0x0001

static uint64_t get(const uint8_t *from, size_t n)
{
	uint64_t value = 0;

	while (n--)
		value = value << 8 | *from++;
	return value;
}

static void put(uint8_t *to, size_t n, uint64_t value)
{
	while (n--) {
		to[n] = (uint8_t)value;
		value >>= 8;
	}
}

struct wire_owner wire_owner(const struct wire_message *message, size_t i)
{
	const uint8_t *p = message->owners + i * WIRE_OWNER;

	return (struct wire_owner){
		.token = (uint32_t)get(p, 4),
		.cpu = (uint16_t)get(p + 4, 2),
		.withdrawn = get(p + 6, 2) & FLAG_WITHDRAWN,
	};
}

static bool owner_whole(const uint8_t *p, bool repeat)
{
	uint64_t flags = get(p + 6, 2);

	return get(p, 4) && !(flags & ~(uint64_t)FLAG_WITHDRAWN) &&
	       !(repeat && flags);
}

static int parse_owners(const uint8_t *body, size_t len,
			struct wire_message *message)
{
	size_t n = len / WIRE_OWNER;

	if (!n || n > WIRE_OWNERS_MAX || len % WIRE_OWNER)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++)
		if (!owner_whole(body + i * WIRE_OWNER, message->repeat))
			return -EBADMSG;
	message->owners = body;
	message->n_owners = n;
	return 0;
}

static int parse_json(const uint8_t *body, size_t len, size_t max,
		      struct wire_message *message)
{
	json_t *json;

	if (!len || len > max)
		return -EBADMSG;
	json = json_loadb((const char *)body, len, JSON_REJECT_DUPLICATES,
			  NULL);
	if (!json_is_object(json)) {
		json_decref(json);
		return -EBADMSG;
	}
	message->json = json;
	return 0;
}

int wire_parse(const void *data, size_t len, struct wire_message *message)
{
	const uint8_t *p = data, *body = p + WIRE_HEADER;
	size_t n;

	memset(message, 0, sizeof(*message));
	if (len < sizeof(magic) + 1 || memcmp(p, magic, sizeof(magic)))
		return -EBADMSG;
	if (p[3] != WIRE_VERSION)
		return -EPROTONOSUPPORT;
	if (len < WIRE_HEADER || len > WIRE_MAX)
		return -EBADMSG;
	n = len - WIRE_HEADER;
	if (get(p + 12, 4) != n || get(p + 6, 2) ||
	    p[5] & (uint8_t)~FLAG_REPEAT)
		return -EBADMSG;
	message->kind = p[4];
	message->repeat = p[5] & FLAG_REPEAT;
	message->run = (uint32_t)get(p + 8, 4);
	message->sequence = get(p + 16, 8);
	message->sent = get(p + 24, 8);
	if (message->repeat && message->kind != WIRE_OWNERS)
		return -EBADMSG;

	switch (message->kind) {
	case WIRE_OWNERS:
		return parse_owners(body, n, message);
	case WIRE_REPEAT_BEGIN:
	case WIRE_REPEAT_END:
		return n ? -EBADMSG : 0;
	case WIRE_HELLO:
	case WIRE_REPEAT_WANT:
		return parse_json(body, n, WIRE_SMALL_MAX, message);
	case WIRE_PROPOSE:
	case WIRE_DOCUMENT:
		return parse_json(body, n, WIRE_MAX, message);
	}
	return -EBADMSG;
}

void wire_free(struct wire_message *message)
{
	json_decref(message->json);
	message->json = NULL;
}

void wire_put_header(uint8_t to[WIRE_HEADER],
		     const struct wire_message *message, size_t body)
{
	memset(to, 0, WIRE_HEADER);
	memcpy(to, magic, sizeof(magic));
	to[3] = WIRE_VERSION;
	to[4] = (uint8_t)message->kind;
	to[5] = message->repeat ? FLAG_REPEAT : 0;
	put(to + 8, 4, message->run);
	put(to + 12, 4, body);
	put(to + 16, 8, message->sequence);
	put(to + 24, 8, message->sent);
}

void wire_put_owner(uint8_t to[WIRE_OWNER], const struct wire_owner *owner)
{
	put(to, 4, owner->token);
	put(to + 4, 2, owner->cpu);
	put(to + 6, 2, owner->withdrawn ? FLAG_WITHDRAWN : 0);
}

static size_t most(enum wire_kind kind)
{
	return kind == WIRE_PROPOSE || kind == WIRE_DOCUMENT ?
		       WIRE_MAX - WIRE_HEADER :
		       WIRE_SMALL_MAX;
}

int wire_pack(const struct wire_message *message, uint8_t **data, size_t *len)
{
	char *text = NULL;
	size_t n = 0;

	*data = NULL;
	if (message->json) {
		text = json_dumps(message->json, JSON_COMPACT);
		if (!text)
			return -ENOMEM;
		n = strlen(text);
		if (n > most(message->kind)) {
			free(text);
			return -EMSGSIZE;
		}
	}
	*len = WIRE_HEADER + n;
	*data = malloc(*len);
	if (!*data) {
		free(text);
		return -ENOMEM;
	}
	wire_put_header(*data, message, n);
	if (n)
		memcpy(*data + WIRE_HEADER, text, n);
	free(text);
	return 0;
}
