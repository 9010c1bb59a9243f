// SPDX-License-Identifier: GPL-2.0
/* When checks are made, and what their results mean in a row. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "health.h"
#include "log.h"
#include "probe.h"
#include "text.h"

const char *const health_state_words[] = {
	[HEALTH_UNKNOWN] = "unknown",
	[HEALTH_UP] = "up",
	[HEALTH_DOWN] = "down",
	NULL,
};

#define REASON_MAX 160

/**
 * struct check - one check and what it found
 * @timer: until the next look
 * @began: of the last look, uv_now()
 * @since: of the state
 * @row: results in a row that speak against the state
 * @reason: what the last look found wrong, or ""
 * @took: ms of the last look
 */
struct check {
	struct health *health;
	struct config_check conf;
	struct probe *probe;
	uv_timer_t timer;
	uint64_t began;
	enum health_state state;
	uint64_t since;
	uint32_t row;
	char reason[REASON_MAX];
	uint64_t took;
	uint64_t good;
	uint64_t bad;
};

struct health {
	uv_loop_t *loop;
	health_changed_fn *changed;
	void *arg;
	struct check **checks;
	size_t n;
};

static void begin(struct check *c);

static bool same_addr(const struct mlb_addr *a, const struct mlb_addr *b)
{
	if (a->family != b->family)
		return false;
	return a->family == AF_INET ? a->v4.s_addr == b->v4.s_addr :
				      IN6_ARE_ADDR_EQUAL(&a->v6, &b->v6);
}

static bool same_end(const struct mlb_endpoint *a, const struct mlb_endpoint *b)
{
	return a->port == b->port && same_addr(&a->addr, &b->addr);
}

static bool same_question(const struct check_question *a,
			  const struct check_question *b)
{
	return a->type == b->type && a->own == b->own &&
	       same_end(&a->service, &b->service) &&
	       same_end(&a->target, &b->target) && !strcmp(a->path, b->path) &&
	       !strcmp(a->host, b->host) && a->status_min == b->status_min &&
	       a->status_max == b->status_max &&
	       !strcmp(a->command, b->command);
}

enum health_state health_of(const struct health *health,
			    const struct mlb_endpoint *service)
{
	bool any = false, unknown = false;

	for (size_t i = 0; i < health->n; i++) {
		const struct check *c = health->checks[i];

		if (!same_end(&c->conf.question.service, service))
			continue;
		if (c->state == HEALTH_DOWN)
			return HEALTH_DOWN;
		any = true;
		unknown |= c->state == HEALTH_UNKNOWN;
	}
	return any && !unknown ? HEALTH_UP : HEALTH_UNKNOWN;
}

enum health_state health_of_addr(const struct health *health,
				 const struct mlb_addr *addr)
{
	enum health_state state = HEALTH_UP;

	for (size_t i = 0; i < health->n; i++) {
		const struct check *c = health->checks[i];

		if (!same_addr(&c->conf.question.service.addr, addr))
			continue;
		if (c->state == HEALTH_DOWN)
			return HEALTH_DOWN;
		if (c->state == HEALTH_UNKNOWN)
			state = HEALTH_UNKNOWN;
	}
	return state;
}

static void tell(const struct check *c, enum health_state was, uint64_t lasted)
{
	const struct check_question *q = &c->conf.question;
	char service[ENDPOINT_TEXT];

	endpoint_text(&q->service, service);
	if (c->state == HEALTH_DOWN)
		log_warning("check %s: %s is down: %s", c->conf.name, service,
			    c->reason);
	else
		log_notice("check %s: %s is up", c->conf.name, service);
	control_event(json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s*}", "event", "check",
		"check", c->conf.name, "service", service, "state",
		health_state_words[c->state], "was", health_state_words[was],
		"lasted", (json_int_t)lasted, "health",
		health_state_words[health_of(c->health, &q->service)], "reason",
		c->reason[0] ? c->reason : NULL));
}

