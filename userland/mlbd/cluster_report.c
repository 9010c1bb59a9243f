// SPDX-License-Identifier: GPL-2.0
/* What mlbds tell each other of how they are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_parts.h"

/* From one report to the next when nothing has changed. */
#define REPORT_MS 1000
/* Own ones that come back later than that came to a ring that stood still. */
#define REPORT_GAP_MS 2500
/* Changes at about the same time are one. */
#define REPORT_SOON_MS 5

static void on_report(uv_timer_t *timer)
{
	cluster_say_report(timer->data);
}

static void look_at_self(struct cluster *c)
{
	struct mlb_stats stats;
	double load;

	if (getloadavg(&load, 1) == 1 && load >= 0 && load < 1e9)
		c->own.load = (uint64_t)(load * 100);
	if (mlb_stats_get(kernel_mlb(c->kernel), &stats))
		return;
	c->own.connections = stats.value[MLB_A_STATS_OWNER_LEARNT] -
			     stats.value[MLB_A_STATS_OWNER_WITHDRAWN];
	if (c->own.connections > INT64_MAX)
		c->own.connections = 0;
}

/* An mlbd of protocol 1 would take it for a broken message. */
void cluster_say_report(struct cluster *c)
{
	struct wire_message message = { .kind = WIRE_REPORT };
	uint8_t *data = NULL;
	size_t len;
	int ret = -ENOMEM;

	uv_timer_start(&c->report, on_report, REPORT_MS, 0);
	c->report_soon = false;
	if (!c->view.connected || members_protocol(&c->members) < 2)
		return;
	look_at_self(c);
	message.json = report_json(&c->own);
	sync_stamp(c->sync, &message);
	if (message.json)
		ret = wire_pack(&message, &data, &len);
	json_decref(message.json);
	if (!ret)
		ret = engine_send(c->engine, data, len);
	free(data);
	if (ret == -EAGAIN)
		cluster_report_soon(c);
}

void cluster_report_soon(struct cluster *c)
{
	/* Without handles it is being opened, and reports when it is. */
	if (!c->engine || !c->handles || c->report_soon)
		return;
	c->report_soon = true;
	uv_timer_start(&c->report, on_report, REPORT_SOON_MS, 0);
}

static bool same_down(const struct report *a, const struct report *b)
{
	if (a->n_down != b->n_down)
		return false;
	for (size_t i = 0; i < a->n_down; i++)
		if (!document_endpoint_same(&a->down[i], &b->down[i]))
			return false;
	return true;
}

static bool same_uses(const struct report *a, const struct report *b)
{
	return a->n_uses == b->n_uses &&
	       !memcmp(a->uses, b->uses, a->n_uses * sizeof(*a->uses));
}

/* Whether nothing follows from the second that did not from the first. */
static bool same_report(const struct report *a, const struct report *b)
{
	return !document_stamp_cmp(&a->applied, &b->applied) &&
	       a->ring == b->ring && a->able == b->able && same_down(a, b) &&
	       same_uses(a, b);
}

void cluster_take_own_report(struct cluster *c)
{
	uint64_t now = uv_now(c->loop);

	if (now - c->own_heard >= REPORT_GAP_MS)
		c->hearing_since = now;
	c->own_heard = now;
}

bool cluster_take_report(struct cluster *c, struct peer *peer,
			 const json_t *json)
{
	struct report new = {};
	bool same;

	if (!report_parse(json, &new))
		return false;
	same = peer->reported && same_report(&peer->report, &new) &&
	       uv_now(c->loop) - peer->heard < REPORT_OLD_MS;
	report_free(&peer->report);
	peer->report = new;
	peer->reported = true;
	peer->heard = uv_now(c->loop);
	if (!same)
		cluster_manage_soon(c);
	return true;
}

void cluster_health(struct cluster *c, const struct mlb_endpoint *service,
		    bool down)
{
	struct report *own = &c->own;
	struct mlb_endpoint *new;
	size_t at = 0;

	while (at < own->n_down &&
	       !document_endpoint_same(&own->down[at], service))
		at++;
	if ((at < own->n_down) == down)
		return;
	if (down && own->n_down < REPORT_DOWN_MAX) {
		new = reallocarray(own->down, at + 1, sizeof(*new));
		if (!new)
			return;
		own->down = new;
		new[own->n_down++] = *service;
	} else if (!down) {
		own->down[at] = own->down[--own->n_down];
	}
	if (!c->engine)
		return;
	cluster_report_soon(c);
	cluster_evaluate(c);
}
