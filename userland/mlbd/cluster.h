/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the node and its peers agree on: who is ready, the document, and from
 * both what this node's kernel should hold.
 */
#ifndef MLBD_CLUSTER_H
#define MLBD_CLUSTER_H

#include "config.h"
#include "control.h"
#include "kernel.h"

struct cluster;

/**
 * cluster_open() - take part in the cluster
 *
 * With CONFIG_ENGINE_NONE it only applies the file to the kernel.
 */
int cluster_open(struct cluster **cluster, uv_loop_t *loop,
		 const struct config *config, struct kernel *kernel);
void cluster_close(struct cluster *cluster);

/*
 * A new configuration (SIGHUP), already checked; the old one goes after. With
 * -EINPROGRESS it is to be called again; with another error, which is the
 * kernel's, a call with the old one follows.
 */
int cluster_reload(struct cluster *cluster, const struct config *config);

/* Compare and repair: the kernel's tables changed a moment ago. */
void cluster_poke(struct cluster *cluster);

/**
 * typedef cluster_result_fn - the end of cluster_propose()
 * @status: 0 or a negative errno
 * @text: why, or with status 0 a warning, or NULL
 */
typedef control_result_fn cluster_result_fn;

/**
 * cluster_propose() - have the cluster agree on a change of the document
 * @change: an operation (see document_change()); taken over
 *
 * @fn is called once, when the change has been made or refused here (-EAGAIN
 * without quorum, -ETIMEDOUT when the engine did not bring it back, -ECANCELED
 * in cluster_close()), unless this call fails; -EOPNOTSUPP with engine none.
 */
int cluster_propose(struct cluster *cluster, json_t *change,
		    cluster_result_fn *fn, void *arg);

/*
 * A service of this node does not work, or does again: its roles go to others,
 * or may come back.
 */
void cluster_health(struct cluster *cluster, const struct mlb_endpoint *service,
		    bool down);

/**
 * cluster_self() - what this node is to do, as its kernel has been told
 * @state: its own
 *
 * Return: false as long as nothing is known to be in force.
 */
bool cluster_self(const struct cluster *cluster, enum mlb_node_state *state);

/**
 * struct cluster_hold - whether this node is the one that holds a role
 * @why: it does or does not, for people
 * @epoch: version of the document in which the role came to whom has it
 * @ring: the membership now
 */
struct cluster_hold {
	enum {
		CLUSTER_HOLDS_NOT,
		CLUSTER_HOLDS,
		CLUSTER_HOLDS_UNSURE, /* perhaps soon, or not any more */
	} answer;
	const char *why;
	uint64_t epoch;
	uint64_t ring;
};

/*
 * Of several holders it is the first, and only once its kernel has been told.
 * Without quorum nobody can know that he still is it, nor can he who comes back
 * before he has the document that the others have.
 */
void cluster_holds(const struct cluster *cluster, const char *role,
		   struct cluster_hold *hold);

/**
 * struct cluster_watch - who follows what this node is to do
 * @changed: what cluster_self() and cluster_holds() say may be another thing now
 * @let_go: whether nothing here goes on for a role that this node does not hold;
 *	while something does, the others are not told that it has let go. When
 *	that is over, cluster_poke() has to be called
 */
struct cluster_watch {
	void (*changed)(void *arg);
	bool (*let_go)(void *arg);
};

/* Called from the loop; @watch is not copied, NULL ends it. */
void cluster_watch(struct cluster *cluster, const struct cluster_watch *watch,
		   void *arg);

/* Owner events of the kernel, for the peers. */
void cluster_owner(struct cluster *cluster, const struct mlb_owner *owner,
		   bool add);
void cluster_owners_lost(struct cluster *cluster);

/* For status and metrics: a new object; see README.md. */
json_t *cluster_status(struct cluster *cluster);

/* The document as document_json() writes it, or NULL with engine none. */
json_t *cluster_document(struct cluster *cluster);

#endif /* MLBD_CLUSTER_H */