static void become(struct check *c, enum health_state state)
{
	struct health *h = c->health;
	const struct mlb_endpoint *service = &c->conf.question.service;
	enum health_state was = c->state, before = health_of(h, service), now;
	uint64_t lasted = uv_now(h->loop) - c->since;

	c->state = state;
	c->since = uv_now(h->loop);
	c->row = 0;
	tell(c, was, lasted);
	now = health_of(h, service);
	if (now != before && h->changed)
		h->changed(h->arg, service, now);
}

/* The first result decides alone: nothing speaks for another state. */
static void judge(struct check *c, bool good)
{
	enum health_state found = good ? HEALTH_UP : HEALTH_DOWN;
	const struct check_timing *timing = &c->conf.timing;

	if (c->state == found) {
		c->row = 0;
		return;
	}
	c->row++;
	if (c->state == HEALTH_UNKNOWN ||
	    c->row >= (good ? timing->rise : timing->fall))
		become(c, found);
}

static void on_timer(uv_timer_t *timer)
{
	begin(timer->data);
}

/* Looks begin at even distances, or later when one took longer. */
static void next(struct check *c)
{
	uint64_t spent = uv_now(c->health->loop) - c->began;
	uint32_t interval = c->conf.timing.interval;

	uv_timer_start(&c->timer, on_timer,
		       spent < interval ? interval - spent : 0, 0);
}

static void on_probe(void *arg, const char *text)
{
	struct check *c = arg;

	uv_update_time(c->health->loop);
	c->took = uv_now(c->health->loop) - c->began;
	snprintf(c->reason, sizeof(c->reason), "%s", text ? text : "");
	/* It may be a command's words. */
	text_printable(c->reason);
	if (text)
		c->bad++;
	else
		c->good++;
	next(c);
	judge(c, !text);
}

static void begin(struct check *c)
{
	c->began = uv_now(c->health->loop);
	probe_run(c->probe, c->conf.timing.timeout);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void check_close(struct check *c)
{
	if (!c)
		return;
	probe_close(c->probe);
	uv_close((uv_handle_t *)&c->timer, on_closed);
}

static struct check *check_open(struct health *h,
				const struct config_check *conf)
{
	struct check *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->health = h;
	c->conf = *conf;
	c->since = uv_now(h->loop);
	if (probe_open(&c->probe, h->loop, conf->name, &conf->question,
		       on_probe, c)) {
		free(c);
		return NULL;
	}
	uv_timer_init(h->loop, &c->timer);
	c->timer.data = c;
	uv_timer_start(&c->timer, on_timer, 0, 0);
	return c;
}

/* One that may stay, which is taken from where it is. */
static struct check *take_same(struct check **checks, size_t n,
			       const struct config_check *conf)
{
	for (size_t i = 0; i < n; i++) {
		struct check *c = checks[i];

		if (!c || strcmp(c->conf.name, conf->name) ||
		    !same_question(&c->conf.question, &conf->question))
			continue;
		checks[i] = NULL;
		return c;
	}
	return NULL;
}

/* When the timer does not run, a look is under way, and it will run after it. */
static void change_timing(struct check *c, const struct check_timing *timing)
{
	if (!memcmp(&c->conf.timing, timing, sizeof(*timing)))
		return;
	c->conf.timing = *timing;
	if (uv_is_active((uv_handle_t *)&c->timer))
		next(c);
}

static void close_all(struct check **checks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_close(checks[i]);
}

static void close_fresh(struct health *h, struct check **checks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t j;

		for (j = 0; j < h->n && h->checks[j] != checks[i]; j++)
			;
		if (j == h->n)
			check_close(checks[i]);
	}
}

/*
 * Those that stay go from @old to @checks, those that are new are made; so what
 * is left in @old afterwards has to go.
 */
