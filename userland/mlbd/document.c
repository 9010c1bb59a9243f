// SPDX-License-Identifier: GPL-2.0
/* The cluster's document, to and from JSON and files. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "document.h"
#include "document_parts.h"

static int number_cmp(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

int document_stamp_cmp(const struct document_stamp *a,
		       const struct document_stamp *b)
{
	int cmp = number_cmp(a->ring, b->ring);

	if (!cmp)
		cmp = number_cmp(a->version, b->version);
	return cmp ? cmp : number_cmp(a->hash, b->hash);
}

json_t *document_stamp_json(const struct document_stamp *stamp)
{
	char hash[17];

	snprintf(hash, sizeof(hash), "%016" PRIx64, stamp->hash);
	return json_pack("{s:I, s:I, s:s}", "ring", (json_int_t)stamp->ring,
			 "version", (json_int_t)stamp->version, "hash", hash);
}

bool document_stamp_parse(const json_t *json, struct document_stamp *stamp)
{
	const json_t *ring = json_object_get(json, "ring");
	const json_t *version = json_object_get(json, "version");
	const char *hash = json_string_value(json_object_get(json, "hash"));

	if (!json_is_integer(ring) || json_integer_value(ring) < 0 ||
	    !json_is_integer(version) || json_integer_value(version) < 0 ||
	    !hash || strlen(hash) != 16 ||
	    strspn(hash, "0123456789abcdef") != 16)
		return false;
	stamp->ring = (uint64_t)json_integer_value(ring);
	stamp->version = (uint64_t)json_integer_value(version);
	stamp->hash = strtoull(hash, NULL, 16);
	return true;
}

struct document *document_new(void)
{
	return calloc(1, sizeof(struct document));
}

void document_free(struct document *document)
{
	if (!document)
		return;
	for (size_t i = 0; i < document->n_services; i++)
		free(document_pool(&document->services[i]));
	for (size_t i = 0; i < document->n_nodes; i++)
		free(document->nodes[i].roles.name);
	for (size_t i = 0; i < document->n_groups; i++)
		document_group_free(&document->groups[i]);
	for (size_t i = 0; i < document->n_roles; i++)
		document_role_free(&document->roles[i]);
	free(document->services);
	free(document->nodes);
	free(document->groups);
	free(document->roles);
	free(document);
}

json_t *document_json(const struct document *document)
{
	json_t *json = document_contents(document);

	if (json &&
	    json_object_set_new(json, "stamp",
				document_stamp_json(&document->stamp))) {
		json_decref(json);
		return NULL;
	}
	return json;
}

/* FNV-1a: two documents that differ by accident are told apart. */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3;
	return hash;
}

/* With who holds which role as large as that can be. */
static size_t most_bytes(const struct document *document, size_t bytes)
{
	for (size_t i = 0; i < document->n_roles; i++) {
		json_t *assigned =
			document_assigned_json(&document->roles[i].assigned);

		bytes += DOCUMENT_ASSIGNED_BYTES -
			 json_dumpb(assigned, NULL, 0, JSON_COMPACT);
		json_decref(assigned);
	}
	return bytes;
}

/* Also whether it fits. */
static int contents_hash(const struct document *document, uint64_t *hash,
			 char *error, size_t size)
{
	json_t *json = document_contents(document);
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) :
			    NULL;
	int ret = 0;

	json_decref(json);
	if (!text) {
		snprintf(error, size, "out of memory");
		return -ENOMEM;
	}
	*hash = hash_of(text);
	if (most_bytes(document, strlen(text)) > DOCUMENT_BYTES_MAX) {
		snprintf(error, size,
			 "the document would be larger than %d bytes",
			 DOCUMENT_BYTES_MAX);
		ret = -ENOSPC;
	}
	free(text);
	return ret;
}

static bool never_changed(const struct document_stamp *stamp)
{
	return !stamp->ring && !stamp->version && !stamp->hash;
}

int document_parse(const json_t *json, struct document **document, char *error,
		   size_t size)
{
	struct document *new = document_new();
	uint64_t hash;
	int ret;

	*document = NULL;
	if (!new) {
		snprintf(error, size, "out of memory");
		return -ENOMEM;
	}
	if (!document_stamp_parse(json_object_get(json, "stamp"),
				  &new->stamp)) {
		snprintf(error, size, "the stamp is missing or malformed");
		ret = -EINVAL;
		goto free;
	}
	ret = document_parse_contents(json, new, error, size);
	if (!ret)
		ret = document_check_assigned(new, error, size);
	if (!ret)
		ret = contents_hash(new, &hash, error, size);
	if (ret)
		goto free;
	if (never_changed(&new->stamp) && !new->n_services && !new->n_nodes &&
	    !new->n_groups && !new->n_roles && !new->settings.fields)
		hash = 0;
	if (hash != new->stamp.hash) {
		snprintf(error, size,
			 "the contents are not those of the stamp");
		ret = -EINVAL;
		goto free;
	}
	*document = new;
	return 0;

free:
	document_free(new);
	return ret;
}

