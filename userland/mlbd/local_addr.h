/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MLBD_LOCAL_ADDR_H
#define MLBD_LOCAL_ADDR_H

#include "libmlb.h"
#include <stdbool.h>

/* Whether this host has the address. When nobody can say, it may. */
bool local_addr(const struct mlb_addr *addr);

#endif /* MLBD_LOCAL_ADDR_H */
