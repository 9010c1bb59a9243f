// SPDX-License-Identifier: GPL-2.0
/*
 * A corosync in memory: rings of those who reach each other, messages in one
 * order for all of a ring, membership in the same order, quorum whenever it
 * pleases.
 */
#include <errno.h>

#include "sim.h"

struct sim_node *sim_of_engine(const struct engine *engine)
{
	return (struct sim_node *)(uintptr_t)engine;
}

static struct inbox *new_item(enum inbox_kind kind, uint16_t node)
{
	struct inbox *item = calloc(1, sizeof(*item));

	assert_non_null(item);
	item->kind = kind;
	item->node = node;
	return item;
}

/* In their order, each a little after the one before it. */
static void push(struct inbox ***end, uint64_t *last, struct inbox *item,
		 uint32_t latency)
{
	item->due = sim.now + sim_random(latency);
	if (item->due < *last)
		item->due = *last;
	*last = item->due;
	**end = item;
	*end = &item->next;
}

static uint64_t inbox_last[SIM_NODES + 1], view_last[SIM_NODES + 1];
static uint64_t group[SIM_NODES + 1]; /* whom each mlbd was told to be there */

void sim_engine_begin(void)
{
	memset(inbox_last, 0, sizeof(inbox_last));
	memset(view_last, 0, sizeof(view_last));
	memset(group, 0, sizeof(group));
}

static void push_inbox(struct sim_node *node, struct inbox *item)
{
	push(&node->inbox_end, &inbox_last[node->id], item,
	     sim_chance(2) ? 400 : 6);
}

static void push_view(struct sim_node *node, struct inbox *item)
{
	push(&node->views_end, &view_last[node->id], item,
	     sim_chance(20) ? 800 : 50);
}

static void pop(struct inbox **list, struct inbox ***end)
{
	struct inbox *item = *list;

	*list = item->next;
	if (!*list)
		*end = list;
	free(item->data);
	free(item);
}

static void drop_boxes(struct sim_node *node)
{
	while (node->inbox)
		pop(&node->inbox, &node->inbox_end);
	while (node->views)
		pop(&node->views, &node->views_end);
	while (node->outbox) {
		struct outbox *out = node->outbox;

		node->outbox = out->next;
		free(out->data);
		free(out);
	}
	node->outbox_end = &node->outbox;
	node->n_outbox = 0;
	node->want_room = false;
	inbox_last[node->id] = 0;
	view_last[node->id] = 0;
}

static bool in_ring(const struct sim_node *node)
{
	return node->powered && node->member;
}

static uint64_t ring_of(const struct sim_node *node)
{
	uint64_t bits = 0;

	for (unsigned int i = 1; in_ring(node) && i <= sim.n; i++)
		if (in_ring(&sim.nodes[i]) && sim.nodes[i].part == node->part)
			bits |= UINT64_C(1) << i;
	return bits;
}

static bool quorate(uint64_t bits)
{
	return 2 * (unsigned int)__builtin_popcountll(bits) > sim.n;
}

static void push_ring(struct sim_node *node)
{
	struct inbox *item = new_item(INBOX_VIEW, 0);

	item->view.connected = true;
	item->view.quorate = node->ring_quorate;
	item->view.ring = node->ring;
	for (uint16_t i = 1; i <= sim.n; i++)
		if (node->ring_nodes & UINT64_C(1) << i)
			item->view.nodes[item->view.n_nodes++] = i;
	push_view(node, item);
}

/* The group of mlbds as the ring has it now, to one of them. */
static void push_group(struct sim_node *node)
{
	uint64_t now = 0, *was = &group[node->id];
	struct inbox *item;

	for (uint16_t i = 1; i <= sim.n; i++)
		if (node->ring_nodes & UINT64_C(1) << i && sim.nodes[i].joined)
			now |= UINT64_C(1) << i;
	for (uint16_t i = 1; i <= sim.n; i++)
		if (*was & ~now & UINT64_C(1) << i)
			push_inbox(node, new_item(INBOX_LEFT, i));
	for (uint16_t i = 1; i <= sim.n; i++)
		if (now & ~*was & UINT64_C(1) << i)
			push_inbox(node, new_item(INBOX_JOINED, i));
	*was = now;
	item = new_item(INBOX_RING, 0);
	item->view.ring = node->ring;
	push_inbox(node, item);
}

static bool swallows(struct sim_node *node, const struct outbox *out)
{
	if (!node->n_swallow || out->data[4] != node->swallow)
		return false;
	node->n_swallow--;
	return true;
}

