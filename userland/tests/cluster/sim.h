/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A cluster in one process, in virtual time: the real cluster.c, sync.c and
 * agree.c of several nodes, on a libuv (sim_uv.c), a kernel (sim_kernel.c) and
 * a corosync (sim_engine.c) that are made of nothing but memory and a random
 * number generator. The same seed gives the same run.
 */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../mlbd/cluster.h"
#include "document.h"
#include "engine.h"
#include "kernel.h"
#include "wire.h"

#define SIM_NODES 8
/* Tokens of a node are id * 1000 + n; those from SHARED on may be of any. */
#define TOKENS 60
#define SHARED 100000
#define SHARED_N 8
#define CLAIMS 1024

/* Messages take at most so long to do what they say, ms. */
#define SIM_SLOWEST 12000

struct sim_timer {
	uv_timer_t *handle;
	uv_timer_cb cb;
	uint64_t due, repeat, order;
	bool active;
};

struct sim_work {
	struct sim_work *next;
	uv_work_t *req;
	uv_work_cb work;
	uv_after_work_cb after;
	uint64_t due;
	bool worked;
};

/* A token that a node says it has. */
struct claim {
	uint32_t token;
	uint16_t node;
};

struct own {
	uint32_t token;
	uint64_t since;
};

/* A pool for the clients of 10.N.0.0/16, or 0 for others. */
struct sim_pool {
	uint8_t clients;
	uint64_t nodes; /* bits */
};

#define SIM_POOLS 64

struct owner_event {
	struct mlb_owner owner;
	bool add;
	bool lost;
};

struct sim_snapshot {
	struct sim_snapshot *next;
	uint16_t node;
	kernel_snapshot_fn *fn;
	void *arg;
	unsigned int phase; /* a third of the tokens is read in each */
	uint64_t due;
	struct mlb_owner *owners;
	size_t n;
};

/* Outlives mlbd. */
struct sim_kernel {
	struct mlb_node nodes[SIM_NODES + 1];
	bool present[SIM_NODES + 1];
	char *services; /* as text */
	struct sim_pool pools[SIM_POOLS];
	size_t n_pools;
	bool keyed;
	uint8_t key;
	struct claim claims[CLAIMS];
	size_t n_claims;
	struct own own[CLAIMS];
	size_t n_own;
	struct owner_event events[256];
	size_t n_events;
	uint64_t events_due;
	bool overflowed;
	struct kernel_state state;
	struct sim_snapshot *snapshots;
	struct mlb_error error;
	unsigned int applied;
	unsigned int unlisted; /* so often its nodes cannot be listed */
	uint64_t slow; /* ms that each third of a snapshot takes longer */
};

enum inbox_kind { INBOX_JOINED, INBOX_LEFT, INBOX_MESSAGE, INBOX_VIEW, INBOX_RING };

struct inbox {
	struct inbox *next;
	enum inbox_kind kind;
	uint64_t due;
	uint64_t order; /* in the ring, of messages */
	uint16_t node;
	uint8_t *data;
	size_t len;
	struct engine_view view;
};

struct outbox {
	struct outbox *next;
	uint8_t *data;
	size_t len;
};

struct sim_node {
	uint16_t id;
	uv_loop_t loop;
	int64_t clock;
	struct sim_timer timers[16];
	size_t n_timers;
	uv_handle_t *closing[16];
	uv_close_cb close_cbs[16];
	size_t n_closing;
	struct sim_work *works;

	struct sim_kernel kernel;
	struct config config;
	struct mlb_addr host; /* the address that it really has */
	struct cluster *cluster; /* NULL while mlbd is dead */
	uint64_t stopped; /* until then */

	/* Corosync's side. */
	bool powered; /* the node is there */
	unsigned int part; /* of the network */
	bool joined; /* its mlbd is in the group */
	bool member; /* corosync runs and is in a ring */
	bool ring_quorate;
	uint64_t ring;
	uint64_t ring_nodes; /* bits */
	const struct engine_events *events;
	void *arg;
	struct engine_view told;
	struct inbox *inbox, **inbox_end;
	struct inbox *views, **views_end;
	struct outbox *outbox, **outbox_end;
	size_t n_outbox;
	uint64_t send_due;
	uint64_t delivered; /* order of the last message */
	bool want_room;
	uint64_t rejoin; /* the engine connects again then, or 0 */

