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

/* Whether an object has no key but those of @keys, which ends with NULL. */
int document_check_keys(const json_t *json, const char *const *keys,
			char *error, size_t size);

/* Where a service or node is, or would have to be. */
size_t document_find_service(const struct document *document,
			     const struct mlb_endpoint *vip, bool *found);
size_t document_find_node(const struct document *document, uint16_t id,
			  bool *found);

/* Put in at its place; @service gives its pool away. */
int document_insert_service(struct document *document, size_t at,
			    const struct mlb_service *service, char *error,
			    size_t size);
int document_insert_node(struct document *document, size_t at,
			 const struct document_node *node, char *error,
			 size_t size);

/* The operation alone; the stamp stays. A failure leaves a torn document. */
int document_operate(struct document *document, const json_t *change,
		     char *error, size_t size);

#endif /* MLBD_DOCUMENT_PARTS_H */
