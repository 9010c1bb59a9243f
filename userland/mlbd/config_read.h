/* SPDX-License-Identifier: GPL-2.0 */
/* Sections and keys of the file, before what they mean together is looked at. */
#ifndef MLBD_CONFIG_READ_H
#define MLBD_CONFIG_READ_H

#include "args.h"
#include "config.h"
#include "parse.h"

enum section_kind {
	SECTION_SELF,
	SECTION_CLUSTER,
	SECTION_KERNEL,
	SECTION_DAEMON,
	SECTION_PEER,
	SECTION_SERVICE,
	SECTION_CHECK,
	SECTION_VIP,
};

/* Keys of one section, at most. */
#define SECTION_KEYS_MAX 16
#define SECTION_NAME_MAX CONFIG_NAME_MAX

#define CHECK_TIMEOUT_MAX 60000

/**
 * struct section - what stands between one [header] and the next
 * @name: as written, without the brackets
 * @line: of the header
 * @fields: which of @data the keys filled, MLB_F_* or CONFIG_F_*
 * @given: bit n: key n of the table is there
 * @key_line: where
 */
struct section {
	enum section_kind kind;
	char name[SECTION_NAME_MAX];
	unsigned int line;
	unsigned int fields;
	uint32_t given;
	unsigned int key_line[SECTION_KEYS_MAX];
	union {
		struct mlb_node node;
		struct mlb_config settings;
		struct {
			enum config_engine engine;
			const char *key_file;
			uint32_t sync_tick;
		} cluster;
		struct {
			const char *state_dir;
			const char *socket;
			const char *metrics_file;
			uint32_t metrics_interval;
		} daemon;
		struct {
			struct mlb_service service;
			struct node_list nodes;
		} service;
		struct {
			enum check_type type;
			struct mlb_endpoint service;
			struct mlb_addr addr;
			uint16_t port;
			struct check_timing timing;
			const char *path;
			const char *host;
			const char *status;
			const char *command;
		} check;
		struct {
			struct mlb_addr addr;
			uint32_t table;
			const char *dev;
			const char *role;
		} vip;
	};
};

/**
 * struct config_file - a file as it was read
 * @sections: in the order of the file; those of which there is one come once
 */
struct config_file {
	struct section *sections;
	size_t n;
};

int config_read(const char *path, struct config_file *file,
		struct config_error *error);
void config_file_free(struct config_file *file);

const struct section *config_section(const struct config_file *file,
				     enum section_kind kind);
/* Where a key of the section stands, or its header if it is not there. */
unsigned int config_line(const struct section *section, const char *key);
bool config_has(const struct section *section, const char *key);

/* config_check.c: whether it has letters, digits, ".", "_" and "-" only. */
bool config_good_name(const char *name);

/*
 * config_check.c: a [check NAME] as it is used. Return: NULL, or what is wrong
 * with @key (NULL for the whole).
 */
const char *config_check_make(const struct section *s, struct config_check *to,
			      const char **key);

#endif /* MLBD_CONFIG_READ_H */