	/* Files. */
	char *file;
	bool disk_full;

	/* Of this kind it sends so many that nobody gets. */
	enum wire_kind swallow;
	unsigned int n_swallow;

	/* What it does at the moment, for assertions. */
	unsigned int begins;
	unsigned int messages;
	unsigned int made, refused, warned;
	char answer[160]; /* the last text */
	uint64_t connections; /* that its sockets have */

	/* Services that were made and that nobody takes away. */
	uint16_t kept[512];
	size_t n_kept;
};

struct sim {
	uint64_t now;
	uint64_t order;
	uint64_t rings;
	unsigned int n;
	uint64_t listed; /* bits: the nodes in corosync.conf */
	struct sim_node nodes[SIM_NODES + 1];
	uint64_t rng;
	bool chaos; /* refusals and garbage */
	bool gentle; /* nothing dies and forgets */
	bool early; /* what waited goes into a ring before mlbds hear of it */
	unsigned int proposals;
	unsigned int seed;
	unsigned int running; /* id of the node whose turn it is */
	uint64_t exclusive; /* bits: clients whose roles are */
};

extern struct sim sim;

/* What befell the token of CLUSTER_TOKEN. */
#define SIM_TRACE(wanted, format, ...)                                        \
	do {                                                                  \
		const char *env = getenv("CLUSTER_TOKEN");                    \
		if (env && (uint32_t)atoi(env) == (wanted))                   \
			fprintf(stderr, "# %8llu token: " format "\n",        \
				(unsigned long long)sim.now, __VA_ARGS__);    \
	} while (0)

uint32_t sim_random(uint32_t below);
static inline bool sim_chance(uint32_t percent)
{
	return sim_random(100) < percent;
}

/* sim.c: n nodes without power; their mlbds, or the whole node; and time. */
void sim_begin(unsigned int n, unsigned int seed);
void sim_end(void);
void set_addr(struct sim_node *node, uint32_t host);
void mlbd_start(struct sim_node *node);
void mlbd_kill(struct sim_node *node);
void power(struct sim_node *node, bool on);
void restart(struct sim_node *node, bool reboot);
void run_for(uint64_t ms);

/* test_cluster.c: all of @n take part and nothing goes wrong. */
void begin_quiet(unsigned int n);
void check_all(void);
bool same_ring(const struct sim_node *a, const struct sim_node *b);
void check_silence(void);
void reload(struct sim_node *node);
void propose_kept(struct sim_node *node);
/* Counts in the node of @arg what became of a proposal. */
void on_result(void *arg, int status, const char *text);

struct sim_node *sim_of_loop(const uv_loop_t *loop);
struct sim_node *sim_of_kernel(const struct kernel *kernel);
struct sim_node *sim_of_engine(const struct engine *engine);

/* When the next thing is due, and doing what is; of one node. */
uint64_t sim_uv_due(const struct sim_node *node);
void sim_uv_run(struct sim_node *node);
/* Everything that is closed goes, works included. */
void sim_uv_end(struct sim_node *node);

uint64_t sim_kernel_due(const struct sim_node *node);
void sim_kernel_run(struct sim_node *node);
void sim_kernel_own(struct sim_node *node, uint32_t token, bool add);
bool sim_kernel_owns(const struct sim_node *node, uint32_t token,
		     uint64_t *since);
bool sim_kernel_claims(const struct sim_node *node, uint32_t token,
		       uint16_t owner);
/* Whether its kernel has it serve the clients of 10.N.0.0/16. */
bool sim_kernel_serves(const struct sim_node *node, uint8_t clients);
void sim_kernel_reset(struct sim_node *node);
void sim_kernel_end(struct sim_node *node);
void sim_kernel_check(const struct sim_node *node, const struct sim_node *of);

void sim_engine_begin(void);
uint64_t sim_engine_due(const struct sim_node *node);
void sim_engine_run(struct sim_node *node);
/* Rings are formed anew from who is there and who reaches whom. */
void sim_engine_form(void);
void sim_engine_garbage(void);
/* As if @sender had sent it. */
void sim_engine_say(struct sim_node *to, uint16_t sender, const void *data,
		    size_t len);
/* Corosync of a node dies; it is there again when @member is set. */
void sim_engine_lose(struct sim_node *node);
void sim_engine_end(struct sim_node *node);

#endif /* TESTS_SIM_H */
