/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of the document. */
#ifndef MLBD_DOCUMENT_PARTS_H
#define MLBD_DOCUMENT_PARTS_H

#include "document.h"

/* The pool of a service of a document, which the document owns. */
uint16_t *document_pool(const struct mlb_service *service);

/* As JSON, all but the stamp, and the other way round into an empty document. */
json_t *document_contents(const struct document *document);
int document_parse_contents(const json_t *json, struct document *document,
			    char *error, size_t size);

/* Of one service: @service keeps what the JSON does not name. */
int document_parse_service(const json_t *json, struct mlb_service *service,
			   char *error, size_t size);
int document_parse_vip(const json_t *json, struct mlb_endpoint *vip,
		       char *error, size_t size);
int document_parse_node(const json_t *json, struct document_node *node,
			char *error, size_t size);
int document_parse_settings(const json_t *json, struct mlb_config *settings,
			    char *error, size_t size);

/* What the parsers of the parts share; each returns -EINVAL and says why. */
int document_refuse(char *error, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int document_no_memory(char *error, size_t size);
json_t *document_iterable(const json_t *json);
int document_parse_range(const json_t *json, const char *key, json_int_t min,
			 json_int_t max, uint32_t *out, char *error,
			 size_t size);
int document_parse_word(const json_t *json, const char *key,
			const char *const *words, unsigned int *out,
			char *error, size_t size);
/* In the order in which they are written down, which takes making the text. */
int document_endpoint_cmp(const struct mlb_endpoint *a,
			  const struct mlb_endpoint *b);
bool document_endpoint_same(const struct mlb_endpoint *a,
			    const struct mlb_endpoint *b);

/* For looking up many services. */
struct document_index {
	const struct mlb_service *services;
	size_t n;
	uint16_t order[DOCUMENT_SERVICES_MAX];
};

/**
 * struct document_served - which services a role has
 * @bits: by their place; none with
 * @all: all of them
 * @missing: the first that is not there, or NULL
 */
struct document_served {
	uint64_t bits[DOCUMENT_SERVICES_MAX / 64];
	bool all;
	const struct mlb_endpoint *missing;
};

static inline bool document_served(const struct document_served *served,
				   size_t i)
{
	return served->all || served->bits[i / 64] >> i % 64 & 1;
}

/* @services: at most DOCUMENT_SERVICES_MAX, which stay. */
void document_index(struct document_index *index,
		    const struct mlb_service *services, size_t n);
/* Its place, or SIZE_MAX. */
size_t document_index_find(const struct document_index *index,
			   const struct mlb_endpoint *vip);
void document_index_role(const struct document_index *index,
			 const struct document_role *role,
			 struct document_served *served);

/* document_group.c: names and groups. */
int document_parse_name(const json_t *json, const char *key,
			char name[DOCUMENT_NAME], char *error, size_t size);
int document_parse_names(const json_t *json, const char *key,
			 struct document_names *names, char *error,
			 size_t size);
json_t *document_names_json(const struct document_names *names);
int document_parse_group(const json_t *json, struct document_group *group,
			 char *error, size_t size);
json_t *document_group_json(const struct document_group *group);
void document_group_free(struct document_group *group);
int document_prefix_cmp(const struct mlb_prefix *a,
			const struct mlb_prefix *b);

/* document_role.c: roles keep what the JSON does not name. */
extern const char *const document_role_keys[];
struct document_role document_role_new(void);
int document_parse_role(const json_t *json, struct document_role *role,
			char *error, size_t size);
int document_parse_ids(const json_t *json, const char *key,
		       struct document_ids *ids, char *error, size_t size);
json_t *document_ids_json(const struct document_ids *ids);
int document_parse_assigned(const json_t *json,
			    struct document_assigned *assigned, char *error,
			    size_t size);
json_t *document_assigned_json(const struct document_assigned *assigned);
json_t *document_role_json(const struct document_role *role);
void document_role_free(struct document_role *role);

/* Whether the parts fit each other: what names what, and no two the same. */
int document_check(const struct document *document, char *error, size_t size);
/* Whether that can have been agreed on, of a document that came whole. */
int document_check_assigned(const struct document *document, char *error,
			    size_t size);

/* document_role_change.c: operations. */
int document_group_add(struct document *document, const json_t *change,
		       char *error, size_t size);
int document_group_set(struct document *document, const json_t *change,
		       char *error, size_t size);
int document_group_del(struct document *document, const json_t *change,
		       char *error, size_t size);
int document_role_add(struct document *document, const json_t *change,
		      char *error, size_t size);
int document_role_set(struct document *document, const json_t *change,
		      char *error, size_t size);
int document_role_del(struct document *document, const json_t *change,
		      char *error, size_t size);
int document_role_move(struct document *document, const json_t *change,
		       char *error, size_t size);
int document_assign(struct document *document, const json_t *change,
		    char *error, size_t size);
/* Who holds the roles of @from holds those of the same names in @to. */
void document_keep_assigned(struct document *to, const struct document *from);

/* Whether an object has no key but those of @keys, which ends with NULL. */
int document_check_keys(const json_t *json, const char *const *keys,
			char *error, size_t size);

/* Where a service or node is, or would have to be. */
size_t document_find_service(const struct document *document,
			     const struct mlb_endpoint *vip, bool *found);
size_t document_find_node(const struct document *document, uint16_t id,
			  bool *found);
size_t document_find_group(const struct document *document, const char *name,
			   bool *found);
size_t document_find_role(const struct document *document, const char *name,
			  bool *found);

/* Put in at its place; what is put in gives away what it points to. */
int document_insert_service(struct document *document, size_t at,
			    const struct mlb_service *service, char *error,
			    size_t size);
int document_insert_node(struct document *document, size_t at,
			 const struct document_node *node, char *error,
			 size_t size);
int document_insert_group(struct document *document, size_t at,
			  const struct document_group *group, char *error,
			  size_t size);
int document_insert_role(struct document *document, size_t at,
			 const struct document_role *role, char *error,
			 size_t size);

/* The operation alone; the stamp stays. A failure leaves a torn document. */
int document_operate(struct document *document, const json_t *change,
		     char *error, size_t size);

#endif /* MLBD_DOCUMENT_PARTS_H */
