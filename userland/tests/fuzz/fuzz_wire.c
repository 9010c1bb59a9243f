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

/* What is being looked at. */
static const uint8_t *input;
static size_t input_size;

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
		struct wire_owner kept = owner;

		check(owner.token, "token 0 is of nobody");
		check(!owner.withdrawn || !message->repeat,
		      "a repetition takes nothing back");
		check(!owner.client || !owner.withdrawn,
		      "who has a connection no more has no client");
		wire_put_owner(again, &owner, message->clients);
		check(!memcmp(again, data + WIRE_HEADER + i * size, size),
		      "an accepted entry is as written");
		fuzz_memory(i == 0);
		if (wire_keep_client(&kept)) {
			check(!owner.client || i, "there is no memory");
			wire_put_owner(again, &kept, message->clients);
			check(!memcmp(again, data + WIRE_HEADER + i * size,
				      size),
			      "a client that is kept is the same");
			wire_drop_client(&kept);
		}
		fuzz_memory_end();
	}
}

static void check_hello(const json_t *json)
{
	static const struct hello ours = {
		.protocol_min = HELLO_PROTOCOL_MIN,
		.protocol_max = HELLO_PROTOCOL_MAX,
		.addr = { .family = AF_INET, .v4.s_addr = 1 },
		.port = MLB_DEFAULT_PORT,
		.keyed = true,
	};
	struct hello hello, again;
	const char *fault;
	char text[256] = "";
	json_t *written;

	if (!hello_parse(json, &hello))
		return;
	check(strlen(hello.version) < sizeof(hello.version) &&
		      strlen(hello.cluster) < sizeof(hello.cluster),
	      "texts end");
	written = hello_json(&hello);
	check(hello_parse(written, &again) && hello_same(&hello, &again),
	      "a hello is read as it is written");
	json_decref(written);
	fault = hello_fault(&ours, &hello, text, sizeof(text));
	check(!fault == !text[0], "a fault has a text");
}

static void check_report(const json_t *json)
{
	struct report report = {}, again = {};
	json_t *written, *written_again;

	fuzz_memory(1);
	if (report_parse(json, &report))
		report_free(&report);
	fuzz_memory_end();
	if (!report_parse(json, &report))
		return;
	written = report_json(&report);
	check(report_parse(written, &again),
	      "a report is read as it is written");
	written_again = report_json(&again);
	check(json_equal(written, written_again), "and is the same");
	json_decref(written);
	json_decref(written_again);
	report_free(&report);
	report_free(&again);
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

	size_t fail;
	int ret;

	fuzz_memory(0);
	ret = document_parse(json, &document, error, sizeof(error));
	fail = fuzz_choose(input, input_size, fuzz_memory_end());
	if (!ret) {
		check_roles(document);
		document_free(document);
	}
	if (fail) {
		fuzz_memory(fail);
		check(document_parse(json, &document, error, sizeof(error)),
		      "what does not fit into memory is refused");
		fuzz_memory_end();
	}
	if (ret)
		return;
	check(!document_parse(json, &document, error, sizeof(error)),
	      "what was good is good");
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
	/* One role that is being moved, and one that anybody may do. */
	"{\"op\": \"role-add\", \"role\": \"dns\", \"nodes\": [2, 4], \"spares\": [3], \"services\": [\"203.0.113.80:443\"]}",
	"{\"op\": \"assign\", \"base\": 6, \"by\": 1, \"roles\": [{\"role\": \"web\", \"nodes\": [], \"leaving\": [1], \"fenced\": [], \"spread\": false, \"reason\": \"x\"}, {\"role\": \"dns\", \"nodes\": [2, 4], \"leaving\": [], \"fenced\": [], \"spread\": false, \"reason\": \"x\"}]}",
};

#define BEFORE_MOVE 5
#define FIRST_CHANGES (sizeof(first_changes) / sizeof(*first_changes))

/* A document, kept until a change is made to it, and its JSON. */
static struct start {
	struct document *document;
	json_t *json;
	bool needs_roles;
} starts[FIRST_CHANGES + 1];

/* With the first of them made; version 0 is the empty one. */
static struct start *start_of(size_t version)
{
	struct start *start = &starts[version];
	char error[256];

	if (start->document)
		return start;
	start->document = document_new();
	check(start->document != NULL, "memory");
	for (size_t i = 0; i < version; i++) {
		json_t *change = json_loads(first_changes[i], 0, NULL);

		check(!document_change(start->document, change, 7, error,
				       sizeof(error)),
		      "what is known to be good");
		json_decref(change);
	}
	json_decref(start->json);
	start->json = document_json(start->document);
	start->needs_roles = document_needs_roles(start->document);
	return start;
}

/* Return: how often it asked for memory, of which there is none at @fail. */
static size_t change_document(const json_t *change, size_t version, size_t fail)
{
	struct start *start = start_of(version);
	struct document *document = start->document, *again;
	char error[256] = "";
	json_t *after;
	size_t asked;
	int ret;

	fuzz_memory(fail);
	ret = document_change(document, change, 7, error, sizeof(error));
	asked = fuzz_memory_end();
	after = document_json(document);
	check(ret || !fail, "what does not fit into memory is refused");
	if (ret) {
		check(error[0], "a refusal says why");
		check(json_equal(start->json, after),
		      "a refusal changes nothing");
	} else {
		check(!document_parse(after, &again, error, sizeof(error)),
		      "a change leaves a document");
		check_roles(again);
		check(start->needs_roles ||
			      document_change_needs_roles(change) ||
			      !document_needs_roles(again),
		      "who cannot read the document cannot make the change");
		document_free(again);
		document_free(document);
		start->document = NULL;
	}
	json_decref(after);
	return asked;
}

static void check_change(const json_t *change, size_t version)
{
	size_t asked = change_document(change, version, 0);

	if (asked)
		change_document(change, version,
				fuzz_choose(input, input_size, asked));
}

/* What mlbd sends of the same body is the same again. */
static void check_pack(const struct wire_message *message)
{
	struct wire_message again;
	uint8_t *data;
	size_t len;

	fuzz_memory(1);
	check(wire_pack(message, &data, &len), "there is no memory");
	fuzz_memory_end();
	/* Written another way, a text can be longer. */
	if (wire_pack(message, &data, &len))
		return;
	check(!wire_parse(data, len, &again) && again.kind == message->kind &&
		      json_equal(again.json, message->json),
	      "a body is read as it is written");
	wire_free(&again);
	free(data);
}

static void look(const uint8_t *data, size_t size)
{
	struct wire_message message;
	uint8_t header[WIRE_HEADER];

	input = data;
	input_size = size;
	if (wire_parse(data, size, &message))
		return;
	wire_put_header(header, &message, size - WIRE_HEADER);
	check(!memcmp(header, data, WIRE_HEADER),
	      "an accepted header is as written");
	if (message.json)
		check_pack(&message);
	switch (message.kind) {
	case WIRE_OWNERS:
		check_owners(&message, data);
		break;
	case WIRE_HELLO:
		check_hello(message.json);
		break;
	case WIRE_REPORT:
		check_report(message.json);
		break;
	case WIRE_DOCUMENT:
		check_document(json_object_get(message.json, "document"));
		break;
	case WIRE_PROPOSE:
		check_change(json_object_get(message.json, "change"), 0);
		check_change(json_object_get(message.json, "change"),
			     BEFORE_MOVE);
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
