// SPDX-License-Identifier: GPL-2.0
/* A node's drain: what is agreed of it, and when it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "drain.h"
#include "ending.h"
#include "log.h"
#include "sockets.h"

#define SELF 2

static uint64_t now;
static uv_loop_t loop;

uint64_t uv_now(const uv_loop_t *l)
{
	(void)l;
	return now;
}

/* The worker, which may be slow. */
static uv_work_t *work;
static uv_work_cb work_cb;
static uv_after_work_cb after_cb;
static uint64_t connections;
static size_t counted_services;
static int count_error;
static int64_t owned;
static uint64_t count_ms;

int uv_queue_work(uv_loop_t *l, uv_work_t *req, uv_work_cb cb,
		  uv_after_work_cb after)
{
	(void)l;
	assert_null(work);
	work = req;
	work_cb = cb;
	after_cb = after;
	return 0;
}

int sockets_count(struct mlb_endpoint *services, size_t n, uint64_t *count)
{
	counted_services = n;
	assert_true(!n || services[0].port);
	*count = connections;
	return count_error;
}

static void count(void)
{
	uv_work_t *req = work;

	work = NULL;
	work_cb(req);
	now += count_ms;
	after_cb(req, 0);
}

/* What ends what is left. */
static unsigned int endings;
static unsigned int stopped;
static size_t ended_services;
static ending_fn *ended_fn;
static void *ended_arg;

int ending_start(struct ending **ending, uv_loop_t *l,
		 const struct document *d, ending_fn *fn, void *arg)
{
	assert_ptr_equal(l, &loop);
	assert_null(ended_fn);
	endings++;
	ended_services = d->n_services;
	ended_fn = fn;
	ended_arg = arg;
	*ending = (struct ending *)&ended_fn;
	return 0;
}

void ending_stop(struct ending *ending)
{
	if (!ending)
		return;
	assert_ptr_equal(ending, &ended_fn);
	stopped++;
	ended_fn = NULL;
}

static void ended(uint64_t owned_ones, uint64_t sockets)
{
	struct ending_result r = { .connections = owned_ones,
				   .sockets = sockets };
	ending_fn *fn = ended_fn;

	assert_non_null(fn);
	ended_fn = NULL;
	fn(ended_arg, &r);
}

static struct document *document;
static char events[512];
static char reason[32];
static json_int_t told_connections;
static json_int_t told_sockets;

void control_event(json_t *event)
{
	size_t used = strlen(events);

	snprintf(events + used, sizeof(events) - used, "%s ",
		 json_string_value(json_object_get(event, "state")));
	snprintf(reason, sizeof(reason), "%s",
		 json_string_value(json_object_get(event, "reason")) ?: "-");
	assert_int_equal(json_integer_value(json_object_get(event, "epoch")),
			 document->stamp.version);
	told_connections =
		json_integer_value(json_object_get(event, "connections"));
	told_sockets = json_integer_value(json_object_get(event, "sockets"));
	json_decref(event);
}

