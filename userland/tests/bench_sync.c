// SPDX-License-Identifier: GPL-2.0
/*
 * What the sync itself costs: one sender and one receiver in a process, on a
 * bus that takes a millisecond and a kernel that takes a microsecond an entry.
 *
 *   bench_sync [ENTRIES [RATE]]   repeat ENTRIES while RATE new ones a second
 *				   come, then 10 s of those alone
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "log.h"
#include "sync.h"
#include "wire.h"

#define LATENCIES 4000000

struct packet {
	struct packet *next;
	uint16_t sender;
	uint64_t due;
	size_t len;
	uint8_t data[];
};

static uv_loop_t loop;
static uv_timer_t bus, source;
static struct packet *first, **last = &first;
static struct sync *syncs[3];
static size_t n_snapshot, rate, loaded_live, made, snapshots;
static uint64_t *born; /* of live tokens, by number */
static uint32_t *latency;
static size_t n_latency;
static uint64_t repeat_done, longest, last_turn;

static uint64_t now_us(void)
{
	return uv_hrtime() / 1000;
}

void log_message(enum log_level level, const char *format, ...)
{
	(void)level;
	fprintf(stderr, "%s\n", format);
}

bool log_allowed(struct log_limit *limit)
{
	(void)limit;
	return true;
}

void control_event(json_t *event)
{
	const char *what = json_string_value(json_object_get(event, "what"));

	if (what && !strcmp(what, "repeat-end"))
		repeat_done = now_us();
	json_decref(event);
}

int engine_send(struct engine *engine, const void *data, size_t len)
{
	struct packet *p = malloc(sizeof(*p) + len);

	memset(p, 0, sizeof(*p));
	p->sender = (uint16_t)(uintptr_t)engine;
	p->due = now_us() + 1000;
	p->len = len;
	memcpy(p->data, data, len);
	*last = p;
	last = &p->next;
	return 0;
}

struct mlb *kernel_mlb(struct kernel *kernel)
{
	return (struct mlb *)kernel;
}

const struct mlb_error *mlb_last_error(const struct mlb *mlb)
{
	static const struct mlb_error none;

	(void)mlb;
	return &none;
}

/* Tokens from 0x80000000 on are live ones, numbered. */
int mlb_owner_add(struct mlb *mlb, const struct mlb_owner *entries, size_t n,
		  unsigned int flags, size_t *done)
{
	uint64_t until = now_us() + n, now;

	(void)mlb;
	(void)flags;
	(void)done;
	while ((now = now_us()) < until)
		;
	for (size_t i = 0; i < n; i++) {
		if (!(entries[i].token & 0x80000000))
			continue;
		loaded_live++;
		if (n_latency < LATENCIES)
			latency[n_latency++] = (uint32_t)(
				now - born[entries[i].token & 0x7fffffff]);
	}
	return 0;
}

int mlb_owner_withdraw(struct mlb *mlb, const struct mlb_owner *entries,
		       size_t n, size_t *done)
{
	(void)mlb;
	(void)entries;
	(void)n;
	(void)done;
	abort(); /* nothing is stale here */
}

struct work {
	uv_work_t work;
	uint16_t node;
	bool own;
	kernel_snapshot_fn *fn;
	void *arg;
	struct mlb_owner *owners;
};

static void read_table(uv_work_t *req)
{
	struct work *w = req->data;

	w->owners = calloc(n_snapshot + 1, sizeof(*w->owners));
	for (size_t i = 0; i < n_snapshot; i++)
		w->owners[i] = (struct mlb_owner){ .token = (uint32_t)i + 1,
						   .node = w->node,
						   .cpu = 1,
						   .local = w->own };
}

static void table_read(uv_work_t *req, int status)
{
	struct work *w = req->data;

	snapshots++;
	w->fn(w->arg, status, w->owners, n_snapshot);
	free(w);
}

