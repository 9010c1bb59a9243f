// SPDX-License-Identifier: GPL-2.0
/* What an mlbd says of itself, to and from JSON, and whether two fit. */
#include <stdio.h>
#include <string.h>

#include "hello.h"
#include "parse.h"
#include "text.h"

static void key_text(const uint8_t *id, char text[2 * MLB_KEY_ID_LEN + 1])
{
	for (size_t i = 0; i < MLB_KEY_ID_LEN; i++)
		snprintf(text + 2 * i, 3, "%02x", id[i]);
}

static bool parse_key(const char *text, uint8_t *id)
{
	if (!text || strlen(text) != 2 * MLB_KEY_ID_LEN ||
	    strspn(text, "0123456789abcdef") != 2 * MLB_KEY_ID_LEN)
		return false;
	for (size_t i = 0; i < MLB_KEY_ID_LEN; i++) {
		unsigned int byte;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		id[i] = (uint8_t)byte;
	}
	return true;
}

json_t *hello_json(const struct hello *hello)
{
	char addr[ADDR_TEXT], key[2 * MLB_KEY_ID_LEN + 1];

	key_text(hello->key_id, key);
	return json_pack("{s:[I, I], s:s, s:s, s:i, s:s?, s:b, s:o, s:s}",
			 "protocol", (json_int_t)hello->protocol_min,
			 (json_int_t)hello->protocol_max, "cluster",
			 hello->cluster, "addr",
			 addr_text(&hello->addr, addr), "port", hello->port,
			 "key-id", hello->keyed ? key : NULL, "ready",
			 hello->ready, "stamp",
			 document_stamp_json(&hello->stamp), "version",
			 hello->version);
}

static bool number(const json_t *json, json_int_t max, uint32_t *out)
{
	if (!json_is_integer(json) || json_integer_value(json) < 1 ||
	    json_integer_value(json) > max)
		return false;
	*out = (uint32_t)json_integer_value(json);
	return true;
}

bool hello_protocol_fits(const struct hello *hello)
{
	return hello->protocol_min <= HELLO_PROTOCOL_MAX &&
	       hello->protocol_max >= HELLO_PROTOCOL_MIN;
}

/* It goes into logs and to terminals. */
static void take_text(const char *text, char *to, size_t size)
{
	size_t n = 0;

	for (; text && *text && n + 1 < size; text++)
		if (*text > ' ' && *text < 0x7f)
			to[n++] = *text;
	to[n] = '\0';
}

void hello_set_cluster(struct hello *hello, const char *name)
{
	take_text(name, hello->cluster, sizeof(hello->cluster));
}

bool hello_parse(const json_t *json, struct hello *hello)
{
	const json_t *protocol = json_object_get(json, "protocol");
	const json_t *key = json_object_get(json, "key-id");
	const json_t *ready = json_object_get(json, "ready");
	const char *addr = json_string_value(json_object_get(json, "addr"));
	uint32_t port;

	memset(hello, 0, sizeof(*hello));
	if (!number(json_array_get(protocol, 0), UINT32_MAX,
		    &hello->protocol_min) ||
	    !number(json_array_get(protocol, 1), UINT32_MAX,
		    &hello->protocol_max) ||
	    hello->protocol_min > hello->protocol_max)
		return false;
	take_text(json_string_value(json_object_get(json, "version")),
		  hello->version, sizeof(hello->version));
	hello_set_cluster(hello, json_string_value(
					 json_object_get(json, "cluster")));
	if (!hello_protocol_fits(hello))
		return true;

	if (!addr || parse_addr(addr, &hello->addr) ||
	    !number(json_object_get(json, "port"), UINT16_MAX, &port) ||
	    !json_is_boolean(ready) ||
	    !document_stamp_parse(json_object_get(json, "stamp"),
				  &hello->stamp))
		return false;
	hello->port = (uint16_t)port;
	hello->ready = json_is_true(ready);
	hello->keyed = key && !json_is_null(key);
	return !hello->keyed ||
	       parse_key(json_string_value(key), hello->key_id);
}

bool hello_addr_same(const struct mlb_addr *a, const struct mlb_addr *b)
{
	if (a->family != b->family)
		return false;
	return a->family == AF_INET ?
		       a->v4.s_addr == b->v4.s_addr :
		       !memcmp(&a->v6, &b->v6, sizeof(a->v6));
}

bool hello_same(const struct hello *a, const struct hello *b)
{
	return a->protocol_min == b->protocol_min &&
	       !strcmp(a->cluster, b->cluster) &&
	       hello_addr_same(&a->addr, &b->addr) && a->port == b->port &&
	       a->keyed == b->keyed && a->ready == b->ready &&
	       !memcmp(a->key_id, b->key_id, sizeof(a->key_id)) &&
	       !document_stamp_cmp(&a->stamp, &b->stamp);
}

static const char *family_name(const struct mlb_addr *addr)
{
	return addr->family == AF_INET ? "IPv4" : "IPv6";
}

const char *hello_fault(const struct hello *ours, const struct hello *theirs,
			char *text, size_t size)
{
	if (theirs->protocol_min > ours->protocol_max ||
	    theirs->protocol_max < ours->protocol_min) {
		snprintf(text, size,
			 "it speaks protocol %u to %u, this node %u to %u: finish the upgrade",
			 theirs->protocol_min, theirs->protocol_max,
			 ours->protocol_min, ours->protocol_max);
		return text;
	}
	if (strcmp(theirs->cluster, ours->cluster)) {
		snprintf(text, size,
			 "its corosync.conf has the cluster_name \"%.40s\", this node's \"%.40s\"",
			 theirs->cluster, ours->cluster);
		return text;
	}
	if (theirs->port != ours->port) {
		snprintf(text, size,
			 "its tunnel port is %u, this node's %u: port must be the same in every mlb.conf",
			 theirs->port, ours->port);
		return text;
	}
	if (ours->keyed && theirs->keyed &&
	    memcmp(ours->key_id, theirs->key_id, sizeof(ours->key_id))) {
		snprintf(text, size,
			 "its cluster key is another one: every node needs the same key file");
		return text;
	}
	if (ours->addr.family != theirs->addr.family) {
		snprintf(text, size,
			 "its tunnel address is %s, this node's is %s: all must be one or the other",
			 family_name(&theirs->addr), family_name(&ours->addr));
		return text;
	}
	if (hello_addr_same(&ours->addr, &theirs->addr)) {
		snprintf(text, size, "it has the tunnel address of this node");
		return text;
	}
	return NULL;
}