void log_message(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

bool log_allowed(struct log_limit *limit)
{
	(void)limit;
	return true;
}

static control_result_fn *due;
static void *due_arg;
static unsigned int proposals;
static char last[256];

static int change(const char *text)
{
	json_error_t where;
	json_t *object = json_loads(text, JSON_DECODE_ANY, &where);
	char error[256] = "";
	int ret;

	assert_non_null(object);
	ret = document_change(document, object, 7, error, sizeof(error));
	json_decref(object);
	snprintf(last, sizeof(last), "%s", error);
	return ret;
}

static void good(const char *text)
{
	if (change(text))
		fail_msg("%s: %s", text, last);
}

static void bad(const char *text, int error, const char *words)
{
	struct document_stamp stamp = document->stamp;

	assert_int_equal(change(text), error);
	if (!strstr(last, words))
		fail_msg("%s: %s", text, last);
	assert_int_equal(document_stamp_cmp(&stamp, &document->stamp), 0);
}

static int on_propose(void *arg, json_t *object, control_result_fn *fn,
		      void *fn_arg)
{
	char *text = json_dumps(object, JSON_COMPACT);

	assert_ptr_equal(arg, &loop);
	assert_null(due);
	proposals++;
	due = fn;
	due_arg = fn_arg;
	snprintf(last, sizeof(last), "%s", text);
	free(text);
	json_decref(object);
	return 0;
}

static void result(int status)
{
	control_result_fn *fn = due;

	due = NULL;
	if (!status)
		good(last);
	fn(due_arg, status, NULL);
}

static json_t *drain_json(struct drain *drain)
{
	struct report_drain report;

	drain_report(drain, &report);
	return report_drain_json(&report);
}

static struct drain *begin(void)
{
	struct drain *drain;

	document = document_new();
	good("{\"op\":\"service-add\",\"vip\":\"203.0.113.80:443\"}");
	now = 10000;
	proposals = 0;
	connections = 7;
	owned = 0;
	count_ms = 0;
	count_error = 0;
	events[0] = '\0';
	endings = 0;
	stopped = 0;
	assert_int_equal(drain_open(&drain, &loop, SELF, on_propose, &loop), 0);
	drain_tick(drain, document, owned, false);
	assert_null(work);
	assert_null(drain_json(drain));
	return drain;
}

/* A second goes by, in which connections are counted. */
static void tick(struct drain *drain)
{
	now += 1000;
	drain_tick(drain, document, owned, false);
	if (work)
		count();
}

static enum mlb_node_state state_of(uint16_t id)
{
	const struct document_node *node = document_node(document, id);

	return node ? node->state : MLB_NODE_STATE_ACTIVE;
}

static void end(struct drain *drain)
{
	drain_close(drain);
	document_free(document);
}

static void test_document(void **state)
{
	struct drain *drain = begin();
	char error[256];
	struct document *copy;
	json_t *json;

	(void)state;
	bad("{\"op\":\"node-set\",\"node\":2,\"drain-timeout\":5}", -EINVAL,
	    "is for a node in drain");
	bad("{\"op\":\"node-set\",\"node\":2,\"state\":\"active\",\"drain-timeout\":5}",
	    -EINVAL, "is for a node in drain");
	bad("{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":604801}",
	    -EINVAL, "from 0 to 604800");
	bad("{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":\"5\"}",
	    -EINVAL, "from 0 to 604800");
	bad("{\"op\":\"drain-end\",\"node\":2}", -ENOENT, "no drain that ends");
	good("{\"op\":\"node-set\",\"node\":2,\"weight\":5,\"state\":\"drain\"}");
	assert_false(document_needs_roles(document));
	bad("{\"op\":\"drain-end\",\"node\":2}", -ENOENT, "no drain that ends");
	good("{\"op\":\"node-set\",\"node\":2,\"drain-timeout\":60}");
	assert_true(document_needs_roles(document));
	good("{\"op\":\"node-set\",\"node\":2,\"weight\":6}");
	assert_int_equal(document_node(document, 2)->drain_timeout, 60);

	json = document_json(document);
	assert_int_equal(document_parse(json, &copy, error, sizeof(error)), 0);
	json_decref(json);
	assert_true(document_node(copy, 2)->drain_ends);
	assert_int_equal(document_node(copy, 2)->drain_timeout, 60);
	document_free(copy);

	good("{\"op\":\"drain-end\",\"node\":2,\"reason\":\"empty\",\"connections\":0}");
	assert_int_equal(state_of(2), MLB_NODE_STATE_MAINTENANCE);
	assert_int_equal(document_node(document, 2)->weight, 6);
	assert_false(document_needs_roles(document));
	bad("{\"op\":\"drain-end\",\"node\":2}", -ENOENT, "no drain that ends");
	/* Whoever sets a state anew says how it ends, or that it does not. */
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":0}");
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\"}");
	assert_false(document_node(document, 2)->drain_ends);
	end(drain);
}

