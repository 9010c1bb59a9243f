// SPDX-License-Identifier: GPL-2.0
/*
 * Writes down each view that the node's corosync has of the cluster:
 *
 *	TIME RING yes|no NODE,NODE...
 *
 * with the time in microseconds, and "TIME 0 gone" when corosync has ended. It
 * waits for corosync to start, and to start again.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <corosync/corotypes.h>
#include <corosync/quorum.h>

static void print_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	printf("%lld%06ld ", (long long)now.tv_sec, now.tv_nsec / 1000);
}

static void notify(quorum_handle_t handle, uint32_t quorate, uint64_t ring,
		   uint32_t n, uint32_t *nodes)
{
	(void)handle;
	print_time();
	printf("%llu %s ", (unsigned long long)ring, quorate ? "yes" : "no");
	for (uint32_t i = 0; i < n; i++)
		printf("%s%u", i ? "," : "", nodes[i]);
	putchar('\n');
	fflush(stdout);
}

static void watch(quorum_handle_t handle)
{
	struct pollfd pfd = { .events = POLLIN };

	if (quorum_fd_get(handle, &pfd.fd) != CS_OK ||
	    quorum_trackstart(handle, CS_TRACK_CURRENT | CS_TRACK_CHANGES) != CS_OK)
		return;
	while (poll(&pfd, 1, -1) >= 0)
		if (quorum_dispatch(handle, CS_DISPATCH_ALL) != CS_OK)
			return;
}

int main(void)
{
	quorum_callbacks_t callbacks = { .quorum_notify_fn = notify };
	quorum_handle_t handle;
	uint32_t type;

	for (;;) {
		/* There is nothing to wait on before corosync listens. */
		if (quorum_initialize(&handle, &callbacks, &type) != CS_OK) {
			usleep(20000);
			continue;
		}
		watch(handle);
		quorum_finalize(handle);
		print_time();
		printf("0 gone\n");
		fflush(stdout);
	}
}
