// SPDX-License-Identifier: GPL-2.0
/* When this node's drain ends. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "drain.h"
#include "log.h"
#include "sockets.h"

/*
 * The other nodes hear of the drain at about the same time, and SYNs are on
 * their way: before that no connection does not mean that there will be none.
 */
#define SETTLE_MS 2000

/**
 * struct drain - this node's
 * @draining: its state is drain
 * @began: when this mlbd saw it begin, uv_now(); only while @draining
 * @ends: as document_node's drain_ends and drain_timeout
 * @known: @connections was counted since
 * @counting: a worker does
 * @count_began: when it began to, uv_now()
 * @proposing: an answer is due
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
	bool counting;
	uint64_t count_began;
	bool proposing;
	bool closed;
	uv_work_t work;
	struct mlb_endpoint *services;
	size_t n_services;
	uint64_t counted;
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
	free(d);
}

void drain_close(struct drain *drain)
{
	if (!drain)
		return;
	drain->closed = true;
	free_unused(drain);
}

static uint64_t spent(const struct drain *d)
{
	return uv_now(d->loop) - d->began;
}

/* What was refused is tried again at the next tick, once there is a quorum. */
static void on_result(void *arg, int status, const char *text)
{
	struct drain *d = arg;

	d->proposing = false;
	/* It is done; the next look reads so. */
	if (!status)
		d->ends = false;
	if (status && status != -EAGAIN && !d->closed &&
	    log_allowed(&d->failing))
		log_warning("the drain of this node cannot end: %s",
			    text && text[0] ? text : strerror(-status));
	free_unused(d);
}

static void end(struct drain *d, const char *reason)
{
	json_t *change = json_pack("{s:s, s:i, s:s}", "op", "drain-end", "node",
				   d->self, "reason", reason);
	int ret = -ENOMEM;

	d->proposing = true;
	if (change && d->known)
		json_object_set_new(change, "connections",
				    json_integer((json_int_t)d->connections));
	if (change)
		ret = d->propose(d->arg, change, on_result, d);
	if (ret)
		on_result(d, ret, NULL);
}

static void judge(struct drain *d)
{
	if (!d->draining || !d->ends || d->proposing)
		return;
	if (d->known && !d->connections && spent(d) >= SETTLE_MS)
		end(d, "empty");
	else if (d->timeout && spent(d) >= (uint64_t)d->timeout * 1000)
		end(d, "timeout");
}

static void on_work(uv_work_t *work)
{
	struct drain *d = work->data;

	d->status = sockets_count(d->services, d->n_services, &d->counted);
}

static void on_counted(uv_work_t *work, int status)
{
	struct drain *d = work->data;

	d->counting = false;
	if (d->closed) {
		free_unused(d);
		return;
	}
	if (!status)
		status = d->status;
	if (status && log_allowed(&d->failing))
		log_warning("connections cannot be counted: %s",
			    strerror(-status));
	/* Of a drain that was over meanwhile it says nothing. */
	d->known = !status && d->count_began >= d->began;
	d->connections = d->counted;
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

static void tell(const struct drain *d, const char *state)
{
	json_t *event = json_pack("{s:s, s:i, s:s, s:I}", "event", "drain",
				  "node", d->self, "state", state, "lasted",
				  (json_int_t)spent(d));

	if (event && d->known)
		json_object_set_new(event, "connections",
				    json_integer((json_int_t)d->connections));
	if (event)
		control_event(event);
}

static void begin(struct drain *d)
{
	d->draining = true;
	d->began = uv_now(d->loop);
	d->known = false;
	log_notice("this node drains: no new connections");
	tell(d, "begin");
}

static void over(struct drain *d, enum mlb_node_state state)
{
	if (d->known)
		log_notice("the drain of this node is over after %" PRIu64
			   " s, with %" PRIu64 " connections left",
			   spent(d) / 1000, d->connections);
	else
		log_notice("the drain of this node is over");
	tell(d, state == MLB_NODE_STATE_MAINTENANCE ? "maintenance" : "active");
	d->draining = false;
}

void drain_look(struct drain *drain, const struct document *document)
{
	const struct document_node *node = document_node(document, drain->self);
	enum mlb_node_state state = node ? node->state : MLB_NODE_STATE_ACTIVE;

	if (state != MLB_NODE_STATE_DRAIN) {
		if (drain->draining)
			over(drain, state);
		return;
	}
	if (!drain->draining)
		begin(drain);
	drain->ends = node->drain_ends;
	drain->timeout = node->drain_timeout;
}

void drain_tick(struct drain *drain, const struct document *document)
{
	drain_look(drain, document);
	if (!drain->draining)
		return;
	if (!drain->counting)
		count(drain, document);
	judge(drain);
}

json_t *drain_json(const struct drain *drain)
{
	uint64_t whole = (uint64_t)drain->timeout * 1000;
	json_t *json;

	if (!drain->draining)
		return NULL;
	json = json_pack(
		"{s:I, s:b, s:o, s:o}", "for",
		(json_int_t)(spent(drain) / 1000), "ends", drain->ends,
		"connections",
		drain->known ? json_integer((json_int_t)drain->connections) :
			       json_null(),
		"left",
		drain->ends && drain->timeout ?
			json_integer(
				(json_int_t)(spent(drain) < whole ?
						     (whole - spent(drain)) /
							     1000 :
						     0)) :
			json_null());
	return json;
}
