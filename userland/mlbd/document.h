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
#include <stdbool.h>

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

/* Bytes of a name of a group or role, with its end. */
#define DOCUMENT_NAME 32

/* Whether a group or a role can have the name. */
bool document_good_name(const char *name);

/* Names without order among them, ascending. */
struct document_names {
	char (*name)[DOCUMENT_NAME];
	size_t n;
};

/* Most nodes that a role can name. */
#define DOCUMENT_IDS_MAX 64

struct document_ids {
	uint16_t id[DOCUMENT_IDS_MAX];
	size_t n;
};

/**
 * struct document_node - what was set for a node
 * @drain_ends: in drain: it goes to maintenance when its last connection is
 *	gone, or
 * @drain_timeout: after so many seconds, unless this is 0
 * @limited: as a spare it takes no roles but
 * @roles: these
 */
struct document_node {
	uint16_t id;
	uint32_t weight;
	enum mlb_node_state state;
	bool drain_ends;
	uint32_t drain_timeout;
	bool limited;
	struct document_names roles;
};

/* Clients; the longest prefix of all groups says in which one a client is. */
struct document_group {
	char name[DOCUMENT_NAME];
	struct mlb_prefix *prefixes;
	size_t n_prefixes;
};

/**
 * struct document_assigned - who does a role now; see assign.h
 * @nodes: they hold it, ascending
 * @leaving: they held it, are told to let go, and have not been seen to
 * @fenced: those of @leaving that their peers' kernels treat as dead until they
 *	have
 * @spread: @nodes stand in for a role that has neither home nor spare
 * @epoch: version of the document in which this was decided
 * @reason: for people
 */
struct document_assigned {
	struct document_ids nodes;
	struct document_ids leaving;
	struct document_ids fenced;
	bool spread;
	uint64_t epoch;
	char reason[160];
};

#define DOCUMENT_DRAIN_MAX 604800

#define DOCUMENT_FAILBACK_NO UINT32_MAX
#define DOCUMENT_FAILBACK_MAX 2592000

/**
 * struct document_role - services for groups of clients, done by some nodes
 * @services: none is all
 * @groups: none is every client that no other role of the service names
 * @nodes: its homes, the preferred ones first
 * @spares: who may take it over, the preferred ones first; none is any spare
 * @moved: where an operator has moved it: homes for the time being, or none
 * @asked: version of the document in which an operator said where it belongs;
 *	as long as it is not older than the assignment, that is done at once
 * @since: version from which on this is its work and it is exclusive: a kernel
 *	that was last brought to an older one may do it, whoever holds it
 * @failback: s for which a returned home has to be well before it takes the
 *	role back; DOCUMENT_FAILBACK_NO for never
 * @refuse: without home and spare its clients are refused; else they are spread
 *	over all nodes
 * @exclusive: never two nodes hold it, not even while it moves
 */
struct document_role {
	char name[DOCUMENT_NAME];
	struct mlb_endpoint *services;
	size_t n_services;
	struct document_names groups;
	struct document_ids nodes;
	struct document_ids spares;
	struct document_ids moved;
	uint64_t asked;
	uint64_t since;
	uint32_t failback;
	bool refuse;
	bool exclusive;
	struct document_assigned assigned;
};

/**
 * struct document - services, weights and settings of the cluster
 * @nodes: what was set for nodes; a node that is not named has weight 1 and is
 *	active, and takes any role. States are active, drain and maintenance:
 *	"dead" is not for an operator to say
 * @settings: MLB_F_CONFIG_* that are the cluster's
 */
struct document {
	struct document_stamp stamp;
	struct mlb_service *services;
	size_t n_services;
	struct document_node *nodes;
	size_t n_nodes;
	struct document_group *groups; /* by name, as roles */
	size_t n_groups;
	struct document_role *roles;
	size_t n_roles;
	struct mlb_config settings;
};

/* Most services, and most nodes for which something is set. */
#define DOCUMENT_SERVICES_MAX 1024
#define DOCUMENT_NODES_MAX 1024
#define DOCUMENT_GROUPS_MAX 1024
#define DOCUMENT_ROLES_MAX 256
/* What the kernel takes: prefixes, and services times groups, of all roles. */
#define DOCUMENT_PREFIXES_MAX 65536
#define DOCUMENT_POOLS_MAX 16384
/*
 * Most bytes of the document as JSON: it travels in one message. Who holds a
 * role counts as so many whoever it is, or a full document would keep a role
 * from moving.
 */
#define DOCUMENT_BYTES_MAX 900000
#define DOCUMENT_ASSIGNED_BYTES 1440

static inline bool document_has(const struct document_ids *ids, uint16_t id)
{
	for (size_t i = 0; i < ids->n; i++)
		if (ids->id[i] == id)
			return true;
	return false;
}

struct document *document_new(void);
void document_free(struct document *document);
int document_stamp_cmp(const struct document_stamp *a,
		       const struct document_stamp *b);

/* A role by its name, or NULL; what was set for a node, or NULL. */
const struct document_role *document_role(const struct document *document,
					  const char *name);
const struct document_node *document_node(const struct document *document,
					  uint16_t id);

/* Whether peers' kernels are to treat a node as dead until it has let go. */
bool document_fenced(const struct document *document, uint16_t id);

/* Whether it is one of the role's services. */
bool document_role_serves(const struct document_role *role,
			  const struct mlb_endpoint *vip);

/* Whether only mlbds of protocol 2 can read it, or change it so. */
bool document_needs_roles(const struct document *document);
bool document_change_needs_roles(const json_t *change);

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
 * Return: 0; -EINVAL, -EEXIST, -ENOENT, -EBUSY, -ESTALE, -ENOSPC (too large) or
 * -ENOMEM with @error, and the document as it was.
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