static void order(struct sim_node *node)
{
	struct outbox *out = node->outbox;
	bool swallowed = swallows(node, out);

	for (unsigned int i = 1; i <= sim.n; i++) {
		struct sim_node *to = &sim.nodes[i];
		struct inbox *item;

		if (!(node->ring_nodes & UINT64_C(1) << i) || !to->joined ||
		    swallowed)
			continue;
		item = new_item(INBOX_MESSAGE, node->id);
		item->data = malloc(out->len);
		assert_non_null(item->data);
		memcpy(item->data, out->data, out->len);
		item->len = out->len;
		push_inbox(to, item);
	}
	node->messages += out->data[4] != WIRE_REPORT;
	node->begins += out->data[4] == WIRE_REPEAT_BEGIN;
	node->outbox = out->next;
	if (!node->outbox)
		node->outbox_end = &node->outbox;
	node->n_outbox--;
	node->send_due = sim.now + sim_random(4);
	free(out->data);
	free(out);
}

void sim_engine_form(void)
{
	uint64_t next[SIM_NODES + 1] = {};

	for (unsigned int i = 1; i <= sim.n; i++)
		next[i] = ring_of(&sim.nodes[i]);
	for (unsigned int i = 1; i <= sim.n; i++) {
		struct sim_node *node = &sim.nodes[i];
		bool led = next[i] && !(next[i] & ((UINT64_C(1) << i) - 1));

		if (next[i] == node->ring_nodes || !led)
			continue;
		/* A new ring; the first of its nodes names it. */
		sim.rings++;
		for (unsigned int j = i; j <= sim.n; j++) {
			struct sim_node *other = &sim.nodes[j];

			if (!(next[i] & UINT64_C(1) << j))
				continue;
			other->ring = sim.rings << 12 | i;
			other->ring_nodes = next[i];
			other->ring_quorate = quorate(next[i]);
			other->send_due = sim.now + sim_random(300);
			if (other->joined)
				push_ring(other);
		}
	}
	for (unsigned int i = 1; sim.early && i <= sim.n; i++)
		while (next[i] && sim.nodes[i].outbox)
			order(&sim.nodes[i]);
	for (unsigned int i = 1; i <= sim.n; i++) {
		struct sim_node *node = &sim.nodes[i];

		if (!next[i]) {
			node->ring_nodes = 0;
			node->ring_quorate = false;
		} else if (node->joined) {
			push_group(node);
		}
	}
}

int engine_open(struct engine **engine, uv_loop_t *loop, uint16_t id,
		const struct engine_events *events, void *arg)
{
	struct sim_node *node = sim_of_loop(loop);

	assert_int_equal(id, node->id);
	node->events = events;
	node->arg = arg;
	memset(&node->told, 0, sizeof(node->told));
	node->rejoin = sim.now + 1 + sim_random(50);
	*engine = (struct engine *)node;
	return 0;
}

void engine_close(struct engine *engine)
{
	sim_of_engine(engine)->events = NULL;
}

/* mlbd or corosync is gone. */
static void leave(struct sim_node *node)
{
	node->joined = false;
	group[node->id] = 0;
	drop_boxes(node);
	sim_engine_form();
}

void sim_engine_end(struct sim_node *node)
{
	node->rejoin = 0;
	leave(node);
}

int engine_send(struct engine *engine, const void *data, size_t len)
{
	struct sim_node *node = sim_of_engine(engine);
	struct outbox *out;

	assert_true(len && len <= ENGINE_MESSAGE_MAX);
	if (!node->told.connected || !node->joined)
		return -ENOTCONN;
	if (node->n_outbox >= 6 || (sim.chaos && sim_chance(3))) {
		node->want_room = true;
		return -EAGAIN;
	}
	out = calloc(1, sizeof(*out));
	assert_non_null(out);
	out->data = malloc(len);
	assert_non_null(out->data);
	memcpy(out->data, data, len);
	out->len = len;
	*node->outbox_end = out;
	node->outbox_end = &out->next;
	if (!node->n_outbox++ && node->send_due < sim.now)
		node->send_due = sim.now + sim_random(4);
	return 0;
}

uint64_t sim_engine_due(const struct sim_node *node)
{
	uint64_t due = UINT64_MAX;

	if (node->outbox && node->send_due < due)
		due = node->send_due;
	if (node->stopped > sim.now)
		return due;
	if (node->rejoin && node->rejoin < due)
		due = node->rejoin;
	if (node->inbox && node->inbox->due < due)
		due = node->inbox->due;
	if (node->views && node->views->due < due)
		due = node->views->due;
	if (node->want_room && sim.now + 4 < due)
		due = sim.now + 4;
	return due;
}

