// SPDX-License-Identifier: GPL-2.0
/*
 * Groups and roles in the document: what is refused and why, and that nothing
 * has changed then.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "document.h"

/* In JSON with ' for ". */
static json_t *json(const char *text)
{
	char *copy = strdup(text);
	json_error_t error;
	json_t *object;

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	object = json_loads(copy, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		fail_msg("%s: %s", copy, error.text);
	free(copy);
	return object;
}

static int change(struct document *document, const char *text, char *error,
		  size_t size)
{
	json_t *object = json(text);
	int ret;

	error[0] = '\0';
	ret = document_change(document, object, 7, error, size);
	json_decref(object);
	return ret;
}

static void good(struct document *document, const char *text)
{
	char error[256];

	if (change(document, text, error, sizeof(error)))
		fail_msg("%s: %s", text, error);
}

/* Two services, three groups, and a role that has one of them. */
static struct document *begin(void)
{
	struct document *document = document_new();

	good(document, "{'op': 'service-add', 'vip': '203.0.113.80:443'}");
	good(document, "{'op': 'service-add', 'vip': '[2001:db8::80]:443'}");
	good(document,
	     "{'op': 'group-add', 'group': 'eu', 'prefixes': ['192.0.2.0/24', '2001:db8:1::/48']}");
	good(document,
	     "{'op': 'group-add', 'group': 'eu-vip', 'prefixes': ['192.0.2.128/25']}");
	good(document,
	     "{'op': 'group-add', 'group': 'all-v4', 'prefixes': ['0.0.0.0/0']}");
	good(document,
	     "{'op': 'role-add', 'role': 'web-eu', 'services': ['203.0.113.80:443'], 'groups': ['eu'], 'nodes': [1, 2], 'spares': [5, 4]}");
	good(document, "{'op': 'role-add', 'role': 'db', 'groups': ['eu-vip'], 'nodes': [3, 1], 'exclusive': true}");
	good(document, "{'op': 'node-set', 'node': 5, 'roles': ['db', 'web-eu']}");
	return document;
}

struct refusal {
	const char *change;
	int error;
	const char *text;
};

static const struct refusal refusals[] = {
	/* Groups. */
	{ "{'op': 'group-add', 'group': 'eu', 'prefixes': ['10.0.0.0/8']}",
	  -EEXIST, "there is a group eu already" },
	{ "{'op': 'group-add', 'group': 'us', 'prefixes': ['192.0.2.0/24']}",
	  -EINVAL, "192.0.2.0/24 is in group eu and in group us" },
	{ "{'op': 'group-add', 'group': 'us', 'prefixes': ['2001:db8:1::/48']}",
	  -EINVAL, "is in group eu and in group us" },
	{ "{'op': 'group-add', 'group': 'us', 'prefixes': ['10.1.0.0/16', '10.1.0.0/16']}",
	  -EINVAL, "group us has 10.1.0.0/16 twice" },
	{ "{'op': 'group-set', 'group': 'eu-vip', 'prefixes': ['192.0.2.0/24']}",
	  -EINVAL, "192.0.2.0/24 is in group eu" },
	{ "{'op': 'group-add', 'group': 'us', 'prefixes': []}", -EINVAL,
	  "without prefixes" },
	{ "{'op': 'group-add', 'group': 'us'}", -EINVAL, "prefixes" },
	{ "{'op': 'group-add', 'group': 'us', 'prefixes': '10.0.0.0/8'}",
	  -EINVAL, "prefixes is not a list" },
	{ "{'op': 'group-add', 'group': 'us', 'prefixes': [7]}", -EINVAL,
	  "is not text" },
	{ "{'op': 'group-add', 'group': 'us', 'prefixes': ['10.0.0.1/8']}",
	  -EINVAL, "has bits set behind its length" },
	{ "{'op': 'group-add', 'group': 'us', 'prefixes': ['2001:db8::1/127']}",
	  -EINVAL, "has bits set behind its length" },
	{ "{'op': 'group-add', 'group': 'us', 'prefixes': ['10.0.0.0/33']}",
	  -EINVAL, "has a length that is not" },
	{ "{'op': 'group-add', 'group': 'us', 'prefixes': ['10.0.0.0/']}",
	  -EINVAL, "has a length that is not" },
	{ "{'op': 'group-add', 'group': 'us', 'prefixes': ['::ffff:10.0.0.0/104']}",
	  -EINVAL, "IPv4 prefix in IPv6 form" },
	{ "{'op': 'group-add', 'group': 'us', 'prefixes': ['here']}", -EINVAL,
	  "is not an IPv4 or IPv6 prefix" },
	{ "{'op': 'group-add', 'group': '', 'prefixes': ['10.0.0.0/8']}",
	  -EINVAL, "is not a name" },
	{ "{'op': 'group-add', 'group': 'a,b', 'prefixes': ['10.0.0.0/8']}",
	  -EINVAL, "is not a name" },
	{ "{'op': 'group-add', 'group': 'all', 'prefixes': ['10.0.0.0/8']}",
	  -EINVAL, "is not a name" },
	{ "{'op': 'group-add', 'group': 'a2345678901234567890123456789012', 'prefixes': ['10.0.0.0/8']}",
	  -EINVAL, "is not a name" },
	{ "{'op': 'group-set', 'group': 'us', 'prefixes': ['10.0.0.0/8']}",
	  -ENOENT, "there is no group us" },
	{ "{'op': 'group-del', 'group': 'us'}", -ENOENT,
	  "there is no group us" },
	{ "{'op': 'group-del', 'group': 'eu'}", -EINVAL,
	  "role web-eu needs group eu" },
	{ "{'op': 'group-add', 'group': 'us', 'prefixes': ['10.0.0.0/8'], 'x': 1}",
	  -EINVAL, "\"x\" is not known" },
	/* Roles. */
	{ "{'op': 'role-add', 'role': 'db', 'nodes': [1]}", -EEXIST,
	  "there is a role db already" },
	{ "{'op': 'role-add', 'role': 'new'}", -EINVAL,
	  "has no node that does it" },
	{ "{'op': 'role-add', 'role': 'new', 'nodes': []}", -EINVAL,
	  "has no node that does it" },
	{ "{'op': 'role-set', 'role': 'db', 'nodes': []}", -EINVAL,
	  "has no node that does it" },
	{ "{'op': 'role-add', 'role': 'new', 'nodes': [1, 1]}", -EINVAL,
	  "names node 1 twice" },
	{ "{'op': 'role-add', 'role': 'new', 'nodes': [4096]}", -EINVAL,
	  "not a node id" },
	{ "{'op': 'role-add', 'role': 'new', 'nodes': [0]}", -EINVAL,
	  "not a node id" },
	{ "{'op': 'role-add', 'role': 'new', 'nodes': [1], 'spares': [2, 1]}",
	  -EINVAL, "node 1 is a home of role new" },
	{ "{'op': 'role-add', 'role': 'new', 'nodes': [1], 'services': ['203.0.113.81:443']}",
	  -EINVAL, "needs service 203.0.113.81:443, which is not there" },
	{ "{'op': 'role-add', 'role': 'new', 'nodes': [1], 'groups': ['us']}",
	  -EINVAL, "needs group us, which is not there" },
	{ "{'op': 'role-add', 'role': 'new', 'nodes': [1], 'groups': ['eu']}",
	  -EINVAL, "roles new and web-eu both have group eu" },
	{ "{'op': 'role-set', 'role': 'db', 'groups': ['all-v4', 'eu']}",
	  -EINVAL, "roles db and web-eu both have group eu" },
	{ "{'op': 'service-del', 'vip': '203.0.113.80:443'}", -EINVAL,
	  "role web-eu needs service 203.0.113.80:443" },
	{ "{'op': 'role-add', 'role': 'new', 'nodes': [1], 'failback': 'maybe'}",
	  -EINVAL, "failback is not" },
	{ "{'op': 'role-add', 'role': 'new', 'nodes': [1], 'failback': 0}",
	  -EINVAL, "failback is not" },
	{ "{'op': 'role-add', 'role': 'new', 'nodes': [1], 'without-spare': 'pray'}",
	  -EINVAL, "without-spare" },
	{ "{'op': 'role-add', 'role': 'new', 'nodes': [1], 'exclusive': 1}",
	  -EINVAL, "neither true nor false" },
	{ "{'op': 'role-add', 'role': 'new', 'nodes': [1], 'assigned': {}}",
	  -EINVAL, "\"assigned\" is not known" },
	{ "{'op': 'role-set', 'role': 'db'}", -EINVAL, "what to set" },
	{ "{'op': 'role-set', 'role': 'new', 'nodes': [1]}", -ENOENT,
	  "there is no role new" },
	{ "{'op': 'role-del', 'role': 'db'}", -EINVAL,
	  "node 5 takes role db, which is not there" },
	{ "{'op': 'node-set', 'node': 6, 'roles': ['new']}", -EINVAL,
	  "node 6 takes role new, which is not there" },
	{ "{'op': 'node-set', 'node': 6, 'roles': 'some'}", -EINVAL,
	  "roles is not a list" },
	/* Moves. */
	{ "{'op': 'role-move', 'role': 'db', 'nodes': [1, 3]}", -EINVAL,
	  "exclusive: one node can hold it" },
	{ "{'op': 'role-move', 'role': 'db'}", -EINVAL, "nodes is not a list" },
	{ "{'op': 'role-move', 'role': 'new', 'nodes': [1]}", -ENOENT,
	  "there is no role new" },
	/* Assignments. */
	{ "{'op': 'assign', 'by': 1, 'base': 3, 'roles': [{'role': 'db', 'nodes': [3], 'leaving': [], 'fenced': [], 'spread': false, 'reason': ''}]}",
	  -ESTALE, "another one by now" },
	{ "{'op': 'assign', 'by': 1, 'base': 8, 'roles': []}", -EINVAL,
	  "missing" },
	{ "{'op': 'assign', 'by': 1, 'base': 8, 'roles': [3]}", -EINVAL,
	  "an object is expected" },
	{ "{'op': 'assign', 'by': 1, 'base': 8, 'roles': [{'role': 'new', 'nodes': [3], 'leaving': [], 'fenced': [], 'spread': false, 'reason': ''}]}",
	  -ENOENT, "there is no role new" },
	{ "{'op': 'assign', 'by': 1, 'base': 8, 'roles': [{'role': 'db', 'nodes': [1, 3], 'leaving': [], 'fenced': [], 'spread': false, 'reason': ''}]}",
	  -EINVAL, "one node can hold it" },
	{ "{'op': 'assign', 'by': 1, 'base': 8, 'roles': [{'role': 'db', 'nodes': [1], 'leaving': [1], 'fenced': [], 'spread': false, 'reason': ''}]}",
	  -EINVAL, "holds a role and leaves it" },
	{ "{'op': 'assign', 'by': 1, 'base': 8, 'roles': [{'role': 'db', 'nodes': [1], 'leaving': [], 'fenced': [2], 'spread': false, 'reason': ''}]}",
	  -EINVAL, "is fenced and does not leave" },
	{ "{'op': 'assign', 'by': 1, 'base': 8, 'roles': [{'role': 'db', 'nodes': [1], 'leaving': [], 'fenced': [], 'spread': false, 'reason': '\\u001b[2J'}]}",
	  -EINVAL, "malformed" },
	{ "{'op': 'assign', 'by': 1, 'base': 8, 'roles': [{'role': 'web-eu', 'nodes': [1], 'leaving': [2], 'fenced': [], 'spread': false, 'reason': ''}]}",
	  -EINVAL, "is not exclusive" },
	{ "{'op': 'assign', 'by': 1, 'base': 8, 'roles': [{'role': 'db', 'nodes': [], 'leaving': [3], 'fenced': [], 'spread': false, 'reason': ''}, {'role': 'db', 'nodes': [1], 'leaving': [], 'fenced': [], 'spread': false, 'reason': ''}]}",
	  -EINVAL, "role db is there twice" },
	{ "{'op': 'assign', 'by': 1, 'base': 8, 'roles': [{'role': 'db', 'nodes': [1], 'leaving': [], 'fenced': [], 'spread': false, 'reason': '', 'epoch': 'x'}]}",
	  0, "" },
	/* Whole documents. */
	{ "{'op': 'load', 'document': {'roles': [{'role': 'a', 'nodes': [1], 'groups': ['b']}]}}",
	  -EINVAL, "needs group b" },
	{ "{'op': 'load', 'document': {'groups': [{'group': 'a', 'prefixes': ['::/0']}, {'group': 'a', 'prefixes': ['::/1']}]}}",
	  -EINVAL, "twice" },
	{ "{'op': 'load', 'document': {'roles': [{'role': 'a', 'nodes': [1]}, {'role': 'b', 'nodes': [2]}]}}",
	  -EINVAL, "roles a and b both have the clients of no group" },
};

static void test_refused(void **state)
{
	struct document *document = begin();
	json_t *before = document_json(document), *after;
	char error[256];

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		const struct refusal *r = &refusals[i];
		int ret = change(document, r->change, error, sizeof(error));

		if (ret != r->error || !strstr(error, r->text))
			fail_msg("%s: %d \"%s\" instead of %d \"%s\"",
				 r->change, ret, error, r->error, r->text);
		if (!ret) {
			document_free(document);
			document = begin();
			continue;
		}
		after = document_json(document);
		if (!json_equal(before, after))
			fail_msg("%s: refused, and yet it changed something",
				 r->change);
		json_decref(after);
	}
	json_decref(before);
	document_free(document);
}