int kernel_snapshot(struct kernel *kernel, uint16_t node,
		    kernel_snapshot_fn *fn, void *arg)
{
	struct work *w = calloc(1, sizeof(*w));

	w->node = node;
	w->own = (uint16_t)(uintptr_t)kernel == node;
	w->fn = fn;
	w->arg = arg;
	w->work.data = w;
	return uv_queue_work(&loop, &w->work, read_table, table_read);
}

static void on_bus(uv_timer_t *timer)
{
	uint64_t now = now_us();

	(void)timer;
	if (last_turn && now - last_turn > longest)
		longest = now - last_turn;
	last_turn = now;
	while (first && first->due <= now) {
		struct packet *p = first;
		struct wire_message message;

		first = p->next;
		if (!first)
			last = &first;
		if (wire_parse(p->data, p->len, &message))
			abort();
		for (int i = 1; i <= 2; i++)
			sync_message(syncs[i], p->sender, &message);
		wire_free(&message);
		free(p);
	}
}

static void on_source(uv_timer_t *timer)
{
	static uint64_t begin;
	uint64_t now = now_us();

	(void)timer;
	if (!begin)
		begin = now;
	while (made < (now - begin) * rate / 1000000) {
		struct mlb_owner owner = {
			.token = (uint32_t)made | 0x80000000,
			.node = 1,
			.cpu = 1,
		};

		born[made++] = now;
		sync_owner(syncs[1], &owner, true);
	}
}

static int cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void tell(const char *when, uint64_t began, double cpu)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	qsort(latency, n_latency, sizeof(*latency), cmp);
	if (n_latency)
		printf("%s: %.2f s, %zu new entries, p50 %.1f ms, p99 %.1f ms, most %.1f ms; longest turn %.1f ms; cpu %.2f s; most memory %ld MB\n",
		       when, (double)(now_us() - began) / 1e6, n_latency,
		       latency[n_latency / 2] / 1e3,
		       latency[n_latency * 99 / 100] / 1e3,
		       latency[n_latency - 1] / 1e3, (double)longest / 1e3,
		       (double)clock() / CLOCKS_PER_SEC - cpu,
		       usage.ru_maxrss / 1024);
	n_latency = 0;
	longest = 0;
}

int main(int argc, char **argv)
{
	struct wire_message hello = { .kind = WIRE_HELLO };
	struct sync_peer_state state;
	uint64_t began;
	double cpu;

	n_snapshot = argc > 1 ? (size_t)atol(argv[1]) : 1000000;
	rate = argc > 2 ? (size_t)atol(argv[2]) : 10000;
	born = calloc(LATENCIES, sizeof(*born));
	latency = calloc(LATENCIES, sizeof(*latency));
	uv_loop_init(&loop);
	for (uintptr_t i = 1; i <= 2; i++)
		sync_open(&syncs[i], &loop, (struct engine *)i,
			  (struct kernel *)i, (uint16_t)i, 10);
	for (uint16_t i = 1; i <= 2; i++) {
		sync_connected(syncs[i], true);
		sync_peer_here(syncs[i], 3 - i);
		sync_peer_up(syncs[i], 3 - i);
	}
	uv_timer_init(&loop, &bus);
	uv_timer_init(&loop, &source);
	uv_timer_start(&bus, on_bus, 1, 1);
	uv_timer_start(&source, on_source, 1, 1);
	sync_stamp(syncs[1], &hello);
	sync_message(syncs[2], 1, &hello);
	began = now_us();
	cpu = (double)clock() / CLOCKS_PER_SEC;
	do
		uv_run(&loop, UV_RUN_ONCE);
	while (!sync_peer_state(syncs[2], 1, &state) || !state.in_step);
	tell("repetition", began, cpu);
	began = now_us();
	cpu = (double)clock() / CLOCKS_PER_SEC;
	while (now_us() - began < 10000000)
		uv_run(&loop, UV_RUN_ONCE);
	tell("then", began, cpu);
	return 0;
}
