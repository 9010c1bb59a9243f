/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of the cluster. */
#ifndef MLBD_CLUSTER_PARTS_H
#define MLBD_CLUSTER_PARTS_H

#include "agree.h"
#include "assign.h"
#include "cluster.h"
#include "document_parts.h"
#include "drain.h"
#include "log.h"
#include "members.h"
#include "sync.h"

enum cluster_error {
	ERROR_MESSAGE,	/* not whole */
	ERROR_VERSION,	/* of another version of the messages */
	ERROR_STRANGER, /* of no member */
	ERROR_EARLY,	/* without a hello in time, or in another protocol */
	ERROR_BODY,	/* whole, but without sense */
	ERROR_TWIN,	/* of another mlbd with this node's id */
	ERROR_N
};

/* How long one waits for others to say hello, and which document is the newest. */
#define SETTLE_MS 3000

/* Documents by which one knows how far others are. */
#define HISTORY_MAX 64

struct cluster {
	uv_loop_t *loop;
	const struct config *config;
	struct kernel *kernel;

	/* NULL with engine none, as are those below it. */
	struct engine *engine;
	struct sync *sync;
	struct agree *agree;
	struct drain *drain;

	struct engine_view view;
	struct members members;
	uint64_t quorate_since;
	uint64_t view_since; /* it is quorate, or is not */
	uint64_t ring_since;
	uint64_t hearing_since; /* peers can be heard, without a gap */
	bool settled;	 /* the newest document is here, as far as can be known */
	bool configured; /* the kernel took everything, once */
	bool pooled;	 /* it serves just whom it should, since there is quorum */
	enum mlb_node_state state; /* this node's, that it was told last */
	bool ready;
	bool keyed;
	uint8_t key_id[MLB_KEY_ID_LEN];

	struct hello said; /* last */
	bool hello_due;
	uint64_t document_sent;

	const struct cluster_watch *watch;
	void *watch_arg;

	struct report own; /* how this node is, as it tells it */
	uint64_t own_heard; /* when that came back from the engine last */
	bool report_soon;

	struct document_stamp history[HISTORY_MAX];
	size_t history_at;
	uint16_t manager; /* or 0 */
	uint64_t manager_since;
	struct assign_watch *watches;
	size_t n_watches;
	bool assigning; /* what was proposed rests on version */
	uint64_t assigning_base;
	uint64_t manage_at; /* again then, or 0 */

	uv_timer_t report;
	uv_timer_t manage;
	uv_timer_t tick;
	uv_timer_t hello;
	uv_timer_t apply;
	uint64_t apply_at; /* again, after a refusal; or 0 */
	bool again; /* and when what is under way has ended */
	bool repaired; /* somebody else changed the kernel: any entry may be gone */
	unsigned int handles;

	uint64_t errors[ERROR_N];
	struct log_limit limit;
};

extern const char *const cluster_error_names[ERROR_N];

/*
 * cluster_judge.c: from what is known to what follows. To be called whenever
 * some of it has changed.
 */
void cluster_evaluate(struct cluster *cluster);

/* cluster_engine.c */
extern const struct engine_events cluster_engine_events;

/*
 * cluster_apply.c: now, as far as it goes in some ms (-EINPROGRESS: the rest
 * follows), and as soon as what goes on has ended. @whole: as &kernel_goal.whole.
 */
int cluster_apply(struct cluster *cluster, bool whole);
void cluster_apply_soon(struct cluster *cluster);
/* What the kernel holds from before. */
int cluster_take_kernel(struct cluster *cluster);

/*
 * cluster_change.c: Return: 0, or what this node knows against a change, with
 * the reason in @error.
 */
int cluster_judge_change(const struct cluster *cluster, const json_t *change,
			 char *error, size_t size);
/* A role that the node is to do or to stand in for, or NULL. */
const struct document_role *cluster_role_naming(const struct cluster *cluster,
						uint16_t id);

/* cluster_say.c: what this node says of itself now. */
struct hello cluster_hello(const struct cluster *cluster);
void cluster_say_hello(struct cluster *cluster);
void cluster_hello_soon(struct cluster *cluster);
void cluster_send_document(struct cluster *cluster);
void cluster_tell_peer(const struct cluster *cluster, const struct peer *peer,
		       const char *state);

/* cluster_report.c: how this node is, now and soon; and how a peer is. */
void cluster_say_report(struct cluster *cluster);
void cluster_report_soon(struct cluster *cluster);
/* This node's own has come back. */
void cluster_take_own_report(struct cluster *cluster);
bool cluster_take_report(struct cluster *cluster, struct peer *peer,
			 const json_t *json);

/*
 * cluster_manage.c: who should do which role, and having it agreed if this node
 * is the manager; what became of it.
 */
void cluster_manage(struct cluster *cluster);
void cluster_manage_soon(struct cluster *cluster);
void cluster_remember(struct cluster *cluster, bool adopted);
bool cluster_knows_roles(const struct cluster *cluster,
			 const struct peer *peer);
void cluster_tell_roles(struct cluster *cluster, const json_t *change,
			uint16_t by);
/* For assign(): all nodes, by id. */
size_t cluster_nodes(const struct cluster *cluster,
		     struct assign_node nodes[MEMBERS_MAX + 1]);

#endif /* MLBD_CLUSTER_PARTS_H */
