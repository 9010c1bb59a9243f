// SPDX-License-Identifier: GPL-2.0
/*
 * The document that the cluster agrees on.
 *
 * A proposal names the document that it changes by its stamp, and is done by
 * those who have just this one when it arrives: so it has the same result at
 * each of them. Whoever has another one will hear of a newer stamp, and gets the
 * document whole. The proposer itself proposes again, on top of what it has by
 * then, when somebody else's change came first.
 *
 * Both also name the ring in which they were sent, which had quorum, and are
 * done only by who is still in it. Rings and messages come in one order, so
 * either all of a ring do it or none; to ask each for its quorum on arrival would
 * not give that. A change counts as made when all who are there have said so.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agree.h"
#include "control.h"
#include "log.h"
#include "sync.h"

/* How long a change may take. */
#define PROPOSAL_MS 5000
/* Proposals that may wait. */
#define PROPOSALS_MAX 64
/* In which others tell of their document when it changes. */
#define DOUBT_MS 1000
/* From one attempt to write the file to the next. */
#define SAVE_AGAIN_MS 5000

struct proposal {
	struct proposal *next;
	json_t *change;
	uint64_t id;
	uint64_t deadline;
	struct document_stamp done; /* when it has been made */
	size_t peers; /* who were there then */
	agree_result_fn *fn;
	void *arg;
};

/**
 * struct save - one attempt to write the file
 * @agree: NULL when nobody waits for it any more
 * @json: the document, which is the worker's to write down
 */
struct save {
	struct agree *agree;
	struct document_stamp stamp;
	char *path;
	json_t *json;
	int status;
	char error[320];
	uv_work_t work;
};

struct agree {
	uv_loop_t *loop;
	struct engine *engine;
	struct sync *sync;
	const struct agree_events *events;
	void *arg;

	struct document *document;
	bool lost;
	char *path;
	bool connected;
	bool quorate;
	uint64_t ring;
	uint64_t group_ring;
	uint64_t doubt; /* until then others may have a newer one */
	struct document_stamp newest; /* of peers */
	bool all_told;		      /* theirs */

	struct proposal *waiting; /* in their order; the first may be in flight */
	bool in_flight;
	struct proposal *made; /* until they are on disk */
	uint64_t last_id;

	struct save *save; /* under way */
	struct document_stamp saved;
	struct document_stamp tried; /* last, with or without success */
	uint64_t save_at; /* again, after a failure; or 0 */
	char save_error[320];
	struct log_limit limit;
};

static const char no_quorum[] = "this side of the cluster has no quorum";

static void save(struct agree *a);

const struct document *agree_document(const struct agree *a)
{
	return a->document;
}

bool agree_lost(const struct agree *a)
{
	return a->lost;
}

const char *agree_persist_error(const struct agree *a)
{
	return a->save_error[0] ? a->save_error : NULL;
}

bool agree_persisted(const struct agree *a)
{
	return !document_stamp_cmp(&a->saved, &a->document->stamp);
}

static size_t count(const struct proposal *p)
{
	size_t n = 0;

	for (; p; p = p->next)
		n++;
	return n;
}

/* Out of its list, and told; @status 0 with a text is a warning. */
static void finish(struct proposal **at, int status, const char *text)
{
	struct proposal *p = *at;

	*at = p->next;
	p->fn(p->arg, status, text);
	json_decref(p->change);
	free(p);
}

static void refuse_all(struct proposal **at, int status, const char *text)
{
	while (*at)
		finish(at, status, text);
}

static int send_json(struct agree *a, enum wire_kind kind, json_t *json)
{
	struct wire_message message = { .kind = kind, .json = json };
	uint8_t *data = NULL;
	size_t len;
	int ret;

	if (!json)
		return -ENOMEM;
	sync_stamp(a->sync, &message);
	ret = wire_pack(&message, &data, &len);
	json_decref(json);
	if (!ret)
		ret = engine_send(a->engine, data, len);
	free(data);
	return ret;
}

/* Whether this ring has quorum, and everything in it is known. */
static bool may_agree(const struct agree *a)
{
	return a->connected && a->quorate && a->ring == a->group_ring;
}

