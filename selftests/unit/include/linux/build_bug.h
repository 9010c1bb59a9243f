/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_BUILD_BUG_H
#define _UNIT_LINUX_BUILD_BUG_H

/* The kernel's takes no message, C11's must have one. */
#undef static_assert
#define static_assert(expr)	_Static_assert(expr, #expr)
#define BUILD_BUG_ON(expr)	_Static_assert(!(expr), #expr)

#endif