/* What is written is read as the same. */
static void test_again(void **state)
{
	struct document *document = begin(), *again;
	json_t *text = document_json(document), *other;
	char error[256] = "";

	(void)state;
	if (document_parse(text, &again, error, sizeof(error)))
		fail_msg("%s", error);
	other = document_json(again);
	assert_true(json_equal(text, other));
	assert_int_equal(again->n_roles, 2);
	assert_string_equal(again->roles[0].name, "db");
	assert_true(again->roles[0].exclusive);
	assert_int_equal(again->roles[0].nodes.id[0], 3);
	assert_int_equal(again->roles[1].spares.id[0], 5);
	json_decref(text);
	json_decref(other);
	document_free(again);
	document_free(document);
}

/* An mlbd that knows no roles sees nothing new until there is one. */
static void test_without(void **state)
{
	struct document *document = document_new();
	json_t *text;

	(void)state;
	good(document, "{'op': 'service-add', 'vip': '203.0.113.80:443'}");
	text = document_json(document);
	assert_int_equal(json_object_size(text), 4);
	assert_false(document_needs_roles(document));
	json_decref(text);
	good(document, "{'op': 'role-add', 'role': 'a', 'nodes': [1]}");
	assert_true(document_needs_roles(document));
	document_free(document);
}

#define ASSIGN(base, nodes, leaving)                                           \
	"{'op': 'assign', 'by': 1, 'base': " base ", 'roles': [{'role': 'db'," \
	" 'nodes': " nodes ", 'leaving': " leaving                             \
	", 'fenced': [], 'spread': false, 'reason': 'test'}]}"

