// SPDX-License-Identifier: GPL-2.0
/* Messages between mlbds, from and to bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

static const uint8_t magic[3] = { 'm', 'l', 'b' };

#define FLAG_REPEAT 0x01
#define FLAG_CLIENTS 0x02
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

static void get_addr(const uint8_t from[16], struct mlb_addr *addr)
{
	struct in6_addr v6;

	memcpy(&v6, from, sizeof(v6));
	memset(addr, 0, sizeof(*addr));
	if (IN6_IS_ADDR_V4MAPPED(&v6)) {
		addr->family = AF_INET;
		memcpy(&addr->v4, from + 12, sizeof(addr->v4));
	} else {
		addr->family = AF_INET6;
		addr->v6 = v6;
	}
}

static void put_addr(uint8_t to[16], const struct mlb_addr *addr)
{
	memset(to, 0, 16);
	if (addr->family == AF_INET) {
		to[10] = 0xff;
		to[11] = 0xff;
		memcpy(to + 12, &addr->v4, sizeof(addr->v4));
	} else {
		memcpy(to, &addr->v6, sizeof(addr->v6));
	}
}

static bool all_zero(const uint8_t *p, size_t n)
{
	while (n && !*p)
		p++, n--;
	return !n;
}

/* False when there is none. */
static bool get_client(const uint8_t from[WIRE_CLIENT],
		       struct mlb_client *client)
{
	if (all_zero(from, WIRE_CLIENT))
		return false;
	memset(client, 0, sizeof(*client));
	get_addr(from, &client->src.addr);
	get_addr(from + 16, &client->dst.addr);
	client->src.port = (uint16_t)get(from + 32, 2);
	client->dst.port = (uint16_t)get(from + 34, 2);
	memcpy(client->key, from + 36, sizeof(client->key));
	return true;
}

static bool client_whole(const uint8_t from[WIRE_CLIENT], bool withdrawn)
{
	struct mlb_client client;

	if (!get_client(from, &client))
		return true;
	return !withdrawn && client.src.addr.family == client.dst.addr.family;
}

struct wire_owner wire_owner(const struct wire_message *message, size_t i,
			     struct mlb_client *client)
{
	const uint8_t *p =
		message->owners + i * wire_owner_size(message->clients);

	return (struct wire_owner){
		.token = (uint32_t)get(p, 4),
		.cpu = (uint16_t)get(p + 4, 2),
		.withdrawn = get(p + 6, 2) & FLAG_WITHDRAWN,
		.client = message->clients &&
					  get_client(p + WIRE_OWNER, client) ?
				  client :
				  NULL,
	};
}

static bool owner_whole(const uint8_t *p, const struct wire_message *message)
{
	uint64_t flags = get(p + 6, 2);

	return get(p, 4) && !(flags & ~(uint64_t)FLAG_WITHDRAWN) &&
	       !(message->repeat && flags) &&
	       (!message->clients || client_whole(p + WIRE_OWNER, flags));
}

static int parse_owners(const uint8_t *body, size_t len,
			struct wire_message *message)
{
	size_t size = wire_owner_size(message->clients), n = len / size;
	size_t max = message->clients ? WIRE_CLIENTS_MAX : WIRE_OWNERS_MAX;

	if (!n || n > max || len % size)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++)
		if (!owner_whole(body + i * size, message))
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
	    p[5] & (uint8_t) ~(FLAG_REPEAT | FLAG_CLIENTS))
		return -EBADMSG;
	message->kind = p[4];
	message->repeat = p[5] & FLAG_REPEAT;
	message->clients = p[5] & FLAG_CLIENTS;
	message->run = (uint32_t)get(p + 8, 4);
	message->sequence = get(p + 16, 8);
	message->sent = get(p + 24, 8);
	if ((message->repeat || message->clients) &&
	    message->kind != WIRE_OWNERS)
		return -EBADMSG;

	switch (message->kind) {
	case WIRE_OWNERS:
		return parse_owners(body, n, message);
	case WIRE_REPEAT_BEGIN:
	case WIRE_REPEAT_END:
		return n ? -EBADMSG : 0;
	case WIRE_HELLO:
	case WIRE_REPEAT_WANT:
	case WIRE_REPORT:
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
	to[5] = (message->repeat ? FLAG_REPEAT : 0) |
		(message->clients ? FLAG_CLIENTS : 0);
	put(to + 8, 4, message->run);
	put(to + 12, 4, body);
	put(to + 16, 8, message->sequence);
	put(to + 24, 8, message->sent);
}

void wire_put_owner(uint8_t *to, const struct wire_owner *owner, bool clients)
{
	const struct mlb_client *client = owner->client;

	put(to, 4, owner->token);
	put(to + 4, 2, owner->cpu);
	put(to + 6, 2, owner->withdrawn ? FLAG_WITHDRAWN : 0);
	if (!clients)
		return;
	to += WIRE_OWNER;
	if (!client) {
		memset(to, 0, WIRE_CLIENT);
		return;
	}
	put_addr(to, &client->src.addr);
	put_addr(to + 16, &client->dst.addr);
	put(to + 32, 2, client->src.port);
	put(to + 34, 2, client->dst.port);
	memcpy(to + 36, client->key, sizeof(client->key));
}

bool wire_keep_client(struct wire_owner *owner)
{
	struct mlb_client *copy;

	if (!owner->client)
		return true;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return false;
	*copy = *owner->client;
	owner->client = copy;
	return true;
}

void wire_drop_client(const struct wire_owner *owner)
{
	free((void *)(uintptr_t)owner->client);
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
