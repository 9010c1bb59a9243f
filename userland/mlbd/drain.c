// SPDX-License-Identifier: GPL-2.0
/* When drains end, and that with what is left. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drain.h"
#include "ending.h"
#include "log.h"
#include "sockets.h"

/*
 * The other nodes hear of the drain at about the same time, and SYNs are on
 * their way: before that no connection does not mean that there will be none.
 */
#define SETTLE_MS 2000

/* The node itself ends its drain, and tells what is left, if it can. */
#define OTHERS_MS 3000

/* To look through all sockets is work; so long it rests, for each time unit. */
#define REST 10

/**
 * struct other - the drain of another node, with a timeout
 * @began: when this mlbd saw it begin, uv_now()
 */
struct other {
	uint16_t id;
	uint64_t began;
	uint32_t timeout;
};

/**
 * struct drain - this node's, and what is known of others'
 * @draining: its state is drain
 * @began: when this mlbd saw it begin, uv_now(); only while @draining
 * @ends: as document_node's drain_ends and drain_timeout
 * @known: @connections was counted since
 * @connections: sockets of services, or what this node owns, if that is more
 * @counting: a worker does
 * @count_began: when it began to, uv_now()
 * @count_next: when it may again
 * @proposing: an answer is due, about
 * @ending: the node whose drain it is about
 * @left: what is left of this node's is being ended, or NULL
 * @left_since: uv_now() when that began
 * @left_epoch: the document's version in which it did
 * @closed: nobody wants to know any more
 */
struct drain {
	uv_loop_t *loop;
	uint16_t self;
	drain_propose_fn *propose;
	void *arg;
	bool draining;
	uint64_t began;
	bool ends;
	uint32_t timeout;
	bool known;
	uint64_t connections;
	struct other *others;
	size_t n_others;
	bool counting;
	uint64_t count_began;
	uint64_t count_next;
	bool proposing;
	uint16_t ending;
	struct ending *left;
	uint64_t left_since;
	uint64_t left_epoch;
	bool closed;
	uv_work_t work;
	struct mlb_endpoint *services;
	size_t n_services;
	uint64_t counted;
	int64_t owned;
	int status;
	struct log_limit failing;
};

int drain_open(struct drain **drain, uv_loop_t *loop, uint16_t self,
	       drain_propose_fn *propose, void *arg)
{
	struct drain *d = calloc(1, sizeof(*d));

	*drain = d;
	if (!d)
		return -ENOMEM;
	d->loop = loop;
	d->self = self;
	d->propose = propose;
	d->arg = arg;
	return 0;
}

static void free_unused(struct drain *d)
{
	if (!d->closed || d->counting || d->proposing)
		return;
	free(d->services);
	free(d->others);
	free(d);
}

void drain_close(struct drain *drain)
{
	if (!drain)
		return;
	drain->closed = true;
	ending_stop(drain->left);
	free_unused(drain);
}

static uint64_t spent(const struct drain *d)
{
	return uv_now(d->loop) - d->began;
}

/* What was refused is tried again at the next tick, once there is a quorum; and
 * what is in no drain any more, somebody else has ended.
 */
static void result(struct drain *d, int status, const char *text)
{
	d->proposing = false;
	/* It is done; the next look reads so. */
	if (!status && d->ending == d->self)
		d->ends = false;
	if (status && status != -EAGAIN && status != -ENOENT && !d->closed &&
	    log_allowed(&d->failing))
		log_warning("the drain of node %u cannot end: %s", d->ending,
			    text && text[0] ? text : strerror(-status));
}

static void on_result(void *arg, int status, const char *text)
{
	struct drain *d = arg;

	result(d, status, text);
	free_unused(d);
}

static void end(struct drain *d, uint16_t id, const char *reason)
{
	json_t *change = json_pack("{s:s, s:i, s:s}", "op", "drain-end", "node",
				   id, "reason", reason);
	int ret = -ENOMEM;

	d->proposing = true;
	d->ending = id;
	if (change && id == d->self && d->known)
		json_object_set_new(change, "connections",
				    json_integer((json_int_t)d->connections));
	if (change)
		ret = d->propose(d->arg, change, on_result, d);
	if (ret)
		result(d, ret, NULL);
}