/* From one to the next only by way of nobody. */
static void test_two_steps(void **state)
{
	struct document *document = begin();
	const struct document_role *role;
	char error[256];

	(void)state;
	good(document, ASSIGN("8", "[3]", "[]"));
	assert_int_equal(document_role(document, "db")->assigned.epoch, 9);
	assert_int_equal(change(document,
				"{'op': 'role-move', 'role': 'db', 'nodes': []}",
				error, sizeof(error)),
			 -EINVAL);
	assert_non_null(strstr(error, "is at home already"));
	assert_int_equal(change(document, ASSIGN("9", "[1]", "[3]"), error,
				sizeof(error)),
			 -EINVAL);
	assert_non_null(strstr(error, "has to let it go first"));
	assert_int_equal(change(document, ASSIGN("9", "[]", "[]"), error,
				sizeof(error)),
			 -EINVAL);
	assert_non_null(strstr(error, "node 3 is forgotten"));
	good(document, ASSIGN("9", "[]", "[3]"));
	assert_int_equal(change(document,
				"{'op': 'role-move', 'role': 'db', 'nodes': [2]}",
				error, sizeof(error)),
			 -EBUSY);
	good(document, ASSIGN("10", "[1]", "[]"));
	role = document_role(document, "db");
	assert_int_equal(role->assigned.nodes.n, 1);
	assert_int_equal(role->assigned.nodes.id[0], 1);
	document_free(document);
}

