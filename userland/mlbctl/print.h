/* SPDX-License-Identifier: GPL-2.0 */
/* How the objects of libmlb are shown, in listings and in events alike. */
#ifndef MLBCTL_PRINT_H
#define MLBCTL_PRINT_H

#include "libmlb.h"
#include "output.h"
#include "text.h"

/* Each adds to a record that has begun. */
void print_config(struct output *out, const struct mlb_config *config);
void print_node(struct output *out, const struct mlb_node *node);
void print_service(struct output *out, const struct mlb_service *service);
void print_group(struct output *out, const struct mlb_group *group);
void print_group_pool(struct output *out, const struct mlb_group_pool *pool);
/* keys: of the clients, which are secrets, too */
void print_owner(struct output *out, const struct mlb_owner *owner, bool keys);
void print_flow(struct output *out, const struct mlb_flow *flow);
void print_explanation(struct output *out, const struct mlb_explanation *e);

#endif /* MLBCTL_PRINT_H */
