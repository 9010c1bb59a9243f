// SPDX-License-Identifier: GPL-2.0
/* The lists of the document: where something is, and putting it in. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "document_parts.h"
#include "text.h"

int document_endpoint_cmp(const struct mlb_endpoint *a,
			  const struct mlb_endpoint *b)
{
	char at[ENDPOINT_TEXT], bt[ENDPOINT_TEXT];

	return strcmp(endpoint_text(a, at), endpoint_text(b, bt));
}

static int addr_cmp(const struct mlb_addr *a, const struct mlb_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return a->family == AF_INET ? memcmp(&a->v4, &b->v4, sizeof(a->v4)) :
				      memcmp(&a->v6, &b->v6, sizeof(a->v6));
}

/* In an order that costs nothing, for what is not written down. */
static int vip_cmp(const struct mlb_endpoint *a, const struct mlb_endpoint *b)
{
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return addr_cmp(&a->addr, &b->addr);
}

bool document_endpoint_same(const struct mlb_endpoint *a,
			    const struct mlb_endpoint *b)
{
	return !vip_cmp(a, b);
}

static int index_cmp(const void *a, const void *b, void *arg)
{
	const struct document_index *index = arg;

	return vip_cmp(&index->services[*(const uint16_t *)a].vip,
		       &index->services[*(const uint16_t *)b].vip);
}

void document_index(struct document_index *index,
		    const struct mlb_service *services, size_t n)
{
	index->services = services;
	index->n = n;
	for (size_t i = 0; i < n; i++)
		index->order[i] = (uint16_t)i;
	qsort_r(index->order, n, sizeof(*index->order), index_cmp, index);
}

size_t document_index_find(const struct document_index *index,
			   const struct mlb_endpoint *vip)
{
	size_t low = 0, high = index->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int cmp = vip_cmp(&index->services[index->order[mid]].vip, vip);

		if (!cmp)
			return index->order[mid];
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return SIZE_MAX;
}

void document_index_role(const struct document_index *index,
			 const struct document_role *role,
			 struct document_served *served)
{
	memset(served, 0, sizeof(*served));
	served->all = !role->n_services;
	for (size_t i = 0; i < role->n_services; i++) {
		size_t at = document_index_find(index, &role->services[i]);

		if (at != SIZE_MAX)
			served->bits[at / 64] |= UINT64_C(1) << at % 64;
		else if (!served->missing)
			served->missing = &role->services[i];
	}
}

/* Of n entries, the first that @cmp does not find smaller than the key. */
static size_t find(const void *list, size_t n, size_t size, const void *key,
		   int (*cmp)(const void *entry, const void *key), bool *found)
{
	size_t low = 0, high = n;

	*found = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = cmp((const char *)list + mid * size, key);

		if (!order) {
			*found = true;
			return mid;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int service_cmp(const void *entry, const void *key)
{
	const struct mlb_service *service = entry;

	return document_endpoint_cmp(&service->vip, key);
}

static int node_cmp(const void *entry, const void *key)
{
	const struct document_node *node = entry;
	const uint16_t *id = key;

	return node->id - *id;
}

static int group_cmp(const void *entry, const void *key)
{
	const struct document_group *group = entry;

	return strcmp(group->name, key);
}

static int role_cmp(const void *entry, const void *key)
{
	const struct document_role *role = entry;

	return strcmp(role->name, key);
}

size_t document_find_service(const struct document *document,
			     const struct mlb_endpoint *vip, bool *found)
{
	return find(document->services, document->n_services,
		    sizeof(*document->services), vip, service_cmp, found);
}

size_t document_find_node(const struct document *document, uint16_t id,
			  bool *found)
{
	return find(document->nodes, document->n_nodes,
		    sizeof(*document->nodes), &id, node_cmp, found);
}

size_t document_find_group(const struct document *document, const char *name,
			   bool *found)
{
	return find(document->groups, document->n_groups,
		    sizeof(*document->groups), name, group_cmp, found);
}

size_t document_find_role(const struct document *document, const char *name,
			  bool *found)
{
	return find(document->roles, document->n_roles,
		    sizeof(*document->roles), name, role_cmp, found);
}

const struct document_role *document_role(const struct document *document,
					  const char *name)
{
	bool found;
	size_t at = document_find_role(document, name, &found);

	return found ? &document->roles[at] : NULL;
}

const struct document_node *document_node(const struct document *document,
					  uint16_t id)
{
	bool found;
	size_t at = document_find_node(document, id, &found);

	return found ? &document->nodes[at] : NULL;
}

bool document_fenced(const struct document *document, uint16_t id)
{
	for (size_t i = 0; i < document->n_roles; i++)
		if (document_has(&document->roles[i].assigned.fenced, id))
			return true;
	return false;
}

bool document_role_serves(const struct document_role *role,
			  const struct mlb_endpoint *vip)
{
	for (size_t i = 0; i < role->n_services; i++)
		if (document_endpoint_same(&role->services[i], vip))
			return true;
	return !role->n_services;
}

/**
 * struct list - one of the lists of a document
 * @what: its entries, for people
 * @entry: size of one
 */
struct list {
	const char *what;
	size_t entry;
	size_t max;
};

/* Return: the list with @entry in it, or NULL. */
static void *insert(void *list, size_t *n, size_t at, const void *entry,
		    const struct list *kind, int *ret, char *error, size_t size)
{
	char *new;

	if (*n >= kind->max) {
		document_refuse(error, size, "there are %zu %s already", *n,
				kind->what);
		*ret = -ENOSPC;
		return NULL;
	}
	new = reallocarray(list, *n + 1, kind->entry);
	if (!new) {
		*ret = document_no_memory(error, size);
		return NULL;
	}
	memmove(new + (at + 1) * kind->entry, new + at * kind->entry,
		(*n - at) * kind->entry);
	memcpy(new + at * kind->entry, entry, kind->entry);
	++*n;
	*ret = 0;
	return new;
}

int document_insert_service(struct document *document, size_t at,
			    const struct mlb_service *service, char *error,
			    size_t size)
{
	static const struct list kind = { "services", sizeof(*service),
					  DOCUMENT_SERVICES_MAX };
	void *new;
	int ret;

	new = insert(document->services, &document->n_services, at, service,
		     &kind, &ret, error, size);
	if (new)
		document->services = new;
	return ret;
}

int document_insert_node(struct document *document, size_t at,
			 const struct document_node *node, char *error,
			 size_t size)
{
	static const struct list kind = { "nodes for which something is set",
					  sizeof(*node), DOCUMENT_NODES_MAX };
	void *new;
	int ret;

	new = insert(document->nodes, &document->n_nodes, at, node, &kind, &ret,
		     error, size);
	if (new)
		document->nodes = new;
	return ret;
}

int document_insert_group(struct document *document, size_t at,
			  const struct document_group *group, char *error,
			  size_t size)
{
	static const struct list kind = { "groups", sizeof(*group),
					  DOCUMENT_GROUPS_MAX };
	void *new;
	int ret;

	new = insert(document->groups, &document->n_groups, at, group, &kind,
		     &ret, error, size);
	if (new)
		document->groups = new;
	return ret;
}

int document_insert_role(struct document *document, size_t at,
			 const struct document_role *role, char *error,
			 size_t size)
{
	static const struct list kind = { "roles", sizeof(*role),
					  DOCUMENT_ROLES_MAX };
	void *new;
	int ret;

	new = insert(document->roles, &document->n_roles, at, role, &kind, &ret,
		     error, size);
	if (new)
		document->roles = new;
	return ret;
}