/* Loading a file says what is to be, not who holds what. */
static void test_load(void **state)
{
	struct document *document = begin();
	const struct document_role *role;

	(void)state;
	good(document, ASSIGN("8", "[3]", "[]"));
	good(document,
	     "{'op': 'load', 'document': {'roles': [{'role': 'db', 'nodes': [2], 'assigned': {'nodes': [7], 'leaving': [], 'fenced': [], 'spread': false, 'epoch': 0, 'reason': ''}}]}}");
	role = document_role(document, "db");
	assert_int_equal(role->assigned.nodes.n, 1);
	assert_int_equal(role->assigned.nodes.id[0], 3);
	document_free(document);
}

static void test_becomes_exclusive(void **state)
{
	struct document *document = begin();
	const struct document_assigned *assigned;

	(void)state;
	good(document,
	     "{'op': 'assign', 'by': 1, 'base': 8, 'roles': [{'role': 'web-eu', 'nodes': [1, 2], 'leaving': [], 'fenced': [], 'spread': false, 'reason': ''}]}");
	good(document,
	     "{'op': 'role-set', 'role': 'web-eu', 'exclusive': true}");
	assigned = &document_role(document, "web-eu")->assigned;
	assert_int_equal(assigned->nodes.n, 0);
	assert_int_equal(assigned->leaving.n, 2);
	document_free(document);
}

