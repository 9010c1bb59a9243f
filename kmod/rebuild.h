/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_REBUILD_H
#define _MLB_REBUILD_H

#include <linux/types.h>

struct mlb_net;

void mlb_rebuild(struct mlb_net *mn, u16 id);
void mlb_rebuild_wait(struct mlb_net *mn);
int mlb_rebuild_every(struct mlb_net *mn);

void mlb_rebuild_net_init(struct mlb_net *mn);
void mlb_rebuild_net_exit(struct mlb_net *mn);

#endif