static void judge(struct drain *d)
{
	if (!d->draining || !d->ends || d->proposing)
		return;
	if (d->known && !d->connections && spent(d) >= SETTLE_MS)
		end(d, d->self, "empty");
	else if (d->timeout && spent(d) >= (uint64_t)d->timeout * 1000)
		end(d, d->self, "timeout");
}

static void judge_others(struct drain *d)
{
	uint64_t now = uv_now(d->loop);

	for (size_t i = 0; i < d->n_others && !d->proposing; i++) {
		const struct other *other = &d->others[i];

		if (now - other->began >=
		    (uint64_t)other->timeout * 1000 + OTHERS_MS)
			end(d, other->id, "timeout");
	}
}

/* Those that are still the same keep their time. */
static void look_at_others(struct drain *d, const struct document *document)
{
	struct other *new = calloc(document->n_nodes + 1, sizeof(*new));
	size_t n = 0;

	if (!new)
		return;
	for (size_t i = 0; i < document->n_nodes; i++) {
		const struct document_node *node = &document->nodes[i];

		if (node->id == d->self || !node->drain_ends ||
		    !node->drain_timeout)
			continue;
		new[n] = (struct other){ .id = node->id,
					 .began = uv_now(d->loop),
					 .timeout = node->drain_timeout };
		for (size_t j = 0; j < d->n_others; j++)
			if (d->others[j].id == node->id)
				new[n].began = d->others[j].began;
		n++;
	}
	free(d->others);
	d->others = new;
	d->n_others = n;
}

static void on_work(uv_work_t *work)
{
	struct drain *d = work->data;

	d->status = sockets_count(d->services, d->n_services, &d->counted);
}

/* A connection that has lost its last path may come back by another one: it is
 * no socket then, but owned.
 */
static void on_counted(uv_work_t *work, int status)
{
	struct drain *d = work->data;
	uint64_t now = uv_now(d->loop);

	d->counting = false;
	if (d->closed) {
		free_unused(d);
		return;
	}
	d->count_next = now + (now - d->count_began) * REST;
	if (!status)
		status = d->status;
	if (status && log_allowed(&d->failing))
		log_warning("connections cannot be counted: %s",
			    strerror(-status));
	/* Of a drain that was over meanwhile it says nothing. */
	d->known = !status && d->owned >= 0 && d->count_began >= d->began;
	d->connections = d->counted;
	if (d->owned > 0 && d->connections < (uint64_t)d->owned)
		d->connections = (uint64_t)d->owned;
	judge(d);
}

/* Those of the document at this time: the worker has its own copy. */
static void count(struct drain *d, const struct document *document)
{
	free(d->services);
	d->n_services = 0;
	d->services = calloc(document->n_services + 1, sizeof(*d->services));
	if (!d->services)
		return;
	for (size_t i = 0; i < document->n_services; i++)
		d->services[d->n_services++] = document->services[i].vip;
	d->work.data = d;
	d->count_began = uv_now(d->loop);
	d->counting = !uv_queue_work(d->loop, &d->work, on_work, on_counted);
}

static void tell(const struct drain *d, const char *state, const char *reason,
		 const struct document *document)
{
	json_t *event = json_pack(
		"{s:s, s:i, s:s, s:I, s:I, s:s*}", "event", "drain", "node",
		d->self, "state", state, "lasted", (json_int_t)spent(d),
		"epoch", (json_int_t)document->stamp.version, "reason", reason);

	if (event && d->known)
		json_object_set_new(event, "connections",
				    json_integer((json_int_t)d->connections));
	if (event)
		control_event(event);
}

static void begin(struct drain *d, const struct document_node *node,
		  const struct document *document)
{
	d->draining = true;
	d->began = uv_now(d->loop);
	d->known = false;
	if (node->drain_ends && node->drain_timeout)
		log_notice("this node drains: no new connections, and maintenance when the last has ended, at the latest in %u s",
			   node->drain_timeout);
	else if (node->drain_ends)
		log_notice("this node drains: no new connections, and maintenance when the last has ended");
	else
		log_notice("this node drains: no new connections");
	tell(d, "begin", NULL, document);
}