static void test_empty(void **state)
{
	struct drain *drain = begin();
	json_t *json;

	(void)state;
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":0}");
	for (int i = 0; i < 100; i++)
		tick(drain);
	assert_string_equal(events, "begin ");
	assert_int_equal(counted_services, 1);
	json = drain_json(drain);
	assert_int_equal(
		json_integer_value(json_object_get(json, "connections")), 7);
	assert_int_equal(json_integer_value(json_object_get(json, "for")), 99);
	assert_true(json_is_null(json_object_get(json, "left")));
	json_decref(json);
	assert_int_equal(proposals, 0);
	connections = 0;
	tick(drain);
	assert_int_equal(proposals, 1);
	assert_string_equal(
		last,
		"{\"op\":\"drain-end\",\"node\":2,\"reason\":\"empty\",\"connections\":0}");
	/* One at a time, and again when it came to nothing. */
	tick(drain);
	assert_int_equal(proposals, 1);
	result(-EAGAIN);
	tick(drain);
	assert_int_equal(proposals, 2);
	result(0);
	tick(drain);
	assert_string_equal(events, "begin maintenance ");
	assert_int_equal(state_of(SELF), MLB_NODE_STATE_MAINTENANCE);
	assert_null(drain_json(drain));
	end(drain);
}

/* With none at all it waits for what may be on its way. */
static void test_empty_at_once(void **state)
{
	struct drain *drain = begin();

	(void)state;
	connections = 0;
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":600}");
	tick(drain);
	tick(drain);
	assert_int_equal(proposals, 0);
	tick(drain);
	assert_int_equal(proposals, 1);
	result(0);
	end(drain);
}

static void test_timeout(void **state)
{
	struct drain *drain = begin();
	json_t *json;

	(void)state;
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":30}");
	for (int i = 0; i <= 20; i++)
		tick(drain);
	json = drain_json(drain);
	assert_int_equal(json_integer_value(json_object_get(json, "left")), 10);
	json_decref(json);
	/* A new timeout counts from the begin, too. */
	good("{\"op\":\"node-set\",\"node\":2,\"drain-timeout\":40}");
	for (int i = 0; i < 19; i++)
		tick(drain);
	assert_int_equal(proposals, 0);
	/* A worker that does not come back holds nothing up. */
	now += 1000;
	drain_tick(drain, document, owned, false);
	assert_int_equal(proposals, 1);
	assert_string_equal(
		last,
		"{\"op\":\"drain-end\",\"node\":2,\"reason\":\"timeout\",\"connections\":7}");
	result(0);
	count();
	assert_int_equal(state_of(SELF), MLB_NODE_STATE_MAINTENANCE);
	end(drain);
}

/* The change as it is delivered. */
static void deliver(struct drain *drain, const char *text)
{
	json_t *object = json_loads(text, 0, NULL);

	good(text);
	drain_look(drain, document, object);
	json_decref(object);
}

/* Who gave it a time does not wait for what is left; who did not, waits. */
static void test_left(void **state)
{
	struct drain *drain = begin();

	(void)state;
	deliver(drain, "{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":3}");
	for (int i = 0; i < 3; i++)
		tick(drain);
	assert_int_equal(endings, 0);
	due(due_arg, 0, NULL);
	due = NULL;
	deliver(drain, last);
	assert_int_equal(endings, 1);
	assert_int_equal(ended_services, 1);
	assert_string_equal(events, "begin maintenance ");
	now += 70;
	tick(drain);
	ended(5, 2);
	assert_string_equal(events, "begin maintenance ended ");
	assert_int_equal(told_connections, 5);
	assert_int_equal(told_sockets, 2);
	tick(drain);
	assert_int_equal(endings, 1);

	/* When the manager says so, too. */
	deliver(drain, "{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":9}");
	deliver(drain, "{\"op\":\"drain-end\",\"node\":2,\"reason\":\"timeout\"}");
	assert_int_equal(endings, 2);
	/* An undrain, and it goes on with what it has. */
	deliver(drain, "{\"op\":\"node-set\",\"node\":2,\"state\":\"active\"}");
	assert_int_equal(stopped, 1);

	/* Nothing is left of an empty one; by hand it goes on, as it says. */
	deliver(drain, "{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":9}");
	deliver(drain, "{\"op\":\"drain-end\",\"node\":2,\"reason\":\"empty\"}");
	deliver(drain, "{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":9}");
	deliver(drain, "{\"op\":\"node-set\",\"node\":2,\"state\":\"maintenance\"}");
	deliver(drain, "{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":9}");
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"maintenance\"}");
	drain_look(drain, document, NULL);
	assert_int_equal(endings, 2);
	/* Those of others are theirs. */
	deliver(drain, "{\"op\":\"node-set\",\"node\":3,\"state\":\"drain\",\"drain-timeout\":9}");
	deliver(drain, "{\"op\":\"drain-end\",\"node\":3,\"reason\":\"timeout\"}");
	assert_int_equal(endings, 2);

	deliver(drain, "{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":9}");
	deliver(drain, "{\"op\":\"drain-end\",\"node\":2,\"reason\":\"timeout\"}");
	assert_int_equal(endings, 3);
	end(drain);
	assert_int_equal(stopped, 2);
}

