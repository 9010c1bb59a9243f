/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_MINMAX_H
#define _UNIT_LINUX_MINMAX_H

#define max_t(type, a, b)				\
({							\
	type _a = (a), _b = (b);			\
							\
	_a > _b ? _a : _b;				\
})

#define min(a, b)					\
({							\
	__auto_type _a = (a);				\
	__auto_type _b = (b);				\
							\
	_a < _b ? _a : _b;				\
})

#endif