static int make_checks(struct health *h, const struct config *config,
		       struct check **old, struct check **checks)
{
	for (size_t i = 0; i < config->n_checks; i++)
		checks[i] = take_same(old, h->n, &config->checks[i]);
	for (size_t i = 0; i < config->n_checks; i++) {
		if (checks[i])
			continue;
		checks[i] = check_open(h, &config->checks[i]);
		if (!checks[i]) {
			close_fresh(h, checks, i);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * struct before - a service before the checks were replaced
 */
struct before {
	struct mlb_endpoint service;
	enum health_state state;
};

static size_t take_before(const struct health *h, const struct config *config,
			  struct before *before)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		before[n++].service = h->checks[i]->conf.question.service;
	for (size_t i = 0; i < config->n_checks; i++)
		before[n++].service = config->checks[i].question.service;
	for (size_t i = 0; i < n; i++)
		before[i].state = health_of(h, &before[i].service);
	return n;
}

/* A service that is there twice is told of once. */
static void tell_services(const struct health *h, struct before *before,
			  size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum health_state now = health_of(h, &before[i].service);

		if (now == before[i].state || !h->changed)
			continue;
		h->changed(h->arg, &before[i].service, now);
		for (size_t j = i + 1; j < n; j++)
			if (same_end(&before[j].service, &before[i].service))
				before[j].state = now;
	}
}

int health_reload(struct health *health, const struct config *config)
{
	size_t n = config->n_checks, n_old = health->n, n_before;
	struct check **checks = calloc(n + 1, sizeof(*checks));
	struct check **old = calloc(n_old + 1, sizeof(*old));
	struct before *before = calloc(n + n_old + 1, sizeof(*before));
	int ret = -ENOMEM;

	if (checks && old && before) {
		n_before = take_before(health, config, before);
		if (n_old)
			memcpy(old, health->checks, n_old * sizeof(*old));
		ret = make_checks(health, config, old, checks);
	}
	if (ret) {
		free(checks);
		free(old);
		free(before);
		return ret;
	}
	for (size_t i = 0; i < n; i++)
		change_timing(checks[i], &config->checks[i].timing);
	close_all(old, n_old);
	free(old);
	free(health->checks);
	health->checks = checks;
	health->n = n;
	tell_services(health, before, n_before);
	free(before);
	return 0;
}

int health_open(struct health **health, uv_loop_t *loop,
		const struct config *config, health_changed_fn *changed,
		void *arg)
{
	struct health *h = calloc(1, sizeof(*h));
	int ret = -ENOMEM;

	*health = NULL;
	if (!h)
		return ret;
	h->loop = loop;
	h->changed = changed;
	h->arg = arg;
	ret = health_reload(h, config);
	if (ret) {
		free(h);
		return ret;
	}
	*health = h;
	return 0;
}

void health_close(struct health *health)
{
	if (!health)
		return;
	close_all(health->checks, health->n);
	free(health->checks);
	free(health);
}

static json_t *check_json(const struct check *c)
{
	const struct check_question *q = &c->conf.question;
	char service[ENDPOINT_TEXT], target[ENDPOINT_TEXT];
	bool looked = c->good || c->bad;

	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:f, s:s?, s:o, s:I, s:I, s:i}",
		"check", c->conf.name, "service",
		endpoint_text(&q->service, service), "type",
		check_type_words[q->type], "target",
		endpoint_text(&q->target, target), "state",
		health_state_words[c->state], "for",
		(double)(uv_now(c->health->loop) - c->since) / 1000, "reason",
		c->reason[0] ? c->reason : NULL, "took",
		looked ? json_integer((json_int_t)c->took) : json_null(),
		"good", (json_int_t)c->good, "bad", (json_int_t)c->bad, "row",
		(int)c->row);
}

json_t *health_json(const struct health *health)
{
	json_t *services = json_object(), *checks = json_array();

	for (size_t i = 0; i < health->n; i++) {
		const struct check *c = health->checks[i];
		const struct mlb_endpoint *service = &c->conf.question.service;
		char text[ENDPOINT_TEXT];

		json_object_set_new(
			services, endpoint_text(service, text),
			json_string(
				health_state_words[health_of(health, service)]));
		json_array_append_new(checks, check_json(c));
	}
	return json_pack("{s:o, s:o}", "services", services, "checks", checks);
}