static int change_object(struct document *document, json_t *object, char *error,
			 size_t size)
{
	int ret = document_change(document, object, 7, error, size);

	json_decref(object);
	return ret;
}

/* With prefixes that follow each other, in short or in long. */
static json_t *group(int number, size_t first, size_t n, const char *begins,
		     int bits)
{
	json_t *prefixes = json_array();
	char text[32];

	for (size_t i = first; i < first + n; i++) {
		snprintf(text, sizeof(text), "%s%zx::/%d", begins, i, bits);
		json_array_append_new(prefixes, json_string(text));
	}
	snprintf(text, sizeof(text), "g%d", number);
	return json_pack("{s:s, s:s, s:o}", "op", "group-add", "group", text,
			 "prefixes", prefixes);
}

/* What a kernel would refuse is refused before it has any to bring there. */
static void test_too_much(void **state)
{
	struct document *document = document_new();
	json_t *groups = json_array();
	char error[256], text[80];

	(void)state;
	assert_int_equal(change_object(document,
				       group(0, 1, 0xffff, "", 16), error,
				       sizeof(error)),
			 0);
	good(document,
	     "{'op': 'group-add', 'group': 'h', 'prefixes': ['1::/17']}");
	assert_int_equal(change(document,
				"{'op': 'group-add', 'group': 'i', 'prefixes': ['2::/17']}",
				error, sizeof(error)),
			 -ENOSPC);
	assert_non_null(strstr(error, "65537 prefixes"));
	document_free(document);

	document = document_new();
	for (int i = 0; i < 128; i++) {
		snprintf(text, sizeof(text),
			 "{'op': 'service-add', 'vip': '203.0.113.80:%d'}",
			 i + 1);
		good(document, text);
	}
	for (int i = 0; i <= 128; i++) {
		assert_int_equal(change_object(document,
					       group(i, (size_t)i + 1, 1, "", 16),
					       error, sizeof(error)),
				 0);
		snprintf(text, sizeof(text), "g%d", i);
		json_array_append_new(groups, json_string(text));
	}
	assert_int_equal(change_object(document,
				       json_pack("{s:s, s:s, s:[i], s:O}",
						 "op", "role-add", "role", "a",
						 "nodes", 1, "groups", groups),
				       error, sizeof(error)),
			 -ENOSPC);
	assert_non_null(strstr(error, "16512 pools"));
	json_array_remove(groups, 128);
	assert_int_equal(change_object(document,
				       json_pack("{s:s, s:s, s:[i], s:o}",
						 "op", "role-add", "role", "a",
						 "nodes", 1, "groups", groups),
				       error, sizeof(error)),
			 0);
	document_free(document);
}

/* A document with no room for anything else has it for who takes a role over. */
static void test_full(void **state)
{
	struct document *document = begin();
	char error[256], reason[160] = "";
	size_t first = 1, n = 8192;
	int number = 0;
	json_t *object;

	(void)state;
	while (n) {
		int ret = change_object(document,
					group(number, first, n, "2001:", 32),
					error, sizeof(error));

		if (ret) {
			assert_int_equal(ret, -ENOSPC);
			assert_non_null(strstr(error, "bytes"));
			n /= 2;
			continue;
		}
		number++;
		first += n;
	}
	memset(reason, 'x', sizeof(reason) - 1);
	for (int i = 0; i < 2; i++) {
		object = json_pack(
			"{s:s, s:i, s:I, s:[{s:s, s:[i, i], s:[], s:[], s:b, s:s}]}",
			"op", "assign", "by", 1, "base",
			(json_int_t)document->stamp.version, "roles", "role",
			"web-eu", "nodes", 1000 + i, 2000 + i, "leaving",
			"fenced", "spread", 0, "reason", reason);
		if (change_object(document, object, error, sizeof(error)))
			fail_msg("a full document: %s", error);
	}
	document_free(document);
}

