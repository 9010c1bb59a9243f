// SPDX-License-Identifier: GPL-2.0
/* Everything that is not needed is given away before anybody is listened to. */
#include <errno.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "log.h"
#include "mlbd.h"

static bool has(cap_value_t cap, cap_flag_t set)
{
	cap_flag_value_t value = CAP_CLEAR;
	cap_t caps = cap_get_proc();

	if (caps)
		cap_get_flag(caps, cap, set, &value);
	cap_free(caps);
	return value == CAP_SET;
}

/* As root also what execve() could give back; others have nothing there. */
static void drop_bounding(void)
{
	if (!has(CAP_SETPCAP, CAP_EFFECTIVE))
		return;
	for (cap_value_t cap = 0; cap <= cap_max_bits() - 1; cap++)
		if (cap != CAP_NET_ADMIN && cap_get_bound(cap) == 1)
			cap_drop_bound(cap);
}

static int keep_only(cap_value_t cap)
{
	cap_t caps = cap_init();
	int ret = -1;

	if (caps && !cap_set_flag(caps, CAP_PERMITTED, 1, &cap, CAP_SET) &&
	    !cap_set_flag(caps, CAP_EFFECTIVE, 1, &cap, CAP_SET))
		ret = cap_set_proc(caps);
	cap_free(caps);
	return ret;
}

/* Threads that libuv makes later inherit it; there are none yet. */
int privileges_drop(void)
{
	if (!has(CAP_NET_ADMIN, CAP_PERMITTED)) {
		log_error(
			"CAP_NET_ADMIN is missing: run it as root, or as mlbd.service does");
		return -EPERM;
	}
	drop_bounding();
	cap_reset_ambient();
	if (keep_only(CAP_NET_ADMIN) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		log_error("capabilities cannot be dropped: %m");
		return -EPERM;
	}
	return 0;
}
