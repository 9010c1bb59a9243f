/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cluster's configuration: one document, the same on every node. Changes
 * are ordered messages, so every node makes them in the same order with the
 * same result; the newest document wins when partitions meet.
 */
#ifndef MLBD_DOCUMENT_H
#define MLBD_DOCUMENT_H

#include "libmlb.h"
#include <jansson.h>

/**
 * struct document_stamp - which of two documents is newer
 * @ring: membership (engine_view) in which it was last changed
 * @version: counts changes
 * @hash: of its contents, to tell apart what should not differ; 0 of the empty
 *	document that was never changed
 *
 * Compared in this order. What the side with quorum changed after a split is
 * newer than what the other side may have changed in the moment before it
 * knew.
 */
struct document_stamp {
	uint64_t ring;
	uint64_t version;
	uint64_t hash;
};

struct document_node {
	uint16_t id;
	uint32_t weight;
	enum mlb_node_state state;
};

/**
 * struct document - services, weights and settings of the cluster
 * @nodes: what was set for nodes; a node that is not named has weight 1 and is
 *	active. States are active, drain and maintenance: "dead" is not for an
 *	operator to say
 * @settings: MLB_F_CONFIG_* that are the cluster's
 */
struct document {
	struct document_stamp stamp;
	struct mlb_service *services;
	size_t n_services;
	struct document_node *nodes;
	size_t n_nodes;
	struct mlb_config settings;
};

/* Most services, and most nodes for which something is set. */
#define DOCUMENT_SERVICES_MAX 1024
#define DOCUMENT_NODES_MAX 1024
/* Most bytes of the document as JSON: it travels in one message. */
#define DOCUMENT_BYTES_MAX 900000

struct document *document_new(void);
void document_free(struct document *document);
int document_stamp_cmp(const struct document_stamp *a,
		       const struct document_stamp *b);

/* As JSON; ring and version are at most INT64_MAX, the hash is text. */
json_t *document_stamp_json(const struct document_stamp *stamp);
bool document_stamp_parse(const json_t *json, struct document_stamp *stamp);

/*
 * To and from JSON, as README.md has it. document_parse() checks everything,
 * the hash as well; -EINVAL with @error.
 */
json_t *document_json(const struct document *document);
int document_parse(const json_t *json, struct document **document,
		   char *error, size_t size);

/**
 * document_change() - make a change
 * @change: an operation as the control socket takes it
 * @ring: membership in which the change was agreed; the stamp's never goes back
 *
 * The same document and change give the same result on every node: nothing but
 * the two is looked at.
 *
 * Return: 0; -EINVAL, -EEXIST, -ENOENT, -ENOSPC (too large) or -ENOMEM with
 * @error, and the document as it was.
 */
int document_change(struct document *document, const json_t *change,
		    uint64_t ring, char *error, size_t size);

/*
 * From and to a file, the latter atomically (new file, fsync, rename).
 * document_save() takes the document as text, as it runs in a thread of its
 * own.
 *
 * Return: 0 or a negative errno; -EINVAL of document_load() for a file that is
 * not a document. @error says what failed.
 */
int document_load(const char *path, struct document **document,
		  char *error, size_t size);
int document_save(const char *path, const char *text, char *error, size_t size);

#endif /* MLBD_DOCUMENT_H */