/* As it was never agreed on, with a hash that is right. */
static void refuse_whole(struct document *document, const char *why)
{
	struct document *again;
	char error[256] = "";
	json_t *text;

	good(document, "{'op': 'node-set', 'node': 1, 'weight': 2}");
	text = document_json(document);
	assert_int_equal(document_parse(text, &again, error, sizeof(error)),
			 -EINVAL);
	if (!strstr(error, why))
		fail_msg("\"%s\" instead of \"%s\"", error, why);
	json_decref(text);
	document_free(document);
}

static void test_hostile(void **state)
{
	struct document *document = begin();
	struct document_role *db = &document->roles[0];

	(void)state;
	db->assigned.nodes = (struct document_ids){ { 1, 2 }, 2 };
	refuse_whole(document, "role db is exclusive and held by node 1 and");
	document = begin();
	document->roles[0].asked = INT64_MAX;
	refuse_whole(document, "role db is ahead of the document");
	document = begin();
	document->roles[1].assigned.epoch = 1000;
	refuse_whole(document, "role web-eu is ahead of the document");
	document = begin();
	document->roles[1].since = 1000;
	refuse_whole(document, "role web-eu is ahead of the document");
}

/* A change of a large document is made on mlbd's loop. */
static void test_large(void **state)
{
	struct document *document = document_new();
	json_t *services = json_array(), *roles = json_array(), *load;
	char error[256] = "", text[64];
	clock_t began;

	(void)state;
	for (int i = 0; i < 256; i++) {
		json_t *some = json_array();

		for (int j = 0; j < 4; j++) {
			snprintf(text, sizeof(text), "[2001:db8::%x]:%d", i,
				 j + 1);
			json_array_append_new(services,
					      json_pack("{s:s}", "vip", text));
			json_array_append_new(some, json_string(text));
		}
		snprintf(text, sizeof(text), "r%d", i);
		json_array_append_new(roles, json_pack("{s:s, s:[i], s:o}",
						       "role", text, "nodes",
						       i + 1, "services",
						       some));
	}
	load = json_pack("{s:s, s:{s:o, s:o}}", "op", "load", "document",
			 "services", services, "roles", roles);
	if (change_object(document, load, error, sizeof(error)))
		fail_msg("%s", error);
	began = clock();
	good(document, "{'op': 'role-move', 'role': 'r7', 'nodes': [9]}");
	print_message("# a move among 256 roles with 4 services each: %ld us\n",
		      (long)((clock() - began) * 1000000 / CLOCKS_PER_SEC));
	assert_true(clock() - began < CLOCKS_PER_SEC / 4);
	document_free(document);
}

/* 1024 services, and so many roles, each with some of them for its own group. */
static json_t *many(unsigned int n, unsigned int served)
{
	json_t *services = json_array(), *groups = json_array();
	json_t *roles = json_array();

	for (unsigned int i = 0; i < 1024; i++)
		json_array_append_new(
			services,
			json_pack("{s:o}", "vip",
				  json_sprintf("203.0.%u.%u:443", i / 250,
					       i % 250 + 1)));
	for (unsigned int i = 0; i < n; i++) {
		json_t *name = json_sprintf("r%u", i), *of = json_array();

		for (unsigned int j = 0; j < served; j++)
			json_array_append(
				of, json_object_get(
					    json_array_get(services,
							   (i * 7 + j) % 1024),
					    "vip"));
		json_array_append_new(
			groups, json_pack("{s:O, s:[o]}", "group", name,
					  "prefixes",
					  json_sprintf("10.%u.0.0/16", i)));
		json_array_append_new(
			roles,
			json_pack("{s:O, s:o, s:[o], s:[i]}", "role", name,
				  "services", of, "groups", name, "nodes", 1));
	}
	return json_pack("{s:s, s:{s:o, s:o, s:o}}", "op", "load", "document",
			 "services", services, "groups", groups, "roles",
			 roles);
}

/* All mlbds are busy with it at the same time: it took them a minute once. */
static void test_many(void **state)
{
	struct document *document = document_new();
	char error[256] = "";
	json_t *load = many(256, 64);
	clock_t begin = clock();

	(void)state;
	assert_int_equal(document_change(document, load, 1, error,
					 sizeof(error)),
			 0);
	assert_int_equal(document->n_roles, 256);
	good(document, "{'op': 'role-set', 'role': 'r7', 'spares': [2]}");
	assert_true(clock() - begin < 5 * CLOCKS_PER_SEC);
	json_decref(load);
	document_free(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_without),
		cmocka_unit_test(test_two_steps),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_becomes_exclusive),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("roles", tests, NULL, NULL);
}