/* A copy of a list, which is empty without memory. */
static void *copy_list(const void *list, size_t *n, size_t entry, bool *good)
{
	void *copy = *n ? malloc(*n * entry) : NULL;

	if (copy) {
		memcpy(copy, list, *n * entry);
	} else if (*n) {
		*n = 0;
		*good = false;
	}
	return copy;
}

#define COPY(owner, list, n)                                               \
	((owner)->list = copy_list((owner)->list, &(owner)->n,             \
				   sizeof(*(owner)->list), &good))

static struct document *copy_of(const struct document *document)
{
	struct document *copy = document_new();
	bool good = true;

	if (!copy)
		return NULL;
	*copy = *document;
	COPY(copy, services, n_services);
	for (size_t i = 0; i < copy->n_services; i++)
		COPY(&copy->services[i], nodes, n_nodes);
	COPY(copy, nodes, n_nodes);
	for (size_t i = 0; i < copy->n_nodes; i++)
		COPY(&copy->nodes[i].roles, name, n);
	COPY(copy, groups, n_groups);
	for (size_t i = 0; i < copy->n_groups; i++)
		COPY(&copy->groups[i], prefixes, n_prefixes);
	COPY(copy, roles, n_roles);
	for (size_t i = 0; i < copy->n_roles; i++) {
		COPY(&copy->roles[i], services, n_services);
		COPY(&copy->roles[i].groups, name, n);
	}
	if (good)
		return copy;
	document_free(copy);
	return NULL;
}

int document_change(struct document *document, const json_t *change,
		    uint64_t ring, char *error, size_t size)
{
	struct document *next, old = *document;
	int ret;

	if (old.stamp.version >= INT64_MAX || ring > INT64_MAX) {
		snprintf(error, size, "the document's numbers are used up");
		return -EINVAL;
	}
	next = copy_of(document);
	if (!next) {
		snprintf(error, size, "out of memory");
		return -ENOMEM;
	}
	ret = document_operate(next, change, error, size);
	if (!ret)
		ret = contents_hash(next, &next->stamp.hash, error, size);
	if (!ret) {
		next->stamp.ring = ring > old.stamp.ring ? ring :
							   old.stamp.ring;
		next->stamp.version = old.stamp.version + 1;
		*document = *next;
		*next = old;
	}
	document_free(next);
	return ret;
}

int document_load(const char *path, struct document **document, char *error,
		  size_t size)
{
	json_error_t where;
	json_t *json;
	FILE *file;
	int ret;

	*document = NULL;
	file = fopen(path, "re");
	if (!file) {
		ret = -errno;
		snprintf(error, size, "%s: %s", path, strerror(-ret));
		return ret;
	}
	json = json_loadf(file, JSON_REJECT_DUPLICATES, &where);
	fclose(file);
	if (!json) {
		snprintf(error, size, "%s:%d: %s", path, where.line,
			 where.text);
		return -EINVAL;
	}
	ret = document_parse(json, document, error, size);
	json_decref(json);
	return ret == -ENOMEM || !ret ? ret : -EINVAL;
}

/* fsync() reports what write() could not know. */
static int write_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int ret = 0;

	if (fd < 0)
		return -errno;
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			ret = -errno;
			break;
		}
		text += n;
		len -= (size_t)n;
	}
	if (!ret && fsync(fd))
		ret = -errno;
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

/* So that the new name outlives a power cut. */
static int sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) :
			    strdup(".");
	int ret = 0, fd;

	if (!dir)
		return -ENOMEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		ret = -errno;
	if (fd >= 0)
		close(fd);
	free(dir);
	return ret;
}

int document_save(const char *path, const char *text, char *error, size_t size)
{
	char *temporary;
	int ret;

	if (asprintf(&temporary, "%s.new", path) < 0) {
		snprintf(error, size, "out of memory");
		return -ENOMEM;
	}
	ret = write_file(temporary, text, strlen(text));
	if (!ret && rename(temporary, path))
		ret = -errno;
	if (!ret)
		ret = sync_directory(path);
	if (ret) {
		snprintf(error, size, "%s: %s", path, strerror(-ret));
		unlink(temporary);
	}
	free(temporary);
	return ret;
}