int agree_send(struct agree *a)
{
	if (!may_agree(a))
		return -EAGAIN;
	return send_json(a, WIRE_DOCUMENT,
			 json_pack("{s:I, s:o}", "ring", (json_int_t)a->ring,
				   "document", document_json(a->document)));
}

/* Whether a message was sent in the ring in which it arrives. */
static bool same_ring(const struct agree *a, const json_t *ring)
{
	return (uint64_t)json_integer_value(ring) == a->group_ring;
}

/* The first that waits goes out, alone: its result is the next one's base. */
static void propose_next(struct agree *a)
{
	struct proposal *p = a->waiting;
	json_t *json;
	int ret;

	if (!p || a->in_flight || !may_agree(a) || !a->all_told ||
	    uv_now(a->loop) < a->doubt)
		return;
	if (document_stamp_cmp(&a->newest, &a->document->stamp) > 0)
		return; /* it will come */
	json = json_pack("{s:I, s:I, s:o, s:O}", "id", (json_int_t)p->id,
			 "ring", (json_int_t)a->ring, "base",
			 document_stamp_json(&a->document->stamp), "change",
			 p->change);
	ret = send_json(a, WIRE_PROPOSE, json);
	if (!ret)
		a->in_flight = true;
	else if (ret == -EMSGSIZE)
		finish(&a->waiting, ret, "the change is too large");
}

/* After a change here, whoever made it. */
static void changed(struct agree *a, const json_t *change, uint16_t by)
{
	json_t *event = json_pack("{s:s, s:o, s:i, s:O?}", "event", "document",
				  "stamp",
				  document_stamp_json(&a->document->stamp),
				  "by", by, "change", change);

	a->lost = false;
	if (event)
		control_event(event);
	save(a);
	a->events->changed(a->arg, change, by);
}

/* Quorum may have gone since it was sent. */
static void propose_again(struct agree *a)
{
	a->in_flight = false;
	if (!a->quorate)
		finish(&a->waiting, -EAGAIN, no_quorum);
	propose_next(a);
}

static void made(struct agree *a)
{
	struct proposal *p = a->waiting, **at = &a->made;

	a->waiting = p->next;
	a->in_flight = false;
	p->next = NULL;
	p->done = a->document->stamp;
	p->peers = a->events->confirmed(a->arg, NULL);
	while (*at)
		at = &(*at)->next;
	*at = p;
}

static bool take_proposal(struct agree *a, uint16_t sender, bool own,
			  const json_t *json)
{
	const json_t *change = json_object_get(json, "change");
	const json_t *ring = json_object_get(json, "ring");
	json_int_t id = json_integer_value(json_object_get(json, "id"));
	struct proposal *ours = own && a->in_flight ? a->waiting : NULL;
	struct document_stamp base;
	char error[256];
	int ret;

	if (!json_is_object(change) || !json_is_integer(ring) ||
	    json_integer_value(ring) < 0 ||
	    !document_stamp_parse(json_object_get(json, "base"), &base))
		return false;
	if (ours && ours->id != (uint64_t)id)
		ours = NULL;
	if (!same_ring(a, ring)) {
		if (ours)
			propose_again(a);
		return true;
	}
	if (document_stamp_cmp(&base, &a->document->stamp)) {
		if (ours)
			propose_again(a);
		else
			a->doubt = uv_now(a->loop) + DOUBT_MS;
		return true;
	}
	ret = document_change(a->document, change,
			      (uint64_t)json_integer_value(ring), error,
			      sizeof(error));
	if (ret) {
		if (ours) {
			a->in_flight = false;
			finish(&a->waiting, ret, error);
			propose_next(a);
		}
		return true;
	}
	if (ours)
		made(a);
	changed(a, change, sender);
	propose_next(a);
	return true;
}

