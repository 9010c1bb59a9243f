/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The document that the cluster agrees on: this node's copy, its changes in
 * order, its place on disk.
 */
#ifndef MLBD_AGREE_H
#define MLBD_AGREE_H

#include "document.h"
#include "engine.h"
#include "wire.h"

struct agree;
struct sync;

typedef void agree_result_fn(void *arg, int status, const char *text);

/**
 * struct agree_events - what the cluster has to know
 * @changed: there is another document; @change is what was done, or NULL when
 *	it was adopted whole
 * @confirmed: how many peers have told that they have this document or one that
 *	came after it; all that are there, when it is NULL
 */
struct agree_events {
	size_t (*confirmed)(void *arg, const struct document_stamp *stamp);
	void (*changed)(void *arg, const json_t *change, uint16_t by);
};

/*
 * What is in @state_dir is the first document. A file that cannot be read as
 * one makes agree_lost() true, until there is another document.
 */
int agree_open(struct agree **agree, uv_loop_t *loop, struct engine *engine,
	       struct sync *sync, const char *state_dir,
	       const struct agree_events *events, void *arg);
void agree_close(struct agree *agree);

const struct document *agree_document(const struct agree *agree);
bool agree_lost(const struct agree *agree);

/* Why it is not on disk, or NULL. */
const char *agree_persist_error(const struct agree *agree);
bool agree_persisted(const struct agree *agree);

/* Membership and quorum; without quorum what waits is refused. */
void agree_view(struct agree *agree, const struct engine_view *view);

/*
 * The newest document of which a peer has told, and whether all have. Until they
 * have, nothing is proposed: a change of an older document would win over the
 * newest if it is made in a newer ring.
 */
void agree_newest(struct agree *agree, const struct document_stamp *stamp,
		  bool all);

/* See cluster_propose(). */
int agree_propose(struct agree *agree, json_t *change, agree_result_fn *fn,
		  void *arg);

/*
 * WIRE_PROPOSE or WIRE_DOCUMENT; @own: a message of this mlbd.
 * Return: false for a body that makes no sense.
 */
bool agree_message(struct agree *agree, uint16_t sender, bool own,
		   const struct wire_message *message);

/* Send the document to all; 0 or a negative errno. */
int agree_send(struct agree *agree);

/* Now and then, and when the engine has room: what waits may go on. */
void agree_tick(struct agree *agree);

#endif /* MLBD_AGREE_H */