/* What cannot be counted is not empty. */
static void test_unknown(void **state)
{
	struct drain *drain = begin();
	json_t *json;

	(void)state;
	connections = 0;
	count_error = -ENOENT;
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":9}");
	for (int i = 0; i < 9; i++)
		tick(drain);
	assert_int_equal(proposals, 0);
	json = drain_json(drain);
	assert_true(json_is_null(json_object_get(json, "connections")));
	json_decref(json);
	tick(drain);
	assert_string_equal(
		last,
		"{\"op\":\"drain-end\",\"node\":2,\"reason\":\"timeout\"}");
	result(0);
	end(drain);
}

static void test_undrain(void **state)
{
	struct drain *drain = begin();

	(void)state;
	good("{\"op\":\"node-set\",\"node\":3,\"state\":\"drain\",\"drain-timeout\":1}");
	for (int i = 0; i < 5; i++)
		tick(drain);
	assert_string_equal(events, "");
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":10}");
	for (int i = 0; i < 9; i++)
		tick(drain);
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"active\"}");
	tick(drain);
	assert_string_equal(events, "begin active ");
	/* The next one is a whole one, and without end if nobody says so. */
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\"}");
	connections = 0;
	for (int i = 0; i < 50; i++)
		tick(drain);
	assert_int_equal(proposals, 0);
	good("{\"op\":\"node-forget\",\"node\":2}");
	tick(drain);
	assert_string_equal(events, "begin active begin active ");
	end(drain);
}

/* What comes between two ticks is seen all the same. */
static void test_anew(void **state)
{
	struct drain *drain = begin();

	(void)state;
	connections = 0;
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":3}");
	drain_look(drain, document, NULL);
	for (int i = 0; i < 2; i++)
		tick(drain);
	assert_int_equal(proposals, 1);
	result(0);
	drain_look(drain, document, NULL);
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"active\"}");
	drain_look(drain, document, NULL);
	/* Its worker is still at the last one when the next drain begins. */
	connections = 9;
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":3}");
	drain_look(drain, document, NULL);
	assert_string_equal(events, "begin maintenance begin ");
	tick(drain);
	tick(drain);
	assert_int_equal(proposals, 1);
	tick(drain);
	assert_int_equal(proposals, 2);
	assert_non_null(strstr(last, "\"timeout\""));
	result(0);
	end(drain);
}

/* What has lost its last path may come back by another. */
static void test_owned(void **state)
{
	struct drain *drain = begin();
	json_t *json;

	(void)state;
	connections = 0;
	owned = 3;
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":0}");
	for (int i = 0; i < 10; i++)
		tick(drain);
	assert_int_equal(proposals, 0);
	json = drain_json(drain);
	assert_int_equal(
		json_integer_value(json_object_get(json, "connections")), 3);
	json_decref(json);
	owned = -1;
	tick(drain);
	json = drain_json(drain);
	assert_true(json_is_null(json_object_get(json, "connections")));
	json_decref(json);
	assert_int_equal(proposals, 0);
	owned = 0;
	tick(drain);
	assert_int_equal(proposals, 1);
	result(0);
	end(drain);
}