/* Who set another state did not say why. */
static const char *reason_of(const json_t *change)
{
	const char *op = json_string_value(json_object_get(change, "op"));
	const char *reason =
		json_string_value(json_object_get(change, "reason"));

	return op && !strcmp(op, "drain-end") ? reason : op ? "by hand" : NULL;
}

static void on_ended(void *arg, const struct ending_result *result)
{
	struct drain *d = arg;
	uint64_t lasted = uv_now(d->loop) - d->left_since;

	d->left = NULL;
	log_notice("what was left has been ended within %" PRIu64
		   " ms: %" PRIu64 " Multipath TCP connections and %" PRIu64
		   " other sockets", lasted, result->connections,
		   result->sockets);
	control_event(json_pack(
		"{s:s, s:i, s:s, s:I, s:I, s:I, s:I}", "event", "drain", "node",
		d->self, "state", "ended", "lasted", (json_int_t)lasted,
		"epoch", (json_int_t)d->left_epoch, "connections",
		(json_int_t)result->connections, "sockets",
		(json_int_t)result->sockets));
}

/* Those who gave the drain a time do not want to wait for what is left. */
static void end_left(struct drain *d, const struct document *document)
{
	int ret;

	d->left_since = uv_now(d->loop);
	d->left_epoch = document->stamp.version;
	ret = ending_start(&d->left, d->loop, document, on_ended, d);
	if (ret)
		log_warning("what is left cannot be ended: %s", strerror(-ret));
}

static void over(struct drain *d, enum mlb_node_state state,
		 const struct document *document, const json_t *change)
{
	const char *now = state == MLB_NODE_STATE_MAINTENANCE ? "maintenance" :
								"active";
	const char *reason = reason_of(change);
	char left[48] = "";

	if (d->known)
		snprintf(left, sizeof(left), ", with %" PRIu64 " connections left",
			 d->connections);
	log_notice("the drain of this node is over after %" PRIu64
		   " s%s: %s%s%s", spent(d) / 1000, left, now,
		   reason ? ", " : "", reason ? reason : "");
	tell(d, now, reason, document);
	d->draining = false;
	if (state == MLB_NODE_STATE_MAINTENANCE && reason &&
	    !strcmp(reason, "timeout"))
		end_left(d, document);
}

void drain_look(struct drain *drain, const struct document *document,
		const json_t *change)
{
	const struct document_node *node = document_node(document, drain->self);
	enum mlb_node_state state = node ? node->state : MLB_NODE_STATE_ACTIVE;

	look_at_others(drain, document);
	/* It is to go on, with what it has. */
	if (state != MLB_NODE_STATE_MAINTENANCE && drain->left) {
		ending_stop(drain->left);
		drain->left = NULL;
	}
	if (state != MLB_NODE_STATE_DRAIN) {
		if (drain->draining)
			over(drain, state, document, change);
		return;
	}
	if (!drain->draining)
		begin(drain, node, document);
	drain->ends = node->drain_ends;
	drain->timeout = node->drain_timeout;
}

void drain_tick(struct drain *drain, const struct document *document,
		int64_t owned, bool manager)
{
	drain_look(drain, document, NULL);
	if (drain->draining) {
		drain->owned = owned;
		if (!drain->counting && uv_now(drain->loop) >= drain->count_next)
			count(drain, document);
		judge(drain);
	}
	if (manager)
		judge_others(drain);
}

void drain_report(const struct drain *drain, struct report_drain *report)
{
	uint64_t whole = (uint64_t)drain->timeout * 1000;

	*report = (struct report_drain){ .there = drain->draining,
					 .connections = -1,
					 .left = -1 };
	if (!drain->draining)
		return;
	report->ends = drain->ends;
	report->seconds = (int64_t)(spent(drain) / 1000);
	if (drain->known)
		report->connections = (int64_t)drain->connections;
	if (drain->ends && drain->timeout)
		report->left = spent(drain) < whole ?
				       (int64_t)(whole - spent(drain)) / 1000 :
				       0;
}
