// SPDX-License-Identifier: GPL-2.0
/* The operations on groups and roles. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document_parts.h"

static int refuse_there(char *error, size_t size, const char *what,
			const char *name, bool there)
{
	document_refuse(error, size, "there is %s %s %s%s", there ? "a" : "no",
			what, name, there ? " already" : "");
	return there ? -EEXIST : -ENOENT;
}

int document_group_add(struct document *document, const json_t *change,
		       char *error, size_t size)
{
	struct document_group group = {};
	bool found;
	size_t at;
	int ret = document_parse_group(change, &group, error, size);

	if (!ret) {
		at = document_find_group(document, group.name, &found);
		ret = found ? refuse_there(error, size, "group", group.name,
					   true) :
			      document_insert_group(document, at, &group, error,
						    size);
	}
	if (ret)
		document_group_free(&group);
	return ret;
}

/* The group or role that a change names. */
static int find_group(struct document *document, const json_t *change,
		      size_t *at, char *error, size_t size)
{
	char name[DOCUMENT_NAME];
	bool found;
	int ret = document_parse_name(change, "group", name, error, size);

	if (ret)
		return ret;
	*at = document_find_group(document, name, &found);
	return found ? 0 : refuse_there(error, size, "group", name, false);
}

static int find_role(struct document *document, const json_t *change,
		     size_t *at, char *error, size_t size)
{
	char name[DOCUMENT_NAME];
	bool found;
	int ret = document_parse_name(change, "role", name, error, size);

	if (ret)
		return ret;
	*at = document_find_role(document, name, &found);
	return found ? 0 : refuse_there(error, size, "role", name, false);
}

int document_group_set(struct document *document, const json_t *change,
		       char *error, size_t size)
{
	size_t at;
	int ret = find_group(document, change, &at, error, size);

	return ret ? ret :
		     document_parse_group(change, &document->groups[at], error,
					  size);
}

int document_group_del(struct document *document, const json_t *change,
		       char *error, size_t size)
{
	struct document_group *groups = document->groups;
	size_t at;
	int ret = find_group(document, change, &at, error, size);

	if (ret)
		return ret;
	document_group_free(&groups[at]);
	document->n_groups--;
	memmove(groups + at, groups + at + 1,
		(document->n_groups - at) * sizeof(*groups));
	return 0;
}

/* The change that is being made gives this version. */
static uint64_t epoch(const struct document *document)
{
	return document->stamp.version + 1;
}

static void nobody_yet(const struct document *document,
		       struct document_assigned *assigned)
{
	*assigned = (struct document_assigned){ .epoch = epoch(document) };
	strcpy(assigned->reason, "it is new");
}

int document_role_add(struct document *document, const json_t *change,
		      char *error, size_t size)
{
	struct document_role role = document_role_new();
	bool found;
	size_t at;
	int ret = document_parse_role(change, &role, error, size);

	if (!ret) {
		role.asked = epoch(document);
		role.since = epoch(document);
		nobody_yet(document, &role.assigned);
		at = document_find_role(document, role.name, &found);
		ret = found ? refuse_there(error, size, "role", role.name,
					   true) :
			      document_insert_role(document, at, &role, error,
						   size);
	}
	if (ret)
		document_role_free(&role);
	return ret;
}

static void put(struct document_ids *ids, uint16_t id)
{
	if (!document_has(ids, id) && ids->n < DOCUMENT_IDS_MAX)
		ids->id[ids->n++] = id;
}