/* A host with many sockets does not spend its time on counting them. */
static void test_rest(void **state)
{
	struct drain *drain = begin();
	unsigned int counts = 0;

	(void)state;
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":600}");
	count_ms = 500;
	for (int i = 0; i < 60; i++) {
		now += 1000;
		drain_tick(drain, document, owned, false);
		counts += !!work;
		if (work)
			count();
	}
	assert_in_range(counts, 9, 12);
	end(drain);
}

static void other_tick(struct drain *drain, bool manager)
{
	now += 1000;
	drain_tick(drain, document, 0, manager);
	assert_null(work);
}

/* Who counts since the drain began ends it, when the node itself does not. */
static void test_others(void **state)
{
	struct drain *drain = begin();

	(void)state;
	good("{\"op\":\"node-set\",\"node\":3,\"state\":\"drain\",\"drain-timeout\":10}");
	drain_look(drain, document, NULL);
	/* One without a time is the node's own matter. */
	good("{\"op\":\"node-set\",\"node\":4,\"state\":\"drain\",\"drain-timeout\":0}");
	for (int i = 0; i < 30; i++)
		other_tick(drain, false);
	assert_int_equal(proposals, 0);
	/* A new drain is a whole one. */
	good("{\"op\":\"node-set\",\"node\":3,\"state\":\"active\"}");
	drain_look(drain, document, NULL);
	good("{\"op\":\"node-set\",\"node\":3,\"state\":\"drain\",\"drain-timeout\":10}");
	drain_look(drain, document, NULL);
	for (int i = 0; i < 12; i++)
		other_tick(drain, true);
	assert_int_equal(proposals, 0);
	other_tick(drain, true);
	assert_int_equal(proposals, 1);
	assert_string_equal(
		last,
		"{\"op\":\"drain-end\",\"node\":3,\"reason\":\"timeout\"}");
	result(-EAGAIN);
	other_tick(drain, true);
	assert_int_equal(proposals, 2);
	result(0);
	other_tick(drain, true);
	assert_int_equal(proposals, 2);
	assert_int_equal(state_of(3), MLB_NODE_STATE_MAINTENANCE);
	assert_string_equal(events, "");
	end(drain);
}

/* The event tells what ended it. */
static void test_reason(void **state)
{
	json_t *change = json_pack("{s:s, s:i, s:s}", "op", "drain-end", "node",
				   SELF, "reason", "empty");
	struct drain *drain = begin();

	(void)state;
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":0}");
	drain_look(drain, document, NULL);
	assert_string_equal(reason, "-");
	good("{\"op\":\"drain-end\",\"node\":2}");
	drain_look(drain, document, change);
	assert_string_equal(reason, "empty");
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\"}");
	drain_look(drain, document, NULL);
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"maintenance\"}");
	json_object_set_new(change, "op", json_string("node-set"));
	drain_look(drain, document, change);
	assert_string_equal(events, "begin maintenance begin maintenance ");
	assert_string_equal(reason, "by hand");
	json_decref(change);
	end(drain);
}

/* Closed while a worker counts, and while an answer is due. */
static void test_close(void **state)
{
	struct drain *drain = begin();

	(void)state;
	good("{\"op\":\"node-set\",\"node\":2,\"state\":\"drain\",\"drain-timeout\":1}");
	tick(drain);
	now += 1000;
	drain_tick(drain, document, owned, false);
	assert_non_null(work);
	assert_non_null(due);
	end(drain);
	count();
	due(due_arg, -ECANCELED, NULL);
	due = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_empty_at_once),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_undrain),
		cmocka_unit_test(test_anew),
		cmocka_unit_test(test_owned),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_reason),
		cmocka_unit_test(test_close),
	};

	return cmocka_run_group_tests_name("mlbd drain", tests, NULL, NULL);
}
