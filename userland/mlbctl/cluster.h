/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of mlbctl cluster. */
#ifndef MLBCTL_CLUSTER_H
#define MLBCTL_CLUSTER_H

#include "mlbctl.h"
#include "parse.h"

struct cluster_group_args {
	const char *name;
	const char *prefixes;
};

struct cluster_role_args {
	const char *name;
	const char *services;
	const char *groups;
	struct node_list nodes;
	struct node_list spares;
	const char *failback;
	unsigned int without_spare;
	unsigned int exclusive;
	const char *to;
};

extern const struct arg cluster_group_args[];
extern const struct arg cluster_group_del_args[];
extern const struct arg cluster_role_add_args[];
extern const struct arg cluster_role_set_args[];
extern const struct arg cluster_role_del_args[];
extern const struct arg cluster_role_move_args[];

int cluster_group_add(struct mlbctl *ctl);
int cluster_group_set(struct mlbctl *ctl);
int cluster_group_del(struct mlbctl *ctl);
int cluster_group_list(struct mlbctl *ctl);
int cluster_role_prepare(struct mlbctl *ctl);
int cluster_role_prepare_move(struct mlbctl *ctl);
int cluster_role_add(struct mlbctl *ctl);
int cluster_role_set(struct mlbctl *ctl);
int cluster_role_del(struct mlbctl *ctl);
int cluster_role_move(struct mlbctl *ctl);
int cluster_role_list(struct mlbctl *ctl);

/* As the command that would make it. */
void cluster_print_group(struct output *out, const json_t *group);
void cluster_print_role(struct output *out, const json_t *role);

/* Has the cluster agree on a change; takes it over. */
int cluster_change(struct mlbctl *ctl, json_t *object);

/* The records of one list of the document. */
int cluster_list(struct mlbctl *ctl, const char *key,
		 void (*print)(struct output *out, const json_t *object));

/* "?" and 0 for what is not there. */
const char *cluster_text(const json_t *object, const char *key);
uint64_t cluster_number(const json_t *object, const char *key);

/* A list with commas to and from JSON; @none is how an empty one is written. */
json_t *cluster_words(const char *text, const char *none);
void cluster_print_list(struct output *out, const json_t *list, const char *key,
			const char *label, const char *none);

#endif /* MLBCTL_CLUSTER_H */
