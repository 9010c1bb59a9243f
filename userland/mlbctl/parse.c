// SPDX-License-Identifier: GPL-2.0
/* Numbers, tokens, addresses and lists from text. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static bool parse_digits(const char *s, unsigned int base, uint32_t *out)
{
	uint64_t value = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned int d = (unsigned int)digit(*s);

		if (d >= base)
			return false;
		value = value * base + d;
		if (value > UINT32_MAX)
			return false;
	}
	*out = (uint32_t)value;
	return true;
}

/*
 * A decimal number does not start with 0: "010" is eight to some readers, and
 * a token pasted without its 0x would pass for another one.
 */
static bool parse_decimal(const char *s, uint32_t *out)
{
	if (s[0] == '0' && s[1])
		return false;
	return parse_digits(s, 10, out);
}

bool parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *out)
{
	uint32_t value;

	if (!parse_decimal(s, &value) || value < min || value > max)
		return false;
	*out = value;
	return true;
}

bool parse_token(const char *s, uint32_t *out)
{
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		return parse_digits(s + 2, 16, out);
	return parse_decimal(s, out);
}

static const char *check_v4(struct in_addr addr)
{
	uint32_t a = ntohl(addr.s_addr);

	if (a >> 24 == 0)
		return "is an unspecified address";
	if (a == INADDR_BROADCAST)
		return "is the broadcast address";
	if (IN_MULTICAST(a))
		return "is a multicast address";
	return NULL;
}

static const char *check_v6(const struct in6_addr *a)
{
	if (IN6_IS_ADDR_UNSPECIFIED(a))
		return "is the unspecified address";
	if (IN6_IS_ADDR_MULTICAST(a))
		return "is a multicast address";
	if (IN6_IS_ADDR_V4MAPPED(a))
		return "is an IPv4 address in IPv6 form, which no packet carries";
	if (IN6_IS_ADDR_LINKLOCAL(a))
		return "is a link-local address, which names no link";
	return NULL;
}

/* Also refuses what no node or service can have. */
const char *parse_addr(const char *s, struct mlb_addr *out)
{
	const char *wrong;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, s, &out->v4) == 1) {
		out->family = AF_INET;
		wrong = check_v4(out->v4);
	} else if (inet_pton(AF_INET6, s, &out->v6) == 1) {
		out->family = AF_INET6;
		wrong = check_v6(&out->v6);
	} else {
		wrong = "is not an IPv4 or IPv6 address";
	}
	if (wrong)
		out->family = AF_UNSPEC;
	return wrong;
}

static bool is_network(const uint8_t *bytes, unsigned int n, unsigned int len)
{
	for (unsigned int bit = len; bit < 8 * n; bit++)
		if (bytes[bit / 8] & 0x80 >> bit % 8)
			return false;
	return true;
}

/* NETWORK/LENGTH, or the address of one host. */
const char *parse_prefix(const char *s, struct mlb_prefix *out)
{
	size_t n = strcspn(s, "/");
	char addr[INET6_ADDRSTRLEN];
	uint32_t len, max;

	memset(out, 0, sizeof(*out));
	if (n >= sizeof(addr))
		return "is not an IPv4 or IPv6 prefix";
	memcpy(addr, s, n);
	addr[n] = '\0';
	if (inet_pton(AF_INET, addr, &out->addr.v4) == 1) {
		out->addr.family = AF_INET;
		max = 32;
	} else if (inet_pton(AF_INET6, addr, &out->addr.v6) == 1) {
		out->addr.family = AF_INET6;
		max = 128;
	} else {
		return "is not an IPv4 or IPv6 prefix";
	}
	len = max;
	if (s[n] && !parse_u32(s + n + 1, 0, max, &len))
		return "has a length that is not from 0 to 32 (IPv4) or 128 (IPv6)";
	if (max == 128 && IN6_IS_ADDR_V4MAPPED(&out->addr.v6))
		return "is an IPv4 prefix in IPv6 form, which no packet carries";
	if (!is_network((const uint8_t *)&out->addr.v6, max / 8, len))
		return "has bits set behind its length";
	out->len = (uint8_t)len;
	return NULL;
}

const char *parse_prefix_list(const char *s, struct mlb_prefix **out, size_t *n)
{
	char word[INET6_ADDRSTRLEN + sizeof("/128")];
	const char *wrong = NULL;
	size_t count = 1, len;

	for (const char *c = s; *c; c++)
		count += *c == ',';
	*n = 0;
	*out = calloc(count, sizeof(**out));
	if (!*out)
		return "does not fit into memory";
	for (; !wrong; s += len + 1) {
		len = strcspn(s, ",");
		if (!len || len >= sizeof(word)) {
			wrong = "is not a list of prefixes with commas";
			break;
		}
		memcpy(word, s, len);
		word[len] = '\0';
		wrong = parse_prefix(word, &(*out)[*n]);
		(*n)++;
		if (!s[len])
			break;
	}
	if (wrong) {
		free(*out);
		*out = NULL;
		*n = 0;
	}
	return wrong;
}