static int ids_cmp(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

/*
 * What an exclusive role is has changed: any node may have done some of it so
 * far, as a holder or as one of all. Who holds it lets go, and before somebody
 * gets it every kernel has to know (@since).
 */
static void begin_anew(const struct document *document,
		       struct document_role *role, const char *reason)
{
	struct document_assigned *assigned = &role->assigned;

	for (size_t i = 0; i < assigned->nodes.n; i++)
		put(&assigned->leaving, assigned->nodes.id[i]);
	qsort(assigned->leaving.id, assigned->leaving.n,
	      sizeof(*assigned->leaving.id), ids_cmp);
	assigned->nodes.n = 0;
	assigned->spread = false;
	assigned->epoch = epoch(document);
	strcpy(assigned->reason, reason);
	role->since = epoch(document);
}

static bool same_services(const struct document_role *a,
			  const struct document_role *b)
{
	if (a->n_services != b->n_services)
		return false;
	for (size_t i = 0; i < a->n_services; i++)
		if (!document_endpoint_same(&a->services[i], &b->services[i]))
			return false;
	return true;
}

static bool same_groups(const struct document_role *a,
			const struct document_role *b)
{
	if (a->groups.n != b->groups.n)
		return false;
	for (size_t i = 0; i < a->groups.n; i++)
		if (strcmp(a->groups.name[i], b->groups.name[i]))
			return false;
	return true;
}

/* @was is another document's, or what the role was before this change. */
static void begin_if_other(const struct document *document,
			   struct document_role *role,
			   const struct document_role *was)
{
	if (!role->exclusive)
		return;
	if (!was->exclusive)
		begin_anew(document, role, "it became exclusive");
	else if (!same_services(role, was) || !same_groups(role, was))
		begin_anew(document, role, "its work is another");
}

/*
 * Two moves at a time would be one that nobody asked for. Who is fenced is not
 * waited for: that may be for ever.
 */
static int still_moving(const struct document_role *role, char *error,
			size_t size)
{
	const struct document_ids *leaving = &role->assigned.leaving;

	for (size_t i = 0; role->exclusive && i < leaving->n; i++) {
		if (document_has(&role->assigned.fenced, leaving->id[i]))
			continue;
		document_refuse(
			error, size,
			"role %s is being moved: wait until node %u has let it go",
			role->name, leaving->id[i]);
		return -EBUSY;
	}
	return 0;
}

static int copy_role(const struct document_role *role,
		     struct document_role *copy, char *error, size_t size)
{
	json_t *json = document_role_json(role);
	int ret = json ? document_parse_role(json, copy, error, size) :
			 document_no_memory(error, size);

	json_decref(json);
	return ret;
}

int document_role_set(struct document *document, const json_t *change,
		      char *error, size_t size)
{
	struct document_role was = document_role_new();
	struct document_role *role;
	size_t at;
	int ret = find_role(document, change, &at, error, size);

	if (ret)
		return ret;
	if (json_object_size(change) < 3)
		return document_refuse(error, size, "what to set is missing");
	role = &document->roles[at];
	if (json_object_get(change, "nodes"))
		ret = still_moving(role, error, size);
	if (!ret)
		ret = copy_role(role, &was, error, size);
	if (!ret)
		ret = document_parse_role(change, role, error, size);
	if (!ret && json_object_get(change, "nodes"))
		role->asked = epoch(document);
	if (!ret)
		begin_if_other(document, role, &was);
	document_role_free(&was);
	return ret;
}

int document_role_del(struct document *document, const json_t *change,
		      char *error, size_t size)
{
	struct document_role *roles = document->roles;
	size_t at;
	int ret = find_role(document, change, &at, error, size);

	if (ret)
		return ret;
	document_role_free(&roles[at]);
	document->n_roles--;
	memmove(roles + at, roles + at + 1,
		(document->n_roles - at) * sizeof(*roles));
	return 0;
}

static bool same_ids(const struct document_ids *a, const struct document_ids *b)
{
	return a->n == b->n && !memcmp(a->id, b->id, a->n * sizeof(*a->id));
}

/* Whether it is where it belongs; else another may stand in, for good. */
static bool at_home(const struct document_role *role)
{
	const struct document_ids *homes = role->moved.n ? &role->moved :
							   &role->nodes;
	size_t seats = role->exclusive ? 1 : homes->n;

	for (size_t i = 0; i < seats; i++)
		if (!document_has(&role->assigned.nodes, homes->id[i]))
			return false;
	return true;
}

/* Where it is to be from now on; with no node, home. */
int document_role_move(struct document *document, const json_t *change,
		       char *error, size_t size)
{
	struct document_ids nodes;
	struct document_role *role;
	size_t at;
	int ret = find_role(document, change, &at, error, size);

	if (!ret)
		ret = document_parse_ids(change, "nodes", &nodes, error, size);
	if (ret)
		return ret;
	role = &document->roles[at];
	ret = still_moving(role, error, size);
	if (ret)
		return ret;
	if (role->exclusive && nodes.n > 1)
		return document_refuse(
			error, size,
			"role %s is exclusive: one node can hold it",
			role->name);
	if (same_ids(&nodes, &role->moved) && at_home(role))
		return document_refuse(error, size, "role %s is %s already",
				       role->name,
				       nodes.n ? "moved there" : "at home");
	role->moved = nodes;
	role->asked = epoch(document);
	return 0;
}

/* What must hold whatever the manager thinks. */
static int check_step(const struct document_role *role,
		      const struct document_assigned *new, char *error,
		      size_t size)
{
	const struct document_assigned *old = &role->assigned;

	if (!role->exclusive) {
		if (new->leaving.n)
			return document_refuse(
				error, size,
				"role %s is not exclusive, nobody has to let it go",
				role->name);
		return 0;
	}
	if (new->nodes.n > 1)
		return document_refuse(
			error, size,
			"role %s is exclusive: one node can hold it",
			role->name);
	if (new->nodes.n && old->nodes.n && !same_ids(&new->nodes, &old->nodes))
		return document_refuse(
			error, size,
			"role %s is exclusive: node %u has to let it go first",
			role->name, old->nodes.id[0]);
	for (size_t i = 0; i < old->nodes.n; i++)
		if (!document_has(&new->nodes, old->nodes.id[i]) &&
		    !document_has(&new->leaving, old->nodes.id[i]))
			return document_refuse(
				error, size,
				"role %s is exclusive: node %u is forgotten",
				role->name, old->nodes.id[i]);
	return 0;
}

static int assign_role(struct document *document, const json_t *json,
		       char *error, size_t size)
{
	struct document_assigned new;
	json_t *assigned;
	size_t at;
	int ret = json_is_object(json) ?
			  find_role(document, json, &at, error, size) :
			  document_refuse(error, size, "an object is expected");

	if (ret)
		return ret;
	assigned = json_copy(document_iterable(json));
	if (!assigned)
		return document_no_memory(error, size);
	json_object_del(assigned, "role");
	if (json_object_set_new(assigned, "epoch",
				json_integer((json_int_t)epoch(document))))
		ret = document_no_memory(error, size);
	else
		ret = document_parse_assigned(assigned, &new, error, size);
	json_decref(assigned);
	if (!ret && document->roles[at].assigned.epoch == epoch(document))
		ret = document_refuse(error, size, "role %s is there twice",
				      document->roles[at].name);
	if (!ret)
		ret = check_step(&document->roles[at], &new, error, size);
	if (!ret)
		document->roles[at].assigned = new;
	return ret;
}

/*
 * What the manager has decided, on grounds of one document: with another one it
 * might have been something else.
 */
int document_assign(struct document *document, const json_t *change,
		    char *error, size_t size)
{
	const json_t *roles = json_object_get(change, "roles");
	const json_t *base = json_object_get(change, "base");
	uint32_t by;
	int ret = document_parse_range(change, "by", 1, MLB_NODE_ID_MAX, &by,
				       error, size);

	if (ret)
		return ret;
	if (!json_is_integer(base) || !json_array_size(roles))
		return document_refuse(error, size, "base or roles is missing");
	if ((uint64_t)json_integer_value(base) != document->stamp.version) {
		document_refuse(error, size,
				"the document is another one by now");
		return -ESTALE;
	}
	for (size_t i = 0; !ret && i < json_array_size(roles); i++)
		ret = assign_role(document, json_array_get(roles, i), error,
				  size);
	return ret;
}

static void keep(const struct document *to, struct document_role *role,
		 const struct document_role *held)
{
	role->asked = epoch(to);
	role->since = held ? held->since : epoch(to);
	nobody_yet(to, &role->assigned);
	if (!held)
		return;
	role->assigned = held->assigned;
	begin_if_other(to, role, held);
}

void document_keep_assigned(struct document *to, const struct document *from)
{
	for (size_t i = 0; i < to->n_roles; i++)
		keep(to, &to->roles[i], document_role(from, to->roles[i].name));
}