static bool take_document(struct agree *a, uint16_t sender, const json_t *json)
{
	const json_t *ring = json_object_get(json, "ring");
	struct document *document;
	char error[256];

	if (!json_is_integer(ring))
		return false;
	if (!same_ring(a, ring))
		return true;
	if (document_parse(json_object_get(json, "document"), &document, error,
			   sizeof(error))) {
		if (log_allowed(&a->limit))
			log_warning("node %u sent a document that is not one: %s",
				    sender, error);
		return false;
	}
	if (document_stamp_cmp(&document->stamp, &a->document->stamp) <= 0) {
		document_free(document);
		return true;
	}
	log_notice("document %llu of node %u adopted",
		   (unsigned long long)document->stamp.version, sender);
	document_free(a->document);
	a->document = document;
	changed(a, NULL, sender);
	propose_next(a);
	return true;
}

bool agree_message(struct agree *a, uint16_t sender, bool own,
		   const struct wire_message *message)
{
	if (message->kind == WIRE_PROPOSE)
		return take_proposal(a, sender, own, message->json);
	return own || take_document(a, sender, message->json);
}

/*
 * Who made the change hears of it when it is on disk here and everywhere; and
 * also when it could not be stored here, or others take too long to say so.
 */
static void made_finish(struct agree *a)
{
	uint64_t now = uv_now(a->loop);
	struct proposal **at = &a->made;
	char warning[400];

	while (*at) {
		struct proposal *p = *at;

		if (document_stamp_cmp(&p->done, &a->saved) <= 0 &&
		    a->events->confirmed(a->arg, &p->done) >= p->peers) {
			finish(at, 0, NULL);
		} else if (a->save_error[0] &&
			   document_stamp_cmp(&p->done, &a->tried) <= 0) {
			snprintf(warning, sizeof(warning),
				 "the change is made, but this node cannot store it: %s",
				 a->save_error);
			finish(at, 0, warning);
		} else if (now >= p->deadline) {
			finish(at, 0,
			       "the change is made, but not every node has confirmed it");
		} else {
			at = &p->next;
		}
	}
}

int agree_propose(struct agree *a, json_t *change, agree_result_fn *fn,
		  void *arg)
{
	struct proposal *p, **at = &a->waiting;
	const char *refused = NULL;

	if (!a->connected)
		refused = "corosync is not reached: see \"mlbctl status\"";
	else if (!a->quorate)
		refused = "this side of the cluster has no quorum";
	else if (count(a->waiting) >= PROPOSALS_MAX)
		refused = "too many changes wait already";
	if (refused) {
		json_decref(change);
		fn(arg, a->connected ? -EAGAIN : -ENOTCONN, refused);
		return 0;
	}
	p = calloc(1, sizeof(*p));
	if (!p) {
		json_decref(change);
		return -ENOMEM;
	}
	p->change = change;
	p->id = ++a->last_id;
	p->deadline = uv_now(a->loop) + PROPOSAL_MS;
	p->fn = fn;
	p->arg = arg;
	while (*at)
		at = &(*at)->next;
	*at = p;
	propose_next(a);
	return 0;
}

void agree_view(struct agree *a, const struct engine_view *view)
{
	a->connected = view->connected;
	a->quorate = view->connected && view->quorate;
	a->ring = view->ring;
	if (a->group_ring != view->group_ring)
		refuse_all(&a->made, 0,
			   "the change is made, but the membership changed before every node confirmed it");
	a->group_ring = view->group_ring;
	if (!a->connected) {
		a->in_flight = false;
		refuse_all(&a->waiting, -ENOTCONN,
			   "the connection to corosync was lost; look whether the change was made");
	} else if (!a->quorate) {
		/* What is in flight may have been ordered before. */
		refuse_all(a->in_flight ? &a->waiting->next : &a->waiting,
			   -EAGAIN, no_quorum);
	}
	propose_next(a);
}

void agree_newest(struct agree *a, const struct document_stamp *stamp, bool all)
{
	a->newest = *stamp;
	a->all_told = all;
	made_finish(a);
	propose_next(a);
}

