/* SPDX-License-Identifier: GPL-2.0 */
/* Arguments of nouns that are changed here alone or in the whole cluster. */
#ifndef MLBCTL_NOUNS_H
#define MLBCTL_NOUNS_H

#include "args.h"
#include "parse.h"

struct service_args {
	struct mlb_service service;
	struct node_list nodes;
};

extern const struct arg service_change_args[]; /* struct service_args */
extern const struct arg service_del_args[];
extern const struct arg node_set_args[]; /* struct mlb_node */

#endif /* MLBCTL_NOUNS_H */
