/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_H
#define _UNIT_H

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