void agree_tick(struct agree *a)
{
	uint64_t now = uv_now(a->loop);
	struct proposal **at = &a->waiting;

	while (*at) {
		if (now < (*at)->deadline) {
			at = &(*at)->next;
			continue;
		}
		if (at == &a->waiting)
			a->in_flight = false;
		finish(at, -ETIMEDOUT,
		       "not all nodes answered in time: see mlbctl status, and look whether the change was made");
	}
	made_finish(a);
	propose_next(a);
	if (a->save_at && now >= a->save_at)
		save(a);
}

static void save_work(uv_work_t *work)
{
	struct save *s = work->data;
	char *text = json_dumps(s->json, JSON_INDENT(2));

	s->status = text ? document_save(s->path, text, s->error,
					 sizeof(s->error)) :
			   -ENOMEM;
	if (!text)
		snprintf(s->error, sizeof(s->error), "out of memory");
	free(text);
}

static void save_free(struct save *s)
{
	free(s->path);
	json_decref(s->json);
	free(s);
}

static void save_done(uv_work_t *work, int status)
{
	struct save *s = work->data;
	struct agree *a = s->agree;

	if (!a) {
		save_free(s);
		return;
	}
	a->save = NULL;
	if (status && !s->status) {
		s->status = status;
		snprintf(s->error, sizeof(s->error), "%s", strerror(-status));
	}
	if (s->status) {
		if (strcmp(a->save_error, s->error))
			log_error("the cluster's document cannot be stored: %s; trying again",
				  s->error);
		memcpy(a->save_error, s->error, sizeof(a->save_error));
		a->save_at = uv_now(a->loop) + SAVE_AGAIN_MS;
	} else {
		if (a->save_error[0])
			log_notice("the cluster's document is stored again");
		a->save_error[0] = '\0';
		a->saved = s->stamp;
	}
	a->tried = s->stamp;
	made_finish(a);
	if (document_stamp_cmp(&s->stamp, &a->document->stamp))
		save(a);
	save_free(s);
}

/* One at a time; one that is under way is followed by another. */
static void save(struct agree *a)
{
	struct save *s;

	a->save_at = 0;
	if (a->save)
		return;
	s = calloc(1, sizeof(*s));
	if (!s)
		goto later;
	s->json = document_json(a->document);
	s->path = strdup(a->path);
	s->stamp = a->document->stamp;
	s->agree = a;
	s->work.data = s;
	if (!s->json || !s->path ||
	    uv_queue_work(a->loop, &s->work, save_work, save_done)) {
		save_free(s);
		goto later;
	}
	a->save = s;
	return;

later:
	snprintf(a->save_error, sizeof(a->save_error), "out of memory");
	a->save_at = uv_now(a->loop) + SAVE_AGAIN_MS;
}

static int first_document(struct agree *a)
{
	char error[320];
	int ret = document_load(a->path, &a->document, error, sizeof(error));

	if (!ret) {
		a->saved = a->document->stamp;
		return 0;
	}
	a->document = document_new();
	if (!a->document || ret == -ENOMEM)
		return -ENOMEM;
	a->lost = ret != -ENOENT;
	if (a->lost)
		log_error("%s; waiting for the document of another node, or for \"mlbctl cluster load\"",
			  error);
	return 0;
}

int agree_open(struct agree **agree, uv_loop_t *loop, struct engine *engine,
	       struct sync *sync, const char *state_dir,
	       const struct agree_events *events, void *arg)
{
	struct agree *a = calloc(1, sizeof(*a));

	*agree = NULL;
	if (!a)
		return -ENOMEM;
	a->loop = loop;
	a->engine = engine;
	a->sync = sync;
	a->events = events;
	a->arg = arg;
	if (asprintf(&a->path, "%s/cluster.json", state_dir) < 0)
		a->path = NULL;
	if (!a->path || first_document(a)) {
		document_free(a->document);
		free(a->path);
		free(a);
		return -ENOMEM;
	}
	*agree = a;
	return 0;
}

void agree_close(struct agree *a)
{
	if (!a)
		return;
	refuse_all(&a->waiting, -ECANCELED, "mlbd ends");
	refuse_all(&a->made, 0, "mlbd ends before the change was stored here");
	if (a->save)
		a->save->agree = NULL;
	document_free(a->document);
	free(a->path);
	free(a);
}