static void view(struct sim_node *node, const struct engine_view *v)
{
	node->told = *v;
	node->told.n_listed = 0;
	for (uint16_t i = 1; v->connected && i <= sim.n; i++)
		if (sim.listed & UINT64_C(1) << i)
			node->told.listed[node->told.n_listed++] = i;
	node->events->view(node->arg, &node->told);
}

static void rejoin(struct sim_node *node)
{
	struct engine_view v = { .connected = true };

	if (!in_ring(node)) {
		node->rejoin = sim.now + 200;
		return;
	}
	node->rejoin = 0;
	node->joined = true;
	group[node->id] = 0;
	view(node, &v);
	push_ring(node);
	sim_engine_form();
}

static void take(struct sim_node *node, struct inbox *item)
{
	switch (item->kind) {
	case INBOX_JOINED:
		node->events->joined(node->arg, item->node);
		break;
	case INBOX_LEFT:
		node->events->left(node->arg, item->node);
		break;
	case INBOX_MESSAGE:
		node->events->message(node->arg, item->node, item->data,
				      item->len);
		break;
	case INBOX_RING:
		node->told.group_ring = item->view.ring;
		node->events->view(node->arg, &node->told);
		break;
	case INBOX_VIEW:
		item->view.group_ring = node->told.group_ring;
		view(node, &item->view);
		if (item->view.connected)
			break;
		/* Corosync has gone; what it had for us as well. */
		node->rejoin = sim.now + 100 + sim_random(400);
		break;
	}
}

void sim_engine_run(struct sim_node *node)
{
	if (node->outbox && node->send_due <= sim.now) {
		order(node);
		return;
	}
	if (node->stopped > sim.now || !node->cluster)
		return;
	if (node->rejoin && node->rejoin <= sim.now) {
		rejoin(node);
	} else if (node->views && node->views->due <= sim.now) {
		struct inbox copy = *node->views;

		pop(&node->views, &node->views_end);
		take(node, &copy);
	} else if (node->inbox && node->inbox->due <= sim.now) {
		struct inbox *item = node->inbox;

		node->inbox = item->next;
		if (!node->inbox)
			node->inbox_end = &node->inbox;
		take(node, item);
		free(item->data);
		free(item);
	} else if (node->want_room) {
		node->want_room = false;
		node->events->room(node->arg);
	}
}

void sim_engine_lose(struct sim_node *node)
{
	node->member = false;
	leave(node);
	if (node->cluster && node->told.connected)
		push_view(node, new_item(INBOX_VIEW, 0));
}

/* Anything but what an mlbd would say. */
void sim_engine_garbage(void)
{
	struct sim_node *to = &sim.nodes[1 + sim_random(sim.n)];
	struct wire_message message = {
		.kind = sim_random(9),
		.run = sim_random(UINT32_MAX),
		.sequence = sim_random(100),
	};
	size_t body = sim_random(40);
	struct inbox *item;

	if (!to->joined)
		return;
	item = new_item(INBOX_MESSAGE, (uint16_t)(1 + sim_random(sim.n + 1)));
	item->len = WIRE_HEADER + body;
	item->data = calloc(1, item->len);
	assert_non_null(item->data);
	wire_put_header(item->data, &message, body);
	for (size_t i = WIRE_HEADER; i < item->len; i++)
		item->data[i] = (uint8_t)sim_random(256);
	if (sim_chance(30))
		memcpy(item->data + WIRE_HEADER, "{}      ", body < 8 ? body : 8);
	if (sim_chance(30))
		item->data[sim_random(WIRE_HEADER)] ^= (uint8_t)(1 + sim_random(255));
	if (sim_chance(20))
		item->len = sim_random((uint32_t)item->len);
	/* An announcement of a token nobody has is no garbage, but a lie. */
	if (item->len > 4 && item->data[4] == WIRE_OWNERS)
		item->data[4] = 77;
	push_inbox(to, item);
}

void sim_engine_say(struct sim_node *to, uint16_t sender, const void *data,
		    size_t len)
{
	struct inbox *item = new_item(INBOX_MESSAGE, sender);

	item->data = malloc(len);
	assert_non_null(item->data);
	memcpy(item->data, data, len);
	item->len = len;
	push_inbox(to, item);
}
