// SPDX-License-Identifier: GPL-2.0
/*
 * A message from anywhere: what is accepted is just what this mlbd would have
 * written, and whatever its body says, those who look at it stay whole.
 */
#include "document.h"
#include "fuzz.h"
#include "hello.h"
#include "report.h"
#include "wire.h"

static void check_owners(const struct wire_message *message,
			 const uint8_t *data)
{
	size_t size = wire_owner_size(message->clients);
	uint8_t again[WIRE_OWNER + WIRE_CLIENT];

	check(message->n_owners && message->n_owners <= WIRE_OWNERS_MAX,
	      "an accepted message has entries, and not too many");
	for (size_t i = 0; i < message->n_owners; i++) {
		struct mlb_client client;
		struct wire_owner owner = wire_owner(message, i, &client);

		check(owner.token, "token 0 is of nobody");
		check(!owner.withdrawn || !message->repeat,
		      "a repetition takes nothing back");
		check(!owner.client || !owner.withdrawn,
		      "who has a connection no more has no client");
		wire_put_owner(again, &owner, message->clients);
		check(!memcmp(again, data + WIRE_HEADER + i * size, size),
		      "an accepted entry is as written");
	}
}

static void check_roles(const struct document *document)
{
	for (size_t i = 0; i < document->n_roles; i++) {
		const struct document_role *role = &document->roles[i];

		check(!role->exclusive || role->assigned.nodes.n < 2,
		      "nobody shares an exclusive role");
		check(role->nodes.n, "a role has a home");
	}
}

static void check_document(const json_t *json)
{
	struct document *document, *again;
	json_t *text;
	char error[256];

	if (document_parse(json, &document, error, sizeof(error)))
		return;
	check_roles(document);
	text = document_json(document);
	check(!document_parse(text, &again, error, sizeof(error)),
	      "what is written can be read");
	check(!document_stamp_cmp(&document->stamp, &again->stamp),
	      "and is the same");
	json_decref(text);
	document_free(again);
	document_free(document);
}

static const char *const first_changes[] = {
	"{\"op\": \"service-add\", \"vip\": \"203.0.113.80:443\"}",
	"{\"op\": \"group-add\", \"group\": \"eu\", \"prefixes\": [\"192.0.2.0/24\"]}",
	"{\"op\": \"role-add\", \"role\": \"web\", \"nodes\": [1], \"groups\": [\"eu\"], \"exclusive\": true}",
	"{\"op\": \"node-set\", \"node\": 2, \"state\": \"drain\", \"drain-timeout\": 60}",
	"{\"op\": \"assign\", \"base\": 4, \"by\": 1, \"roles\": [{\"role\": \"web\", \"nodes\": [1], \"leaving\": [], \"fenced\": [], \"spread\": false, \"reason\": \"x\"}]}",
};

#define FIRST_CHANGES (sizeof(first_changes) / sizeof(*first_changes))

/* With the first of them made; version 0 is the empty one. */
static struct document *document_of(size_t version)
{
	struct document *document = document_new();
	char error[256];

	check(document != NULL, "memory");
	for (size_t i = 0; i < version; i++) {
		json_t *change = json_loads(first_changes[i], 0, NULL);

		check(!document_change(document, change, 7, error,
				       sizeof(error)),
		      "what is known to be good");
		json_decref(change);
	}
	return document;
}

static void check_change(const json_t *change, size_t version)
{
	struct document *document = document_of(version), *again;
	json_t *before = document_json(document), *after;
	char error[256] = "";

	if (document_change(document, change, 7, error, sizeof(error))) {
		after = document_json(document);
		check(error[0], "a refusal says why");
		check(json_equal(before, after), "a refusal changes nothing");
	} else {
		after = document_json(document);
		check(!document_parse(after, &again, error, sizeof(error)),
		      "a change leaves a document");
		check_roles(again);
		document_free(again);
	}
	json_decref(before);
	json_decref(after);
	document_free(document);
}

static void look(const uint8_t *data, size_t size)
{
	struct wire_message message;
	uint8_t header[WIRE_HEADER];
	struct report report = {};
	struct hello hello;

	if (wire_parse(data, size, &message))
		return;
	wire_put_header(header, &message, size - WIRE_HEADER);
	check(!memcmp(header, data, WIRE_HEADER),
	      "an accepted header is as written");
	switch (message.kind) {
	case WIRE_OWNERS:
		check_owners(&message, data);
		break;
	case WIRE_HELLO:
		if (hello_parse(message.json, &hello))
			check(strlen(hello.version) < sizeof(hello.version),
			      "texts end");
		break;
	case WIRE_REPORT:
		if (report_parse(message.json, &report))
			report_free(&report);
		break;
	case WIRE_DOCUMENT:
		check_document(json_object_get(message.json, "document"));
		break;
	case WIRE_PROPOSE:
		check_change(json_object_get(message.json, "change"), 0);
		check_change(json_object_get(message.json, "change"),
			     FIRST_CHANGES);
		break;
	default:
		break;
	}
	wire_free(&message);
}

/* As it is, and as the body of a message whose header is right. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_message message = {};
	uint8_t *framed;

	look(data, size);
	if (!size)
		return 0;
	framed = malloc(WIRE_HEADER + size - 1);
	check(framed != NULL, "memory");
	message.kind = data[0] & 0x3f;
	message.repeat = data[0] & 0x80;
	message.clients = data[0] & 0x40;
	wire_put_header(framed, &message, size - 1);
	memcpy(framed + WIRE_HEADER, data + 1, size - 1);
	look(framed, WIRE_HEADER + size - 1);
	free(framed);
	return 0;
}