/* ADDR:PORT for IPv4, [ADDR]:PORT for IPv6. */
const char *parse_endpoint(const char *s, struct mlb_endpoint *out)
{
	const char *colon = strrchr(s, ':'), *wrong;
	char addr[INET6_ADDRSTRLEN + 2];
	bool bracketed = s[0] == '[';
	uint32_t port;
	size_t len;

	if (bracketed) {
		const char *close = strchr(s, ']');

		if (!close)
			return "has no closing bracket";
		if (close[1] != ':')
			return "has no port: write [ADDR]:PORT";
		colon = close + 1;
		s++;
		len = (size_t)(close - s);
	} else {
		if (!colon)
			return "has no port: write ADDR:PORT";
		if (strchr(s, ':') != colon)
			return "is ambiguous: write [ADDR]:PORT";
		len = (size_t)(colon - s);
	}

	if (len >= sizeof(addr))
		return "is not an IPv4 or IPv6 address with a port";
	memcpy(addr, s, len);
	addr[len] = '\0';

	wrong = parse_addr(addr, &out->addr);
	if (wrong)
		return wrong;
	if (bracketed != (out->addr.family == AF_INET6))
		return "has brackets around an IPv4 address";
	if (!parse_u32(colon + 1, 1, UINT16_MAX, &port))
		return "has a port that is not a number from 1 to 65535";
	out->port = (uint16_t)port;
	return NULL;
}

/* SRC:PORT-DST:PORT, each as parse_endpoint() takes it. */
const char *parse_flow(const char *s, struct mlb_endpoint *src,
		       struct mlb_endpoint *dst)
{
	const char *dash = strchr(s, '-'), *wrong;
	char client[INET6_ADDRSTRLEN + sizeof("[]:65535")];
	size_t len;

	if (!dash)
		return "is not two ends with a - between them";
	len = (size_t)(dash - s);
	if (len >= sizeof(client))
		return "is not an IPv4 or IPv6 address with a port";
	memcpy(client, s, len);
	client[len] = '\0';
	wrong = parse_endpoint(client, src);
	if (!wrong)
		wrong = parse_endpoint(dash + 1, dst);
	if (!wrong && src->addr.family != dst->addr.family)
		wrong = "has ends of two families";
	return wrong;
}

static bool parse_key(const char *s, uint8_t key[MLB_MPTCP_KEY_LEN])
{
	if (strlen(s) != 2 * MLB_MPTCP_KEY_LEN)
		return false;
	for (size_t i = 0; i < MLB_MPTCP_KEY_LEN; i++, s += 2) {
		if (digit(s[0]) > 15 || digit(s[1]) > 15)
			return false;
		key[i] = (uint8_t)(digit(s[0]) << 4 | digit(s[1]));
	}
	return true;
}

const char *parse_client(const char *s, const struct mlb_client **out)
{
	const char *comma = strchr(s, ','), *wrong;
	struct mlb_client *client;
	char *flow;

	if (!comma)
		return "has no key: write SRC:PORT-VIP:PORT,KEY";
	flow = strndup(s, (size_t)(comma - s));
	client = calloc(1, sizeof(*client));
	if (!flow || !client)
		wrong = "does not fit into memory";
	else if (!parse_key(comma + 1, client->key))
		wrong = "has a key that is not 16 hexadecimal digits";
	else
		wrong = parse_flow(flow, &client->src, &client->dst);
	free(flow);
	if (wrong)
		free(client);
	else
		*out = client;
	return wrong;
}

/* ID,ID,... or "all", which gives an empty list. */
const char *parse_node_list(const char *s, struct node_list *out)
{
	bool had[MLB_NODE_ID_MAX + 1] = {};

	out->n = 0;
	if (!strcmp(s, "all"))
		return NULL;

	for (;;) {
		size_t len = strcspn(s, ",");
		char word[8];
		uint32_t id;

		if (!len || len >= sizeof(word))
			return "is not \"all\" or a list of node ids with commas";
		memcpy(word, s, len);
		word[len] = '\0';
		if (!parse_u32(word, 1, MLB_NODE_ID_MAX, &id))
			return "has something that is not a node id from 1 to 4095";
		if (had[id])
			return "names a node twice";
		had[id] = true;
		out->id[out->n++] = (uint16_t)id;
		if (!s[len])
			return NULL;
		s += len + 1;
	}
}

const char *parse_pool_nodes(const char *s, struct node_list *out)
{
	out->n = 0;
	if (!strcmp(s, "none"))
		return NULL;
	if (!strcmp(s, "all") || parse_node_list(s, out))
		return "is not \"none\" or a list of different node ids with commas";
	return NULL;
}
